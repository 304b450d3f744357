"""Runs made by hand: their masks, and so their metrics, are known."""

import json
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file

from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import mask_name, probability_name, write_mask, write_probability
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.model_card import ModelCard
from bracketseg.learning.progress import EpochRecord

TRUTH = np.array([[1, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)


def guess(tp, fp):
    """A mask of 2 x 5 that meets TRUTH, which has 4 pixels, in `tp` and errs in `fp`."""
    mask = np.zeros(10, bool)
    mask[:tp] = True
    mask[4 : 4 + fp] = True
    return mask.reshape(2, 5)


class Lab:
    """A set of brackets, their ground truth, and runs that learned it."""

    def __init__(self, folder):
        self.folder = folder
        self.masks = folder / "masks"
        self.runs = folder / "runs"
        self.out = folder / "out"
        self.masks.mkdir()
        self._made = 0

    def scene(self, name, truth=TRUTH, *, frames=True):
        for role in ("low", "high"):
            write_mask(self.masks / mask_name(name, role), truth)
        if frames:
            place = self.folder / "set" / name
            place.mkdir(parents=True)
            for role, gain in (("low", 60), ("high", 120)):
                # Otsu: the low mask is the first column, the high mask all but it.
                frame = np.full((*truth.shape, 3), gain, np.uint8)
                frame[:, 0] = 2 * gain
                assert cv2.imwrite(str(place / f"{role}.png"), frame)

    @property
    def brackets(self):
        return find_brackets(self.folder / "set").brackets

    def run(self, role, loss, seed, guesses, *, name=None, done=3, best=2, kept_back=None, **other):
        """Write a run of three epochs that predicted `guesses` of its validation scenes."""
        path = self.runs / (name or f"{role}-{loss}-seed{seed}")
        (path / "validation").mkdir(parents=True)
        settings = {"epochs": 3, "image_size": 32, **other}
        ground_truth = settings.pop("ground_truth", {"method": "masks"})
        config = TrainConfig(role=role, loss=loss, seed=seed, **settings)
        (path / "config.json").write_text(config.model_dump_json())
        split = {
            "groups": [],
            "train": ["t0", "t1"],
            "validation": list(kept_back or guesses),
            "skipped": [
                {"scene": "gone", "reason": "cannot be read", "broken": True},
                {"scene": "bare", "reason": "has no mask of the role", "broken": False},
            ],
        }
        (path / "split.json").write_text(json.dumps(split))
        self._made += 1
        started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=self._made)
        environment = {
            "versions": {"python": "3.x", "torch": "2.x"},
            "device_name": "a <b>card</b>",
            "masks": str(self.masks),
            "started": started.isoformat(),
        }
        (path / "environment.json").write_text(json.dumps(environment))
        records = [
            EpochRecord(
                epoch=epoch,
                train_loss=1 / epoch,
                validation_loss=2 / epoch,
                validation_dice=0.5 if epoch != best else 0.9,
                validation_jaccard=0.4,
                seconds=60.0,
            )
            for epoch in range(1, done + 1)
        ]
        rows = [",".join(EpochRecord.columns()), *(",".join(record.row()) for record in records)]
        (path / "history.csv").write_text("\n".join(rows) + "\n")
        card = ModelCard(
            role=role,
            network=config.network,
            image_size=32,
            ground_truth=ground_truth,
            loss=loss,
            seed=seed,
            epoch=best,
            metrics={},
            versions={},
        )
        weights = {"w": np.zeros(1, np.float32)}
        save_file(weights, path / "best.safetensors", metadata=card.metadata())
        if done == config.epochs:
            (path / "metrics.json").write_text(json.dumps({"epochs": done}))
        for scene, mask in guesses.items():
            write_mask(path / "validation" / mask_name(scene, role), mask)
            write_probability(
                path / "validation" / probability_name(scene, role), mask.astype(np.float32)
            )
        return path

    @property
    def paths(self):
        return sorted(self.runs.iterdir())


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture
def two_seeds(lab):
    """Role low, BCE and focal, seed 0 with scenes a and b, seed 1 with b and c.

    The Dice of BCE are 1, 2/3; 1, 1/2, those of focal 2/3 all over.
    """
    for name in "abc":
        lab.scene(name)
    perfect, two_thirds, half = guess(4, 0), guess(2, 0), guess(2, 2)
    lab.run("low", "bce", 0, {"a": perfect, "b": two_thirds})
    lab.run("low", "bce", 1, {"b": perfect, "c": half})
    lab.run("low", "focal", 0, {"a": two_thirds, "b": two_thirds})
    lab.run("low", "focal", 1, {"b": two_thirds, "c": two_thirds})
    return lab


@pytest.fixture
def mask():
    """What makes a mask with known counts; see `guess`."""
    return guess
