import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.errors import LabelingError
from bracketseg.labeling.annotators import average_ranges
from bracketseg.labeling.ranges import ManualRange

ranges = st.tuples(st.floats(0, 255), st.floats(0, 255)).map(
    lambda pair: ManualRange(lo=min(pair), hi=max(pair))
)


def test_three_annotators_by_hand():
    chosen = [ManualRange(lo=100, hi=250), ManualRange(lo=120, hi=255), ManualRange(lo=125, hi=245)]
    assert average_ranges(chosen) == ManualRange(lo=115, hi=250)


@given(st.lists(ranges, min_size=1))
def test_the_average_lies_between_the_extremes(chosen):
    average = average_ranges(chosen)
    rounding = 1e-9
    for bound in ("lo", "hi"):
        values = [getattr(r, bound) for r in chosen]
        assert min(values) - rounding <= getattr(average, bound) <= max(values) + rounding


@given(ranges)
def test_one_annotator_is_taken_as_is(chosen):
    assert average_ranges([chosen]) == chosen


def test_nobody_is_an_error_that_says_what_to_do():
    with pytest.raises(LabelingError, match="label at least one image"):
        average_ranges([])
