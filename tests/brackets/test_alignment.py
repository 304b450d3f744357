from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from bracketseg.brackets.alignment import Shift, mtb_shifts, shift_image
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import FrameError

SAMPLES = find_brackets(Path(str(files("bracketseg") / "sample_data" / "brackets"))).brackets


def exposed(picture, stops):
    """The same picture, exposed anew: brighter by so many stops, and clipped."""
    linear = (picture / 255.0) ** 2.2 * 2.0**stops
    return np.rint(np.clip(linear, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def picture():
    return SAMPLES[0].frame("medium").read()


@pytest.mark.parametrize("by", [(0, 0), (1, 0), (0, -1), (7, -12), (-15, 9), (14, 14)])
def test_known_shifts_under_other_exposures_are_found(picture, by):
    dx, dy = by
    dark = shift_image(exposed(picture, -2), Shift(dx=dx, dy=dy))
    bright = shift_image(exposed(picture, 1), Shift(dx=-dy, dy=dx))
    assert mtb_shifts([dark, picture, bright]) == (
        Shift(dx=-dx, dy=-dy),
        Shift(),
        Shift(dx=dy, dy=-dx),
    )


def test_shifts_add_up_towards_the_reference(picture):
    frames = [shift_image(exposed(picture, s), Shift(dx=3 * s, dy=-s)) for s in (-2, -1, 0, 1)]
    found = mtb_shifts(frames)
    assert [(s.dx, s.dy) for s in found] == [(3, -1), (0, 0), (-3, 1), (-6, 2)]
    first = mtb_shifts(frames, reference=0)
    assert [(s.dx, s.dy) for s in first] == [(0, 0), (-3, 1), (-6, 2), (-9, 3)]


@pytest.mark.parametrize("bracket", SAMPLES[:4], ids=lambda bracket: bracket.scene)
def test_frames_from_a_tripod_stay(bracket):
    found = mtb_shifts([frame.read() for frame in bracket.frames])
    assert {(s.dx, s.dy) for s in found} == {(0, 0)}


def test_agrees_with_the_phase_correlation(picture):
    moved = shift_image(picture, Shift(dx=11, dy=-5))
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (moved, picture)]
    window = cv2.createHanningWindow(grey[0].shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(*grey, window)
    (found, _) = mtb_shifts([moved, picture], reference=1)
    assert (found.dx, found.dy) == (round(x), round(y))


@pytest.mark.parametrize("seed", range(4))
def test_texture_that_leads_the_coarse_levels_astray_is_found_all_the_same(seed):
    texture = np.random.default_rng(seed).integers(0, 256, (80, 90), dtype=np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 3)
    found = mtb_shifts([texture, shift_image(texture, Shift(dx=2, dy=-3))], reference=0)
    assert found[1] == Shift(dx=-2, dy=3)


def test_a_shift_that_noise_favours_is_not_believed(rng):
    # Along the columns of a gradient every shift fits: what is left decides by chance.
    gradient = np.repeat(np.linspace(40, 200, 240)[:, None], 320, axis=1)
    frames = [np.rint(gradient + rng.normal(0, 4, gradient.shape)) for _ in range(4)]
    found = mtb_shifts([frame.astype(np.uint8) for frame in frames])
    assert found == (Shift(),) * 4


@pytest.mark.parametrize("value", [0, 255])
def test_a_frame_that_shows_nothing_stays_and_says_that_nothing_is_known(picture, value):
    # OpenCV alone answers (-63, -63).
    found = mtb_shifts([picture, np.full_like(picture, value)], reference=0)
    assert found == (Shift(), Shift(reliable=False))


def test_what_lies_behind_an_unreliable_frame_is_unreliable(picture):
    blank = np.full_like(picture, 255)
    assert [s.reliable for s in mtb_shifts([picture, blank, blank], reference=0)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (39, 200)])
def test_tiny_frames_are_never_moved(shape):
    # OpenCV alone crashes on some.
    found = mtb_shifts([np.eye(*shape, dtype=np.uint8) * 255] * 2)
    assert found == (Shift(), Shift(reliable=False))


def test_any_picture_will_do_of_which_there_is_a_luma(picture):
    moved = shift_image(picture, Shift(dx=4, dy=2))
    deep = [p.astype(np.uint16) * 257 for p in (moved, picture)]
    real = [p.astype(np.float32) / 255 for p in (moved, picture)]
    for pair in (deep, real):
        assert mtb_shifts(pair, reference=1)[0] == Shift(dx=-4, dy=-2)
    assert mtb_shifts([picture]) == (Shift(),)


def test_frames_that_cannot_be_aligned_are_errors_that_say_why(picture):
    with pytest.raises(FrameError, match=r"different sizes .*leave the alignment off"):
        mtb_shifts([picture, picture[1:]])
    with pytest.raises(FrameError, match="frame 2 of 2"):
        mtb_shifts([picture, picture], reference=2)
    with pytest.raises(FrameError, match="of 0 cannot stay"):
        mtb_shifts([])


def test_a_shift_moves_right_and_down():
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint16)
    moved = shift_image(image, Shift(dx=1, dy=1), fill=9)
    assert moved.tolist() == [[9, 9, 9], [9, 1, 2]]
    assert moved.dtype == np.uint16
    assert shift_image(image, Shift(dx=-2)).tolist() == [[3, 0, 0], [6, 0, 0]]
    assert shift_image(image, Shift(dx=5, dy=-5), fill=7).tolist() == [[7] * 3] * 2


def test_colours_move_together():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    moved = shift_image(image, Shift(dx=0, dy=-1))
    np.testing.assert_array_equal(moved[0], image[1])
    assert not moved[1].any()
