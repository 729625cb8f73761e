"""Download a public data set: EMNIST, MNIST, or what to do for the A-Z CSV.

Goes on where an earlier download was cut off, and checks the SHA-256 of every file.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from hcr_live.errors import HcrError
from train.data.emnist import CHARACTERS
from train.data.sources import SOURCES

ADDRESSES = {
    "emnist": "https://biometrics.nist.gov/cs_links/EMNIST/",
    # The mirror that PyTorch uses: the page of the authors hands the files out no longer.
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
}
"""Where the files lie."""

_MNIST_FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
)
_EMNIST_FILES = tuple(
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "test")
    for kind in ("images-idx3", "labels-idx1")
)
_PIECE = 1 << 18
_TIMEOUT = 30.0  # seconds without a byte


def known_sums() -> dict[str, str]:
    """Return the SHA-256 of every known file, by `gzip/NAME`, `matlab/NAME` or `mnist/NAME`."""
    lines = (Path(__file__).parent / "sha256.txt").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def fetch_mnist(out: Path, address: str = ADDRESSES["mnist"]) -> Path:
    """Download the four files of MNIST to `out`/mnist and return that folder.

    Raises:
        HcrError: If the server can't be reached, or sends something else.
    """
    folder = _made(out / "mnist")
    sums = known_sums()
    for name in _MNIST_FILES:
        download(address + name, folder / name, sums[f"mnist/{name}"])
    return folder


def fetch_emnist(
    out: Path,
    split: str = "byclass",
    address: str = ADDRESSES["emnist"],
    sums: Mapping[str, str] | None = None,
) -> Path:
    """Download EMNIST's gzip.zip to `out`, unpack one split to `out`/emnist, return that folder.

    One split, because the splits share images: a test image of one is a train image of another.

    Raises:
        HcrError: If the server can't be reached, or sends something else.
    """
    folder = _made(out / "emnist")
    sums = known_sums() if sums is None else sums
    names = [f"emnist-{split}-{file}" for file in _EMNIST_FILES]
    wanted = [name for name in names if not _is_right(folder / name, sums[f"gzip/{name}"])]
    if not wanted:
        return folder
    archive = out / "gzip.zip"
    download(address + archive.name, archive)
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in wanted:
                _unpack(packed, f"gzip/{name}", folder / name, sums[f"gzip/{name}"])
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        archive.unlink()
        raise HcrError(
            f"{address}{archive.name} is not the archive of EMNIST ({error}): it was deleted, run"
            " the command again."
        ) from error
    return folder


def find_az(out: Path) -> Path:
    """Return the A-Z CSV in a folder, unpacked if only Kaggle's archive is there.

    Raises:
        HcrError: If neither is there; it says where to get it.
    """
    for archive in sorted(out.glob("*.zip")):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                for member in packed.namelist():
                    name = Path(member).name
                    if name.startswith("A_Z") and not (out / name).is_file():
                        _unpack(packed, member, out / name, None)
    for path in sorted(out.glob("A_Z*.csv")):
        return path
    raise HcrError(
        "Kaggle asks for a login, so the A-Z CSV must be downloaded in a browser: press Download"
        f" on {SOURCES['az'].address}, put the archive (or the CSV in it) into {out}, and run"
        " this command again."
    )


def download(address: str, target: Path, sha256: str | None = None) -> None:
    """Download a file, unless it is there; what came so far is kept beside it as .part.

    A connection that is cut is opened again where it was, as long as anything comes.

    Raises:
        HcrError: If the server can't be reached or lacks the file, or the SHA-256 is another one.
    """
    by_hand = f"download it in a browser to {target} and run the command again"
    if target.is_file() and (sha256 is None or _is_right(target, sha256)):
        return
    part = target.with_name(target.name + ".part")
    while True:
        before = _size(part)
        try:
            _receive(address, part)
            break
        except urllib.error.HTTPError as error:
            raise HcrError(
                f"{address} answers {error.code} {error.reason}: try later, or {by_hand}."
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if _size(part) > before:
                continue
            reason = getattr(error, "reason", None) or error
            raise HcrError(
                f"Cannot download {address} ({reason}): check the network and run the command"
                f" again, it goes on where it was; or {by_hand}."
            ) from error
    if sha256 is not None and not _is_right(part, sha256):
        part.unlink()
        raise HcrError(
            f"{address} is not the file that it should be (its SHA-256 is another one): it was"
            f" deleted, run the command again, or {by_hand}."
        )
    part.replace(target)


def _receive(address: str, part: Path) -> None:
    """Append what is missing to the part.

    Raises:
        OSError: Also where the connection ends too early.
    """
    done = _size(part)
    headers = {"User-Agent": "hcr-live"}  # some servers refuse Python's own
    if done:
        headers["Range"] = f"bytes={done}-"
    request = urllib.request.Request(address, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()
        if error.headers.get("Content-Range") == f"bytes */{done}":
            return  # all of it is here
        part.unlink()
        return _receive(address, part)
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        with (
            part.open("ab" if done else "wb") as file,
            tqdm(
                total=total, initial=done, desc=part.stem, unit="B", unit_scale=True, disable=None
            ) as bar,
        ):
            while piece := answer.read(_PIECE):
                file.write(piece)
                bar.update(len(piece))
    if total is not None and _size(part) < total:
        raise OSError("the connection was cut")


def _unpack(packed: zipfile.ZipFile, member: str, target: Path, sha256: str | None) -> None:
    part = target.with_name(target.name + ".part")
    with packed.open(member) as source, part.open("wb") as file:
        shutil.copyfileobj(source, file, _PIECE)
    if sha256 is not None and not _is_right(part, sha256):
        part.unlink()
        raise zipfile.BadZipFile(f"the SHA-256 of {member} is another one")
    part.replace(target)


def _is_right(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest() == sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HcrError(f"Cannot write to {folder}: {error.strerror}.") from error
    return folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `fetch`."""
    parser.add_argument("what", choices=("emnist", "mnist", "az"), help="the data set")
    parser.add_argument("--out", type=Path, required=True, help="folder of data")
    parser.add_argument(
        "--split", choices=tuple(CHARACTERS), default="byclass", help="of EMNIST; default byclass"
    )
    parser.add_argument("--address", help="another server's folder with the same files")


def run(options: argparse.Namespace) -> None:
    """Fetch as the options say."""
    if options.what == "az":
        print(f"Found {find_az(_made(options.out))}")
        return
    address = (options.address or ADDRESSES[options.what]).rstrip("/") + "/"
    if options.what == "mnist":
        print(f"Wrote {fetch_mnist(options.out, address)}")
    else:
        print(f"Wrote {fetch_emnist(options.out, options.split, address)}")
