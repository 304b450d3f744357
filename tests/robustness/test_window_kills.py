"""One of the kills of `python -m tests.robustness.window_kills`."""

from pathlib import Path

import pytest
from tests.robustness import crashes
from tests.robustness.window_kills import WindowKiller

from bracketseg.brackets.masks import read_mask, write_mask


def test_what_is_labelled_in_the_window_is_on_the_disk_two_seconds_later(tmp_path: Path) -> None:
    killer = WindowKiller(tmp_path, seed=3)
    killer.kill(1, after=3.0)
    assert killer.drafts + killer.accepted > 0
    # The harness sees what is lost.
    labels = tmp_path / "data" / "labels" / "Ana"
    for path in labels.rglob("*_corrections.png"):
        path.unlink()
    for path in labels.glob("*_low.png"):
        write_mask(path, ~read_mask(path))
    with pytest.raises(crashes.NotWholeError, match=r"work of .* s is lost"):
        killer.look()
