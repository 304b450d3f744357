import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.luma import luma
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu
from bracketseg.learning.exposure_jitter import jitter_exposure, tone_curve


@pytest.fixture
def images(rng):
    """Four pictures of noise."""
    return rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)


def test_a_stop_by_hand():
    brighter = tone_curve(2.2, 0)
    assert brighter[[0, 50, 127, 128, 255]].tolist() == [0, 100, 254, 255, 255]
    assert tone_curve(-2.2, 0)[200] == 100
    assert tone_curve(0, 1)[51] == round(255 * (51 / 255) ** 2)


@given(st.floats(-4, 4), st.floats(-2, 2))
def test_a_tone_curve_keeps_the_order(stops, contrast):
    curve = tone_curve(stops, contrast)
    assert (np.diff(curve.astype(int)) >= 0).all()
    assert (curve.dtype, curve.shape, curve[0]) == (np.uint8, (256,), 0)


@pytest.mark.parametrize("rule", [DEFAULT_RANGES["low"], Otsu()])
def test_each_mask_is_what_its_rule_makes_of_the_new_image(images, rule):
    masks = np.zeros(images.shape[:3], bool)
    exposed, made = jitter_exposure(images, masks, [rule] * 4, "low", 1.0, np.random.default_rng(1))
    assert not np.array_equal(exposed, images)
    for image, mask in zip(exposed, made, strict=True):
        values = luma(image)
        np.testing.assert_array_equal(mask, rule.bounds(values, "low").mask(values))


def test_an_image_without_a_rule_and_what_was_given_stay_as_they_are(images):
    before, masks = images.copy(), np.ones(images.shape[:3], bool)
    rules = [None, Otsu(), None, Otsu()]
    exposed, made = jitter_exposure(images, masks, rules, "high", 2.0, np.random.default_rng(1))
    np.testing.assert_array_equal(exposed[[0, 2]], before[[0, 2]])
    assert made[[0, 2]].all()
    np.testing.assert_array_equal(images, before)
    assert masks.all()


def test_no_stops_change_nothing(images):
    masks = luma(images[0])[None].repeat(4, axis=0) > 300
    exposed, _ = jitter_exposure(images, masks, [Otsu()] * 4, "low", 0.0, np.random.default_rng(1))
    np.testing.assert_array_equal(exposed, images)
