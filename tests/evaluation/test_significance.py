import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, wilcoxon

from bracketseg.evaluation.significance import FEWEST, holm, paired_tests


def scenes(values):
    return {f"s{number}": value for number, value in enumerate(values)}


def test_p_is_that_of_scipy_and_of_the_table_of_wilcoxon():
    # Eight differences, all positive: p = 2 / 2**8.
    first = scenes([0.9 + number / 100 for number in range(8)])
    second = scenes([0.8 - number / 100 for number in range(8)])
    (test,) = paired_tests({"a": first, "b": second})
    assert test.p == pytest.approx(2 / 2**8)
    assert test.p_holm == test.p
    assert (test.better, test.ahead) == ("a", "a")
    assert test.mean_difference == pytest.approx(0.1 + 2 * 3.5 / 100)
    (swapped,) = paired_tests({"b": second, "a": first})
    assert swapped.better == "a"
    assert swapped.median_difference == pytest.approx(-test.median_difference)


def test_three_pairs_are_corrected_by_holm(rng):
    base = rng.random(15)
    values = {
        "a": scenes(base),
        "b": scenes(base + 0.1 + 0.01 * rng.random(15)),
        "c": scenes(base + 0.1 * rng.standard_normal(15)),
    }
    tests = paired_tests(values)
    assert [(test.first, test.second) for test in tests] == [("a", "b"), ("a", "c"), ("b", "c")]
    raw = [
        wilcoxon(list(values[t.first].values()), list(values[t.second].values())).pvalue
        for t in tests
    ]
    assert [test.p for test in tests] == pytest.approx(raw)
    order = np.argsort(raw)
    worked = np.maximum.accumulate(np.minimum(np.array(raw)[order] * [3, 2, 1], 1))
    assert [tests[place].p_holm for place in order] == pytest.approx(list(worked))
    assert tests[0].better == "b"


def test_a_p_that_only_the_correction_lifts_above_the_level_supports_nothing():
    rising = [number / 100 for number in range(1, 7)]
    values = {"a": scenes([0.0] * 6), "b": scenes(rising), "c": scenes(rising)}
    tests = paired_tests(values)
    # Six of six: p = 2 / 2**6 = 0.031 is below the level, and its double is not.
    assert [test.p for test in tests] == [pytest.approx(2 / 2**6)] * 2 + [None]
    assert [test.better for test in tests] == [None, None, None]
    assert [test.ahead for test in tests] == ["b", "c", None]


@given(st.lists(st.floats(0, 1), min_size=0, max_size=FEWEST - 1))
def test_few_scenes_support_nothing(values):
    tests = paired_tests({"a": scenes(values), "b": scenes([0.0] * len(values))})
    assert all(test.too_few and test.better is None for test in tests)
    assert len(tests) == bool(values)


def test_five_scenes_that_all_agree_are_too_few_and_six_are_not():
    for count, too_few in ((5, True), (6, False)):
        rising = scenes([0.1 * number for number in range(1, count + 1)])
        (test,) = paired_tests({"a": rising, "b": scenes([0.0] * count)})
        assert (test.too_few, test.better) == (too_few, None if too_few else "a")


def test_pairs_that_cannot_be_tested_count_for_the_correction():
    rising = [0.1 * number for number in range(1, 7)]
    values = {"a": scenes(rising), "b": scenes([0.0] * 6), "c": scenes(rising[:2])}
    first, *others = paired_tests(values)
    assert first.p == pytest.approx(2 / 2**6)
    assert first.p_holm == pytest.approx(3 * 2 / 2**6)
    assert first.better is None
    assert all(test.too_few for test in others)


def test_scenes_without_a_difference_do_not_count():
    same = scenes([0.5] * 20)
    nearly = {**same, "s0": 0.6}
    (test,) = paired_tests({"a": nearly, "b": same})
    assert (test.scenes, test.differing, test.too_few) == (20, 1, True)


def test_only_scenes_of_both_are_compared():
    (test,) = paired_tests({"a": {"x": 1.0, "y": 0.5}, "b": {"y": 0.4, "z": 0.0}})
    assert (test.scenes, test.mean_difference) == (1, pytest.approx(0.1))
    assert paired_tests({"a": {"x": 1.0}, "b": {"y": 1.0}}) == ()
    assert paired_tests({"a": {"x": 1.0}}) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_p_and_bonferroni(p_values):
    corrected = holm(p_values)
    for p, found in zip(p_values, corrected, strict=True):
        assert p <= found <= min(1, p * len(p_values))
    # Benjamini and Hochberg correct for less, so theirs is never larger.
    assert all(
        mild <= found + 1e-12
        for mild, found in zip(false_discovery_control(p_values), corrected, strict=True)
    )
