"""Files beside the frames that list their exposures: as stops, or as times."""

import csv
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.exposure import tells_apart

SIDECAR_NAMES = (
    "exposures.npy",
    "exposure.txt",
    "exposures.txt",
    "input_exp.txt",
    "exposure_times.csv",
    "image_list.txt",
)
"""Looked for in this order, in any case; then whatever ends as `LIST_ENDING`."""

LIST_ENDING = "image_list.txt"

MAX_BYTES = 1 << 20
"""A larger file lists no exposures."""

# Stops are set in thirds or halves; times in powers of two, nearly.
_STOP_FRACTIONS = (2, 3)
_ROUNDING = 0.2


def listed_evs(path: Path, images: Sequence[Path]) -> list[float] | None:
    """Read the exposure values that a side-car file lists for pictures.

    Parameters
    ----------
    path : Path
        - ``*.npy`` and ``exposure.txt``: as :func:`sidecar_evs`, one value a picture;
        - ``*image_list.txt``: a picture a line, its name, 1/shutter, and perhaps its
          f-number, as P. Debevec's sets have it; lines of another kind are passed over;
        - ``*.csv``: a picture a line, its name and its time in seconds (``0.25`` or
          ``1/4``), or the times alone.
    images : sequence of Path
        The pictures, in the order in which a list without names has them. Names are
        compared without their suffix and in any case.

    Returns
    -------
    list of float or None
        Stops, one a picture; None if the file is missing, damaged, or does not list all of
        them.
    """
    name = path.name.lower()
    try:
        if name.endswith(LIST_ENDING):
            lines = [words for words in _lines(path) if len(words) > 1]
            return _by_name({words[0]: _shutter_ev(words[1:3]) for words in lines}, images)
        if name.endswith(".csv"):
            rows = [row for row in _rows(path) if _ev(row[-1]) is not None]
            if all(len(row) > 1 for row in rows):
                return _by_name({row[0]: _ev(row[-1]) for row in rows}, images)
            return _complete([_ev(row[-1]) for row in rows], images)
    except (OSError, ValueError, csv.Error):
        return None
    return sidecar_evs(path)


def sidecar_evs(path: Path) -> list[float] | None:
    """Read the stops that a side-car file lists, one a frame.

    Parameters
    ----------
    path : Path
        ``.npy``: an array of numbers, e.g. int64 ``[-3, -1, 1]``. Else text:
        numbers between spaces or line ends; ``#`` starts a comment. Times in seconds are
        told from stops: they are all positive, and one is written as ``1/60`` or is no
        multiple of a half or a third, or each is about the same multiple of the one before
        (and not the same number more).

    Returns
    -------
    list of float or None
        Stops. None if the file is missing, damaged, or holds anything but finite numbers:
        then it says nothing.
    """
    try:
        if path.suffix.lower() == ".npy":
            values = _array(path).ravel().tolist()
            fractions = False
        else:
            words = [word for line in _lines(path) for word in line]
            values = [_fraction(word) for word in words]
            fractions = any("/" in word for word in words)
    except (OSError, ValueError, ZeroDivisionError):
        return None
    if not all(math.isfinite(value) for value in values):
        return None
    if values and min(values) > 0 and (fractions or _are_times(values)):
        return [math.log2(value) for value in values]
    return None if fractions else values


def _are_times(values: Sequence[float]) -> bool:
    multiples = [
        any(abs(value * part - round(value * part)) < 0.05 for part in _STOP_FRACTIONS)
        and round(value * 3) > 0
        for value in values
    ]
    if not all(multiples):
        return True
    ordered = sorted(values)
    sums = [b - a for a, b in pairwise(ordered)]
    ratios = [math.log2(b / a) for a, b in pairwise(ordered)]
    if len(ordered) < 2 or max(sums) - min(sums) < _ROUNDING:
        return False
    return max(ratios) - min(ratios) <= _ROUNDING


def _array(path: Path) -> NDArray[np.float64]:
    """Numbers of an ``.npy``; OSError or ValueError if it is anything else."""
    try:
        # Of memory, not of a file, the library takes no more than is there.
        array = np.load(io.BytesIO(_content(path)), allow_pickle=False)
        return np.asarray(array, dtype=np.float64)
    except (OSError, ValueError):
        raise
    except Exception as error:  # a damaged header fails in as many ways as Python has
        raise ValueError("it is damaged") from error


def _content(path: Path) -> bytes:
    # Reading a pipe would never end.
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ValueError("it is no small file")
    return path.read_bytes()


def _lines(path: Path) -> list[list[str]]:
    """Words of each line that has any, without comments.

    Raises
    ------
    OSError, ValueError
        If the file is missing, too large, or no text.
    """
    lines = _content(path).decode("utf-8-sig").splitlines()
    words = (line.partition("#")[0].split() for line in lines)
    return [line for line in words if line]


def _rows(path: Path) -> list[list[str]]:
    """Cells of each row of a CSV that has any; commas or semicolons are between them."""
    joined = (" ".join(words).replace(";", ",") for words in _lines(path))
    return [[cell.strip() for cell in row] for row in csv.reader(joined)]


def _fraction(word: str) -> float:
    numerator, slash, denominator = word.partition("/")
    return float(numerator) / float(denominator) if slash else float(word)


def _ev(time: str) -> float | None:
    """Make stops of a time in seconds; None if it is none."""
    try:
        seconds = _fraction(time.removesuffix("s"))
    except (ValueError, ZeroDivisionError):
        return None
    return math.log2(seconds) if math.isfinite(seconds) and seconds > 0 else None


def _shutter_ev(words: Sequence[str]) -> float | None:
    """Make stops of 1/shutter, and of an f-number behind it."""
    shutter, *f_number = (_ev(word) for word in words)
    if shutter is None:
        return None
    return -shutter - 2 * (f_number[0] or 0.0 if f_number else 0.0)


def _by_name(named: dict[str, float | None], images: Sequence[Path]) -> list[float] | None:
    by_stem = {Path(name).stem.casefold(): ev for name, ev in named.items()}
    return _complete([by_stem.get(path.stem.casefold()) for path in images], images)


def _complete(evs: Sequence[float | None], images: Sequence[Path]) -> list[float] | None:
    known = [ev for ev in evs if ev is not None]
    return known if len(known) == len(images) and tells_apart(known) else None
