"""Training steps of the paper's network, by bracketseg, by plain torch and by Keras.

    pip install "bracketseg[bench]"
    python tests/benchmarks/steps.py

Each way has a process of its own, and they take turns, step by step, so that what else the machine
does hits all of them. Network, loss, batch and optimiser are the same; the pictures of plain torch
and of Keras lie ready as float32, while those of bracketseg are picked and turned for each step, as
in a training. On a GPU (`--device cuda`) Keras is left out. Prints Markdown rows.

On a GPU the network of bracketseg is also compiled by `torch.compile`, to see whether that pays; on
a CPU with `--compile`, and then without Keras.

`--curves` trains on the sample data instead: the same learning curve, in the number format that the
device is fast in and in float32, over several seeds; and the time beside what was estimated.
"""

import argparse
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.resources import as_file, files
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from table import print_head, print_rows

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Step = Callable[[], float]
"""Does a step and tells how many of its seconds went into picking the pictures."""

PLAIN = "torch eager, float32"
COMPILED = "bracketseg, its network by torch.compile"
SEEDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="the compiled network, on a CPU too")
    parser.add_argument("--curves", action="store_true", help="compare learning curves instead")
    options = parser.parse_args()
    if options.curves:
        curves(options.device)
        return
    print_head()
    steps(options)


def steps(options: argparse.Namespace) -> None:
    ways = {"bracketseg": ours, PLAIN: plain}
    if options.compile or options.device != "cpu":
        ways[COMPILED] = compiled
    if options.device == "cpu" and not options.compile:
        ways["Keras"] = in_keras
    context = multiprocessing.get_context("spawn")
    processes, ends = [], {}
    for name, way in ways.items():
        end, other = context.Pipe()
        arguments = (way, other, options.batch, options.size, options.device)
        processes.append(context.Process(target=serve, args=arguments, daemon=True))
        processes[-1].start()
        other.close()  # so that the end of the process is the end of what it says
        ends[name] = end
        # The first steps make ready whatever is made ready.
        for _ in range(2):
            asked(end)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    picking = []
    for _ in range(options.rounds):
        for name, end in ends.items():
            took, picked = asked(end)
            seconds[name].append(took)
            if name == "bracketseg":
                picking.append(picked / took)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    notes = {name: f"{options.batch / median:.2f} images/s" for name, median in medians.items()}
    notes["bracketseg"] += f"; picking and turning: {100 * statistics.median(picking):.1f} %"
    print_rows(f"a step, {options.batch} images of {options.size}x{options.size}", medians, notes)


def asked(end: Connection) -> tuple[float, float]:
    end.send(None)
    took: tuple[float, float] = end.recv()
    return took


def serve(
    way: Callable[[int, int, str], Step], asking: Connection, batch: int, size: int, device: str
) -> None:
    step = way(batch, size, device)
    while True:
        asking.recv()
        start = time.perf_counter()
        picked = step()
        asking.send((time.perf_counter() - start, picked))


def pictures(count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth pictures and masks that have something to do with them."""
    import cv2

    coarse = np.random.default_rng(0).integers(0, 256, (count, 9, 9, 3)).astype(np.float32)
    smooth = [cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC) for one in coarse]
    images = np.clip(np.stack(smooth), 0, 255).astype(np.uint8)
    return images, images.mean(axis=3) > 140


def compiled(batch: int, size: int, device: str) -> Step:
    return ours(batch, size, device, compiling=True)


def ours(batch: int, size: int, device: str, *, compiling: bool = False) -> Step:
    from bracketseg.allocator import keep_freed_memory

    keep_freed_memory()  # as the command does, before torch takes any memory
    import torch

    from bracketseg.learning import unet
    from bracketseg.learning.batches import Draw, generator_for
    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.dataset import Dataset
    from bracketseg.learning.device_data import DeviceData
    from bracketseg.learning.devices import resolve_device, resolve_precision
    from bracketseg.learning.optimization import Optimization

    there = resolve_device(device)
    images, masks = pictures(4 * batch, size)
    names = tuple(map(str, range(len(images))))
    nowhere = np.zeros_like(masks)
    data = DeviceData(
        Dataset(scenes=names, images=images, masks=masks, outside=nowhere, rethresholded=0), there
    )
    config = TrainConfig(batch_size=batch, image_size=size)
    optimization = Optimization(config, there, resolve_precision("auto", there))
    if compiling:
        # The compiler can do nothing with random numbers from generators of their own.
        unet._kept = torch.compiler.disable(unet._kept)
        # In place, so that its weights stay those of the optimiser.
        optimization.unet.compile()
    random, number = np.random.default_rng(0), 0

    def step() -> float:
        nonlocal number
        number += 1
        start = time.perf_counter()
        shown = data.batch(random.permutation(len(images))[:batch])
        shown = shown.turned(generator_for(Draw.AUGMENT, 0, 1, number))
        picked = time.perf_counter() - start
        optimization.step(shown, 1, number)
        return picked

    return step


def plain(batch: int, size: int, device: str) -> Step:
    import torch

    from bracketseg.learning.config import NetworkConfig
    from bracketseg.learning.unet import UNet

    images, masks = pictures(batch, size)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div(255).to(device)
    y = torch.from_numpy(masks)[:, None].float().to(device)
    unet = UNet(NetworkConfig()).to(device).train()
    optimizer = torch.optim.Adam(unet.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(unet(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
        return 0.0

    return step


def in_keras(batch: int, size: int, device: str) -> Step:
    import keras
    from keras import layers

    images, masks = pictures(batch, size)
    x, y = images.astype(np.float32) / 255, masks[..., None].astype(np.float32)

    def convolved(x: object, filters: int) -> object:
        return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)

    filters, rate, skips = (16, 32, 64, 128, 256), 0.1, []
    picture = keras.Input((size, size, 3))
    inside = picture
    for level, count in enumerate(filters):
        if level:
            skips.append(inside)
            inside = layers.MaxPooling2D()(inside)
        inside = layers.Dropout(rate)(convolved(convolved(inside, count), count))
    for count in filters[-2::-1]:
        inside = layers.Conv2DTranspose(count, 3, strides=2, padding="same")(inside)
        inside = convolved(layers.Concatenate()([inside, skips.pop()]), count)
        inside = convolved(layers.Dropout(rate)(inside), count)
    network = keras.Model(picture, layers.Conv2D(1, 1)(inside))
    network.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )

    def step() -> float:
        network.train_on_batch(x, y)
        return 0.0

    return step


def curves(device: str) -> None:
    from bracketseg.brackets.layouts import find_brackets
    from bracketseg.labeling.label_folder import label_brackets
    from bracketseg.labeling.mask_store import LabelingFolder
    from bracketseg.labeling.ranges import DEFAULT_RANGES
    from bracketseg.labeling.records import LabelingInfo
    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.events import EpochDone, Estimated
    from bracketseg.learning.training import train

    ways: dict[str, dict[int, list[float]]] = {"auto": {}, "float32": {}}
    with (
        tempfile.TemporaryDirectory() as name,
        as_file(files("bracketseg") / "sample_data" / "brackets") as sample,
    ):
        brackets = find_brackets(sample).brackets
        info = LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES))
        masks = Path(name) / "masks"
        list(label_brackets(brackets, DEFAULT_RANGES, LabelingFolder.create(masks, info)))
        for seed in range(SEEDS):
            for precision, losses in ways.items():
                config = TrainConfig.model_validate(
                    {"role": "low", "image_size": 64, "batch_size": 4, "epochs": 15, "seed": seed}
                    | {"precision": precision, "device": device}
                )
                out, estimated = Path(name) / f"{precision}-{seed}", math.nan
                began = time.perf_counter()
                for event in train(brackets, masks, config, out):
                    if isinstance(event, Estimated):
                        estimated, began = event.seconds, time.perf_counter()
                    if isinstance(event, EpochDone):
                        losses.setdefault(event.epoch, []).append(event.train_loss)
                took = time.perf_counter() - began
                print(f"{precision}, seed {seed}: {estimated:.1f} s estimated, {took:.1f} s taken")
    print(f"Training loss, mean and standard deviation over {SEEDS} seeds.\n")
    print(f"| epoch | {' | '.join(ways)} |\n|---:|{'---:|' * len(ways)}")
    for epoch in ways["auto"]:
        found = (losses[epoch] for losses in ways.values())
        cells = (f"{statistics.mean(f):.4f} ± {statistics.stdev(f):.4f}" for f in found)
        print(f"| {epoch} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
