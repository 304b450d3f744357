"""From the bytes of a file to its head and its pixels, whatever its format."""

import math
import os
import stat
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets import jpeg, png, radiance, raw, tiff, webp
from bracketseg.brackets.head import Head
from bracketseg.brackets.profiles import to_srgb

Kind = Literal["jpeg", "png", "webp", "tiff", "raw", "exr", "hdr"]

IMAGE_SUFFIXES = (
    frozenset({".jpg", ".jpeg", ".mpo", ".png", ".tif", ".tiff", ".webp"})
    | raw.RAW_SUFFIXES
    | radiance.RADIANCE_SUFFIXES
)

# 16 bits stay 16; alpha goes. The orientation is applied by this package, so that
# heads and pixels agree whatever the version of OpenCV.
_GREY = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_COLOUR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
# These are grey unless colours are asked for.
_REDUCED = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


LARGE = 2**24
"""Pixels from which on a JPEG that is stored row by row is decoded without a copy of them."""

NAMES = "ascii" if os.name == "nt" else "utf-8"
"""What the names have to be in of files that OpenCV opens; others can crash it."""


def stored_head(path: Path) -> tuple[Kind, Head]:
    """Tell the format of a file and read its head.

    Raises
    ------
    OSError, ValueError
        If it cannot be read; a ValueError says what is wrong.
    FrameError
        If an extra has to be installed for it.
    """
    # Reading a pipe would never end.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no file")
    with path.open("rb") as file:
        start = file.read(12)
        if path.suffix.lower() in raw.RAW_SUFFIXES and start:
            return "raw", raw.read_raw_head(path)
        if start.startswith(jpeg.SIGNATURE):
            return "jpeg", jpeg.read_jpeg_head(file)
        if start.startswith(png.SIGNATURE):
            return "png", png.read_png_head(file)
        if start.startswith(webp.SIGNATURE) and start[8:] == webp.FORM:
            return "webp", webp.read_webp_head(file)
        if start.startswith(radiance.HDR_SIGNATURE):
            return "hdr", radiance.read_hdr_head(file)
    if start.startswith(tiff.SIGNATURES):
        return "tiff", tiff.read_tiff_head(path)
    if start.startswith(radiance.EXR_SIGNATURE):
        return "exr", radiance.read_exr_head(path)
    raise ValueError("it is no picture of a format that is read" if start else "it is empty")


def stored_pixels(path: Path, kind: Kind, head: Head, *, ev: float = 0.0) -> NDArray[Any]:
    """Decode a picture: (H, W) or (H, W, 3), as stored (not turned upright), in sRGB.

    Parameters
    ----------
    path : Path
        The file.
    kind, head
        As :func:`stored_head` gives them.
    ev : float
        The exposure, in stops, at which a radiance map is shown.

    Raises
    ------
    OSError, ValueError, FrameError
        As :func:`stored_head`.
    """
    if kind == "raw":
        return raw.read_raw_frame(path)
    if kind in ("exr", "hdr"):
        linear = radiance.read_exr(path) if kind == "exr" else radiance.read_hdr(path)
        return radiance.displayed(linear, ev)
    if kind == "tiff":
        pixels = tiff.read_tiff_frame(path)
    elif kind == "jpeg" and head.cmyk:
        pixels = jpeg.cmyk_samples(jpeg.complete(path.read_bytes()))
    elif _is_large(head) and _is_openable(path):
        pixels = _decode_in_place(path, head.shape)
    else:
        pixels = _decode(path, kind, _GREY if head.is_grey else _COLOUR)
    return to_srgb(pixels, head.profile)


def reduced_pixels(path: Path, kind: Kind, head: Head, size: int) -> NDArray[Any] | None:
    """Decode a smaller version of a picture, where that is faster.

    Returns
    -------
    (h, w) or (h, w, 3) array or None
        As :func:`stored_pixels`, its longer side at least `size`; None if there is no
        faster way.
    """
    longest = max(head.shape[:2])
    if kind == "raw" and longest // 2 >= size:
        return raw.read_raw_frame(path, half=True)
    factors = [factor for factor in (8, 4, 2) if longest // factor >= size]
    if kind != "jpeg" or head.cmyk or not factors:
        return None
    colour = 0 if head.is_grey else cv2.IMREAD_COLOR_RGB
    flags = _REDUCED[factors[0]] | colour | cv2.IMREAD_IGNORE_ORIENTATION
    return to_srgb(_decode(path, kind, flags), head.profile)


def _decode(path: Path, kind: Kind, flags: int) -> NDArray[Any]:
    """Pixels of a JPEG, PNG or WebP: (H, W, 3) with IMREAD_COLOR_RGB, else (H, W)."""
    complete = {"jpeg": jpeg.complete, "png": png.pixel_chunks, "webp": webp.complete}[kind]
    try:
        # From bytes: OpenCV opens no path beyond ASCII on Windows.
        data = np.frombuffer(complete(path.read_bytes()), np.uint8)
        pixels: NDArray[Any] | None = cv2.imdecode(data, flags)
    except cv2.error as error:
        raise ValueError(str(error)) from error
    if pixels is None:
        raise ValueError("its pixels are damaged")
    if pixels.ndim == 3 and not flags & cv2.IMREAD_COLOR_RGB:
        # Grey with alpha comes out as three equal channels.
        return np.ascontiguousarray(pixels[..., 0])
    return pixels


def _is_large(head: Head) -> bool:
    return head.row_by_row and not head.is_grey and math.prod(head.shape[:2]) >= LARGE


def _is_openable(path: Path) -> bool:
    try:
        str(path).encode(NAMES)
    except UnicodeEncodeError:
        return False
    return True


def _decode_in_place(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """Pixels of a JPEG in colour; OpenCV copies what it decodes into an array of its own."""
    jpeg.complete(path.read_bytes())
    pixels = np.empty(shape, np.uint8)
    # It does not say that it failed. Then the last row, which is written last, is as it was.
    pixels[-1] = unwritten = np.random.default_rng(0).integers(0, 256, shape[1:], np.uint8)
    try:
        read: NDArray[Any] | None = cv2.imread(str(path), pixels, _COLOUR)
    except cv2.error as error:
        raise ValueError(str(error)) from error
    if read is None or read.shape != shape or np.array_equal(read[-1], unwritten):
        raise ValueError("its pixels are damaged")
    return read
