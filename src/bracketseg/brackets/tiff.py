"""The first page of a TIFF file: what its head says, and its samples."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from bracketseg.brackets import exif
from bracketseg.brackets.exif import EXIF_IFD, Exif, Fields, exif_of
from bracketseg.brackets.head import Head
from bracketseg.brackets.tiff_parts import refuse_larger_parts

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_SAMPLES = 8
"""Samples a pixel: red, green, blue, alpha, and a few that are dropped."""

MAX_COMPRESSION = 10_000
"""A header that asks for more bytes than this for each byte of the file is damaged."""

# Without any handler of its own the library's log would be printed on stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_EXIF_NUMBERS = {
    "ExposureTime": exif.EXPOSURE_TIME,
    "FNumber": exif.F_NUMBER,
    "ExposureBiasValue": exif.EXPOSURE_BIAS,
    "ISOSpeedRatings": exif.ISO,
    "PhotographicSensitivity": exif.ISO,
    "ISOSpeed": exif.ISO_SPEED,
    "RecommendedExposureIndex": exif.RECOMMENDED_EXPOSURE_INDEX,
    "ExposureMode": exif.EXPOSURE_MODE,
}
_RATIONALS = ("ExposureTime", "FNumber", "ExposureBiasValue")
_EXIF_TEXTS = {
    "DateTimeOriginal": exif.TIME_ORIGINAL,
    "SubsecTimeOriginal": exif.DECIMALS_ORIGINAL,
    "DateTimeDigitized": exif.TIME_DIGITIZED,
    "SubsecTimeDigitized": exif.DECIMALS_DIGITIZED,
    "BodySerialNumber": exif.SERIAL_NUMBER,
}
_ICC_PROFILE = 34675
_GREY = (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE)
_COLOUR = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
_INKS = 4
_JPEG = (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)


def read_tiff_head(path: Path) -> Head:
    """Read the head of the first page.

    Returns
    -------
    Head
        Without alpha and other extra samples; the type is as :func:`frame_dtype` says.
        The orientation comes from the page itself, the exposure from its EXIF directory.

    Raises
    ------
    ValueError
        If the file is damaged, its colours are not grey, RGB, CMYK or a palette, or its
        samples are not of 1, 8 or 16 bits or float.
    """
    with _first_page(path) as page:
        height, width = page.imagelength, page.imagewidth
        dtype = np.dtype(np.uint8)
        if not _has_palette(page):
            if page.bitspersample not in (1, 8, 16, 32, 64):
                raise ValueError(f"its samples have {page.bitspersample} bits")
            dtype = frame_dtype(np.dtype(page.dtype))
        profile = page.tags.valueof(_ICC_PROFILE, default=b"")
        return Head(
            shape=(height, width) if _is_grey(page) else (height, width, 3),
            dtype=dtype,
            exif=_exif(page),
            profile=profile if isinstance(profile, bytes) else b"",
            cmyk=_is_cmyk(page),
            stored_bytes=_stored_bytes(page),
        )


def frame_dtype(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Say as which type a frame's samples are read: uint8, uint16 or float32.

    Raises
    ------
    ValueError
        If a frame cannot have samples of the type `stored`.
    """
    if stored.kind == "f":
        return np.dtype(np.float32)
    if stored.kind == "b":
        return np.dtype(np.uint8)
    if stored.kind == "u" and stored.itemsize <= 2:
        return stored.newbyteorder("=")
    raise ValueError(f"its samples are {stored.name}")


def read_tiff_frame(path: Path) -> NDArray[Any]:
    """Read the first page as a frame: uint8, uint16 or float32.

    White-is-zero is inverted and a palette resolved to RGB; alpha and other extra
    samples are dropped; one bit becomes 0 and 255. (H, W) or (H, W, 3), and (H, W, 4) of
    inks, 0 for none.

    Raises
    ------
    ValueError
        As :func:`read_tiff_head`.
    """
    with _first_page(path) as page:
        samples = _samples(page)
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and samples.dtype.kind in "bu":
            samples = ~samples
    if samples.dtype.kind == "b":
        return samples.astype(np.uint8) * np.uint8(255)
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what single precision cannot hold is not finite
        return samples.astype(frame_dtype(samples.dtype), copy=False)


def read_tiff_mask(path: Path) -> NDArray[Any]:
    """Read the first page as it is stored: (H, W) or (H, W, 3), of any number type.

    White-is-zero is not inverted: programs that write masks so (tifffile for bool,
    ImageJ) still mean the pixels that are not zero.

    Raises
    ------
    ValueError
        If the file is damaged or its colours are not grey, RGB or a palette.
    """
    with _first_page(path) as page:
        if _is_cmyk(page):
            raise ValueError("its colours are inks")
        return _samples(page)


@contextmanager
def _first_page(path: Path) -> Iterator[tifffile.TiffPage]:
    """Open the file; whatever the library raises comes out as ValueError or OSError."""
    # Reading a pipe would never end.
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    try:
        with tifffile.TiffFile(path) as tiff:
            yield _checked(tiff.pages.first, path.stat().st_size)
    except (OSError, ValueError):
        raise
    except MemoryError as error:
        raise ValueError("it asks for more memory than there is") from error
    except Exception as error:  # tifffile lets struct, index and codec errors through
        raise ValueError(f"it is damaged ({error})") from error


def _checked(page: tifffile.TiffPage, file_size: int) -> tifffile.TiffPage:
    numbers = (page.imagelength, page.imagewidth, page.samplesperpixel, page.bitspersample)
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError("its header is damaged")
    if page.samplesperpixel > MAX_SAMPLES:
        raise ValueError(f"a pixel of it has {page.samplesperpixel} samples")
    ratio = 1 if page.compression == tifffile.COMPRESSION.NONE else MAX_COMPRESSION
    if math.prod(numbers) // 8 > ratio * file_size:
        raise ValueError("it ends too early, or its header is damaged")
    if page.dtype is None or not (_is_grey(page) or _is_colour(page)):
        raise ValueError(
            f"its colours are not grey, RGB or CMYK ({page.samplesperpixel} samples of "
            f"{page.bitspersample} bits, photometric {int(page.photometric)})"
        )
    if page.imagedepth != 1:
        raise ValueError("its first page is a volume")
    return page


def _stored_bytes(page: tifffile.TiffPage) -> int:
    itemsize = 1 if page.dtype is None else np.dtype(page.dtype).itemsize
    return page.imagelength * page.imagewidth * page.samplesperpixel * itemsize


def _is_grey(page: tifffile.TiffPage) -> bool:
    return page.photometric in _GREY


def _has_palette(page: tifffile.TiffPage) -> bool:
    return page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None


def _is_cmyk(page: tifffile.TiffPage) -> bool:
    if page.photometric != tifffile.PHOTOMETRIC.SEPARATED or page.samplesperpixel < _INKS:
        return False
    return page.dtype is not None and np.dtype(page.dtype) in (np.uint8, np.uint16)


def _is_colour(page: tifffile.TiffPage) -> bool:
    if page.photometric == tifffile.PHOTOMETRIC.YCBCR and page.compression not in _JPEG:
        return False
    return (
        _has_palette(page)
        or _is_cmyk(page)
        or (page.photometric in _COLOUR and page.samplesperpixel >= 3)
    )


def _samples(page: tifffile.TiffPage) -> NDArray[Any]:
    refuse_larger_parts(page)
    samples: NDArray[Any] = page.asarray()
    if page.samplesperpixel > 1:
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
            samples = np.moveaxis(samples, 0, -1)
        colours = _INKS if _is_cmyk(page) else 3
        samples = samples[..., 0] if _is_grey(page) else samples[..., :colours]
    if _has_palette(page):
        # Entries have 16 bits; writers fill the lower eight with zeros or with a copy.
        palette = (np.asarray(page.colormap) >> 8).astype(np.uint8)
        samples = np.moveaxis(palette[:, samples], 0, -1)
    if samples.shape[:2] != (page.imagelength, page.imagewidth):
        raise ValueError(f"its first page has the shape {samples.shape}")
    return samples


def _exif(page: tifffile.TiffPage) -> Exif:
    raw = page.tags.valueof(EXIF_IFD, default={})
    fields = Fields()
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name in _EXIF_NUMBERS:
            number = _number(value, rational=name in _RATIONALS)
            if number is not None:
                fields.numbers[_EXIF_NUMBERS[name]] = number
        elif name in _EXIF_TEXTS:
            fields.texts[_EXIF_TEXTS[name]] = str(value)
    for tag in (exif.MAKE, exif.MODEL):
        fields.texts[tag] = str(page.tags.valueof(tag, default=""))
    orientation = _number(page.tags.valueof(exif.ORIENTATION, default=1), rational=False)
    if orientation is not None:
        fields.numbers[exif.ORIENTATION] = orientation
    return exif_of(fields)


def _number(value: Any, *, rational: bool) -> float | None:
    """Make one number of a value of the library, where a rational is a pair."""
    numbers = value if isinstance(value, tuple) else (value,)
    try:
        return float(numbers[0]) / float(numbers[1]) if rational else float(numbers[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
