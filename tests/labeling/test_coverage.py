import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from bracketseg.errors import LabelingError
from bracketseg.labeling.coverage import coverage

pairs = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


def test_by_hand():
    low = np.array([[1, 1, 0, 0], [0, 0, 0, 0]], bool)
    high = np.array([[0, 1, 1, 0], [0, 0, 1, 0]], bool)
    covered = coverage(low, high)
    assert (covered.low, covered.high, covered.union) == (2 / 8, 3 / 8, 4 / 8)
    assert covered.remainder == 4 / 8
    assert covered.pieces == 2


def test_pieces_that_touch_at_a_corner_are_one():
    neither = np.array([[1, 0], [0, 1]], bool)
    assert coverage(~neither, ~neither).pieces == 1


@pytest.mark.parametrize(("value", "pieces"), [(True, 0), (False, 1)])
def test_a_full_and_an_empty_frame(value, pieces):
    mask = np.full((3, 3), value)
    assert coverage(mask, mask).pieces == pieces
    assert coverage(mask, mask).union == float(value)


@given(pairs)
def test_agrees_with_scikit_image_and_with_set_algebra(pair):
    low, high = pair
    covered = coverage(low, high)
    assert covered.pieces == label(~(low | high), connectivity=2, return_num=True)[1]
    assert max(covered.low, covered.high) <= covered.union
    assert covered.union <= covered.low + covered.high + 1e-12
    assert covered.union + covered.remainder == pytest.approx(1)


def test_masks_of_two_sizes_are_an_error_that_says_both():
    with pytest.raises(LabelingError, match=r"\(2, 2\).*\(2, 3\)"):
        coverage(np.ones((2, 2), bool), np.ones((2, 3), bool))
