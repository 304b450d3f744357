"""What the head of a JPEG file says, without its pixels."""

import io
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bracketseg.brackets.exif import Exif, parse_exif
from bracketseg.brackets.head import Head

SIGNATURE = b"\xff\xd8\xff"
END_OF_IMAGE = b"\xff\xd9"
START_OF_SCAN = 0xDA
APP1, APP2 = 0xE1, 0xE2
ICC_MARK = b"ICC_PROFILE\0"
# Frame headers are C0..CF, but C4, C8 and CC mean something else.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Baseline and extended sequential.
ROW_BY_ROW = frozenset({0xC0, 0xC1})
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


def read_jpeg_head(file: BinaryIO) -> Head:
    """Read the head of a JPEG, or of the first picture of an MPO.

    Parameters
    ----------
    file : binary file
        At its beginning; it is read up to the frame header only.

    Returns
    -------
    Head
        Grey if it has one component; uint8.

    Raises
    ------
    ValueError
        If the markers do not lead to a frame header, or a sample has not 8 bits.

    References
    ----------
    ITU-T T.81 (1992), annex B; ICC.1:2022, annex B.4 (profiles in JPEG).
    """
    file.seek(2)
    exif = Exif()
    profile: dict[int, bytes] = {}
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
            return Head(
                shape=(height, width) if components == 1 else (height, width, 3),
                dtype=np.dtype(np.uint8),
                exif=exif,
                profile=b"".join(part for _, part in sorted(profile.items())),
                cmyk=components == 4,
                row_by_row=marker in ROW_BY_ROW,
            )
        if marker in (APP1, APP2):
            segment = _exactly(file, length - 2)
            if segment.startswith(b"Exif\0\0") and exif == Exif():
                exif = parse_exif(segment[6:])
            elif segment.startswith(ICC_MARK) and len(segment) > len(ICC_MARK) + 2:
                # A long profile is spread over numbered segments.
                profile.setdefault(segment[len(ICC_MARK)], segment[len(ICC_MARK) + 2 :])
        else:
            file.seek(length - 2, 1)


def cmyk_samples(data: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG of four components: (H, W, 4) uint8, 0 for no ink.

    Raises
    ------
    ValueError, OSError
        If it is damaged.
    """
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if image.mode != "CMYK":
            raise ValueError(f"its colours are {image.mode}")
        return np.asarray(image)


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
    length, count = struct.unpack(">HB", _exactly(file, 3))
    if length != 6 + 2 * count:
        raise ValueError("its markers are damaged")
    if data.find(END_OF_IMAGE, file.tell() + length - 3) < 0:
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
