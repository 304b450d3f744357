import cv2
import numpy as np
import pytest
from tests.handheld import SHAPE, photograph, scene, turned

from bracketseg.brackets.align_method import align
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.homography import Homography, homographies
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.brackets.placement import corners, is_still, place_points
from bracketseg.errors import FrameError

HANDS = {
    "moved": (turned(0, 12, -7), turned(0, -5.4, 9.7)),
    "turned": (turned(1.5, -9, 4), turned(-2, 6, 11)),
    "nearer": (turned(0.5, 3, 3, growth=1.02), turned(-1, -8, 2, growth=0.985)),
    "tilted": (turned(1, 14, -6, tilt=3e-5), turned(-0.7, -11, -8, tilt=-4e-5)),
}


def taken(rng, dark, bright, stops=2.0, noise=1.0):
    frames = [
        photograph(scene(), by, rng, matrix, noise)
        for by, matrix in ((-stops, dark), (0, None), (stops, bright))
    ]
    return [luma(frame) for frame in frames]


def error(placement, truth):
    """How far the corner that is farthest off lies from where it belongs, in pixels."""
    ends = corners(SHAPE)
    off = place_points(ends, placement.matrix) - place_points(ends, truth)
    return np.linalg.norm(off, axis=1).max()


@pytest.mark.parametrize("hand", HANDS)
def test_a_hand_is_found_to_a_pixel_under_noise_and_clipping(rng, hand):
    dark, bright = HANDS[hand]
    found = homographies(taken(rng, dark, bright), reference=1)
    assert found[1].matrix.tolist() == np.eye(3).tolist()
    assert [placement.reliable for placement in found] == [True] * 3
    assert [placement.note for placement in found] == [""] * 3
    assert error(found[0], dark) < 1
    assert error(found[2], bright) < 1


def test_homographies_are_multiplied_towards_the_reference(rng):
    step = turned(0.6, 5, -3)
    hands = [np.linalg.matrix_power(step, power) for power in range(4)]
    frames = [
        luma(photograph(scene(), by, rng, hand))
        for by, hand in zip((-2, -1, 0, 1), hands, strict=True)
    ]
    found = homographies(frames, reference=0)
    for placement, hand in zip(found, hands, strict=True):
        assert error(placement, hand) < 1


def test_the_same_frames_give_the_same_homographies(rng):
    frames = taken(rng, *HANDS["tilted"])
    assert homographies(frames, reference=1) == homographies(frames, reference=1)


def test_there_and_back_is_the_identity(rng):
    frames = taken(rng, *HANDS["tilted"])
    there = homographies(frames, reference=1)[0].matrix
    back = homographies(frames, reference=0)[1].matrix
    ends = corners(SHAPE)
    np.testing.assert_allclose(place_points(ends, back @ there), ends, atol=0.5)


def test_agrees_with_dense_phase_correlation(rng):
    dark, bright = HANDS["turned"]
    frames = taken(rng, dark, bright, stops=1)
    found = homographies(frames, reference=1)
    placed = cv2.warpPerspective(frames[2], found[2].matrix, SHAPE[::-1])
    window = cv2.createHanningWindow((96, 96), cv2.CV_32F)
    off = []
    for row in range(60, 250, 60):
        for column in range(60, 410, 60):
            block = np.s_[row : row + 96, column : column + 96]
            pair = [np.log1p(picture[block].astype(np.float32)) for picture in (frames[1], placed)]
            (x, y), response = cv2.phaseCorrelate(*(p - p.mean() for p in pair), window)
            if response > 0.5:
                off.append(np.hypot(x, y))
    assert len(off) >= 8
    assert np.percentile(off, 95) < 1


def test_a_tripod_is_left_alone(rng):
    assert all(
        is_still(found.matrix) for found in homographies(taken(rng, None, None), reference=1)
    )


def test_the_frames_of_the_samples_are_left_alone(samples):
    for bracket in samples[:4]:
        lumas = [luma(frame.read()) for frame in bracket.frames]
        for placement in homographies(lumas, reference=1):
            assert is_still(placement.matrix), bracket.scene


def test_where_no_features_match_whole_pixels_are_taken_and_it_is_said(rng):
    texture = rng.integers(0, 256, (80, 90), dtype=np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 9)
    texture = cv2.normalize(texture, None, 10, 240, cv2.NORM_MINMAX)
    moved = np.roll(texture, (3, -2), axis=(0, 1))
    found = homographies([texture, moved], reference=0)[1]
    assert found == Shift(dx=2, dy=-3)
    assert "features match" in found.note


@pytest.mark.parametrize("value", [0, 255])
def test_a_frame_that_shows_nothing_stays_and_says_that_nothing_is_known(rng, value):
    picture = luma(photograph(scene(), 0, rng))
    blank = np.full_like(picture, value)
    found = homographies([picture, blank], reference=0)[1]
    assert found == Shift(reliable=False)
    assert found.note == "only 0 features match"


def test_what_lies_behind_an_unreliable_frame_is_unreliable(rng):
    picture = luma(photograph(scene(), 0, rng))
    found = homographies([picture, np.full_like(picture, 255), picture], reference=0)
    assert [placement.reliable for placement in found] == [True, False, False]


def test_features_in_one_place_are_not_enough(rng):
    small = np.full(SHAPE, 120, np.uint8)
    small[40:130, 40:130] = luma(photograph(scene(), 0, rng))[150:240, 150:240]
    found = homographies([small, np.roll(small, 5, axis=1)], reference=0)[1]
    assert isinstance(found, Shift)
    assert found.note


def test_what_no_hand_does_is_not_believed(rng):
    picture = luma(photograph(scene(), 0, rng))
    found = homographies([picture, np.ascontiguousarray(picture[::-1, ::-1])], reference=0)[1]
    assert isinstance(found, Shift)
    assert "contradict" in found.note


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (39, 200)])
def test_tiny_frames_are_never_moved(shape):
    found = homographies([np.eye(*shape, dtype=np.uint8) * 255] * 2, reference=0)
    assert all(is_still(placement.matrix) for placement in found)


def test_ways_to_align(rng):
    frames = taken(rng, turned(0, -6, 2), turned(0, 3, 4), stops=1)
    assert align(frames, "off", reference=1) == (Shift(),) * 3
    shifts = align(frames, "shift", reference=1)
    assert [(s.dx, s.dy) for s in shifts] == [(-6, 2), (0, 0), (3, 4)]
    assert isinstance(align(frames, "homography", reference=1)[0], Homography)
    with pytest.raises(FrameError, match=r"different sizes .*leave the alignment off"):
        align([frames[0], frames[1][1:]], "homography", reference=0)
    with pytest.raises(FrameError, match="frame 3 of 3"):
        align(frames, "homography", reference=3)
    assert align([frames[0], frames[1][1:]], "off", reference=0) == (Shift(),) * 2


@pytest.fixture(scope="module")
def samples():
    from importlib.resources import files
    from pathlib import Path

    return find_brackets(Path(str(files("bracketseg") / "sample_data" / "brackets"))).brackets
