"""Bytes of a request to a picture; how large it is is known before anything is decoded."""

from __future__ import annotations

import base64
import binascii
import struct

import numpy as np
from numpy.typing import NDArray

from hcr_live.errors import HcrError
from hcr_live.service.problems import Problem
from hcr_live.sources.images import decode_image

# A progressive JPEG is drawn again by each scan; cameras and editors make about ten.
_MOST_SCANS = 100
_FORMATS = "JPEG, PNG, WebP, BMP or GIF"


def from_base64(text: str) -> bytes:
    """Return the bytes of base64, plain or as a data URL; line breaks are let pass.

    Raises:
        Problem: 400 if it is neither.
    """
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise Problem(400, "The image is a data URL without base64: end its head in ;base64.")
    try:
        return base64.b64decode(_whole("".join(text.split())), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(
            400, "The image is not base64: encode the bytes of a picture, or send a data URL."
        ) from None


def _whole(text: str) -> str:
    """Return base64 with the padding that some encoders leave out, in the usual alphabet."""
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels that a picture's header gives.

    Raises:
        Problem: 415 if it is no picture of a known format, 422 if its header is damaged.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _two(">II", data, 16)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp_size(data)
        if data[:2] == b"BM":
            return _bmp_size(data)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return _two("<HH", data, 6)
    except (struct.error, IndexError):
        raise Problem(422, "The image is damaged: its header is not complete.") from None
    if data[4:8] == b"ftyp":
        raise Problem(415, f"HEIC and AVIF photos are not read: save the image as {_FORMATS}.")
    raise Problem(415, f"The image is not in a format that is read: send {_FORMATS}.")


def decode(data: bytes, most_pixels: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 (h, w, 3) BGR.

    Args:
        data: JPEG, PNG, WebP, BMP or GIF (its first picture).
        most_pixels: More are refused by the header.

    Raises:
        Problem: 413 if it has more, 415 if it is no such picture, 422 if it is damaged.
    """
    width, height = size_of(data)
    if width * height > most_pixels:
        raise Problem(
            413,
            f"The image has {width}x{height} pixels, more than the {most_pixels} that are read:"
            " send a smaller one.",
        )
    try:
        return decode_image(data, "The image")
    except HcrError as error:
        raise Problem(422, str(error)) from None


def _two(form: str, data: bytes, at: int) -> tuple[int, int]:
    width, height = struct.unpack_from(form, data, at)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the segments to the frame header (ITU-T T.81, B.2.2)."""
    at = 2
    while True:
        at = data.find(b"\xff", at) + 1
        marker = data[at] if at else data[len(data)]
        if marker in (0x00, 0xFF) or 0xD0 <= marker <= 0xD8:
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if data.count(b"\xff\xda") > _MOST_SCANS:
                raise Problem(422, f"The image is a JPEG of more than {_MOST_SCANS} scans.")
            height, width = _two(">HH", data, at + 4)
            return width, height
        at += 1 + int(struct.unpack_from(">H", data, at + 1)[0])


def _webp_size(data: bytes) -> tuple[int, int]:
    """The three kinds of the WebP container (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        if len(data) < 30:
            raise IndexError
        return width, height
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = _two("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _bmp_size(data: bytes) -> tuple[int, int]:
    (head,) = struct.unpack_from("<I", data, 14)
    width, height = _two("<HH" if head == 12 else "<ii", data, 18)
    return abs(width), abs(height)  # a negative height: top row first
