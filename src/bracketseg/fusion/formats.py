"""The files that a fused bracket becomes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from bracketseg.brackets.bracket import Frame
from bracketseg.brackets.files import atomic_write, cannot_write, write_bytes
from bracketseg.errors import FusionError

Format = Literal["png", "jpg", "tiff", "exr"]

SUFFIXES: dict[Format, str] = {"png": ".png", "jpg": ".jpg", "tiff": ".tif", "exr": ".exr"}
"""Of the files of each format."""

JPEG_QUALITY = 95


def fused_name(scene: str, to: Format) -> str:
    """File name of a fused scene; no scan for brackets takes it for a frame.

    >>> fused_name("0000", "png"), fused_name("0000", "exr")
    ('0000_fused.png', '0000_fused.exr')
    """
    return f"{scene}_fused{SUFFIXES[to]}"


def format_of(path: Path) -> Format:
    """Tell the format by a file's suffix.

    Raises
    ------
    FusionError
        If it is none of ours.
    """
    suffix = path.suffix.lower().replace(".tiff", ".tif").replace(".jpeg", ".jpg")
    for to, known in SUFFIXES.items():
        if suffix == known:
            return to
    raise FusionError(
        f"{path}: fused pictures are saved as PNG, JPEG, TIFF or EXR; name it .png, .jpg, .tif "
        "or .exr"
    )


def require_exr(path: Path) -> Any:
    """Import the writer of EXR files.

    Raises
    ------
    FusionError
        If the extra `exr` is not installed.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise FusionError(
            f'{path}: EXR files are written with OpenEXR; install it: pip install "bracketseg[exr]"'
        ) from error
    return OpenEXR


def write_picture(path: Path, picture: NDArray[np.float32]) -> None:
    """Write a picture to look at; never half of it.

    Parameters
    ----------
    path : Path
        Its suffix decides: PNG and JPEG hold 8 bits, TIFF holds 16.
    picture : (H, W) or (H, W, 3) float32
        Display-referred sRGB, 0..1. Rounded, halves to the even number.

    Raises
    ------
    FusionError
        If the file cannot be written.
    """
    to = format_of(path)
    try:
        if to == "tiff":
            with atomic_write(path) as temporary:
                tifffile.imwrite(
                    temporary,
                    np.rint(picture * 65535).astype(np.uint16),
                    photometric="minisblack" if picture.ndim == 2 else "rgb",
                    compression="zlib",
                )
            return
        narrow = np.rint(picture * 255).astype(np.uint8)
        options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if to == "jpg" else []
        stored = narrow if narrow.ndim == 2 else narrow[..., ::-1]
        _, data = cv2.imencode(SUFFIXES[to], np.ascontiguousarray(stored), options)
        write_bytes(path, data.tobytes())
    except OSError as error:
        raise FusionError(cannot_write(path, error)) from error


def write_exr(path: Path, radiance: NDArray[np.float32], frames: Sequence[Frame]) -> None:
    """Write a radiance map as OpenEXR, 32-bit floats; never half of it.

    Parameters
    ----------
    path : Path
    radiance : (H, W) or (H, W, 3) float32
        Linear, primaries of sRGB.
    frames : sequence of Frame
        Those that it was merged from. Their exposures are in the header: `exposures` is
        JSON, an object for each frame with `file`, `ev`, `time` in seconds, `f_number` and
        `iso`, null where it is not known.

    Raises
    ------
    FusionError
        If the file cannot be written, or the extra `exr` is not installed.
    """
    writer = require_exr(path)
    exposures = [
        {
            "file": frame.path.name,
            "ev": frame.ev,
            "time": frame.exposure.time,
            "f_number": frame.exposure.f_number,
            "iso": frame.exposure.iso,
        }
        for frame in frames
    ]
    header = {
        "compression": writer.ZIP_COMPRESSION,
        "type": writer.scanlineimage,
        # ITU-R BT.709, as sRGB: x and y of red, green, blue and white.
        "chromaticities": (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329),
        "exposures": json.dumps(exposures),
        "comments": (
            "Merged by bracketseg. Values are those of the frames, made linear by the inverse "
            "of the sRGB curve, divided by 2 to the power of ev."
        ),
    }
    pixels = np.ascontiguousarray(radiance, np.float32)
    try:
        with atomic_write(path) as temporary:
            writer.File(header, {"Y" if pixels.ndim == 2 else "RGB": pixels}).write(str(temporary))
    except RuntimeError as error:
        raise FusionError(f"{path}: cannot be written ({error}). Choose another place.") from error
    except OSError as error:
        raise FusionError(cannot_write(path, error)) from error
