import json

import numpy as np
import pytest
import torch

from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.errors import (
    DeviceError,
    LabelingError,
    OutOfMemoryError,
    TrainingError,
)
from bracketseg.learning import dataset, optimization, run_folder
from bracketseg.learning.checkpoints import load_last, load_model
from bracketseg.learning.events import (
    Finished,
    ScenesSkipped,
)
from bracketseg.learning.training import train


def test_scenes_that_cannot_be_used_are_left_out(setting, tiny):
    brackets, masks, folder = setting
    (masks / "s0_low.png").unlink()
    brackets[1].frame("low").path.write_bytes(b"no picture")
    events = list(train(brackets, masks, tiny, folder / "run"))
    skipped = next(event for event in events if isinstance(event, ScenesSkipped))
    assert [scene.scene for scene in skipped.scenes] == ["s0", "s1"]
    assert events[0].scenes == 6
    assert isinstance(events[-1], Finished)
    split = json.loads((folder / "run" / "split.json").read_text())
    assert [scene["scene"] for scene in split["skipped"]] == ["s0", "s1"]


def test_one_scene_is_too_few(setting, tiny):
    brackets, masks, folder = setting
    with pytest.raises(TrainingError, match=r"two scenes or more with a low mask.*1 can be used"):
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


def test_masks_that_are_all_background_train(setting, tiny):
    brackets, masks, folder = setting
    for path in masks.glob("*_low.png"):
        write_mask(path, np.zeros_like(read_mask(path)))
    list(train(brackets, masks, tiny, folder / "run"))
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["constant"]["none"]["dice"] == 1.0
    assert metrics["mean"]["roc_auc"] is None


def spoil(monkeypatch, value, after):
    """Let the loss become `value` after some calls."""
    good = optimization.LOSSES["bce"]
    calls = []

    def loss(logits, target):
        calls.append(1)
        return good(logits, target) * (value if len(calls) > after else 1.0)

    monkeypatch.setitem(optimization.LOSSES, "bce", loss)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("after", "where"), [(5, r"step 2 of epoch 2"), (7, r"the validation of epoch 2")]
)
def test_a_loss_that_is_no_number_ends_with_advice(setting, tiny, monkeypatch, value, after, where):
    brackets, masks, folder = setting
    spoil(monkeypatch, value, after)
    message = rf"became {value} in {where}; .* learning rate below 0\.001 or in precision float32"
    with pytest.raises(TrainingError, match=message):
        list(train(brackets, masks, tiny, folder / "run"))
    state = load_last(folder / "run" / "last.pt")
    assert len(state["progress"]["history"]) == 1
    assert all(tensor.isfinite().all() for tensor in state["model"].values())
    assert load_model(folder / "run").card.epoch == 1


def test_too_little_memory_ends_with_advice(setting, tiny, monkeypatch):
    def loss(logits, target):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    brackets, masks, folder = setting
    monkeypatch.setitem(optimization.LOSSES, "bce", loss)
    config = tiny.model_copy(update={"batch_size": 4, "image_size": 64})
    message = "4 images of 64x64; choose a batch size of 2, or an image size of 32"
    with pytest.raises(OutOfMemoryError, match=message):
        list(train(brackets, masks, config, folder / "run"))
    monkeypatch.undo()
    # Nothing was learned, so that another batch size may begin in the same folder.
    smaller = config.model_copy(update={"batch_size": 2, "epochs": 1})
    assert isinstance(list(train(brackets, masks, smaller, folder / "run"))[-1], Finished)


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
