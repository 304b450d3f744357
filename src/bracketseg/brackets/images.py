"""Pictures on a disk: JPEG, PNG and TIFF, their heads and their pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets import jpeg, png, tiff
from bracketseg.brackets.exif import Exif, apply_orientation
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.luma import to_uint8
from bracketseg.errors import FrameError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff"})

MAX_PIXELS = 500_000_000
"""Pictures of more pixels are refused: no camera makes them, but a forged header can."""

# Grey stays grey and 16 bits stay 16; alpha goes. The orientation is applied by
# this package, so that heads and pixels agree whatever the version of OpenCV.
_DECODE = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_REDUCED_GREY = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_REDUCED_COLOUR = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture's file says about it before any pixel is decoded.

    Attributes
    ----------
    shape : tuple of int
        (H, W) for grey, (H, W, 3) for colour; upright, without alpha.
    dtype : numpy.dtype
        uint8, uint16 or float32.
    exposure : Exposure
        From EXIF; each part may be missing.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    exposure: Exposure


def read_header(path: Path) -> ImageHeader:
    """Read what a picture's file says about it; no pixel is decoded.

    Parameters
    ----------
    path : Path
        A JPEG, PNG or TIFF. Its first bytes decide which, not its suffix.

    Returns
    -------
    ImageHeader
        Shape and sample type as :func:`read_image` would give them.

    Raises
    ------
    FrameError
        If the file is missing, damaged, of another kind, or has more than 500
        million pixels. The message names the file.
    """
    return _head(Path(path))[1]


def read_image(path: Path) -> NDArray[Any]:
    """Read a picture, upright, without alpha.

    Parameters
    ----------
    path : Path
        A JPEG, PNG or TIFF (first page). Its first bytes decide which.

    Returns
    -------
    (H, W) or (H, W, 3) array
        uint8, uint16 or float32; grey or RGB. Values are those of the file
        (display-referred for JPEG and PNG); nothing is scaled. Fewer than 8 bits
        are widened to the full range of uint8, other floats become float32, and
        white-is-zero TIFFs are inverted.

    Raises
    ------
    FrameError
        As :func:`read_header`, and if the pixels cannot be decoded.
    """
    path = Path(path)
    kind, header, exif = _head(path)
    if kind == "tiff":
        pixels = _tiff_pixels(path)
    else:
        pixels = _decode(path, kind, _DECODE, colour=len(header.shape) == 3)
    pixels = apply_orientation(pixels, exif.orientation)
    if pixels.shape != header.shape:
        raise FrameError(
            f"{path}: its header says {header.shape} but its pixels are {pixels.shape}; "
            "the file is damaged: copy it again from its source"
        )
    return pixels


def read_frame(path: Path) -> NDArray[Any]:
    """Read a picture that is to be labelled or predicted; as :func:`read_image`.

    Raises
    ------
    FrameError
        As :func:`read_image`, and if a float picture leaves 0..1 or is not finite.
    """
    pixels = read_image(path)
    if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise FrameError(
            f"{path}: a float picture has to be finite and within 0..1, but this one runs from "
            f"{pixels.min():g} to {pixels.max():g}; scale it to 0..1"
        )
    return pixels


def read_thumbnail(path: Path, size: int = 64) -> NDArray[np.uint8]:
    """Read a small version of a picture, at most `size` pixels on its longer side.

    JPEGs are decoded at a half, quarter or eighth of their size, which takes a
    fraction of the time.

    Parameters
    ----------
    path : Path
        A JPEG, PNG or TIFF.
    size : int
        The longest side allowed, in pixels, at least 1. Smaller pictures stay as
        they are.

    Returns
    -------
    (h, w) or (h, w, 3) uint8 array
        Grey or RGB, upright; each pixel is the mean of the area it stands for.

    Raises
    ------
    FrameError
        As :func:`read_image`, and if a float picture leaves 0..1.
    """
    path = Path(path)
    kind, header, exif = _head(path)
    colour = len(header.shape) == 3
    longest = max(header.shape[:2])
    if kind == "jpeg":
        factors = [factor for factor in (8, 4, 2) if longest // factor >= size]
        table = _REDUCED_COLOUR if colour else _REDUCED_GREY
        flags = table[factors[0]] | cv2.IMREAD_IGNORE_ORIENTATION if factors else _DECODE
        pixels = apply_orientation(_decode(path, kind, flags, colour=colour), exif.orientation)
    else:
        pixels = to_uint8(read_frame(path))
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    if scale >= 1:
        return pixels
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _head(path: Path) -> tuple[str, ImageHeader, Exif]:
    """Kind ("jpeg", "png" or "tiff"), header and EXIF of a file."""
    try:
        kind, shape, dtype, exif = _stored_head(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not all(shape):
        raise _unreadable(path, ValueError(f"its header says {shape[1]} x {shape[0]} pixels"))
    if shape[0] * shape[1] > MAX_PIXELS:
        raise FrameError(
            f"{path}: {shape[1]} x {shape[0]} pixels are more than the "
            f"{MAX_PIXELS // 1_000_000} million that are read; make the picture smaller"
        )
    if exif.orientation >= 5:
        shape = (shape[1], shape[0], *shape[2:])
    return kind, ImageHeader(shape, dtype, exif.exposure), exif


def _stored_head(path: Path) -> tuple[str, tuple[int, ...], np.dtype[Any], Exif]:
    """Kind, stored shape, type when read, and EXIF; ValueError says what is wrong."""
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(jpeg.SIGNATURE):
            return "jpeg", *jpeg.read_jpeg_head(file)
        if start.startswith(png.SIGNATURE):
            return "png", *png.read_png_head(file)
    if start.startswith(tiff.SIGNATURES):
        return "tiff", *tiff.read_tiff_head(path)
    raise ValueError("it is not a JPEG, PNG or TIFF" if start else "it is empty")


def _tiff_pixels(path: Path) -> NDArray[Any]:
    try:
        return tiff.read_tiff_frame(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _decode(path: Path, kind: str, flags: int, *, colour: bool) -> NDArray[Any]:
    """Pixels of a JPEG or PNG: (H, W) or (H, W, 3) RGB, as stored."""
    try:
        data = path.read_bytes()
        data = png.pixel_chunks(data) if kind == "png" else jpeg.complete(data)
        # From bytes: OpenCV opens no path beyond ASCII on Windows.
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except (OSError, ValueError, cv2.error) as error:
        raise _unreadable(path, error) from error
    if pixels is None:
        raise _unreadable(path, ValueError("its pixels are damaged"))
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2) if colour else pixels
    # Grey with alpha comes out as three equal channels.
    return pixels[..., ::-1] if colour else pixels[..., 0]


def _unreadable(path: Path, error: Exception) -> FrameError:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return FrameError(
        f"{path}: cannot be read as a picture: {reason}; "
        "copy it again from its source, or save it as JPEG, PNG or TIFF of 8 or 16 bits"
    )
