"""Radiance maps, OpenEXR and Radiance HDR: their linear values, and how they are shown."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.head import Head
from bracketseg.errors import FrameError

RADIANCE_SUFFIXES = frozenset({".exr", ".hdr"})

EXR_SIGNATURE = b"\x76\x2f\x31\x01"
HDR_SIGNATURE = b"#?"

_RESOLUTION = re.compile(rb"-Y (\d{1,9}) \+X (\d{1,9})")
_LONGEST_HEADER = 64 * 1024
_ROWS = 256


def displayed(radiance: NDArray[Any], ev: float = 0.0) -> NDArray[np.float32]:
    """Show linear radiance as a camera would at an exposure: the display transform.

    ``v = min(max(radiance * 2**ev, 0), 1)``, then encoded as sRGB:
    ``12.92 v`` up to 0.0031308, above it ``1.055 v**(1 / 2.4) - 0.055``.

    Parameters
    ----------
    radiance : (H, W) or (H, W, 3) float array
        Linear, with the primaries of sRGB; 1 is white at `ev` 0. What is not a number is
        black, and so is what is negative.
    ev : float
        Exposure in stops.

    Returns
    -------
    (H, W) or (H, W, 3) float32 array
        Display-referred, 0..1.

    References
    ----------
    IEC 61966-2-1:1999, section 5.2.

    Examples
    --------
    >>> displayed(np.array([[0.0, 0.25, 0.5, 8.0]]), ev=1.0).round(3).tolist()
    [[0.0, 0.7350000143051147, 1.0, 1.0]]
    """
    shown = np.empty(radiance.shape, np.float32)
    # In parts: what lies between takes several times the memory of its result.
    for start in range(0, len(radiance), _ROWS):
        rows = slice(start, start + _ROWS)
        shown[rows] = _displayed(radiance[rows], ev)
    return shown


def _displayed(radiance: NDArray[Any], ev: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        light = np.nan_to_num(radiance.astype(np.float32) * np.float32(2.0**ev), nan=0.0)
    light = light.clip(0, 1)
    curve = 1.055 * light ** np.float32(1 / 2.4) - 0.055
    encoded = np.where(light <= 0.0031308, 12.92 * light, curve)
    # In single precision the curve misses 1 by one last bit.
    return np.where(light == 1, 1, encoded).astype(np.float32)


def read_radiance(path: Path) -> NDArray[np.float32]:
    """Read the linear values of an OpenEXR or Radiance HDR: (H, W) or (H, W, 3) float32.

    Raises
    ------
    FrameError
        If it cannot be read, or the extra `exr` is not installed.
    """
    try:
        with path.open("rb") as file:
            is_exr = file.read(4) == EXR_SIGNATURE
        return read_exr(path) if is_exr else read_hdr(path)
    except (OSError, ValueError) as error:
        raise FrameError(
            f"{path}: cannot be read as a radiance map: {error}; copy it again from its source"
        ) from error


def read_hdr_head(file: BinaryIO) -> Head:
    """Read the head of a Radiance HDR.

    Raises
    ------
    ValueError
        If it is damaged, or its rows do not run from top to bottom.

    References
    ----------
    G. Ward, Real Pixels, in Graphics Gems II (1991), pp. 80-83.
    """
    file.seek(0)
    start, blank, rest = file.read(_LONGEST_HEADER).partition(b"\n\n")
    if not blank or b"xyze" in start:
        raise ValueError("its colours are not RGB" if blank else "its header is damaged")
    match = _RESOLUTION.match(rest.partition(b"\n")[0])
    if match is None:
        raise ValueError("its rows do not run from top to bottom, or its header is damaged")
    return Head(shape=(int(match[1]), int(match[2]), 3), dtype=np.dtype(np.float32))


def read_hdr(path: Path) -> NDArray[np.float32]:
    """Read the linear values of a Radiance HDR: (H, W, 3) float32, RGB.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        bgr: NDArray[Any] | None = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise ValueError("its pixels are damaged") from error
    if bgr is None:
        raise ValueError("its pixels are damaged")
    return np.ascontiguousarray(bgr[..., ::-1], np.float32)


def read_exr_head(path: Path) -> Head:
    """Read the head of an OpenEXR: RGB, or grey where it has one channel Y.

    Raises
    ------
    FrameError
        If the extra `exr` is not installed.
    ValueError
        If it is damaged or has neither R, G and B nor Y.
    """
    with _opened(path, header_only=True) as file:
        headers = [file.header(part) for part in range(len(file.parts))]
        names = _colours({channel.name for channel in headers[0]["channels"]})
        shape = _window(headers[0])
        # The library reads all parts and channels.
        samples = sum(math.prod(_window(header)) * len(header["channels"]) for header in headers)
    return Head(
        shape=shape if len(names) == 1 else (*shape, 3),
        dtype=np.dtype(np.float32),
        stored_bytes=samples * np.dtype(np.float32).itemsize,
    )


def _window(header: Any) -> tuple[int, int]:
    """Height and width of a part."""
    (left, top), (right, bottom) = header["dataWindow"]
    return int(bottom) - int(top) + 1, int(right) - int(left) + 1


def read_exr(path: Path) -> NDArray[np.float32]:
    """Read the linear values of the first part of an OpenEXR: (H, W) or (H, W, 3) float32.

    Raises
    ------
    FrameError, ValueError
        As :func:`read_exr_head`.
    """
    with _opened(path, separate_channels=True) as file:
        channels = file.channels()
        names = _colours(set(channels))
        planes = [channels[name].pixels for name in names]
    if any(plane is None or plane.ndim != 2 for plane in planes):
        raise ValueError("its pixels are damaged")
    stacked = planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
    with np.errstate(invalid="ignore"):  # a NaN of half precision, as it may be stored
        return np.ascontiguousarray(stacked, np.float32)


def _colours(names: set[str]) -> tuple[str, ...]:
    for wanted in (("R", "G", "B"), ("Y",)):
        if names.issuperset(wanted):
            return wanted
    raise ValueError(f"its channels are {', '.join(sorted(names))}, not R, G and B or Y")


@contextmanager
def _opened(path: Path, **options: bool) -> Iterator[Any]:
    """Open the file; whatever the library raises comes out as ValueError."""
    try:
        import OpenEXR
    except ImportError as error:
        raise FrameError(
            f'{path}: EXR files are read with OpenEXR; install it: pip install "bracketseg[exr]"'
        ) from error
    try:
        with OpenEXR.File(str(path), **options) as file:
            yield file
    except ValueError:
        raise
    except MemoryError as error:
        raise ValueError("it asks for more memory than there is") from error
    except Exception as error:  # a header without its attributes, attributes of another type
        raise ValueError("it is damaged") from error
