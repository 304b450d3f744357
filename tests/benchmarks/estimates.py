"""What predictions and trainings take, beside what was estimated before they began.

    python tests/benchmarks/estimates.py

Run it while the machine does nothing else: what it does in between counts on one side only. Prints
Markdown rows: the time that was estimated, the time that was taken, and the first by the second.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from scenes import write_mosaics

from bracketseg.allocator import keep_freed_memory

keep_freed_memory()  # as the command does, before torch takes any memory

from bracketseg.brackets.align_method import AlignMethod  # noqa: E402
from bracketseg.brackets.bracket import Bracket  # noqa: E402
from bracketseg.brackets.layouts import find_brackets  # noqa: E402
from bracketseg.labeling.label_folder import label_brackets  # noqa: E402
from bracketseg.labeling.mask_store import LabelingFolder  # noqa: E402
from bracketseg.labeling.ranges import DEFAULT_RANGES  # noqa: E402
from bracketseg.labeling.records import LabelingInfo  # noqa: E402
from bracketseg.learning.checkpoints import load_model  # noqa: E402
from bracketseg.learning.config import PredictConfig, TrainConfig  # noqa: E402
from bracketseg.learning.events import Estimated  # noqa: E402
from bracketseg.learning.predict_folder import predict_brackets  # noqa: E402
from bracketseg.learning.prediction_estimate import expect_prediction  # noqa: E402
from bracketseg.learning.shipped import shipped_model  # noqa: E402
from bracketseg.learning.training import train  # noqa: E402

SCENES, SHAPE = 20, (1060, 1900)
PREDICTIONS: dict[str, tuple[dict[str, Any], AlignMethod]] = {
    "full": ({}, "off"),
    "full, by torch": ({"engine": "torch"}, "off"),
    "full, with probabilities": ({"probability": True}, "off"),
    "full, aligned by shifts": ({}, "shift"),
    "full, aligned by homographies": ({}, "homography"),
    "--scale train": ({"scale": "train"}, "off"),
}
SIZES = {64: 40, 128: 30, 256: 20, 512: 15}
"""Sides of what is learned, and epochs: enough for an estimate."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.parse_args()
    print("| work | estimated, s | taken, s | ratio |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        scenes = write_mosaics(home / "scenes", SCENES, SHAPE, ".jpg")
        brackets = find_brackets(scenes).brackets
        done = chain(predictions(brackets, home), trainings(brackets, home))
        for work, estimated, taken in done:
            print(
                f"| {work} | {estimated:.1f} | {taken:.1f} | {estimated / taken:.2f} |", flush=True
            )


def predictions(brackets: list[Bracket], home: Path) -> Iterator[tuple[str, float, float]]:
    models = {role: load_model(shipped_model(role)) for role in ("low", "high")}
    for name, (settings, align) in PREDICTIONS.items():
        config = PredictConfig(**settings)
        out = home / name
        events = predict_brackets(brackets, models, out, align=align, **config.model_dump())
        expected = expect_prediction(brackets, models, config, out, align=align)
        assert expected is not None
        start = time.perf_counter()
        list(events)
        yield f"predict, {name}", expected.seconds, time.perf_counter() - start


def trainings(brackets: list[Bracket], home: Path) -> Iterator[tuple[str, float, float]]:
    info = LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES))
    masks = LabelingFolder.create(home / "masks", info)
    list(label_brackets(brackets, DEFAULT_RANGES, masks))
    for size, epochs in SIZES.items():
        config = TrainConfig(image_size=size, batch_size=2, epochs=epochs)
        estimated = start = math.nan
        for event in train(brackets, masks.path, config, home / str(size)):
            if isinstance(event, Estimated):
                estimated, start = event.seconds, time.perf_counter()
        yield f"train, {size}x{size}", estimated, time.perf_counter() - start


if __name__ == "__main__":
    main()
