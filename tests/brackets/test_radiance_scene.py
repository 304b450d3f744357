from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.radiance_scene import middle_exposure


def write_map(path: Path, level: float = 0.18) -> Path:
    pixels = np.full((6, 8, 3), level, np.float32)
    pixels[:, :4] = level * 4
    pixels[:, 4:] = level / 4
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return path


def test_each_map_is_a_bracket(tmp_path: Path) -> None:
    write_map(tmp_path / "a.hdr")
    write_map(tmp_path / "b.hdr", 0.18 * 8)
    found = find_brackets(tmp_path)
    assert [bracket.scene for bracket in found.brackets] == ["a", "b"]
    # The geometric mean of b lies three stops above middle grey.
    assert [[frame.ev for frame in b.frames] for b in found.brackets] == [
        pytest.approx([-2, 0, 2], abs=0.05),
        pytest.approx([-5, -3, -1], abs=0.05),
    ]
    assert found.brackets[0].ev_source == "brightness"


def test_frames_are_shown_at_their_exposures(tmp_path: Path) -> None:
    write_map(tmp_path / "a.hdr")
    (bracket,) = find_brackets(tmp_path).brackets
    low, medium, high = (frame.read() for frame in bracket.frames)
    # The bright half is 0.72 at EV 0: 0.18 at -2, clipped at 2; encoded 0.4614.
    np.testing.assert_allclose([low[0, 0, 0], high[0, 0, 0]], [0.4614, 1], atol=0.01)
    # The dark half is 0.045 at EV 0: 0.18 at 2.
    np.testing.assert_allclose(high[0, 7, 0], 0.4614, atol=0.01)
    assert low.mean() < medium.mean() < high.mean()
    assert bracket.frames[0].thumbnail().mean() < bracket.frames[2].thumbnail().mean()
    assert [bracket.role_of(frame) for frame in bracket.frames] == ["low", "medium", "high"]


def test_exposures_that_are_listed_are_taken(tmp_path: Path) -> None:
    write_map(tmp_path / "a.hdr")
    np.save(tmp_path / "a_exposures.npy", np.array([1.5, -3]))
    (bracket,) = find_brackets(tmp_path).brackets
    assert [frame.ev for frame in bracket.frames] == [-3, 1.5]
    assert bracket.ev_source == "sidecar"


def test_one_map(tmp_path: Path) -> None:
    (bracket,) = find_brackets(write_map(tmp_path / "a.hdr")).brackets
    assert (bracket.scene, len(bracket.frames)) == ("a", 3)


def test_a_map_beside_frames_is_their_result(tmp_path: Path, write_frame: Any) -> None:
    write_map(tmp_path / "merged.hdr")
    for level in (60, 120, 180):
        write_frame(tmp_path / f"{level}.jpg", level)
    (bracket,) = find_brackets(tmp_path).brackets
    assert [frame.path.name for frame in bracket.frames] == ["60.jpg", "120.jpg", "180.jpg"]


def test_a_black_map(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.hdr"), np.zeros((4, 4, 3), np.float32))
    found = find_brackets(tmp_path)
    assert "a.hdr: is black all over" in str(found.problems[0])


def test_what_does_not_count_in_the_mean() -> None:
    values = np.array([[0.36, -1, np.nan], [np.inf, 0, 0.09]], np.float32)
    # log2 of 0.18 is the mean of both that count: one stop above, one below.
    assert middle_exposure(values) == 0
