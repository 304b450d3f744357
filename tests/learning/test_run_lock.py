"""A run folder that belongs to one training at a time."""

import json
import sys

import pytest

from bracketseg.errors import TrainingError
from bracketseg.learning.events import Cached, Checkpointed
from bracketseg.learning.training import train

DIGITS = "0123456789ab4def" + "8123456789abcdef"  # as those of a random UUID
LEFT = (f".last.{DIGITS}.pt", f".best.{DIGITS}.safetensors", f".metrics.{DIGITS}.json")
NOT_OURS = (
    ".last.pt", f".last.{DIGITS}.pt.bak", f".last.{DIGITS[::-1]}.pt", f".last.{DIGITS[1:]}.pt",
    f"last.{DIGITS}.pt",
)  # fmt: skip


def write(folder, names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"half")


def test_what_a_killed_training_left_is_swept_and_nothing_else(setting, tiny):
    brackets, masks, folder = setting
    run = folder / "run"
    running = train(brackets, masks, tiny, run)
    assert any(isinstance(event, Checkpointed) for event in running)
    running.close()
    write(run, (*LEFT, *NOT_OURS))
    list(train(brackets, masks, tiny, run, resume=True))
    names = {path.name for path in run.iterdir()}
    assert names.isdisjoint(LEFT)
    assert names >= set(NOT_OURS)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no lock there")
def test_a_second_training_is_told_and_takes_nothing_from_the_first(setting, tiny, assert_same_run):
    brackets, masks, folder = setting
    run = folder / "run"
    first = train(brackets, masks, tiny, run)
    assert any(isinstance(event, Checkpointed) for event in first)
    write(run, LEFT[:1])
    with pytest.raises(TrainingError, match="another training writes into this folder"):
        list(train(brackets, masks, tiny, run, resume=True))
    assert (run / LEFT[0]).exists()
    list(first)
    # It has ended, and the folder is free.
    list(train(brackets, masks, tiny.model_copy(update={"epochs": 3}), run, resume=True))
    assert not (run / LEFT[0]).exists()


def test_when_a_run_was_started_stays_on_record(setting, tiny):
    brackets, masks, folder = setting
    run = folder / "run"

    def times():
        known = json.loads((run / "environment.json").read_text())
        return known["started"], known.get("resumed")

    running = train(brackets, masks, tiny, run)
    assert any(isinstance(event, Cached) for event in running)
    running.close()
    assert times()[1] is None
    known = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({**known, "started": "2026-01-02T03:04:05"}))
    for count in (1, 2):
        running = train(brackets, masks, tiny, run, resume=True)
        assert any(isinstance(event, Cached) for event in running)
        running.close()
        started, resumed = times()
        assert started == "2026-01-02T03:04:05"
        assert len(resumed) == count
    (run / "environment.json").write_text("{")
    list(train(brackets, masks, tiny, run, resume=True))
    assert times()[1] is None
