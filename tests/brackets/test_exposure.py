import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.exposure import Exposure, relative_evs

positive = st.floats(1e-4, 1e4)


def test_by_hand() -> None:
    # 1/4 s, f/2, ISO 400: log2(0.25 * 4 / 4) = -2; 1 s, f/2, ISO 400: 0.
    exposures = [Exposure(0.25, 2.0, 400.0), Exposure(1.0, 2.0, 400.0)]
    assert relative_evs(exposures) == pytest.approx([-2.0, 0.0])


def test_iso_and_aperture_count() -> None:
    assert relative_evs([Exposure(1, 4, 100), Exposure(1, 4, 400)]) == pytest.approx([-4, -2])
    assert relative_evs([Exposure(1, 4, 100), Exposure(1, 2, 100)]) == pytest.approx([-4, -2])


def test_a_part_that_one_frame_lacks_is_left_out_for_all() -> None:
    exposures = [Exposure(time=1.0, iso=100.0), Exposure(time=2.0, iso=None)]
    assert relative_evs(exposures) == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    "exposures",
    [
        [],
        [Exposure(), Exposure()],
        [Exposure(time=1.0), Exposure()],
        [Exposure(1.0, 2.0, 100.0)] * 3,
    ],
)
def test_nothing_to_tell_them_apart(exposures: list[Exposure]) -> None:
    assert relative_evs(exposures) is None


def test_equal_means_within_a_thousandth_of_a_stop() -> None:
    assert relative_evs([Exposure(time=1.0), Exposure(time=2**0.0009)]) is None
    assert relative_evs([Exposure(time=1.0), Exposure(time=2**0.0011)]) is not None


@given(st.lists(st.tuples(positive, positive, positive), min_size=2, max_size=15))
def test_against_the_formula(parts: list[tuple[float, float, float]]) -> None:
    expected = [math.log2(t * iso / 100 / n**2) for t, n, iso in parts]
    evs = relative_evs([Exposure(*part) for part in parts])
    if evs is None:
        assert max(expected) - min(expected) == pytest.approx(0, abs=2e-3)
    else:
        assert evs == pytest.approx(expected, abs=1e-9)


@given(st.lists(positive, min_size=2, max_size=15, unique=True))
def test_longer_is_brighter(times: list[float]) -> None:
    evs = relative_evs([Exposure(time=time) for time in sorted(times)])
    assert evs is None or evs == sorted(evs)
