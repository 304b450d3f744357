"""What the head of a JPEG file says, without its pixels."""

import io
import struct
from typing import Any, BinaryIO

import numpy as np

from bracketseg.brackets.exif import Exif, parse_exif

SIGNATURE = b"\xff\xd8\xff"
END_OF_IMAGE = b"\xff\xd9"
START_OF_SCAN = 0xDA
APP1 = 0xE1
# Frame headers are C0..CF, but C4, C8 and CC mean something else.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def read_jpeg_head(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any], Exif]:
    """Read shape, sample type and EXIF of a JPEG.

    Parameters
    ----------
    file : binary file
        At its beginning; it is read up to the frame header only.

    Returns
    -------
    shape : tuple of int
        (H, W) for grey, else (H, W, 3), as stored.
    dtype : numpy.dtype
        uint8.
    exif : Exif
        Empty if the file has none.

    Raises
    ------
    ValueError
        If the markers do not lead to a frame header, or a sample has not 8 bits.

    References
    ----------
    ITU-T T.81 (1992), annex B.
    """
    file.seek(2)
    exif = Exif()
    while True:
        marker = _next_marker(file)
        if marker in STANDALONE:
            continue
        (length,) = struct.unpack(">H", _exactly(file, 2))
        if marker == START_OF_SCAN or length < 2:
            raise ValueError("it has no frame header")
        if marker in FRAME_HEADERS:
            bits, height, width, components = struct.unpack(">BHHB", _exactly(file, 6))
            if bits != 8:
                raise ValueError(f"its samples have {bits} bits")
            shape = (height, width) if components == 1 else (height, width, 3)
            return shape, np.dtype(np.uint8), exif
        if marker == APP1:
            segment = _exactly(file, length - 2)
            if segment.startswith(b"Exif\0\0") and exif == Exif():
                exif = parse_exif(segment[6:])
        else:
            file.seek(length - 2, 1)


def complete(data: bytes) -> bytes:
    """Give `data` back if an end marker follows its compressed pixels.

    Some decoders fill what is missing with grey and say nothing to their caller.

    Raises
    ------
    ValueError
        If there is none.
    """
    file = io.BytesIO(data)
    file.seek(2)
    marker = _next_marker(file)
    # An embedded preview has an end of its own, within the segments passed over here.
    while marker != START_OF_SCAN:
        if marker not in STANDALONE:
            (length,) = struct.unpack(">H", _exactly(file, 2))
            file.seek(length - 2, 1)
        marker = _next_marker(file)
    if data.find(END_OF_IMAGE, file.tell()) < 0:
        raise ValueError("it ends too early: its last part is missing")
    return data


def _next_marker(file: BinaryIO) -> int:
    byte = _exactly(file, 1)[0]
    if byte != 0xFF:
        raise ValueError("its markers are damaged")
    while byte == 0xFF:
        byte = _exactly(file, 1)[0]
    return byte


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it ends within its header")
    return data
