import json

import numpy as np
import pytest

from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.errors import (
    DeviceError,
    LabelingError,
    TrainingError,
)
from bracketseg.learning import dataset, optimization, run_folder
from bracketseg.learning.checkpoints import load_last, load_model
from bracketseg.learning.events import Cached, EpochDone, Finished, ScenesSkipped, Warned
from bracketseg.learning.training import train


def test_scenes_that_cannot_be_used_are_left_out(setting, tiny):
    brackets, masks, folder = setting
    (masks / "s0_low.png").unlink()
    brackets[1].frame("low").path.write_bytes(b"no picture")
    events = list(train(brackets, masks, tiny, folder / "run"))
    skipped = next(event for event in events if isinstance(event, ScenesSkipped))
    assert [(scene.scene, scene.broken) for scene in skipped.scenes] == [
        ("s0", False),
        ("s1", True),
    ]
    assert "label this scene to train on it" in skipped.scenes[0].reason
    assert "low.png" in skipped.scenes[1].reason
    assert events[0].scenes == 6
    assert isinstance(events[-1], Finished)
    split = json.loads((folder / "run" / "split.json").read_text())
    assert [scene["scene"] for scene in split["skipped"]] == ["s0", "s1"]


def test_one_scene_is_too_few(setting, tiny):
    brackets, masks, folder = setting
    alone = r"two scenes or more with a low mask.*1 can be used; label another scene"
    with pytest.raises(TrainingError, match=alone):
        list(train(brackets[:1], masks, tiny, folder / "run"))
    brackets[1].frame("low").path.write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"1 can be used; s1: .*low\.png"):
        list(train(brackets[:2], masks, tiny, folder / "run"))
    assert not list((folder / "run").glob("*"))


def test_frames_of_one_video_are_too_few(make_brackets, label, tiny, tmp_path):
    ramp = np.linspace(0, 255, 44 * 64).reshape(44, 64, 1).repeat(3, axis=2)
    whole = (ramp + 255 * np.sin(ramp)).clip(0, 255).astype(np.uint8)
    whole = dataset.resize_image(dataset.resize_image(whole, 8, 8), 44, 64)
    brackets = make_brackets(3, lambda i: whole[:, i : i + 60])
    with pytest.raises(TrainingError, match="3 usable scenes that all show the same"):
        list(train(brackets, label(brackets), tiny, tmp_path / "run"))


@pytest.mark.parametrize(
    ("fill", "name", "constant"), [(False, "background", "none"), (True, "foreground", "all")]
)
def test_masks_that_are_all_the_same_train_with_a_warning(setting, tiny, fill, name, constant):
    brackets, masks, folder = setting
    for path in masks.glob("*_low.png"):
        write_mask(path, np.full_like(read_mask(path), fill))
    events = list(train(brackets, masks, tiny, folder / "run"))
    (warned,) = [event for event in events if isinstance(event, Warned)]
    assert f"all 5 masks to learn from are nothing but {name}" in warned.message
    assert str(masks) in warned.message
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["constant"][constant]["dice"] == 1.0
    assert metrics["mean"]["roc_auc"] is None


def test_masks_that_are_not_all_constant_are_something_to_learn(setting, tiny):
    brackets, masks, folder = setting
    events = list(train(brackets, masks, tiny, folder / "a"))
    cached = next(event for event in events if isinstance(event, Cached))
    for scene in (*cached.train[1:], *cached.validation):
        write_mask(masks / f"{scene}_low.png", np.zeros((44, 60), np.bool_))
    events += train(brackets, masks, tiny, folder / "b")
    half = np.arange(44 * 60).reshape(44, 60) % 60 < 30
    for scene in (*cached.train, *cached.validation):
        write_mask(masks / f"{scene}_low.png", half)
    events += train(brackets, masks, tiny, folder / "c")
    assert not any(isinstance(event, Warned) for event in events)


def test_masks_of_a_wrong_size_are_left_out(setting, tiny):
    brackets, masks, folder = setting
    write_mask(masks / "s2_low.png", np.ones((20, 60), np.bool_))
    events = list(train(brackets, masks, tiny, folder / "run"))
    (skipped,) = next(event for event in events if isinstance(event, ScenesSkipped)).scenes
    assert (skipped.scene, skipped.broken) == ("s2", True)
    assert "is 60x20 but its frame low.png is 60x44; label the scene again" in skipped.reason
    assert isinstance(events[-1], Finished)
    for scene in range(7):
        write_mask(masks / f"s{scene}_low.png", np.ones((20, 60), np.bool_))
    with pytest.raises(TrainingError, match=r"0 can be used; s0: .* label the scene again"):
        list(train(brackets, masks, tiny, folder / "all"))


def spoil(monkeypatch, value, after):
    """Let the loss become `value` after some calls."""
    good = optimization.LOSSES["bce"]
    calls = []

    def loss(logits, target):
        calls.append(1)
        return good(logits, target) * (value if len(calls) > after else 1.0)

    monkeypatch.setitem(optimization.LOSSES, "bce", loss)


LAST_STEP_OF_AN_EPOCH = 4  # three steps and one batch to validate


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("after", "where"), [(5, r"step 2 of epoch 2"), (7, r"the validation of epoch 2")]
)
def test_a_loss_that_is_no_number_ends_with_advice(setting, tiny, monkeypatch, value, after, where):
    brackets, masks, folder = setting
    spoil(monkeypatch, value, after)
    message = (
        rf"became {value} in {where}; train into a new folder with a learning rate below 0\.001 "
        rf"\({folder / 'run'} keeps what was learned up to epoch 1\)"
    )
    with pytest.raises(TrainingError, match=message):
        list(train(brackets, masks, tiny, folder / "run"))
    state = load_last(folder / "run" / "last.pt")
    assert len(state["progress"]["history"]) == 1
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    assert load_model(folder / "run").card.epoch == 1


def test_gradients_that_are_no_numbers_leave_the_weights_alone(setting, tiny, monkeypatch):
    brackets, masks, folder = setting
    good = optimization.LOSSES["bce"]
    calls = []

    def loss(logits, target):
        calls.append(1)
        value = good(logits, target)
        # As where a root is drawn of nought: the loss has a value, its slope has none.
        return value + (logits * 0).square().sum().sqrt() if len(calls) == 6 else value

    monkeypatch.setitem(optimization.LOSSES, "bce", loss)
    message = (
        r"the gradients are not finite in step 2 of epoch 2, though the loss is; train into a new "
        rf"folder .* \({folder / 'run'} keeps what was learned up to epoch 1\)"
    )
    with pytest.raises(TrainingError, match=message):
        # Somebody who stops just then gets a checkpoint, too.
        list(train(brackets, masks, tiny, folder / "run", should_stop=lambda: len(calls) > 5))
    state = load_last(folder / "run" / "last.pt")
    assert len(state["progress"]["history"]) == 1
    for tensors in (state["model"], state["best"]):
        assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_a_run_in_a_short_precision_goes_on_in_a_longer_one(setting, tiny, monkeypatch):
    brackets, masks, folder = setting
    short = tiny.model_copy(update={"precision": "bfloat16"})
    spoil(monkeypatch, float("nan"), LAST_STEP_OF_AN_EPOCH)
    message = r"run keeps what was learned up to epoch 1: resume it with precision float32 instead"
    with pytest.raises(TrainingError, match=message):
        list(train(brackets, masks, short, folder / "run"))
    monkeypatch.undo()
    events = list(train(brackets, masks, tiny, folder / "run", resume=True))
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [2]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_loss_that_is_no_number_at_once_leaves_nothing_to_resume(
    setting, tiny, monkeypatch, precision
):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"precision": precision})
    spoil(monkeypatch, float("nan"), 1)
    with pytest.raises(TrainingError, match="before anything was kept; train") as raised:
        list(train(brackets, masks, config, folder / "run"))
    assert ("float32" in str(raised.value)) == (precision == "bfloat16")
    assert not (folder / "run" / "last.pt").exists()


def test_a_full_disk_is_reported_and_leaves_whole_files(
    setting, tiny, monkeypatch, assert_same_run
):
    brackets, masks, folder = setting
    written = []

    def save(path, state):
        if written:
            raise OSError(28, "No space left on device")
        written.append(path)
        run_folder_save(path, state)

    run_folder_save = run_folder.save_last
    monkeypatch.setattr(run_folder, "save_last", save)
    with pytest.raises(TrainingError, match=r"last\.pt cannot be written .*No space left"):
        list(train(brackets, masks, tiny, folder / "run"))
    monkeypatch.undo()
    list(train(brackets, masks, tiny, folder / "run", resume=True))
    list(train(brackets, masks, tiny, folder / "straight"))
    assert_same_run(folder / "straight", folder / "run")


def test_what_is_not_there_is_named(setting, tiny):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"device": "cuda:7"})
    with pytest.raises(DeviceError, match="cuda:7"):
        list(train(brackets, masks, config, folder / "run"))
    with pytest.raises(LabelingError, match="nowhere"):
        list(train(brackets, folder / "nowhere", tiny, folder / "run"))
    assert not (folder / "run").exists()
