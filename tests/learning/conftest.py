"""A few small scenes with masks, and the smallest training that shows everything."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.labeling.label_folder import SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.learning.checkpoints import load_last
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.events import TrainEvent
from bracketseg.learning.training import train

ROWS, COLUMNS = 44, 60


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: the nets are tiny and the machine is shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny() -> TrainConfig:
    return TrainConfig(
        epochs=2,
        batch_size=2,
        image_size=32,
        filters=(4, 8),
        validation=0.3,
        device="cpu",
        precision="float32",
    )


def picture(seed: int) -> np.ndarray:
    """A smooth (44, 60, 3) uint8 picture with all of 0..255, unlike that of any other seed."""
    coarse = np.random.default_rng(seed).random((5, 6, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return np.rint(smooth * 255).astype(np.uint8)


def write_picture(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)


@pytest.fixture
def make_brackets(tmp_path: Path) -> Callable[..., list[Bracket]]:
    """Write scenes and give their brackets; the high frame is the low one, brighter."""

    def make(count: int, pictures: Callable[[int], np.ndarray] = picture) -> list[Bracket]:
        brackets = []
        for index in range(count):
            folder = tmp_path / "scenes" / f"s{index}"
            image = pictures(index)
            write_picture(folder / "low.png", image)
            write_picture(folder / "high.png", np.minimum(image, 127) * 2)
            frames = tuple(
                Frame(path=folder / f"{role}.png", ev=ev)
                for role, ev in (("low", -2.0), ("high", 2.0))
            )
            brackets.append(
                Bracket(scene=f"s{index}", frames=frames, ev_source="names", folder=folder)
            )
        return brackets

    return make


@pytest.fixture
def label(tmp_path: Path) -> Callable[..., Path]:
    """Label brackets by the manual ranges and give the folder of masks."""

    def make(brackets: list[Bracket], rules=DEFAULT_RANGES) -> Path:
        info = LabelingInfo(method=rules["low"].method, ranges=rules)
        folder = LabelingFolder.create(tmp_path / "masks", info)
        for event in label_brackets(brackets, rules, folder):
            assert isinstance(event, SceneLabeled)
        return folder.path

    return make


@pytest.fixture
def setting(make_brackets, label, tmp_path):
    """Seven scenes and their masks: five to train on in three steps, two to validate on."""
    brackets = make_brackets(7)
    return brackets, label(brackets), tmp_path


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Everything that the next step depends on, flat."""
    last = load_last(run / "last.pt")
    adam = last["optimizer"]["state"]
    return {
        **last["model"],
        **{f"adam.{i}.{key}": t for i, state in adam.items() for key, t in state.items()},
        **{f"best.{name}": t for name, t in last["best"].items()},
    }


@pytest.fixture
def history():
    """Read the rows of history.csv without the seconds, the one thing that may differ."""

    def read(run: Path) -> list[dict[str, str]]:
        with (run / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]

    return read


@pytest.fixture
def assert_same_run(history):
    """Two finished runs are the same, bit for bit, but for the time they took."""

    def check(one: Path, other: Path) -> None:
        first, second = weights(one), weights(other)
        assert first.keys() == second.keys()
        for name in first:
            assert torch.equal(first[name], second[name]), name
        for file in ("best.safetensors", "metrics.json", "split.json"):
            assert (one / file).read_bytes() == (other / file).read_bytes(), file
        assert history(one) == history(other)

    return check


@pytest.fixture
def run_until(setting):
    """Train and ask for a stop after the first event that `when` holds for."""

    def run(when, config: TrainConfig, out: Path) -> list[TrainEvent]:
        brackets, masks, _ = setting
        events: list[TrainEvent] = []
        for event in train(
            brackets, masks, config, out, should_stop=lambda: any(map(when, events))
        ):
            events.append(event)  # noqa: PERF402 - read while it grows
        return events

    return run
