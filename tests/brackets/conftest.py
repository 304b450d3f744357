from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from tests.photographs import write_photograph

WriteFrame = Callable[..., Path]
WriteRaw = Callable[..., Path]


@pytest.fixture
def write_frame() -> WriteFrame:
    """Write a small grey-ish picture; what a camera notes in EXIF on request."""
    return write_photograph


@pytest.fixture
def write_raw() -> WriteRaw:
    """Write a DNG of an RGGB sensor: black 512, white 4095, its colours those of sRGB."""

    def write(
        path: Path, mosaic: NDArray[np.uint16], *, time: Fraction, orientation: int = 1
    ) -> Path:
        # sRGB (D50) from XYZ; DNG wants camera from XYZ.
        matrix = np.array([[3.134, -1.617, -0.491], [-0.979, 1.916, 0.033], [0.072, -0.229, 1.405]])
        rationals = [part for value in matrix.ravel() for part in (round(value * 1000), 1000)]
        tags: list[tuple[int, str, int, Any, bool]] = [
            (272, "s", 0, "Test 1", True),
            (274, "H", 1, orientation, True),
            (33421, "H", 2, (2, 2), True),
            (33422, "B", 4, bytes([0, 1, 1, 2]), True),
            (33434, "2I", 1, (time.numerator, time.denominator), True),
            (33437, "2I", 1, (28, 10), True),
            (34855, "H", 1, 200, True),
            (36867, "s", 20, "2024:05:01 10:11:12", True),
            (50706, "B", 4, bytes([1, 4, 0, 0]), True),
            (50708, "s", 0, "Test 1", True),
            (50714, "H", 1, 512, True),
            (50717, "I", 1, 4095, True),
            (50721, "2i", 9, rationals, True),
            (50728, "2I", 3, [1, 1] * 3, True),
            (50778, "H", 1, 21, True),
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(
            path, mosaic, photometric=32803, extratags=tags, metadata=None, software=None
        )
        return path

    return write
