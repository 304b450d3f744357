from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

WriteFrame = Callable[..., Path]


@pytest.fixture
def write_frame() -> WriteFrame:
    """Write a small grey-ish picture; EXIF exposure and orientation on request."""

    def write(
        path: Path,
        level: int = 128,
        *,
        time: Fraction | None = None,
        iso: int | None = None,
        f_number: Fraction | None = None,
        size: tuple[int, int] = (12, 8),
    ) -> Path:
        exif = Image.Exif()
        camera = exif.get_ifd(0x8769)
        for tag, value in ((0x829A, time), (0x829D, f_number)):
            if value is not None:
                camera[tag] = IFDRational(value.numerator, value.denominator)
        if iso is not None:
            camera[0x8827] = iso
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = size
        pixels = np.full((height, width, 3), level, np.uint8)
        Image.fromarray(pixels).save(path, exif=exif.tobytes())
        return path

    return write
