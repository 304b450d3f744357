"""Photographs as a camera leaves them on its card."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

BASE = Fraction(1, 64)


class Card:
    """Takes photographs into a folder, numbered as a camera numbers them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number, self.now = folder, 1, 10_000.0

    def take(self, *stops: int, **noted: Any) -> list[str]:
        names = []
        for stop in stops:
            noted = {"iso": 100, "f_number": Fraction(8), "model": "Box 1", **noted}
            name = f"IMG_{self.number:04}.jpg"
            level = 100 + 20 * stop
            time = BASE * Fraction(2) ** stop
            write_photograph(self.folder / name, level, time=time, taken=self.now, **noted)
            names.append(name)
            self.number += 1
            self.now += 0.5 + float(time)
        return names

    def rest(self, seconds: float) -> None:
        self.now += seconds


def write_photograph(
    path: Path,
    level: int = 128,
    *,
    time: Fraction | None = None,
    iso: int | None = None,
    f_number: Fraction | None = None,
    taken: float | None = None,
    bias: Fraction | None = None,
    mode: int | None = None,
    model: str | None = None,
    size: tuple[int, int] = (12, 8),
) -> Path:
    """Write a small grey-ish picture; what a camera notes in EXIF on request."""
    exif = Image.Exif()
    camera = exif.get_ifd(0x8769)
    for tag, value in ((0x829A, time), (0x829D, f_number), (0x9204, bias)):
        if value is not None:
            camera[tag] = IFDRational(value.numerator, value.denominator)
    for tag, number in ((0x8827, iso), (0xA402, mode)):
        if number is not None:
            camera[tag] = number
    if taken is not None:
        camera[0x9003] = f"{datetime.fromtimestamp(int(taken), UTC):%Y:%m:%d %H:%M:%S}"
        camera[0x9291] = f"{round(taken % 1 * 100):02}"
    if model is not None:
        exif[0x0110] = model
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.full((height, width, 3), level, np.uint8)
    Image.fromarray(pixels).save(path, exif=exif.tobytes())
    return path
