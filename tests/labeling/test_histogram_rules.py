import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.mixture import GaussianMixture

from bracketseg.labeling.histogram_rules import HistogramDivision, Mixture, Valley

RULES = (HistogramDivision(), Mixture(), Valley())


@pytest.fixture
def two_heaps(rng):
    """Luma of a dark heap around 60 and a bright one around 180: (100, 100)."""
    dark, bright = rng.normal(60, 12, 7000), rng.normal(180, 20, 3000)
    values = np.clip(np.rint(np.concatenate([dark, bright])), 0, 255)
    return values.astype(np.uint8).reshape(100, 100)


def test_histogram_division_takes_the_middle_of_the_range_by_hand():
    counts = np.zeros(256)
    counts[[40, 100, 141]] = 10, 500, 10
    assert HistogramDivision().threshold(counts) == 90


def test_histogram_division_passes_over_the_tails():
    counts = np.zeros(256)
    counts[[0, 40, 140, 255]] = 1, 500, 500, 1
    assert HistogramDivision().threshold(counts) == 90


def test_a_mixture_agrees_with_scikit_learn(two_heaps):
    counts = np.bincount(two_heaps.ravel(), minlength=256).astype(float)
    reference = GaussianMixture(2, random_state=0).fit(two_heaps.reshape(-1, 1).astype(float))
    order = np.argsort(reference.means_.ravel())
    inner = np.arange(60, 181)[:, None]
    brighter = reference.predict(inner) == order[1]
    assert Mixture().threshold(counts) == pytest.approx(inner[brighter][0, 0] - 1, abs=1)


def test_a_valley_lies_between_the_heaps(two_heaps):
    counts = np.bincount(two_heaps.ravel(), minlength=256).astype(float)
    assert 85 < Valley().threshold(counts) < 150


def test_a_valley_by_hand():
    distance = np.abs(np.arange(256.0) - 100)
    assert Valley().threshold(np.minimum(distance, 60)) == 100


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
def test_the_threshold_belongs_to_the_dark_side(rule, two_heaps):
    low, high = rule.bounds(two_heaps, "low"), rule.bounds(two_heaps, "high")
    assert low.lo == high.hi + 1
    assert (low.hi, high.lo) == (255, 0)
    np.testing.assert_array_equal(low.mask(two_heaps), ~high.mask(two_heaps))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
@given(luma=hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_frame_has_a_threshold(rule, luma):
    assert 0 <= rule.bounds(luma, "high").hi <= 255
