"""Pictures on a disk: their heads, and their pixels upright and in sRGB."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.capture import Capture
from bracketseg.brackets.decoding import (
    IMAGE_SUFFIXES,
    Kind,
    reduced_pixels,
    stored_head,
    stored_pixels,
)
from bracketseg.brackets.exif import apply_orientation
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.head import Head
from bracketseg.brackets.luma import to_uint8
from bracketseg.brackets.profiles import profile_problem
from bracketseg.errors import FrameError

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_BYTES",
    "ImageHeader",
    "read_frame",
    "read_header",
    "read_image",
    "read_thumbnail",
]

MAX_BYTES = 640 << 20
"""Pictures that take more memory are refused, as a forged header can ask for any amount.

100 million pixels of 16 bits or 200 million of 8 are within it. To turn, convert and show them
takes up to three times as much."""


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
    capture : Capture
        From EXIF: when and with what it was taken; each part may be missing.
    warning : str
        What a person should know of its pixels, such as a colour profile that cannot be
        used; empty if there is nothing.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    exposure: Exposure
    capture: Capture = field(default_factory=Capture)
    warning: str = ""


def read_header(path: Path) -> ImageHeader:
    """Read what a picture's file says about it; no pixel is decoded.

    Parameters
    ----------
    path : Path
        A picture of a format that :func:`read_image` reads. Its first bytes decide which,
        not its suffix; only RAW files are told by their suffix.

    Returns
    -------
    ImageHeader
        Shape and sample type as :func:`read_image` would give them.

    Raises
    ------
    FrameError
        If the file is missing, damaged, of another kind, or takes more memory than
        `MAX_BYTES`, or an extra has to be installed to read it. The message names
        the file.
    """
    return _head(Path(path))[1]


def read_image(path: Path, *, ev: float = 0.0) -> NDArray[Any]:
    """Read a picture, upright, in sRGB, without alpha.

    Parameters
    ----------
    path : Path
        A JPEG or MPO (first picture), PNG, WebP, TIFF (first page), RAW file (extra `raw`),
        OpenEXR (extra `exr`) or Radiance HDR.
    ev : float
        The exposure, in stops, at which an OpenEXR or Radiance HDR is shown; see
        :func:`~bracketseg.brackets.radiance.displayed`. Others have one of their own.

    Returns
    -------
    (H, W) or (H, W, 3) array
        uint8, uint16 or float32; grey or RGB. Values are those of the file
        (display-referred for JPEG and PNG); nothing is scaled. Colours of an ICC profile
        other than sRGB are converted, CMYK and palettes become RGB. Fewer than 8 bits
        are widened to the full range of uint8, other floats become float32, and
        white-is-zero TIFFs are inverted. RAW files are developed, and radiance maps shown.

    Raises
    ------
    FrameError
        As :func:`read_header`, and if the pixels cannot be decoded.
    """
    path = Path(path)
    kind, header, head = _head(path)
    try:
        pixels = stored_pixels(path, kind, head, ev=ev)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    pixels = apply_orientation(pixels, head.exif.orientation)
    if pixels.shape != header.shape:
        raise FrameError(
            f"{path}: its header says {header.shape} but its pixels are {pixels.shape}; "
            "the file is damaged: copy it again from its source"
        )
    return pixels


def read_frame(path: Path, *, ev: float = 0.0) -> NDArray[Any]:
    """Read a picture that is to be labelled or predicted; as :func:`read_image`.

    Raises
    ------
    FrameError
        As :func:`read_image`, and if a float picture leaves 0..1 or is not finite.
    """
    pixels = read_image(path, ev=ev)
    if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise FrameError(
            f"{path}: a float picture has to be finite and within 0..1, but this one runs from "
            f"{pixels.min():g} to {pixels.max():g}; scale it to 0..1"
        )
    return pixels


def read_thumbnail(path: Path, size: int = 64, *, ev: float = 0.0) -> NDArray[np.uint8]:
    """Read a small version of a picture, at most `size` pixels on its longer side.

    JPEGs are decoded at a half, quarter or eighth of their size and RAW files at a half,
    which takes a fraction of the time.

    Parameters
    ----------
    path : Path
        As for :func:`read_image`.
    size : int
        The longest side allowed, in pixels, at least 1. Smaller pictures stay as
        they are.
    ev : float
        As for :func:`read_image`.

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
    kind, _, head = _head(path)
    try:
        reduced = reduced_pixels(path, kind, head, size)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if reduced is None:
        pixels = to_uint8(read_frame(path, ev=ev))
    else:
        pixels = to_uint8(apply_orientation(reduced, head.exif.orientation))
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    if scale >= 1:
        return pixels
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, target, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _head(path: Path) -> tuple[Kind, ImageHeader, Head]:
    try:
        kind, head = stored_head(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    shape = head.shape
    if min(shape) < 1:
        empty = ValueError(f"its header says {shape[1]} x {shape[0]} pixels")
        raise _unreadable(path, empty) from empty
    if head.nbytes > MAX_BYTES:
        raise FrameError(
            f"{path}: its {shape[1]} x {shape[0]} pixels would take {_mebibytes(head.nbytes)} of "
            f"memory, and at most {_mebibytes(MAX_BYTES)} are read; make the picture smaller"
        )
    if head.exif.orientation >= 5:
        shape = (shape[1], shape[0], *shape[2:])
    channels = 4 if head.cmyk else 1 if head.is_grey else 3
    return (
        kind,
        ImageHeader(
            shape,
            head.dtype,
            head.exif.exposure,
            head.exif.capture,
            profile_problem(head.profile, channels),
        ),
        head,
    )


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def _unreadable(path: Path, error: Exception) -> FrameError:
    reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
    return FrameError(
        f"{path}: cannot be read as a picture: {reason}; "
        "copy it again from its source, or save it as JPEG, PNG or TIFF of 8 or 16 bits"
    )
