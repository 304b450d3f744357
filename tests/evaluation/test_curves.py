import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.curves import (
    THRESHOLDS,
    best_threshold,
    curves,
    dice_at,
    mean_curves,
)
from bracketseg.evaluation.metrics import dice, roc_auc, sensitivity, specificity

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)
# Few levels, on thresholds and beside them, so that ties are many.
levels = st.sampled_from([0.0, 0.001, 0.25, 0.3, np.nextafter(0.3, 1), 0.5, 0.999, 1.0])


def pairs(dtype):
    return shapes.flatmap(
        lambda shape: st.tuples(
            hnp.arrays(np.bool_, shape), hnp.arrays(np.float64, shape, elements=levels)
        )
    ).map(lambda pair: (pair[0], pair[1].astype(dtype)))


def test_by_hand():
    reference = np.array([[False, False, True, True]])
    found = curves(reference, np.array([[0.1, 0.4, 0.35, 0.8]], np.float32))
    # At 0.35 three pixels are foreground, two of them rightly; above it one, rightly.
    assert dice_at(found, 0.35) == pytest.approx(2 * 2 / (2 + 3))
    assert dice_at(found, 0.5) == pytest.approx(2 * 1 / (2 + 1))
    assert dice_at(found, 0.9) == 0
    assert found.area == 0.75
    at = np.searchsorted(THRESHOLDS, 0.36)
    assert (found.sensitivity[at], found.false_positive_rate[at]) == (0.5, 0.5)
    assert (found.sensitivity[0], found.false_positive_rate[0]) == (1, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_that_equals_the_threshold_is_foreground(dtype):
    found = curves(np.array([[True, False]]), np.array([[0.3, 0.2]], dtype))
    assert dice_at(found, 0.3) == 1
    assert dice_at(found, 0.301) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_each_threshold_is_what_the_mask_at_that_threshold_measures(dtype, data):
    reference, probability = data.draw(pairs(dtype))
    found = curves(reference, probability)
    for at in range(0, THRESHOLDS.size, 97):
        counts = confusion(reference, probability >= THRESHOLDS[at].astype(dtype))
        assert found.dice[at] == pytest.approx(dice(counts))
        if found.area is not None:
            assert found.sensitivity[at] == pytest.approx(sensitivity(counts))
            assert found.false_positive_rate[at] == pytest.approx(1 - specificity(counts))


@given(pairs(np.float64))
def test_the_curve_runs_through_scikit_learns_and_has_its_area(pair):
    reference, probability = pair
    found = curves(reference, probability)
    if reference.all() or not reference.any():
        assert found.area is None
        assert found.sensitivity is None
        return
    expected = sklearn.metrics.roc_auc_score(reference.ravel(), probability.ravel())
    assert found.area == pytest.approx(expected)
    rates, hits, _ = sklearn.metrics.roc_curve(
        reference.ravel(), probability.ravel(), drop_intermediate=False
    )
    theirs = set(zip(rates.round(9), hits.round(9), strict=True))
    ours = set(zip(found.false_positive_rate.round(9), found.sensitivity.round(9), strict=True))
    assert ours <= theirs


@given(
    shapes.flatmap(
        lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.uint16, shape))
    )
)
def test_stored_probabilities_count_as_the_layer_that_is_read_from_them(pair):
    reference, stored = pair
    layer = stored / np.float32(65535)
    np.testing.assert_array_equal(curves(reference, stored).dice, curves(reference, layer).dice)
    assert roc_auc(reference, stored) == roc_auc(reference, layer)


def test_the_area_is_exact_for_all_number_types(rng):
    reference = rng.random((60, 40)) < 0.4
    scores = np.round(rng.normal(size=(60, 40)) + reference, 1)
    probability = (1 / (1 + np.exp(-scores))).astype(np.float32)
    for values in (probability, probability.astype(np.float64), scores, -0.0 * scores):
        expected = sklearn.metrics.roc_auc_score(reference.ravel(), values.ravel())
        assert roc_auc(reference, values) == pytest.approx(expected, abs=1e-12)


def test_the_mean_over_scenes_weighs_each_scene_the_same():
    small = curves(np.array([[True, False]]), np.array([[0.9, 0.1]], np.float32))
    large = curves(np.ones((5, 5), bool), np.full((5, 5), 0.3, np.float32))
    mean = mean_curves([small, large])
    assert dice_at(mean, 0.2) == 1
    assert dice_at(mean, 0.5) == 0.5
    # The large one has no background, and so no curve.
    assert mean.area == small.area == 1
    np.testing.assert_array_equal(mean.sensitivity, small.sensitivity)
    best = best_threshold(mean)
    assert (best.threshold, best.dice) == (0.3, 1)


def test_of_thresholds_alike_the_one_nearest_to_a_half_is_the_best():
    found = curves(np.array([[True, False]]), np.array([[0.9, 0.1]], np.float32))
    assert best_threshold(found).threshold == 0.5
    found = curves(np.array([[True, False]]), np.array([[0.3, 0.1]], np.float32))
    assert best_threshold(found).threshold == 0.3


def test_an_empty_reference_and_an_empty_prediction_agree():
    found = curves(np.zeros((2, 2), bool), np.full((2, 2), 0.4, np.float32))
    assert dice_at(found, 0.4) == 0
    assert dice_at(found, 0.41) == 1
    assert found.area is None


def test_what_is_no_probability_is_an_error():
    reference = np.array([[True, False]])
    with pytest.raises(LabelingError, match=r"within 0..1.*-1 to 2"):
        curves(reference, np.array([[-1.0, 2.0]]))
    with pytest.raises(LabelingError, match=r"within 0\.\.1"):
        curves(reference, np.array([[np.nan, 0.5]]))
    with pytest.raises(LabelingError, match="no numbers"):
        roc_auc(reference, np.array([[np.nan, 0.5]]))
    with pytest.raises(LabelingError, match=r"\(1, 2\).*\(2, 1\)"):
        curves(reference, np.array([[0.1], [0.2]]))
