from statistics import stdev

import pytest

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import METRIC_NAMES, measure
from bracketseg.evaluation.spread import over_seeds, summarize


def metrics(tp, fp, area=None):
    return measure(Confusion(tp=tp, fp=fp, fn=4 - tp, tn=6 - fp), area)


SEEDS = {
    0: {"a": metrics(4, 0, 0.9), "b": metrics(2, 0)},
    1: {"b": metrics(4, 0), "c": metrics(2, 2)},
}


def test_the_values_worked_by_hand():
    dice = summarize(SEEDS).values["dice"]
    assert dice.mean == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert dice.over_seeds == pytest.approx(stdev([5 / 6, 3 / 4]))
    assert dice.over_scenes == pytest.approx(stdev([1, 5 / 6, 1 / 2]))
    assert over_seeds(SEEDS, "dice") == {
        "a": 1,
        "b": pytest.approx(5 / 6),
        "c": pytest.approx(1 / 2),
    }


def test_avg_is_the_mean_of_the_five_means():
    summary = summarize(SEEDS)
    means = [summary.mean(name) for name in METRIC_NAMES]
    assert summary.mean("avg") == pytest.approx(sum(means) / 5)
    assert summary.mean("jaccard") <= summary.mean("dice")
    assert summary.mean("jaccard") <= summary.mean("sensitivity")


def test_a_metric_counts_where_it_exists():
    area = summarize(SEEDS).values["roc_auc"]
    assert (area.mean, area.over_seeds, area.over_scenes) == (0.9, None, None)
    assert summarize({0: {"a": metrics(4, 0)}}).values["roc_auc"] is None
    assert summarize({0: {"a": metrics(4, 0)}}).mean("roc_auc") is None


def test_scenes_and_seeds_are_told():
    summary = summarize(SEEDS)
    assert (summary.seeds, summary.scenes) == ((0, 1), ("a", "b", "c"))
