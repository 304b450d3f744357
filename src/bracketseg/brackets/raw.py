"""RAW files of cameras, developed to sRGB; they need the extra `raw`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.exif import Exif, parse_exif
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.head import Head
from bracketseg.errors import FrameError

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef"}
    | {".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
)
"""RAW files begin as TIFFs do, or in a way of their maker: their names tell them."""

# Where makers put EXIF: the pixels and previews lie behind it.
_EXIF_BYTES = 2**20

# One development for all frames of a bracket, so that only the exposure differs: nothing is
# adjusted to the picture. The gamma is that of sRGB.
_DEVELOPMENT = {
    "use_camera_wb": True,
    "no_auto_bright": True,
    "adjust_maximum_thr": 0.0,
    "gamma": (2.4, 12.92),
    "output_bps": 16,
}


def read_raw_head(path: Path) -> Head:
    """Read the head of a RAW file: upright, RGB of uint16.

    Raises
    ------
    FrameError
        If the extra `raw` is not installed.
    ValueError
        If the file is damaged or of an unknown camera.
    """
    with _opened(path) as raw:
        sizes, noted = raw.sizes, raw.other
        height, width = sizes.height, sizes.width
        # LibRaw turns its pictures upright.
        if sizes.flip & 4:
            height, width = width, height
    with path.open("rb") as file:
        exif = parse_exif(file.read(_EXIF_BYTES))
    if exif.exposure == Exposure():
        exif = Exif(
            exposure=Exposure(
                time=noted.shutter_speed or None,
                f_number=noted.aperture or None,
                iso=noted.iso_speed or None,
            ),
            capture=exif.capture,
        )
    if exif.capture.time is None and noted.timestamp.timestamp() > 0:
        exif = replace(exif, capture=replace(exif.capture, time=noted.timestamp.timestamp()))
    return Head(
        shape=(height, width, 3), dtype=np.dtype(np.uint16), exif=replace(exif, orientation=1)
    )


def read_raw_frame(path: Path, *, half: bool = False) -> NDArray[np.uint16]:
    """Develop a RAW file: (H, W, 3) uint16, sRGB, upright.

    The camera's white balance; no brightening; what is clipped stays white.

    Parameters
    ----------
    path : Path
        A RAW file.
    half : bool
        Half of the height and width, in a fraction of the time.

    Raises
    ------
    FrameError, ValueError
        As :func:`read_raw_head`.
    """
    with _opened(path) as raw:
        return np.ascontiguousarray(raw.postprocess(half_size=half, **_DEVELOPMENT), np.uint16)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import rawpy
    except ImportError as error:
        raise FrameError(
            f'{path}: RAW files are read with rawpy; install it: pip install "bracketseg[raw]"'
        ) from error
    path.stat()  # a missing file is not an unknown camera
    try:
        with rawpy.imread(str(path)) as raw:
            yield raw
    except (rawpy.LibRawError, rawpy.NotSupportedError) as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("latin-1") if isinstance(reason, bytes) else str(reason)
        raise ValueError(
            f"it is damaged or of a camera that LibRaw does not know ({text})"
        ) from error
