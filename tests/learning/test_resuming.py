import json
import shutil

import numpy as np
import pytest
import torch

from bracketseg.errors import (
    ModelError,
    TrainingError,
)
from bracketseg.labeling.ranges import Otsu
from bracketseg.learning.events import (
    Cached,
    Checkpointed,
    EpochDone,
    Finished,
    Planned,
    SceneCached,
    StepDone,
    Stopped,
)
from bracketseg.learning.training import train

FILES = {
    "best.safetensors",
    "config.json",
    "environment.json",
    "history.csv",
    "last.pt",
    "metrics.json",
    "split.json",
}


def is_step(epoch, step):
    return lambda event: isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, step)


def is_checkpoint(epoch):
    return lambda event: isinstance(event, Checkpointed) and event.epoch == epoch


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "when",
    [is_step(1, 1), is_step(2, 2), is_checkpoint(1), is_step(1, 3)],
    ids=["in the first epoch", "in the second", "between epochs", "before the validation"],
)
def test_a_stopped_training_ends_as_one_that_never_stopped(
    setting, tiny, when, precision, assert_same_run, run_until
):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"precision": precision})
    straight, halted = folder / "straight", folder / "halted"
    list(train(brackets, masks, config, straight))
    events = run_until(when, config, halted)
    assert isinstance(events[-1], Stopped)
    assert isinstance(events[-2], Checkpointed)
    assert events[-1].resumable
    assert (events[-1].epoch, events[-1].step) == (events[-2].epoch, events[-2].step)
    rest = list(train(brackets, masks, config, halted, resume=True))
    assert isinstance(rest[-1], Finished)
    steps = sum(isinstance(event, StepDone) for event in [*events, *rest])
    assert steps == 6
    assert_same_run(straight, halted)


def test_random_numbers_drawn_elsewhere_change_nothing(setting, tiny, assert_same_run):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "quiet"))
    for event in train(brackets, masks, tiny, folder / "noisy"):
        torch.manual_seed(hash(type(event).__name__) % 1000)
        torch.rand(7)
        np.random.default_rng().random()
    assert_same_run(folder / "quiet", folder / "noisy")


@pytest.mark.parametrize("kill", [GeneratorExit, KeyboardInterrupt])
@pytest.mark.parametrize("when", [is_step(1, 2), is_step(2, 2), is_checkpoint(1)])
def test_a_killed_training_goes_on_from_its_last_epoch(setting, tiny, when, kill, assert_same_run):
    brackets, masks, folder = setting
    straight, killed = folder / "straight", folder / "killed"
    list(train(brackets, masks, tiny, straight))
    running = train(brackets, masks, tiny, killed)
    assert any(when(event) for event in running)
    with pytest.raises(kill):
        running.throw(kill())
    assert {path.name for path in killed.iterdir()} <= FILES
    list(train(brackets, masks, tiny, killed, resume=True))
    assert_same_run(straight, killed)


def test_files_made_from_a_checkpoint_are_made_again(setting, tiny, assert_same_run):
    brackets, masks, folder = setting
    straight, killed = folder / "straight", folder / "killed"
    list(train(brackets, masks, tiny, straight))
    shutil.copytree(straight, killed)
    for name in ("best.safetensors", "history.csv", "metrics.json"):
        (killed / name).unlink()
    list(train(brackets, masks, tiny, killed, resume=True))
    assert_same_run(straight, killed)


def test_more_epochs_go_on_where_fewer_ended(setting, tiny, assert_same_run):
    brackets, masks, folder = setting
    longer = tiny.model_copy(update={"epochs": 4})
    list(train(brackets, masks, longer, folder / "straight"))
    list(train(brackets, masks, tiny, folder / "extended"))
    events = list(train(brackets, masks, longer, folder / "extended", resume=True))
    assert [e.epoch for e in events if isinstance(e, EpochDone)] == [3, 4]
    assert_same_run(folder / "straight", folder / "extended")


def test_old_metrics_do_not_pass_for_those_of_more_epochs(setting, tiny):
    brackets, masks, folder = setting
    run, longer = folder / "run", tiny.model_copy(update={"epochs": 3})
    list(train(brackets, masks, tiny, run))
    running = train(brackets, masks, longer, run, resume=True)
    assert any(is_checkpoint(3)(event) for event in running)
    running.close()
    list(train(brackets, masks, longer, run, resume=True))
    assert json.loads((run / "metrics.json").read_text())["epochs"] == 3


def test_a_finished_run_has_nothing_left_to_do(setting, tiny):
    brackets, masks, folder = setting
    finished = list(train(brackets, masks, tiny, folder / "run"))[-1]
    assert list(train(brackets, masks, tiny, folder / "run", resume=True)) == [finished]


def test_a_run_is_not_overwritten(setting, tiny):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "run"))
    before = (folder / "run" / "last.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"holds a run already; resume it \(--resume\)"):
        list(train(brackets, masks, tiny, folder / "run"))
    assert (folder / "run" / "last.pt").read_bytes() == before


def test_a_foreign_config_is_not_overwritten(setting, tiny):
    brackets, masks, folder = setting
    (folder / "run").mkdir()
    (folder / "run" / "config.json").write_text('{"theme": "dark"}')
    with pytest.raises(ModelError, match=r"config\.json is not the config of a training"):
        list(train(brackets, masks, tiny, folder / "run"))


def test_there_must_be_something_to_resume(setting, tiny):
    brackets, masks, folder = setting
    with pytest.raises(TrainingError, match="holds no run to resume; start one without --resume"):
        list(train(brackets, masks, tiny, folder / "run", resume=True))


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_without_a_checkpoint_starts_again(setting, tiny, resume, assert_same_run):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "straight"))
    running = train(brackets, masks, tiny, folder / "killed")
    assert any(is_step(1, 2)(event) for event in running)
    running.close()
    list(train(brackets, masks, tiny, folder / "killed", resume=resume))
    assert_same_run(folder / "straight", folder / "killed")


def test_other_settings_cannot_resume_a_run(setting, tiny, run_until):
    brackets, masks, folder = setting
    run_until(is_step(1, 1), tiny, folder / "run")
    other = tiny.model_copy(update={"loss": "focal", "batch_size": 3, "epochs": 9})
    with pytest.raises(TrainingError) as raised:
        list(train(brackets, masks, other, folder / "run", resume=True))
    message = str(raised.value)
    assert "loss (was bce, is focal)" in message
    assert "batch_size (was 2, is 3)" in message
    assert "epochs" not in message


def test_fewer_epochs_than_are_done_cannot_be_asked_for(setting, tiny):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "run"))
    shorter = tiny.model_copy(update={"epochs": 1})
    with pytest.raises(TrainingError, match="has 2 epochs already"):
        list(train(brackets, masks, shorter, folder / "run", resume=True))


def test_other_data_cannot_resume_a_run(setting, tiny, label, run_until):
    brackets, masks, folder = setting
    run_until(is_step(1, 1), tiny, folder / "run")
    with pytest.raises(TrainingError, match=r"was started with other (train|validation) scenes"):
        list(train(brackets[:6], masks, tiny, folder / "run", resume=True))
    shutil.rmtree(masks)
    label(brackets, {"low": Otsu(), "high": Otsu()})
    with pytest.raises(TrainingError, match="masks made in another way"):
        list(train(brackets, masks, tiny, folder / "run", resume=True))


@pytest.mark.parametrize("content", [b"junk", None])
def test_a_damaged_checkpoint_is_refused(setting, tiny, content, run_until):
    brackets, masks, folder = setting
    run_until(is_step(1, 1), tiny, folder / "run")
    path = folder / "run" / "last.pt"
    if content is None:
        torch.save({"progress": 3}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"last\.pt"):
        list(train(brackets, masks, tiny, folder / "run", resume=True))


def test_stopping_while_the_images_are_read(setting, tiny, run_until):
    events = run_until(lambda e: isinstance(e, SceneCached), tiny, setting[2] / "run")
    assert [type(event) for event in events] == [Planned, SceneCached, Stopped]
    assert not events[-1].resumable
    assert not list((setting[2] / "run").glob("*"))


def test_a_stop_that_comes_at_once_can_be_resumed(setting, tiny, assert_same_run, run_until):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "straight"))
    events = run_until(lambda e: isinstance(e, Cached), tiny, folder / "run")
    assert not any(isinstance(event, StepDone) for event in events)
    list(train(brackets, masks, tiny, folder / "run", resume=True))
    assert_same_run(folder / "straight", folder / "run")
