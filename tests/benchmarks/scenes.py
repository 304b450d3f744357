"""Brackets to measure with: smooth pictures with some grain, in three exposures."""

from pathlib import Path

import cv2
import numpy as np

_GAINS = {"short": 0.35, "medium": 1.0, "long": 2.4}


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
