import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import TypeAdapter, ValidationError
from skimage.data import camera
from skimage.filters import threshold_otsu

from bracketseg.labeling.ranges import (
    DEFAULT_RANGES,
    Bounds,
    ManualRange,
    Otsu,
    otsu_threshold,
)
from bracketseg.labeling.rules import Rule

lumas = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def test_the_ranges_are_the_papers_and_both_ends_belong_to_them():
    luma = np.array([[0, 119, 120, 200, 201, 255]], np.uint8)
    low = DEFAULT_RANGES["low"].bounds(luma, "low").mask(luma)
    high = DEFAULT_RANGES["high"].bounds(luma, "high").mask(luma)
    np.testing.assert_array_equal(low, [[False, False, True, True, True, True]])
    np.testing.assert_array_equal(high, [[True, True, True, True, False, False]])
    assert low.dtype == np.bool_


@given(lumas, st.floats(0, 255), st.floats(0, 255))
def test_a_mask_is_the_inequality(luma, lo, hi):
    mask = Bounds(lo=lo, hi=hi).mask(luma)
    np.testing.assert_array_equal(mask, (luma >= lo) & (luma <= hi))


def test_an_empty_interval_gives_an_empty_mask():
    luma = np.full((2, 3), 255, np.uint8)
    assert not Bounds(lo=256, hi=255).mask(luma).any()


def test_otsu_separates_two_values_by_hand_and_the_tie_is_dark():
    luma = np.array([[10, 10, 10], [10, 200, 200]], np.uint8)
    assert otsu_threshold(luma) == 10
    np.testing.assert_array_equal(Otsu().bounds(luma, "low").mask(luma), luma > 10)
    np.testing.assert_array_equal(Otsu().bounds(luma, "high").mask(luma), luma <= 10)


def test_otsu_agrees_with_scikit_image_on_a_photograph():
    assert otsu_threshold(camera()) == threshold_otsu(camera())


@given(lumas)
def test_otsu_masks_of_one_frame_are_complements(luma):
    low = Otsu().bounds(luma, "low").mask(luma)
    high = Otsu().bounds(luma, "high").mask(luma)
    np.testing.assert_array_equal(low, ~high)


def test_a_frame_of_one_value_has_threshold_0():
    assert otsu_threshold(np.full((4, 4), 90, np.uint8)) == 0


@pytest.mark.parametrize(("lo", "hi"), [(-1, 10), (0, 256), (20, 10), (float("nan"), 10)])
def test_a_range_that_cannot_be_is_refused(lo, hi):
    with pytest.raises(ValidationError):
        ManualRange(lo=lo, hi=hi)


def test_a_rule_survives_json():
    rules = TypeAdapter(Rule)
    for rule in (ManualRange(lo=1, hi=2.5), Otsu()):
        assert rules.validate_json(rules.dump_json(rule)) == rule
