"""What a person painted over a mask, on a disk."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.files import cannot_write, write_bytes
from bracketseg.brackets.images import read_image
from bracketseg.errors import FrameError, LabelingError

STORED_BACKGROUND = 128
STORED_FOREGROUND = 255


def corrections_name(scene: str, role: MaskRole) -> str:
    """File name of the corrections of one mask.

    >>> corrections_name("0000", "low")
    '0000_low_corrections.png'
    """
    return f"{scene}_{role}_corrections.png"


def write_corrections(path: Path, corrections: NDArray[np.int8] | None) -> None:
    """Write corrections as a PNG of one channel, uint8; never half of it.

    Parameters
    ----------
    path : Path
        No file is left here where nothing is painted.
    corrections : (H, W) int8, or None
        1 painted in, stored as 255; -1 painted out, stored as 128; 0 untouched.

    Raises
    ------
    LabelingError
        If the array is none of corrections, or the file cannot be written or removed.
    """
    if corrections is None or not corrections.any():
        _remove(path)
        return
    if corrections.ndim != 2 or not np.isin(corrections, (-1, 0, 1)).all():
        raise LabelingError(
            f"{path}: corrections are (height, width) of -1, 0 and 1, but these are "
            f"{corrections.dtype} of the shape {corrections.shape}"
        )
    stored = np.zeros(corrections.shape, np.uint8)
    stored[corrections > 0] = STORED_FOREGROUND
    stored[corrections < 0] = STORED_BACKGROUND
    # Drafts are written every other second: speed before size.
    _, png = cv2.imencode(".png", stored, (cv2.IMWRITE_PNG_COMPRESSION, 1))
    try:
        write_bytes(path, png.tobytes())
    except OSError as error:
        raise LabelingError(cannot_write(path, error)) from error


def read_corrections(path: Path) -> NDArray[np.int8]:
    """Read corrections.

    Returns
    -------
    (H, W) int8
        1 painted in, -1 painted out, 0 untouched.

    Raises
    ------
    LabelingError
        If the file is missing, damaged, or holds anything but 0, 128 and 255 in one
        channel of 8 bits.
    """
    try:
        stored = read_image(path)
    except FrameError as error:
        raise LabelingError(f"{path}: cannot be read as corrections ({error})") from error
    if stored.ndim != 2 or stored.dtype != np.uint8:
        raise LabelingError(
            f"{path}: corrections are one channel of 8 bits, but this is {stored.dtype} of the "
            f"shape {stored.shape}; delete the file to go on without them"
        )
    painted_in, painted_out = stored == STORED_FOREGROUND, stored == STORED_BACKGROUND
    if not (painted_in | painted_out | (stored == 0)).all():
        raise LabelingError(
            f"{path}: corrections are 0, {STORED_BACKGROUND} and {STORED_FOREGROUND}, but this "
            "holds other values; delete the file to go on without them"
        )
    corrections: NDArray[np.int8] = painted_in.astype(np.int8) - painted_out.astype(np.int8)
    return corrections


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabelingError(
            f"{path}: cannot be removed ({error.strerror or error}), and its strokes are no "
            "longer there. Remove it."
        ) from error
