from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from tests.handheld import ORIGIN, SHAPE, photograph, scene, turned

from bracketseg.brackets.align_method import align, reference_of
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.ghosts import FrameCompared, find_ghosts, ghosts_between
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.errors import FrameError

STOPS = (-2.0, 0.0, 2.0)
STILL = (Shift(),) * 3


def with_ball(row, column, radiance=0.5, radius=25):
    """The scene with a ball in it; row and column are those of the reference."""
    rows, columns = np.ogrid[: scene().shape[0], : scene().shape[1]]
    ball = (rows - ORIGIN[1] - row) ** 2 + (columns - ORIGIN[0] - column) ** 2 <= radius**2
    return np.where(ball[..., np.newaxis], np.float32(radiance), scene())


def disk(row, column, radius=25):
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def bracket(rng, *, hands=(None, None, None), balls=None, noise=1.0, stops=STOPS):
    scenes = [scene()] * 3 if balls is None else [with_ball(*ball) for ball in balls]
    return [
        photograph(radiance, by, rng, hand, noise)
        for radiance, by, hand in zip(scenes, stops, hands, strict=True)
    ]


@pytest.mark.parametrize("noise", [0, 1, 4])
def test_a_bracket_without_motion_has_nearly_none(rng, noise):
    found = ghosts_between(bracket(rng, noise=noise), STOPS, STILL, reference=1)
    assert found.share < 0.001
    assert found.valid.all()
    assert (found.ghosts.shape, found.ghosts.dtype) == (SHAPE, np.bool_)


def test_the_samples_have_none():
    root = Path(str(files("bracketseg") / "sample_data" / "brackets"))
    for one in find_brackets(root).brackets[:6]:
        images = [frame.read() for frame in one.frames]
        evs = [frame.ev for frame in one.frames]
        still = [Shift() for _ in images]
        found = ghosts_between(images, evs, still, reference=reference_of(one))
        assert found.share < 0.001, one.scene


@pytest.mark.parametrize("noise", [1, 4])
def test_what_moved_is_found_where_it_was_and_where_it_is(rng, noise):
    places = [(200, 120), (200, 280), (200, 280)]
    images = bracket(rng, balls=places, noise=noise)
    found = ghosts_between(images, STOPS, STILL, reference=1)
    here, there = disk(200, 280), disk(200, 120)
    assert found.ghosts[here].mean() > 0.9
    assert found.ghosts[there].mean() > 0.9
    around = disk(200, 280, 32) | disk(200, 120, 32)
    assert found.ghosts[~around].mean() < 0.002


def test_what_is_thin_is_found(rng):
    """A pole before a hedge, narrower than the neighbours that are allowed for."""
    images = []
    for by, column in zip(STOPS, (120, 280, 280), strict=True):
        radiance = scene().copy()
        rows, left = slice(ORIGIN[1] + 170, ORIGIN[1] + 230), ORIGIN[0] + column
        radiance[rows, left : left + 3] = 1.0
        images.append(photograph(radiance, by, rng))
    found = ghosts_between(images, STOPS, STILL, reference=1).ghosts
    for column in (120, 280):
        assert found[170:230, column : column + 3].mean() > 0.95
    assert found.mean() < 0.02


def test_what_hardly_differs_is_found_beside_what_differs(rng):
    """A ball nearly as dark as the hedge behind it."""
    places = [(200, 120), (200, 138), (205, 168)]
    images = bracket(rng, balls=[(*place, 0.02, 15) for place in places])
    found = ghosts_between(images, STOPS, STILL, reference=1).ghosts
    covered = np.any([disk(*place, 15) for place in places], axis=0)
    assert found[covered].mean() > 0.83


def test_what_moved_before_the_clipped_sky_is_found(rng):
    # In the bright frame all is white but the ball: a value that only bounds the exposure.
    bright = np.full_like(scene(), 0.8)
    rows, columns = np.ogrid[: bright.shape[0], : bright.shape[1]]
    ball = (rows - ORIGIN[1] - 200) ** 2 + (columns - ORIGIN[0] - 280) ** 2 <= 25**2
    passed = np.where(ball[..., np.newaxis], np.float32(0.03), bright)
    images = [photograph(r, by, rng) for r, by in zip((bright, bright, passed), STOPS, strict=True)]
    found = ghosts_between(images, STOPS, STILL, reference=1)
    assert found.ghosts[disk(200, 280)].mean() > 0.9
    assert not found.ghosts[~disk(200, 280, 32)].any()


def test_a_hand_that_is_compensated_leaves_nearly_none(rng):
    hands = (turned(1, 9, -6, tilt=2e-5), None, turned(-1.3, -7, 10))
    images = bracket(rng, hands=hands)
    lumas = [luma(image) for image in images]
    placed = align(lumas, "homography", reference=1)
    found = ghosts_between(images, STOPS, placed, reference=1)
    assert found.share < 0.002
    assert 0.85 < found.valid.mean() < 1
    assert not found.ghosts[~found.valid].any()


def test_what_moved_is_found_under_a_hand_as_well(rng):
    hands = (turned(1, 9, -6), None, turned(-1.3, -7, 10))
    images = bracket(rng, hands=hands, balls=[(200, 120), (200, 280), (200, 280)])
    placed = align([luma(image) for image in images], "homography", reference=1)
    found = ghosts_between(images, STOPS, placed, reference=1)
    assert found.ghosts[disk(200, 280)].mean() > 0.7
    assert found.ghosts[~(disk(200, 280, 34) | disk(200, 120, 34))].mean() < 0.004


def test_a_residual_of_a_pixel_is_no_ghost(rng):
    images = bracket(rng, hands=(turned(0, 0.7, -0.7), None, turned(0, -0.7, 0.7)))
    assert ghosts_between(images, STOPS, STILL, reference=1).share < 0.002


def test_another_tone_curve_and_rounded_exposure_values_are_no_ghosts(rng):
    # A camera's curve has more contrast than sRGB's; 1/30 s is 1/32 s.
    curve = np.rint(
        255 * (lambda x: x + 0.25 * np.sin(2 * np.pi * (x - 0.5)) / 3)(np.arange(256) / 255)
    ).astype(np.uint8)
    images = [curve[image] for image in bracket(rng, stops=(-2.0, 0.0, 1.9))]
    found = ghosts_between(images, (-2.0, 0.0, 2.0), STILL, reference=1)
    assert found.share < 0.002


def test_frames_that_could_not_be_placed_are_left_out(rng):
    images = bracket(rng, balls=[(200, 120), (200, 280), (200, 280)])
    placed = (Shift(reliable=False), Shift(), Shift())
    assert ghosts_between(images, STOPS, placed, reference=1).share < 0.001


def test_a_frame_of_which_nobody_can_tell_how_much_darker_it_is_is_left_out():
    """As a room and its window, the frames of which are called low, medium and high."""
    room = np.tile(np.linspace(50, 110, 100).astype(np.uint8), (120, 1))
    dark, white = np.zeros_like(room), np.full_like(room, 255)
    low, medium, high = (
        np.hstack(halves) for halves in ((dark, room), (room, white), (2 * room, white))
    )
    found = ghosts_between([low, medium, high], STOPS, STILL, reference=1)
    assert found.left_out == (0,)
    assert not found.ghosts.any()
    # Where enough is seen in both, it is compared.
    low[:20, :100] = room[:20] // 2
    found = ghosts_between([low, medium, high], STOPS, STILL, reference=1)
    assert found.left_out == ()
    assert found.ghosts[:, 110:].any()


def test_any_picture_will_do_of_which_there_is_a_luma(rng):
    images = bracket(rng, balls=[(200, 120), (200, 280), (200, 280)])
    first = ghosts_between(images, STOPS, STILL, reference=1)
    deep = [image.astype(np.uint16) * 257 for image in images]
    second = ghosts_between(deep, STOPS, STILL, reference=1)
    np.testing.assert_array_equal(first.ghosts, second.ghosts)
    grey = [luma(image) for image in images]
    assert ghosts_between(grey, STOPS, STILL, reference=1).ghosts[disk(200, 280)].mean() > 0.7


@pytest.mark.parametrize("value", [0, 255])
def test_frames_that_show_nothing_have_no_ghosts(value):
    blank = [np.full((30, 40), value, np.uint8)] * 3
    assert ghosts_between(blank, STOPS, STILL, reference=1).share == 0
    tiny = [np.full((1, 1), 90, np.uint8)] * 2
    assert ghosts_between(tiny, (0, 1), STILL[:2], reference=0).share == 0


def test_it_says_how_far_it_is(rng):
    steps = find_ghosts(bracket(rng), STOPS, STILL, reference=1)
    assert list(steps) == [FrameCompared(done=done, total=6) for done in range(1, 7)]


def test_frames_of_different_sizes_are_an_error_that_says_what_to_do(rng):
    images = bracket(rng)
    with pytest.raises(FrameError, match=r"different sizes .*take those that do not belong"):
        ghosts_between([images[0], images[1][1:], images[2]], STOPS, STILL, reference=1)
