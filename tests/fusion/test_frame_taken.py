import cv2
import numpy as np
import pytest
from tests.handheld import SHAPE, photograph, scene

from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.ghosts import ghosts_between
from bracketseg.fusion.frame_taken import NONE, frame_taken

STOPS = (-2.0, 0.0, 2.0)


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


def test_a_frame_is_taken_only_where_it_shows_something():
    rows = [[60] * 4, [250] * 4, [120] * 4]
    images = [np.repeat(np.array([row], np.uint8), 3, 0) for row in rows]
    ghosts, covers = np.ones((3, 4), bool), [np.ones((3, 4), bool) for _ in images]
    assert (frame_taken(images, ghosts, covers) == 0).all()
    covers[0][:, 3] = False
    assert frame_taken(images, ghosts, covers)[1].tolist() == [2, 2, 2, 2]
    covers[2][:, 0] = False
    assert frame_taken(images, ghosts, covers)[1].tolist() == [0, 0, 0, NONE]


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
