import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets


@pytest.fixture
def brackets(tmp_path, rng):
    """Three scenes of two frames, `s1` to `s3`, 6 x 8 grey."""
    for number in (1, 2, 3):
        folder = tmp_path / "set" / f"s{number}"
        folder.mkdir(parents=True)
        for role, top in (("low", 150), ("high", 256)):
            frame = rng.integers(0, top, (6, 8), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{role}.png"), frame)
    return find_brackets(tmp_path / "set").brackets
