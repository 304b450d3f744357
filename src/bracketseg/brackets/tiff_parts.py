"""The compressed parts of a TIFF that have heads of their own, which may ask for any memory."""

import io
import math
import struct

import tifffile

from bracketseg.brackets import png, webp
from bracketseg.brackets.jpeg import FRAME_HEADERS, SIGNATURE, STANDALONE

_HEAD = 64 * 1024
_JPEG_2000 = b"\xff\x4f\xff\x51"
_JP2 = b"jP  "


def refuse_larger_parts(page: tifffile.TiffPage) -> None:
    """Refuse a page with a strip or tile that says it is larger than those of the page.

    The decoders take what memory the head of a part asks for. JPEG, JPEG 2000, PNG and WebP
    are told by their first bytes.

    Raises
    ------
    ValueError
        If there is one.
    """
    file = page.parent.filehandle
    for start, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        file.seek(start)
        height, width = _size(file.read(min(count, _HEAD)))
        if height * width > math.prod(page.chunks):
            raise ValueError(
                f"a part of it says that it has {width} x {height} pixels, and the picture has "
                f"{page.imagewidth} x {page.imagelength}"
            )


def _size(head: bytes) -> tuple[int, int]:
    """Height and width that the head of a part tells; 0 and 0 if none."""
    try:
        if head.startswith(SIGNATURE):
            return _jpeg_size(head)
        if head.startswith(_JPEG_2000) or head[4:8] == _JP2:
            start = head.index(_JPEG_2000)
            right, bottom, left, top = struct.unpack_from(">IIII", head, start + 8)
            return max(bottom - top, 0), max(right - left, 0)
        if head.startswith(png.SIGNATURE):
            width, height = struct.unpack_from(">II", head, 16)
            return height, width
        if head.startswith(webp.SIGNATURE) and head[8:12] == webp.FORM:
            height, width, _ = webp.read_webp_head(io.BytesIO(head)).shape
            return height, width
    except (struct.error, ValueError):
        pass  # what is damaged in it, its decoder tells
    return 0, 0


def _jpeg_size(head: bytes) -> tuple[int, int]:
    place = 2
    while place + 1 < len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return height, width
        if marker in STANDALONE or marker == 0xFF:
            place += 2 if marker != 0xFF else 1
        else:
            place += 2 + struct.unpack_from(">H", head, place + 2)[0]
    return 0, 0
