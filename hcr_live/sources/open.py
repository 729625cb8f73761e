"""From what the user asked for to a source."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from hcr_live.errors import HcrError
from hcr_live.resources import asset_path
from hcr_live.sources.base import Source
from hcr_live.sources.images import IMAGE_SUFFIXES, ImageSource, list_images
from hcr_live.sources.video import VideoSource

DEMO = "demo"
DEMO_FILE = "demo.mp4"
_SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "udp", "tcp", "srt")


def open_source(
    spec: str | int,
    *,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
) -> Source:
    """Open a source of frames.

    Args:
        spec: A camera number, "demo", an http or rtsp address, or the path of a video, an
            image or a folder of images.
        width: Wished pixels of a camera; others give what they have.
        height: Wished pixels of a camera.
        fps: Wished frames a second of a camera.

    Returns:
        The open source, its first frame decoded; close it after use.

    Raises:
        HcrError: If it cannot be opened; says why and what to do.
    """
    text = str(spec).strip()
    if not text:
        raise HcrError("The source is empty: give a camera number, a file, a folder or 'demo'.")
    number = re.fullmatch(r"(?:/dev/video)?(-?[0-9]{1,6})", text)
    if number:
        from hcr_live.sources.camera import CameraSource

        return CameraSource(int(number[1]), width, height, fps)
    if text == DEMO:
        return VideoSource(asset_path(DEMO_FILE), DEMO)
    if "://" in text:
        parts = urlsplit(text)
        if parts.scheme.lower() == "file":
            return open_path(url2pathname(unquote(parts.path)))
        if parts.scheme.lower() not in _SCHEMES or not parts.netloc:
            raise HcrError(
                f"{text} is no address of a video: it has to start with http://, https:// or"
                " rtsp:// and a host."
            )
        from hcr_live.sources.stream import open_address

        return open_address(text)
    return open_path(str(spec))


def open_path(text: str) -> Source:
    """Open a video, an image or a folder of images.

    Raises:
        HcrError: If it cannot be opened; says why and what to do.
    """
    path = Path(text).expanduser()
    try:
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
        size = path.stat().st_size if is_file else 0
        head = _first_bytes(path) if is_file else b""
    except (OSError, ValueError) as error:
        raise HcrError(f"Cannot read {text}: {getattr(error, 'strerror', error)}.") from error
    if is_folder:
        return ImageSource(text, list_images(path))
    if not exists:
        raise HcrError(
            f"There is no file {text}: check the path (a camera is given by its number,"
            " the built-in clip is 'demo')."
        )
    if not is_file:
        raise HcrError(f"{text} is neither a file nor a folder: choose a video or an image.")
    if size == 0:
        raise HcrError(f"{text} is empty (0 bytes): choose another file.")
    if _is_image(path, head):
        return ImageSource(text, [path])
    return VideoSource(path, text)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _is_image(path: Path, head: bytes) -> bool:
    """Whether the content says that it is an image; the ending, where the content is silent."""
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*")):
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return head[8:12] in (b"avif", b"heic", b"heix", b"mif1")
    return path.suffix.lower() in IMAGE_SUFFIXES
