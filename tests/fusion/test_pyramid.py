import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.fusion.pyramid import blend, collapsed, depth, laplacian

SIDES = st.integers(1, 70)


@given(SIDES, SIDES, st.sampled_from([(), (3,)]), st.integers(1, 2**31))
def test_a_pyramid_gives_its_picture_back_whatever_its_size(height, width, channels, seed):
    picture = np.random.default_rng(seed).random((height, width, *channels), np.float32)
    pyramid = laplacian(picture, depth(picture.shape))
    np.testing.assert_allclose(collapsed(pyramid), picture, atol=1e-5)


@given(SIDES, SIDES, st.integers(1, 2**31))
def test_one_picture_blended_with_itself_stays_what_it_is(height, width, seed):
    rng = np.random.default_rng(seed)
    picture, weight = rng.random((2, height, width), np.float32)
    found = blend([picture, picture], [weight, 1 - weight])
    np.testing.assert_allclose(found, picture, atol=1e-5)


def test_the_border_between_two_brightnesses_is_spread_over_the_picture():
    dark, bright = np.full((2, 64, 128), [[[0.3]], [[0.6]]], np.float32)
    left = np.zeros((64, 128), np.float32)
    left[:, :64] = 1
    row = blend([dark, bright], [left, 1 - left])[32]
    assert np.abs(np.diff(row)).max() < 0.03  # a plain switch makes 0.3
    assert row[0] == pytest.approx(0.3, abs=0.06)
    assert row[-1] == pytest.approx(0.6, abs=0.06)


def test_fine_detail_is_that_of_the_frame_that_counts(rng):
    flat = np.full((64, 128), 0.5, np.float32)
    fine = flat + rng.choice(np.float32([-0.1, 0.1]), flat.shape)
    left = np.zeros(flat.shape, np.float32)
    left[:, :64] = 1
    found = blend([fine, flat], [left, 1 - left])
    assert found[:, :48].std() == pytest.approx(0.1, rel=0.05)
    assert found[:, 80:].std() < 0.01
