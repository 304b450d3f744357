import numpy as np
from tests.fusion.conftest import moved

from bracketseg.fusion.frame_taken import NONE
from bracketseg.fusion.ghost_weights import alone_where_taken, as_around


def test_where_all_moved_there_is_nothing_around(textured):
    taken = np.ones((120, 200), np.int8)
    weights = [np.full((120, 200), 1 / 3, np.float32)] * 3
    for found in (as_around(weights, textured.images, taken), alone_where_taken(weights, taken)):
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


def test_a_frame_counts_nothing_where_it_shows_nothing(textured):
    _, taken = moved(textured)
    weights = [np.full((120, 200), 1 / 3, np.float32)] * 3
    covers = [np.ones((120, 200), bool) for _ in weights]
    covers[1][:, 101:] = False
    weights[1] = weights[1] * covers[1]
    found = alone_where_taken(weights, np.where(covers[1], taken, NONE).astype(np.int8), covers)
    assert (taken[60, 99], taken[60, 101]) == (1, NONE)
    assert found[1][~covers[1]].max() == 0


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
