"""Where the bundled files lie: weights in `models/`, the demo clip in `hcr_live/assets/`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hcr_live.errors import HcrError

_PACKAGE = Path(__file__).resolve().parent


def model_path(name: str) -> Path:
    """Return the path of a file of `models/`, in a checkout or an installed package.

    Raises:
        HcrError: If it is not there.
    """
    for folder in (_PACKAGE.parent / "models", _PACKAGE / "models"):
        if (folder / name).is_file():
            return folder / name
    raise HcrError(f"The model file models/{name} is missing: restore it from the repository.")


def asset_path(name: str) -> Path:
    """Return the path of a file of `hcr_live/assets/`.

    Raises:
        HcrError: If it is not there.
    """
    path = _PACKAGE / "assets" / name
    if not path.is_file():
        raise HcrError(
            f"The file hcr_live/assets/{name} is missing: restore it from the repository."
        )
    return path


def verified(path: Path, sha256: str) -> Path:
    """Return the path of a file whose SHA-256 is known.

    Raises:
        HcrError: If it can't be read or is another file.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 18):
                digest.update(part)
    except OSError as error:
        raise HcrError(f"Cannot read {path}: {error.strerror}.") from error
    if digest.hexdigest() != sha256:
        raise HcrError(f"{path} is damaged (wrong SHA-256): restore it from the repository.")
    return path
