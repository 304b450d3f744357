import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bracketseg.learning.events import Checkpointed, StepDone
from bracketseg.learning.runs import find_runs, read_run
from bracketseg.learning.training import train

LISTENERS = """
import sys
import bracketseg.learning.config, bracketseg.learning.estimate, bracketseg.learning.events
import bracketseg.learning.model_card, bracketseg.learning.progress, bracketseg.learning.runs
import bracketseg.learning.free_memory
assert "torch" not in sys.modules
"""


def test_what_the_window_reads_imports_no_torch():
    subprocess.run([sys.executable, "-c", LISTENERS], check=True)


@pytest.fixture
def trained(setting, tiny):
    """Train into `<folder>/runs/<name>`, as far as an event for which `until` holds."""
    brackets, masks, folder = setting

    def make(name, until=lambda _event: False, **changes) -> Path:
        run = folder / "runs" / name
        config = tiny.model_copy(update=changes)
        running = train(brackets, masks, config, run)
        any(map(until, running))
        running.close()
        return run

    return make


def start(run, text):
    """Let a run have been started at another time."""
    environment = json.loads((run / "environment.json").read_text())
    (run / "environment.json").write_text(json.dumps({**environment, "started": text}))


def test_a_run_made_before_the_predicted_share_was_written_can_be_read(trained):
    folder = trained("a")
    rows = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()]
    assert rows[0][-1] == "validation_foreground"
    (folder / "history.csv").write_text("".join(f"{','.join(row[:-1])}\n" for row in rows))
    records = read_run(folder).records
    assert len(records) == 2
    assert all(math.isnan(record.validation_foreground) for record in records)


def test_a_finished_run_is_described(trained, setting):
    run = read_run(trained("a", role="high", loss="focal"))
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert (run.config.role, run.config.loss, run.config.image_size) == ("high", "focal", 32)
    assert (run.finished, run.resumable) == (True, False)
    assert [record.epoch for record in run.records] == [1, 2]
    assert run.best is not None
    assert run.best.epoch == metrics["best_epoch"] == run.card.epoch
    assert run.best.validation_dice == run.card.metrics["dice"] == metrics["mean"]["dice"]
    assert run.best.validation_foreground == metrics["mean"]["prediction_foreground"]
    assert run.ground_truth == "manual"
    assert run.masks == setting[1].resolve()
    assert abs((datetime.now(UTC) - run.started).total_seconds()) < 3600


def test_an_interrupted_run_can_be_resumed_once_it_has_a_state(trained):
    early = read_run(trained("early", lambda e: isinstance(e, StepDone)))
    assert (early.card, early.best, early.ground_truth, early.records) == (None, None, None, ())
    assert (early.finished, early.resumable) == (False, False)
    later = read_run(trained("later", lambda e: isinstance(e, Checkpointed)))
    assert (later.finished, later.resumable, len(later.records)) == (False, True, 1)
    assert later.best is not None


def test_a_finished_run_that_was_given_more_epochs_is_not_finished(trained):
    run = trained("a")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "epochs": 5}))
    assert (read_run(run).finished, read_run(run).resumable) == (False, True)


def test_the_newest_run_comes_first_and_none_twice(trained):
    runs = [trained(name, epochs=1) for name in ("a", "b", "c")]
    times = ("2026-03-01T10:00:00+00:00", "2026-03-02T10:00:00+00:00", "2026-02-01T10:00:00")
    for run, time in zip(runs, times, strict=True):
        start(run, time)
    found, broken = find_runs([runs[0].parent, runs[1], Path("nowhere")])
    assert [run.path.name for run in found] == ["b", "a", "c"]
    assert broken == ()


def test_a_run_without_a_time_has_that_of_its_config(trained):
    run = trained("a", epochs=1)
    (run / "environment.json").unlink()
    os.utime(run / "config.json", (1_700_000_000, 1_700_000_000))
    found = read_run(run)
    assert found.started == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.masks is None


def oversized(path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little") + b"{}")


SPOILERS = {
    "config.json": (lambda p: p.write_text("{}"[:1]), "not the config of a training"),
    "history.csv": (lambda p: p.write_text("epoch\none\n"), "is damaged"),
    "metrics.json": (lambda p: p.write_text("[" * 100_000), "is damaged"),
    "environment.json": (lambda p: p.write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    "best.safetensors": (oversized, "header would be 1099511627776 bytes long"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_a_broken_run_is_listed_apart_with_a_reason(trained, name):
    good, bad = trained("good", epochs=1), trained("bad", epochs=1)
    spoil, reason = SPOILERS[name]
    spoil(bad / name)
    (bad.parent / "no run").mkdir()
    found, broken = find_runs([bad.parent])
    assert [run.path for run in found] == [good.resolve()]
    (only,) = broken
    assert only.path == bad.resolve()
    assert reason in only.reason
    assert name in only.reason


def test_files_that_are_too_large_are_not_read(trained):
    run = trained("a", epochs=1)
    with (run / "history.csv").open("r+b") as file:
        file.truncate(2**30)
    (broken,) = find_runs([run])[1]
    assert "history.csv is too large" in broken.reason


def test_a_model_of_another_training_is_noticed(trained):
    low, high = trained("low", epochs=1), trained("high", epochs=1, role="high")
    (low / "best.safetensors").write_bytes((high / "best.safetensors").read_bytes())
    found, broken = find_runs([low.parent])
    assert [run.path for run in found] == [high.resolve()]
    assert "trained for high with bce, but config.json says low with bce" in broken[0].reason


def test_a_model_alone_is_no_run(trained):
    run = trained("a", epochs=1)
    (run / "config.json").unlink()
    (broken,) = find_runs([run.parent])[1]
    assert "config.json cannot be read" in broken.reason
