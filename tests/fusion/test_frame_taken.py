import cv2
import numpy as np
import pytest
from tests.fusion.conftest import Scene
from tests.handheld import SHAPE, photograph, scene

from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.ghosts import ghosts_between
from bracketseg.fusion.frame_taken import (
    NONE,
    alone_where_taken,
    as_around,
    frame_taken,
    showing_the_same,
)

STOPS = (-2.0, 0.0, 2.0)
AREA = (slice(40, 80), slice(60, 100))


def moved(textured, value=0.2):
    """The bracket with something else in the low and the high frame, and where that is."""
    taken = np.full((120, 200), NONE, np.int8)
    taken[AREA] = 1
    images = [image.copy() for image in textured.images]
    white = 1 if images[0].dtype.kind == "f" else np.iinfo(images[0].dtype).max
    images[0][AREA] = images[2][AREA] = value * white
    return images, taken


def test_by_default_it_is_the_medium_frame_and_elsewhere_the_best_exposed_one():
    # From dark to bright: all good in one frame, or good in two.
    rows = [[60, 100, 100, 200], [130, 250, 250, 255], [255, 255, 255, 255]]
    images = [np.repeat(np.array([row], np.uint8), 3, 0) for row in rows]
    ghosts = np.zeros((3, 4), bool)
    ghosts[1, 0] = ghosts[1, 3] = True
    taken = frame_taken(images, ghosts)
    assert taken.tolist() == [[NONE] * 4, [1, NONE, NONE, 0], [NONE] * 4]
    ghosts[1] = True  # one area: most of it clips in the medium frame
    assert set(frame_taken(images, ghosts)[1]) == {0}
    assert frame_taken(images, None) is None
    assert frame_taken(images, np.zeros((3, 4), bool)) is None
    assert frame_taken(images[:2], ghosts)[1].tolist() == [0] * 4


@pytest.mark.parametrize(("noise", "quality"), [(1, 0), (4, 0), (1, 85)])
@pytest.mark.parametrize("radiance", [0.15, 2.0])
def test_all_of_what_a_moving_ball_covers_comes_from_one_frame(rng, noise, quality, radiance):
    images, covered = [], np.zeros(SHAPE, np.uint8)
    for stops, column in zip(STOPS, (120, 140, 165), strict=True):
        with_ball = scene().copy()
        cv2.circle(with_ball, (200 + column, 110 + 200), 20, (radiance,) * 3, -1)
        cv2.circle(covered, (column, 200), 20, 1, -1)
        image = photograph(with_ball, stops, rng, None, noise)
        if quality:
            packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            image = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        images.append(image)
    ghosts = ghosts_between(images, STOPS, [Shift()] * 3, reference=1).ghosts
    taken = frame_taken(images, ghosts)
    inside = taken[covered > 0]
    assert (inside != NONE).mean() > 0.93
    assert len(set(inside[inside != NONE])) == 1
    around = cv2.dilate(covered, np.ones((25, 25), np.uint8)) > 0
    assert (taken[~around] != NONE).mean() < 0.0005


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("grey", [False, True])
def test_the_other_frames_show_what_they_would_have_shown(textured, dtype, grey):
    radiance = textured.radiance[..., 0] if grey else textured.radiance
    true = Scene(radiance, dtype=dtype)
    images, taken = moved(true)
    before = [image.copy() for image in images]
    found = showing_the_same(images, taken)
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    for k in range(3):
        assert (found[k].dtype, found[k].shape) == (np.dtype(dtype), images[k].shape)
        np.testing.assert_array_equal(found[k][taken == NONE], images[k][taken == NONE])
        np.testing.assert_array_equal(images[k], before[k])
        error = np.abs(found[k].astype(float) - true.images[k])[AREA] / white
        assert error.mean() < 0.006
        assert error.max() < 0.03
    assert found[1] is images[1]


def test_where_all_moved_there_is_nothing_to_compare(textured):
    images = textured.images
    taken = np.ones((120, 200), np.int8)
    for found in showing_the_same(images, taken):
        np.testing.assert_array_equal(found, images[1])
    weights = [np.full((120, 200), 1 / 3, np.float32)] * 3
    for found in (as_around(weights, images, taken), alone_where_taken(weights, taken)):
        assert [float(weight.mean()) for weight in found] == [0, 1, 0]


def test_weights_go_on_from_around_but_where_the_frame_clips(textured):
    images, taken = moved(textured)
    images[1][50:60, 70:80] = 255
    slope = np.tile(np.linspace(0, 1, 200, dtype=np.float32), (120, 1))
    weights = [slope * 0.2, 1 - slope, slope * 0.8]
    wrong = [np.where(taken == NONE, weight, 0.5) for weight in weights]
    found = as_around(wrong, images, taken)
    np.testing.assert_allclose(np.sum(found, axis=0), 1, atol=1e-5)
    clipped = images[1].max(axis=2) >= 250
    for weight, expected in zip(found, weights, strict=True):
        np.testing.assert_array_equal(weight[taken == NONE], expected[taken == NONE])
        assert np.abs(weight - expected)[~clipped].max() < 0.1
    inside = clipped & (taken == 1)
    assert [float(weight[inside].mean()) for weight in found] == [0, 1, 0]


def test_alone_gives_way_to_all_beside_an_area(textured):
    _, taken = moved(textured)
    taken[10:20, 10:20] = 0
    weights = [np.full((120, 200), share, np.float32) for share in (0.2, 0.2, 0.6)]
    found = alone_where_taken(weights, taken)
    np.testing.assert_allclose(np.sum(found, axis=0), 1, atol=1e-6)
    for k in (0, 1):
        assert found[k][taken == k].min() == 1
    row = found[1][60, 99:104]
    assert row[0] == 1
    assert (np.diff(row) <= 0).all()
    assert 0.2 < row[1] < 1
    assert row[-1] == np.float32(0.2)
