"""A few hundred of the cases of `python -m tests.robustness.fuzz`."""

import pytest
from tests.robustness import fuzz

CASES = 250


def test_damaged_and_hostile_files_end_in_a_bracket_or_in_an_error_that_names_the_file() -> None:
    report = fuzz.fuzz(CASES, seed=20211)
    assert not report.faults, "\n".join(report.faults)
    assert report.cases == CASES
    assert report.outcomes["good"] > CASES / 10
    assert report.outcomes["FrameError"] > CASES / 10


@pytest.mark.parametrize(
    ("limit", "told"), [("LONGEST", "took 0."), ("STANDS_STILL", "takes more than 0 s")]
)
def test_what_must_not_be_is_found(monkeypatch: pytest.MonkeyPatch, limit: str, told: str) -> None:
    """The harness sees a case that takes too long."""
    monkeypatch.setattr(fuzz, limit, 0.0)
    report = fuzz.fuzz(1, seed=20211)
    assert len(report.faults) == 1
    assert told in report.faults[0]
