"""A disk that is full now and then; `python -m tests.robustness.full_disk` does it at each file."""

from pathlib import Path

import pytest
import torch
from tests.robustness import crashes
from tests.robustness.full_disk import at_each_step, full_after

from bracketseg.brackets.decisions import Decision, keep_decision
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import BracketSegError

SCENES = 2


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(crashes, "SCENES", SCENES)
    torch.set_num_threads(1)
    crashes.make_set(tmp_path / "data")
    crashes.make_models(tmp_path / "models")
    crashes.label(tmp_path / "data", tmp_path / "masks")
    return tmp_path / "data"


def test_labelling(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = at_each_step(lambda out: crashes.label(data, out), tmp_path / "label")
    # Two masks and a record a scene, the way of the whole, and what it covers.
    assert steps == 3 * SCENES + 2
    assert "Make room on that disk" in capsys.readouterr().err


def test_predicting(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = at_each_step(lambda out: crashes.predict(data, out), tmp_path / "predict", stride=3)
    assert 5 * SCENES + 2 <= steps < 5 * SCENES + 5
    assert "Make room on that disk" in capsys.readouterr().err


def test_training(data: Path, tmp_path: Path) -> None:
    steps = at_each_step(lambda out: crashes.train(data, out), tmp_path / "train", stride=7)
    assert steps > 10


def test_what_is_kept_beside_the_pictures(data: Path) -> None:
    bracket = find_brackets(data).brackets[0]
    before = sorted(data.rglob("*"))
    with (
        full_after(0),
        pytest.raises(BracketSegError, match=r"bracketseg-brackets\.json.*Make room"),
    ):
        keep_decision(
            bracket.folder,
            Decision().put(bracket.scene, *(frame.path.name for frame in bracket.frames)),
        )
    assert sorted(data.rglob("*")) == before
