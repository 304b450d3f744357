import numpy as np
import pytest
import sklearn.metrics
import torch
import torchmetrics.functional.classification as tm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import Confusion, confusion
from bracketseg.evaluation.metrics import (
    auc_eq9,
    dice,
    jaccard,
    measure,
    roc_auc,
    sensitivity,
    specificity,
)

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
mask_pairs = shapes.flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


def counts(pair):
    return confusion(*pair)


def test_by_hand():
    reference = np.array([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool)
    prediction = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]], bool)
    c = confusion(reference, prediction)
    assert c == Confusion(tp=3, fp=1, fn=1, tn=5)
    assert dice(c) == 6 / 8
    assert jaccard(c) == 3 / 5
    assert sensitivity(c) == 3 / 4
    assert specificity(c) == 5 / 6
    assert auc_eq9(c) == pytest.approx(1 - (1 / 6 + 1 / 4) / 2)
    assert measure(c).avg == pytest.approx((6 / 8 + 3 / 5 + 3 / 4 + 5 / 6 + 19 / 24) / 5)


@given(mask_pairs)
def test_agrees_with_scikit_learn(pair):
    reference, prediction = (mask.ravel() for mask in pair)
    c = counts(pair)
    score = {"zero_division": 1.0}
    assert sensitivity(c) == pytest.approx(
        sklearn.metrics.recall_score(reference, prediction, **score)
    )
    assert specificity(c) == pytest.approx(
        sklearn.metrics.recall_score(~reference, ~prediction, **score)
    )
    if (reference | prediction).any():
        assert dice(c) == pytest.approx(sklearn.metrics.f1_score(reference, prediction))
        assert jaccard(c) == pytest.approx(sklearn.metrics.jaccard_score(reference, prediction))


@given(mask_pairs)
def test_agrees_with_torchmetrics(pair):
    reference, prediction = (torch.from_numpy(mask.ravel().astype(np.int64)) for mask in pair)
    c = counts(pair)
    if c.tp + c.fp + c.fn:
        assert dice(c) == pytest.approx(tm.binary_f1_score(prediction, reference).item())
        assert jaccard(c) == pytest.approx(tm.binary_jaccard_index(prediction, reference).item())
    if c.tp + c.fn:
        assert sensitivity(c) == pytest.approx(tm.binary_recall(prediction, reference).item())
    if c.tn + c.fp:
        assert specificity(c) == pytest.approx(tm.binary_specificity(prediction, reference).item())


@given(mask_pairs)
def test_the_metrics_are_consistent_with_each_other(pair):
    c = counts(pair)
    assert jaccard(c) == pytest.approx(dice(c) / (2 - dice(c)))
    assert jaccard(c) <= sensitivity(c)
    assert auc_eq9(c) == pytest.approx((sensitivity(c) + specificity(c)) / 2)
    assert all(0 <= metric(c) <= 1 for metric in (dice, jaccard, sensitivity, specificity))


def test_the_policy_for_empty_masks():
    both_empty = Confusion(tp=0, fp=0, fn=0, tn=4)
    assert (dice(both_empty), jaccard(both_empty), sensitivity(both_empty)) == (1, 1, 1)
    nothing_to_find = Confusion(tp=0, fp=1, fn=0, tn=3)
    assert (dice(nothing_to_find), sensitivity(nothing_to_find)) == (0, 1)
    everything_to_find = Confusion(tp=4, fp=0, fn=0, tn=0)
    assert specificity(everything_to_find) == 1
    nothing_found = Confusion(tp=0, fp=0, fn=4, tn=0)
    assert (dice(nothing_found), sensitivity(nothing_found)) == (0, 0)


def test_roc_auc_by_hand():
    reference = np.array([[False, False, True, True]])
    assert roc_auc(reference, np.array([[0.1, 0.4, 0.35, 0.8]])) == 0.75
    assert roc_auc(reference, np.array([[0.5, 0.5, 0.5, 0.5]])) == 0.5


@given(
    shapes.flatmap(
        lambda shape: st.tuples(
            hnp.arrays(np.bool_, shape), hnp.arrays(np.uint16, shape, elements=st.integers(0, 9))
        )
    )
)
def test_roc_auc_agrees_with_scikit_learn_for_both_kinds_of_probability(pair):
    reference, levels = pair
    if reference.all() or not reference.any():
        assert roc_auc(reference, levels) is None
        return
    expected = pytest.approx(sklearn.metrics.roc_auc_score(reference.ravel(), levels.ravel()))
    assert roc_auc(reference, levels) == expected
    assert roc_auc(reference, levels / 65535) == expected


def test_shapes_that_differ_are_errors():
    with pytest.raises(LabelingError, match=r"\(1, 2\).*\(2, 1\)"):
        confusion(np.ones((1, 2), bool), np.ones((2, 1), bool))
    with pytest.raises(LabelingError, match=r"\(1, 2\).*\(2, 1\)"):
        roc_auc(np.ones((1, 2), bool), np.ones((2, 1)))
