"""What the head of a PNG file says, without its pixels."""

import struct
import zlib
from typing import Any, BinaryIO

import numpy as np

from bracketseg.brackets.exif import Exif, parse_exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_COLOUR_TYPES = (0, 4)
# What decides the colours of the pixels; tRNS, gamma, profiles and texts do not.
PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


def read_png_head(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any], Exif]:
    """Read shape, sample type and EXIF of a PNG.

    Parameters
    ----------
    file : binary file
        At its beginning; it is read up to the first pixels only.

    Returns
    -------
    shape : tuple of int
        (H, W) for grey, with or without alpha, else (H, W, 3), as stored.
    dtype : numpy.dtype
        uint16 for 16 bits, uint8 for everything less.
    exif : Exif
        Empty if no eXIf chunk precedes the pixels.

    Raises
    ------
    ValueError
        If the chunks are damaged.

    References
    ----------
    W3C, Portable Network Graphics (Third Edition), section 11.
    """
    file.seek(len(SIGNATURE))
    length, kind = _chunk_head(file.read(8))
    head = file.read(length) if kind == b"IHDR" and length == 13 else b""
    if len(head) != 13:
        raise ValueError("its header is damaged")
    width, height, depth, colour_type = struct.unpack_from(">IIBB", head)
    shape = (height, width) if colour_type in GREY_COLOUR_TYPES else (height, width, 3)
    exif = Exif()
    while True:
        file.seek(4, 1)  # the checksum of the chunk before
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = _chunk_head(head)
        if kind in (b"IDAT", b"IEND"):
            break
        if kind == b"eXIf":
            exif = parse_exif(file.read(length))
        else:
            file.seek(length, 1)
    return shape, np.dtype(np.uint16 if depth == 16 else np.uint8), exif


def pixel_chunks(data: bytes) -> bytes:
    """Make the same PNG with nothing in it but its pixels, and these whole.

    The decoder's library writes to the standard error stream about damage, and about
    every text or colour profile that it finds odd; so it gets to see neither.

    Raises
    ------
    ValueError
        If the file ends before its last chunk, or a checksum does not fit.
    """
    view = memoryview(data)
    parts: list[bytes | memoryview] = [SIGNATURE]
    position = len(SIGNATURE)
    while True:
        length, kind = _chunk_head(data[position : position + 8])
        end = position + 12 + length
        if end > len(data):
            raise ValueError("it ends too early: its last part is missing")
        if kind in PIXEL_CHUNKS:
            (checksum,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(view[position + 4 : end - 4]) != checksum:
                raise ValueError("its pixels are damaged")
            parts.append(view[position:end])
        if kind == b"IEND":
            return b"".join(parts)
        position = end


def _chunk_head(data: bytes) -> tuple[int, bytes]:
    if len(data) < 8:
        raise ValueError("it ends too early: its last part is missing")
    length, kind = struct.unpack(">I4s", data)
    return length, kind
