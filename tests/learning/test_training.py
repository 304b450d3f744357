import json

import numpy as np
import pytest
import torch

from bracketseg.brackets import bracket
from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import dice, jaccard
from bracketseg.learning import dataset
from bracketseg.learning.batches import to_network
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.estimate import cache_bytes, training_bytes
from bracketseg.learning.events import (
    Cached,
    Checkpointed,
    EpochDone,
    ExamplesSeen,
    Finished,
    Planned,
    SceneCached,
    StepDone,
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


def test_a_training_from_start_to_end(setting, tiny):
    brackets, masks, folder = setting
    run = folder / "run"
    events = list(train(brackets, masks, tiny, run))
    kinds = [type(event) for event in events]
    epoch = [StepDone, StepDone, StepDone, EpochDone, ExamplesSeen, Checkpointed]
    assert kinds == [Planned, *[SceneCached] * 7, Cached, *epoch, *epoch, Finished]
    planned, cached, finished = events[0], events[8], events[-1]
    assert planned.scenes == 7
    assert planned.cache_bytes == cached.bytes == cache_bytes(7, 32)
    assert planned.memory_bytes == training_bytes(tiny, 7, "float32")
    assert (planned.device, planned.precision) == ("cpu", "float32")
    assert sorted(cached.train + cached.validation) == [f"s{i}" for i in range(7)]
    assert len(cached.validation) == 2
    assert cached.rethresholded == 7
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [(s.epoch, s.step) for s in steps] == [(e, s) for e in (1, 2) for s in (1, 2, 3)]
    assert all((s.epochs, s.steps) == (2, 3) for s in steps)
    assert all(s.images_per_second > 0 for s in steps)
    assert {path.name for path in run.iterdir()} == FILES
    assert finished.run == run


def test_the_run_folder_says_what_was_done(setting, tiny, history):
    brackets, masks, folder = setting
    run = folder / "run"
    events = list(train(brackets, masks, tiny, run))
    cached = next(event for event in events if isinstance(event, Cached))
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert json.loads((run / "config.json").read_text()) == tiny.model_dump(mode="json")
    split = json.loads((run / "split.json").read_text())
    assert split["train"] == list(cached.train)
    assert split["validation"] == list(cached.validation)
    assert split["groups"] == [[f"s{i}"] for i in range(7)]
    assert split["skipped"] == []
    rows = history(run)
    assert [float(row["validation_dice"]) for row in rows] == [e.validation_dice for e in epochs]
    assert [float(row["train_loss"]) for row in rows] == [e.train_loss for e in epochs]
    environment = json.loads((run / "environment.json").read_text())
    assert environment["versions"]["torch"] == torch.__version__
    assert environment["precision"] == "float32"
    card = load_model(run).card
    best = max(epochs, key=lambda e: e.validation_dice)
    assert (card.role, card.image_size, card.loss, card.seed) == ("low", 32, "bce", 0)
    assert card.network == tiny.network
    assert card.epoch == best.epoch
    assert card.metrics["dice"] == best.validation_dice
    assert card.ground_truth == {"method": "manual", "lo": 120.0, "hi": 255.0}
    assert card.versions["bracketseg"]


def test_the_metrics_are_those_of_the_best_weights(setting, tiny, history):
    brackets, masks, folder = setting
    run = folder / "run"
    config = tiny.model_copy(update={"epochs": 5, "learning_rate": 0.01})
    finished = list(train(brackets, masks, config, run))[-1]
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["best_epoch"] == finished.best_epoch == load_model(run).card.epoch
    assert metrics["mean"]["dice"] == finished.metrics.dice
    dices = [float(row["validation_dice"]) for row in history(run)]
    assert finished.metrics.dice == max(dices)
    assert finished.best_epoch == 1 + dices.index(max(dices))
    assert dices[-1] < max(dices)  # or the test could not tell the best weights from the last
    # An independent look with the model that was left.
    unet = load_model(run).unet
    scenes = {b.scene: b for b in brackets}
    found = []
    for scene in metrics["scenes"]:
        image = dataset.resize_image(scenes[scene["scene"]].frame("low").read(), 32, 32)
        with torch.no_grad():
            logits = unet(to_network(image[None].copy(), torch.device("cpu")))
        truth = dataset.luma(image) >= 120
        counts = confusion(truth, logits[0, 0].numpy() >= 0)
        assert scene["dice"] == pytest.approx(dice(counts))
        assert scene["jaccard"] == pytest.approx(jaccard(counts))
        assert 0 <= scene["roc_auc"] <= 1
        found.append(truth)
    fraction = np.mean([truth.mean() for truth in found])
    assert metrics["constant"]["all"]["jaccard"] == pytest.approx(fraction)
    assert metrics["constant"]["none"]["dice"] == 0.0


def test_a_network_learns(setting, tiny):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"epochs": 25, "learning_rate": 0.01, "dropout": 0.0})
    events = list(train(brackets, masks, config, folder / "run"))
    losses = [event.train_loss for event in events if isinstance(event, EpochDone)]
    assert losses[-1] < 0.5 * losses[0]
    constant = json.loads((folder / "run" / "metrics.json").read_text())["constant"]
    assert events[-1].metrics.dice > constant["all"]["dice"] + 0.1


@pytest.mark.parametrize("loss", ["focal", "dice-bce"])
def test_the_other_losses_and_role_train(setting, tiny, loss):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"loss": loss, "role": "high", "epochs": 1})
    list(train(brackets, masks, config, folder / "run"))
    card = load_model(folder / "run").card
    assert (card.loss, card.role) == (loss, "high")
    assert card.ground_truth["hi"] == 200.0


def test_the_same_seed_gives_the_same_run_and_another_does_not(
    setting, tiny, history, assert_same_run
):
    brackets, masks, folder = setting
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        config = tiny.model_copy(update={"seed": seed})
        list(train(brackets, masks, config, folder / name))
    assert_same_run(folder / "a", folder / "b")
    assert history(folder / "a") != history(folder / "c")


@pytest.mark.parametrize("change", [{"augment": False}, {"dropout": 0.0}])
def test_augmentation_and_dropout_take_part(setting, tiny, change, history):
    brackets, masks, folder = setting
    list(train(brackets, masks, tiny, folder / "a"))
    list(train(brackets, masks, tiny.model_copy(update=change), folder / "b"))
    assert history(folder / "a") != history(folder / "b")


def test_a_training_draws_nothing_from_the_global_generator(setting, tiny):
    brackets, masks, folder = setting
    before = torch.get_rng_state()
    list(train(brackets, masks, tiny, folder / "run"))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_file_is_read_after_the_first_look(setting, tiny, monkeypatch):
    brackets, masks, folder = setting

    def refuse(*_):
        raise AssertionError("a file was read")

    running = train(brackets, masks, tiny, folder / "run")
    assert any(isinstance(event, Cached) for event in running)
    monkeypatch.setattr(bracket, "read_frame", refuse)
    monkeypatch.setattr(dataset, "read_mask", refuse)
    assert isinstance(list(running)[-1], Finished)


def test_nothing_happens_before_the_first_event(setting, tiny):
    train(setting[0], setting[1], tiny, setting[2] / "run")
    assert not (setting[2] / "run").exists()


def test_at_a_tie_the_earlier_epoch_is_best(setting, tiny):
    brackets, masks, folder = setting
    for path in masks.glob("*_low.png"):
        write_mask(path, np.ones_like(read_mask(path)))
    config = tiny.model_copy(update={"epochs": 12, "learning_rate": 0.02})
    events = list(train(brackets, masks, config, folder / "run"))
    epochs = [event for event in events if isinstance(event, EpochDone)]
    dices = [event.validation_dice for event in epochs]
    assert dices.count(1.0) > 1
    assert events[-1].best_epoch == 1 + dices.index(1.0)
    assert [e.best for e in epochs] == [d > max([-1, *dices[:i]]) for i, d in enumerate(dices)]


def test_where_frames_show_nothing_in_common_nothing_is_learned(setting, tiny, monkeypatch):
    brackets, masks, folder = setting
    nowhere = np.ones((32, 32), bool)
    monkeypatch.setattr(dataset, "_outside", lambda *_: nowhere)
    events = list(train(brackets, masks, tiny.model_copy(update={"augment": True}), folder / "run"))
    losses = {e.loss if isinstance(e, StepDone) else e.train_loss + e.validation_loss
              for e in events if isinstance(e, StepDone | EpochDone)}  # fmt: skip
    assert losses == {0.0}
    seen = next(event for event in events if isinstance(event, ExamplesSeen))
    assert not seen.probabilities.any()
