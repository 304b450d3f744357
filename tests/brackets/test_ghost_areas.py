import numpy as np
import pytest

from bracketseg.brackets.ghost_areas import ghost_areas

NOTHING = np.zeros((300, 400), bool)


def box(*corners):
    mask = NOTHING.copy()
    for top, left, bottom, right in corners:
        mask[top:bottom, left:right] = True
    return mask


def test_what_hangs_together_with_the_certain_is_followed_and_the_rest_is_not():
    certain, possible = box((100, 100, 110, 110)), box((104, 100, 108, 118), (200, 200, 220, 220))
    found = ghost_areas(certain, possible)
    assert found[104:108, 100:118].all()
    assert not found[190:].any()
    assert (found.shape, found.dtype) == (NOTHING.shape, np.bool_)


def test_it_is_not_followed_without_end():
    found = ghost_areas(box((100, 100, 110, 110)), box((104, 100, 108, 399)))
    assert found[104, 118]
    assert not found[104, 125:].any()


def test_gaps_are_closed_and_holes_filled():
    pair = box((100, 100, 120, 110), (100, 114, 120, 124))
    assert ghost_areas(pair, NOTHING)[100:120, 110:114].all()
    ring = box((100, 100, 140, 140)) & ~box((110, 110, 130, 130))
    assert ghost_areas(ring, NOTHING)[100:140, 100:140].all()
    # What it encloses is no more part of it where it is large.
    ring = box((50, 50, 250, 250)) & ~box((60, 60, 240, 240))
    assert not ghost_areas(ring, NOTHING)[70:230, 70:230].any()


def test_a_margin_is_added():
    found = ghost_areas(box((100, 100, 120, 120)), NOTHING)
    assert np.flatnonzero(found[110]).tolist() == list(range(98, 122))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 20)])
def test_nothing_and_everything(shape):
    everything = np.ones(shape, bool)
    assert not ghost_areas(~everything, everything).any()
    assert ghost_areas(everything, everything).all() or min(shape) < 3


def test_noise_is_dropped():
    certain = box((10, 10, 11, 200), (100, 100, 103, 103))
    assert not ghost_areas(certain, NOTHING).any()
