"""Masks and probabilities on a disk."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import ArrayLike, NDArray

from bracketseg.brackets import tiff
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.files import atomic_write, cannot_write
from bracketseg.brackets.images import read_image
from bracketseg.errors import FrameError, LabelingError

MASK_SUFFIXES = frozenset({".png", ".tif", ".tiff"})
_SUFFIXES_IN_ORDER = (".png", ".PNG", ".tif", ".TIF", ".tiff", ".TIFF")
_MASK_STEM = re.compile(r"(?P<scene>.+)_(?P<role>low|high)")
_DERIVED_STEM = re.compile(
    r".+_((low|high)(_probability|_corrections|_prediction)?|ghosts)", re.IGNORECASE
)
_ROWS = 256
"""Rows that are brought to 16 bits at a time."""

_FUSED_STEM = re.compile(r".+_fused", re.IGNORECASE)


def mask_name(scene: str, role: MaskRole) -> str:
    """File name of the mask of one frame.

    >>> mask_name("0000", "low")
    '0000_low.png'
    """
    return f"{scene}_{role}.png"


def probability_name(scene: str, role: MaskRole) -> str:
    """File name of the probability of one frame.

    >>> probability_name("0000", "low")
    '0000_low_probability.png'
    """
    return f"{scene}_{role}_probability.png"


def ghosts_name(scene: str) -> str:
    """File name of the ghost map of one scene.

    >>> ghosts_name("0000")
    '0000_ghosts.png'
    """
    return f"{scene}_ghosts.png"


def is_mask_name(path: Path) -> bool:
    """Whether a file is named as masks, ghost maps and what else is derived from frames are.

    >>> is_mask_name(Path("0000_low.png")), is_mask_name(Path("0000_short.png"))
    (True, False)
    >>> is_mask_name(Path("0000_fused.jpg"))
    True
    """
    if _FUSED_STEM.fullmatch(path.stem) is not None:
        return True
    return path.suffix.lower() in MASK_SUFFIXES and _DERIVED_STEM.fullmatch(path.stem) is not None


def find_masks(folder: Path) -> dict[tuple[str, MaskRole], Path]:
    """Find the masks of a labelling folder; files that are none are left alone.

    Parameters
    ----------
    folder : Path
        Its ``<scene>_<role>.png`` (or ``.tif``, ``.tiff``), role ``low`` or ``high``.

    Returns
    -------
    dict of (scene, role) to Path
        In the order of the names. Where one mask is there as PNG and as TIFF, it
        is the PNG.

    Raises
    ------
    LabelingError
        If the folder is missing or cannot be listed.
    """
    folder = Path(folder)
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise LabelingError(
            f"{folder}: the masks cannot be listed: {error.strerror}; "
            "give the folder that holds <scene>_low.png and <scene>_high.png"
        ) from error
    masks: dict[tuple[str, MaskRole], Path] = {}
    for path in paths:
        match = _MASK_STEM.fullmatch(path.stem)
        suffix = path.suffix.lower()
        if match is None or suffix not in MASK_SUFFIXES or path.name.startswith("."):
            continue
        role = next(role for role in MASK_ROLES if role == match["role"])
        if (match["scene"], role) not in masks or suffix == ".png":
            masks[match["scene"], role] = path
    return masks


def find_mask(folder: Path, scene: str, role: MaskRole) -> Path | None:
    """Find one mask without listing its folder; None where there is none.

    Parameters
    ----------
    folder : Path
    scene : str
    role : {"low", "high"}

    Returns
    -------
    Path or None
        The same that :func:`find_masks` tells, unless its suffix is partly in capitals.
    """
    name = Path(folder) / Path(mask_name(scene, role)).stem
    for suffix in _SUFFIXES_IN_ORDER:
        path = name.with_name(f"{name.name}{suffix}")
        if path.exists():
            return path
    return None


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask.

    Parameters
    ----------
    path : Path
        A PNG, or the first page of a TIFF of any number type.

    Returns
    -------
    (H, W) bool array
        True, foreground, is any value but zero, in any of the colour channels;
        alpha does not count.

    Raises
    ------
    LabelingError
        If the file is missing, damaged, or neither PNG nor TIFF.
    """
    path = Path(path)
    suffix = _mask_suffix(path)
    try:
        samples = read_image(path) if suffix == ".png" else tiff.read_tiff_mask(path)
    except (FrameError, OSError, ValueError) as error:
        raise LabelingError(
            f"{path}: cannot be read as a mask; write it again as PNG with 0 and 255 ({error})"
        ) from error
    foreground = samples != 0
    if foreground.ndim == 3:
        foreground = foreground.any(axis=2)
    return np.asarray(foreground, dtype=np.bool_)


def write_mask(path: Path, mask: ArrayLike) -> None:
    """Write a mask as one channel of uint8, 0 and 255; never half of it.

    Parameters
    ----------
    path : Path
        Ends in ``.png``, ``.tif`` or ``.tiff``, which decides the format.
    mask : (H, W) array
        Any value but zero is foreground.

    Raises
    ------
    LabelingError
        If the mask has no two dimensions or no pixels, or the file cannot be written.
    """
    samples = (np.asarray(mask) != 0).view(np.uint8)
    # In place: of a large mask every copy counts.
    samples *= np.uint8(255)
    _write(Path(path), samples)


def read_probability(path: Path) -> NDArray[np.uint16]:
    """Read a probability as stored.

    Returns
    -------
    (H, W) uint16 array
        ``p * 65535``, rounded.

    Raises
    ------
    LabelingError
        If the file is missing, damaged, or not one channel of 16 bits.
    """
    path = Path(path)
    try:
        stored = read_image(path)
    except FrameError as error:
        raise LabelingError(f"{path}: cannot be read as a probability ({error})") from error
    if stored.ndim != 2 or stored.dtype != np.uint16:
        raise LabelingError(
            f"{path}: a probability is one channel of 16 bits, but this is "
            f"{stored.dtype} of the shape {stored.shape}; predict it again"
        )
    return stored


def write_probability(path: Path, probability: ArrayLike) -> None:
    """Write a probability as one channel of uint16; never half of it.

    Parameters
    ----------
    path : Path
        Ends in ``.png``, ``.tif`` or ``.tiff``, which decides the format.
    probability : (H, W) float array
        Within 0..1. Stored as ``p * 65535``, rounded, halves to the even number.

    Raises
    ------
    LabelingError
        If a value is not finite or outside 0..1, if it has no two dimensions or
        no pixels, or if the file cannot be written.
    """
    path = Path(path)
    values = np.atleast_1d(probability)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise LabelingError(
            f"{path}: probabilities have to be finite and within 0..1, but these run from "
            f"{values.min():g} to {values.max():g}"
        )
    samples = np.empty(values.shape, np.uint16)
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        # In single precision p * 65535 is off by up to half a step of the result.
        samples[rows] = np.rint(np.multiply(values[rows], 65535, dtype=np.float64))
    _write(path, samples)


def _mask_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in MASK_SUFFIXES:
        raise LabelingError(f"{path}: masks are PNG or TIFF; name it .png, .tif or .tiff")
    return suffix


def _write(path: Path, samples: NDArray[Any]) -> None:
    suffix = _mask_suffix(path)
    if samples.ndim != 2 or samples.size == 0:
        raise LabelingError(f"{path}: a mask is (height, width), but this array is {samples.shape}")
    try:
        with atomic_write(path) as temporary:
            if suffix == ".png":
                temporary.write_bytes(cv2.imencode(".png", samples)[1].tobytes())
            else:
                tifffile.imwrite(temporary, samples, photometric="minisblack", compression="zlib")
    except OSError as error:
        raise LabelingError(cannot_write(path, error)) from error
