"""What the head of a PNG file says, without its pixels."""

import struct
import zlib
from typing import BinaryIO

import numpy as np

from bracketseg.brackets.exif import Exif, parse_exif
from bracketseg.brackets.head import Head
from bracketseg.brackets.profiles import MAX_BYTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_COLOUR_TYPES = (0, 4)
# What decides the colours of the pixels; tRNS, gamma, profiles and texts do not.
PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})


def read_png_head(file: BinaryIO) -> Head:
    """Read the head of a PNG.

    Parameters
    ----------
    file : binary file
        At its beginning; it is read up to the first pixels only.

    Returns
    -------
    Head
        Grey with or without alpha is grey. uint16 for 16 bits, uint8 for everything less.
        EXIF and profile count if they precede the pixels.

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
    exif, profile = Exif(), b""
    while True:
        file.seek(4, 1)  # the checksum of the chunk before
        head = file.read(8)
        if len(head) < 8:
            break
        length, kind = _chunk_head(head)
        if kind in (b"IDAT", b"IEND"):
            break
        if kind == b"eXIf" and length <= MAX_BYTES:
            exif = parse_exif(file.read(length))
        elif kind == b"iCCP" and length <= MAX_BYTES:
            profile = _profile(file.read(length))
        else:
            file.seek(length, 1)
    return Head(
        shape=(height, width) if colour_type in GREY_COLOUR_TYPES else (height, width, 3),
        dtype=np.dtype(np.uint16 if depth == 16 else np.uint8),
        exif=exif,
        profile=profile,
    )


def _profile(chunk: bytes) -> bytes:
    """Unpack the profile of an iCCP chunk; where it is damaged, what no profile begins with."""
    packed = chunk.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, MAX_BYTES) or b"damaged"
    except zlib.error:
        return b"damaged"


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
