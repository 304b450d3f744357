import builtins
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bracketseg.brackets.capture import Capture
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.images import read_header, read_image, read_thumbnail
from bracketseg.errors import FrameError


def mosaic(height: int = 40, width: int = 60) -> np.ndarray:
    """Dark above, a clipped square below left."""
    levels = np.full((height, width), 1000, np.uint16)
    levels[height // 2 :] = 3000
    levels[height // 2 :, : width // 3] = 4095
    return levels


def test_is_developed_without_brightening(tmp_path: Path, write_raw: Any) -> None:
    path = write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60))
    pixels = read_image(path)
    assert (pixels.shape, pixels.dtype) == ((40, 60, 3), np.uint16)
    # (1000 - 512) / (4095 - 512) = 0.1362; encoded as sRGB that is 0.4055.
    np.testing.assert_allclose(pixels[5, 30] / 65535, 0.4055, atol=0.003)
    # (3000 - 512) / (4095 - 512) = 0.6944; encoded 0.8517.
    np.testing.assert_allclose(pixels[35, 50] / 65535, 0.8517, atol=0.003)
    np.testing.assert_allclose(pixels[35, 5] / 65535, 1, atol=0.003)


def test_a_darker_frame_is_developed_alike(tmp_path: Path, write_raw: Any) -> None:
    """What one frame holds elsewhere does not change the rest of it."""
    alone = read_image(write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60)))
    dark = np.minimum(mosaic(), 3600)
    other = read_image(write_raw(tmp_path / "b.dng", dark, time=Fraction(1, 60)))
    np.testing.assert_array_equal(alone[:15], other[:15])


def test_the_header(tmp_path: Path, write_raw: Any) -> None:
    header = read_header(write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60)))
    assert (header.shape, header.dtype) == ((40, 60, 3), np.uint16)
    assert header.exposure == Exposure(time=1 / 60, f_number=2.8, iso=200)
    assert header.capture == Capture(time=1714558272.0, camera="Test 1")


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_applied_once(tmp_path: Path, write_raw: Any, orientation: int) -> None:
    path = write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60), orientation=orientation)
    pixels = read_image(path)
    assert read_header(path).shape == pixels.shape
    upright = np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: 3}[orientation])
    assert upright.shape == (40, 60, 3)
    assert upright[:15].mean() < upright[25:].mean()
    assert upright[30, 5].min() > 60_000
    assert read_thumbnail(path, 20).shape[:2] == ((13, 20) if orientation in (1, 3) else (20, 13))


def test_an_upper_case_suffix(tmp_path: Path, write_raw: Any) -> None:
    path = write_raw(tmp_path / "a.DNG", mosaic(), time=Fraction(1, 60))
    assert read_header(path).dtype == np.uint16


@pytest.mark.parametrize("kept", [0, 100, 900, 3000])
def test_damage_is_named(tmp_path: Path, write_raw: Any, kept: int) -> None:
    path = write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(FrameError, match=r"a\.dng: cannot be read.*copy it again"):
        read_image(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match=r"a\.nef.*No such file"):
        read_header(tmp_path / "a.nef")


def test_without_the_extra(tmp_path: Path, write_raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raw(tmp_path / "a.dng", mosaic(), time=Fraction(1, 60))
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "rawpy":
            raise ImportError(name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FrameError, match=r'a\.dng: .*pip install "bracketseg\[raw\]"$'):
        read_header(path)
