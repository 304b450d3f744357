"""A few of the kills of `python -m tests.robustness.crashes`."""

from pathlib import Path

import pytest
from tests.robustness import crashes

KILLS = 3


def test_work_that_is_killed_again_and_again_comes_to_the_same_end(tmp_path: Path) -> None:
    killer = crashes.Killer(tmp_path, seed=20211)
    for name in crashes.WORK:
        tally = killer.torment(name, KILLS)
        assert tally.kills == KILLS
        assert tally.finished > 0


def test_half_a_file_is_found(tmp_path: Path) -> None:
    """The harness sees what is not whole."""
    crashes.make_models(tmp_path / "models")
    crashes.look(tmp_path)
    path = tmp_path / "models" / "low.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(crashes.NotWholeError, match=r"low\.safetensors is not whole"):
        crashes.look(tmp_path)
