from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.capture import Capture, capture_time, exposure_bias
from bracketseg.brackets.images import read_header


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png", "webp"])
def test_of_a_picture(tmp_path: Path, write_frame: Any, suffix: str) -> None:
    path = write_frame(
        tmp_path / f"a.{suffix}", taken=86401.5, bias=Fraction(-2, 3), mode=2, model="Box 1"
    )
    assert read_header(path).capture == Capture(
        time=86401.5, camera="Box 1", bias=pytest.approx(-2 / 3), mode=2
    )


def test_of_a_picture_that_says_nothing(tmp_path: Path, write_frame: Any) -> None:
    assert read_header(write_frame(tmp_path / "a.jpg")).capture == Capture()


@pytest.mark.parametrize("text", ["", "    :  :     :  :  ", "2020:13:01 00:00:00", "yesterday"])
def test_what_is_no_date(text: str) -> None:
    assert capture_time(text) is None


@pytest.mark.parametrize(("fraction", "expected"), [("5", 0.5), ("05 ", 0.05), ("x", 0), ("²", 0)])
def test_decimals(fraction: str, expected: float) -> None:
    assert capture_time("1970:01:01 00:00:00", fraction) == expected


@given(st.text(max_size=30), st.text(max_size=5))
def test_any_text_is_survived(text: str, fraction: str) -> None:
    time = capture_time(text, fraction)
    assert time is None or isinstance(time, float)


@pytest.mark.parametrize("value", [None, float("nan"), 1000.0])
def test_a_bias_that_makes_no_sense_is_missing(value: float | None) -> None:
    assert exposure_bias(value) is None
