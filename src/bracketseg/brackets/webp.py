"""What the head of a WebP file says, without its pixels."""

import struct
from typing import BinaryIO

import numpy as np

from bracketseg.brackets.exif import Exif, parse_exif
from bracketseg.brackets.head import Head
from bracketseg.brackets.profiles import MAX_BYTES

SIGNATURE = b"RIFF"
"""Followed by the size of the file and `FORM`."""

FORM = b"WEBP"


def read_webp_head(file: BinaryIO) -> Head:
    """Read the head of a WebP: always RGB of uint8.

    Parameters
    ----------
    file : binary file
        At its beginning. The pixels are passed over, as EXIF lies behind them.

    Raises
    ------
    ValueError
        If the chunks are damaged, or the picture is animated.

    References
    ----------
    RFC 9649, WebP Image Format, sections 2.3 to 2.7.
    """
    file.seek(0)
    start = file.read(12)
    if len(start) < 12 or start[8:] != FORM:
        raise ValueError("it is damaged")
    end = 8 + struct.unpack("<I", start[4:8])[0]
    size: tuple[int, int] | None = None
    exif, profile = Exif(), b""
    while file.tell() + 8 <= end:
        head = file.read(8)
        if len(head) < 8:
            break
        length = struct.unpack("<I", head[4:])[0]
        kind, next_chunk = head[:4], file.tell() + length + length % 2
        if kind in _SIZES:
            found = _SIZES[kind](file.read(min(length, 10)))
            # The canvas, where there is one, comes before the pixels.
            size = size or found
        elif kind == b"EXIF" and length <= MAX_BYTES:
            exif = parse_exif(file.read(length).removeprefix(b"Exif\0\0"))
        elif kind == b"ICCP" and length <= MAX_BYTES:
            profile = file.read(length)
        file.seek(next_chunk)
    if size is None:
        raise ValueError("it has no pixels")
    return Head(shape=(*size, 3), dtype=np.dtype(np.uint8), exif=exif, profile=profile)


def complete(data: bytes) -> bytes:
    """Give `data` back if it is as long as it says.

    Raises
    ------
    ValueError
        If its last part is missing.
    """
    if len(data) < 12 or len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise ValueError("it ends too early: its last part is missing")
    return data


def _extended(chunk: bytes) -> tuple[int, int]:
    if len(chunk) < 10:
        raise ValueError("it ends within its header")
    if chunk[0] & 0x02:
        raise ValueError("it is animated")
    width, height = (int.from_bytes(chunk[at : at + 3], "little") + 1 for at in (4, 7))
    return height, width


def _lossy(chunk: bytes) -> tuple[int, int]:
    if len(chunk) < 10 or chunk[3:6] != b"\x9d\x01\x2a":
        raise ValueError("its header is damaged")
    width, height = struct.unpack_from("<HH", chunk, 6)
    return height & 0x3FFF, width & 0x3FFF


def _lossless(chunk: bytes) -> tuple[int, int]:
    if len(chunk) < 5 or chunk[0] != 0x2F:
        raise ValueError("its header is damaged")
    (bits,) = struct.unpack_from("<I", chunk, 1)
    return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1


_SIZES = {b"VP8X": _extended, b"VP8 ": _lossy, b"VP8L": _lossless}
