from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import METRIC_NAMES, measure
from bracketseg.evaluation.printed import PRINTED, impossible


def test_what_the_paper_prints_that_cannot_be():
    found = {
        (role, loss): impossible(row)
        for role, rows in PRINTED.items()
        for loss, row in rows.items()
    }
    assert {key: value["auc_eq9"].split()[-1] for key, value in found.items()} == {
        ("low", "bce"): "0.9555",
        ("low", "focal"): "0.9970",
        ("low", "dice-bce"): "0.9555",
        ("high", "bce"): "0.7595",
        ("high", "focal"): "0.7580",
        ("high", "dice-bce"): "0.7500",
    }
    assert {key: value.get("jaccard") for key, value in found.items()} == {
        ("low", "bce"): None,
        ("low", "focal"): "Jaccard above Dice",
        ("low", "dice-bce"): "Jaccard above sensitivity",
        ("high", "bce"): "Jaccard above sensitivity",
        ("high", "focal"): "Jaccard above sensitivity",
        ("high", "dice-bce"): "Jaccard above sensitivity",
    }


@pytest.mark.parametrize("role", PRINTED)
def test_the_printed_avg_is_the_mean_of_the_printed_columns(role):
    for row in PRINTED[role].values():
        assert row["avg"] == pytest.approx(fmean(row[name] for name in METRIC_NAMES), abs=1e-3)


@given(st.lists(st.tuples(*[st.integers(0, 50)] * 4).filter(any), min_size=1, max_size=5))
def test_no_measurement_is_impossible(counts):
    measured = [measure(Confusion(tp=a, fp=b, fn=c, tn=d)) for a, b, c, d in counts]
    row = {name: fmean(getattr(m, name) for m in measured) for name in METRIC_NAMES}
    assert impossible({name: round(value, 3) for name, value in row.items()}) == {}
