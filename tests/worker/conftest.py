"""Small labelled scenes, and one worker for all tests that leave it alive."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.learning.config import TrainConfig
from bracketseg.worker.client import Worker


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five scenes of 48 x 64, and their masks by the default ranges in `masks`."""
    folder = tmp_path_factory.mktemp("worker")
    for seed in range(5):
        coarse = np.random.default_rng(seed).random((4, 5, 3)).astype(np.float32)
        image = np.clip(cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC), 0, 1)
        scene = folder / "scenes" / f"s{seed}"
        scene.mkdir(parents=True)
        for name, gain in (("low", 128), ("high", 255)):
            assert cv2.imwrite(str(scene / f"{name}.png"), np.uint8(image * gain))
    brackets = find_brackets(folder / "scenes").brackets
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES)
    labeling = LabelingFolder.create(folder / "masks", info)
    list(label_brackets(brackets, DEFAULT_RANGES, labeling))
    return folder


@pytest.fixture(scope="session")
def tiny() -> TrainConfig:
    return TrainConfig(
        role="low",
        epochs=2,
        batch_size=2,
        image_size=32,
        filters=(4, 8),
        validation=0.3,
        device="cpu",
        precision="float32",
    )


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close(wait=True)
