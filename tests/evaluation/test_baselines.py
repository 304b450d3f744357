import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.confusion import Confusion, confusion
from bracketseg.evaluation.metrics import measure

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
mask_pairs = shapes.flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


def test_by_hand():
    # Of ten pixels nine are foreground: calling everything foreground looks good.
    found = baselines(Confusion(tp=8, fp=1, fn=1, tn=0))
    everything, nothing = found.measured()
    assert everything.dice == pytest.approx(18 / 19)
    assert everything.jaccard == pytest.approx(9 / 10)
    assert (everything.sensitivity, everything.specificity) == (1, 0)
    assert (everything.auc_eq9, everything.roc_auc) == (0.5, 0.5)
    assert (everything.reference_foreground, everything.prediction_foreground) == (0.9, 1)
    assert (nothing.dice, nothing.sensitivity, nothing.specificity) == (0, 0, 1)
    assert nothing.prediction_foreground == 0


@given(mask_pairs)
def test_they_are_what_constant_masks_measure(pair):
    reference, prediction = pair
    found = baselines(confusion(reference, prediction))
    assert found.all_foreground == confusion(reference, np.ones_like(reference))
    assert found.no_foreground == confusion(reference, np.zeros_like(reference))


def test_nothing_is_right_where_there_is_nothing_to_find():
    everything, nothing = baselines(Confusion(tp=0, fp=1, fn=0, tn=3)).measured()
    assert nothing.dice == nothing.jaccard == nothing.avg == 1
    assert everything.dice == 0
    assert everything.roc_auc is None
    assert nothing == measure(Confusion(tp=0, fp=0, fn=0, tn=4))
