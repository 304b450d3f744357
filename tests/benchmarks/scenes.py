"""Brackets to measure with: smooth pictures with some grain, or photographs in a mosaic."""

from importlib.resources import as_file, files
from pathlib import Path

import cv2
import numpy as np

from bracketseg.brackets.bracket import Role
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import to_uint8

_GAINS = {"short": 0.35, "medium": 1.0, "long": 2.4}
_ROLES: dict[Role, str] = {"low": "short", "medium": "medium", "high": "long"}


def write_scenes(folder: Path, count: int, shape: tuple[int, int], suffix: str) -> Path:
    """Write `<number>_short`, `_medium` and `_long` of so many scenes into one folder.

    Parameters
    ----------
    folder : Path
        Is made.
    count : int
    shape : tuple of int
        Rows, columns.
    suffix : str
        ".jpg" or ".png".
    """
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    rows, columns = shape
    grain = random.integers(0, 12, (rows, columns, 1))
    for number in range(count):
        coarse = random.integers(0, 256, (5, 7, 3)).astype(np.float32)
        light = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC) + grain
        for name, gain in _GAINS.items():
            frame = np.clip(light * gain, 0, 255).astype(np.uint8)
            if not cv2.imwrite(str(folder / f"{number:04}_{name}{suffix}"), frame):
                raise OSError(f"cannot write to {folder}")
    return folder


def write_mosaics(folder: Path, count: int, shape: tuple[int, int], suffix: str) -> Path:
    """Write brackets of the size of photographs, with the detail of photographs.

    Each is laid out of the frames of one sample bracket, every other one mirrored.

    Parameters
    ----------
    folder, count, shape, suffix
        As for :func:`write_scenes`.
    """
    folder.mkdir(parents=True)
    with as_file(files("bracketseg") / "sample_data" / "brackets") as sample:
        brackets = [b for b in find_brackets(sample).brackets if len(b.roles) == len(_ROLES)]
        for number in range(count):
            bracket = brackets[number % len(brackets)]
            for role, name in _ROLES.items():
                frame = to_uint8(bracket.frame(role).read())[: shape[0], : shape[1]]
                rows, columns = (
                    have - want for want, have in zip(frame.shape[:2], shape, strict=True)
                )
                mosaic = np.pad(frame, ((0, rows), (0, columns), (0, 0)), mode="symmetric")
                path = folder / f"{number:04}_{name}{suffix}"
                if not cv2.imwrite(str(path), mosaic[..., ::-1]):
                    raise OSError(f"cannot write to {folder}")
    return folder
