"""Kills the program again and again while it works, and looks at what is left.

    python -m tests.robustness.crashes --kills 50 --seed 1

Each piece of work (label a folder, predict a folder, train) is begun, killed without a word
(SIGKILL) at a random moment, looked at, and begun again. Once it came to its end it has to be what
it is without any kill.
"""

import argparse
import csv
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bracketseg.brackets.images import read_image
from bracketseg.brackets.layouts import find_brackets

SCENES = 8
_LONGEST = 120.0

# An optimizer of torch brings its compiler with it, which takes seconds.
_PRELOAD = [
    *("bracketseg.cli", "bracketseg.learning.training", "bracketseg.learning.predict_folder"),
    "torch._dynamo",
]


@dataclass(slots=True)
class Tally:
    """How often a piece of work was killed, and how often it came to its end."""

    kills: int = 0
    finished: int = 0


class NotWholeError(AssertionError):
    """A kill left something that must not be."""


def make_set(folder: Path) -> None:
    """Write `SCENES` brackets of 96 x 80 pixels, unlike each other."""
    for index in range(SCENES):
        coarse = np.random.default_rng(index).random((5, 6, 3)).astype(np.float32)
        smooth = cv2.resize(coarse, (96, 80), interpolation=cv2.INTER_CUBIC)
        place = folder / f"s{index}"
        place.mkdir(parents=True)
        for role, gain in (("low", 0.5), ("high", 1.5)):
            pixels = np.clip(smooth * gain * 255, 0, 255).astype(np.uint8)
            cv2.imwrite(str(place / f"{role}.png"), pixels)


def label(data: Path, out: Path) -> None:
    _command("label", data, "--method", "otsu", "--out", out)


def predict(data: Path, out: Path) -> None:
    models = data.parent / "models"
    _command(
        *("predict", data, "--out", out, "--device", "cpu", "--probability"),
        *("--low-model", models / "low.safetensors", "--high-model", models / "high.safetensors"),
    )


def train(data: Path, out: Path) -> None:
    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.training import train as train_network

    config = TrainConfig(
        epochs=6,
        batch_size=2,
        image_size=32,
        filters=(4, 8),
        validation=0.3,
        device="cpu",
        precision="float32",
    )
    # Before its config is there, nothing was begun that could be resumed.
    resume = (out / "config.json").exists()
    masks = data.parent / "masks"
    for _ in train_network(find_brackets(data).brackets, masks, config, out, resume=resume):
        pass


WORK: dict[str, Callable[[Path, Path], None]] = {"label": label, "predict": predict, "train": train}


def _command(*arguments: object) -> None:
    from bracketseg.cli import main

    sys.argv = ["bracketseg", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def make_models(folder: Path) -> None:
    from bracketseg.brackets.bracket import MASK_ROLES
    from bracketseg.learning.checkpoints import save_model
    from bracketseg.learning.config import NetworkConfig
    from bracketseg.learning.model_card import ModelCard
    from bracketseg.learning.unet import UNet

    folder.mkdir(parents=True)
    network = NetworkConfig(filters=(2, 3))
    for role in MASK_ROLES:
        card = ModelCard(
            role=role,
            network=network,
            image_size=32,
            ground_truth={"method": "masks"},
            loss="bce",
            seed=0,
            epoch=1,
            metrics={},
            versions={},
        )
        save_model(folder / f"{role}.safetensors", UNet(network), card)


def look(folder: Path) -> None:
    """Every file under its final name has to be whole.

    Raises
    ------
    NotWholeError
    """
    from bracketseg.learning.checkpoints import load_last, load_model

    readers: dict[str, Callable[[Path], Any]] = {
        ".png": read_image,
        ".json": lambda path: json.loads(path.read_bytes()),
        ".csv": lambda path: list(csv.DictReader(path.read_text().splitlines(), strict=True)),
        ".safetensors": load_model,
        ".pt": load_last,
    }
    for path in folder.rglob("*"):
        if path.is_dir() or path.name.startswith("."):
            continue
        try:
            readers[path.suffix](path)
        except Exception as error:
            raise NotWholeError(f"{path} is not whole") from error


def result(folder: Path) -> dict[str, str]:
    """Digests of what has to be the same whatever happened on the way."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".png", ".safetensors") or path.name in ("coverage.csv", "split.json")
        if not path.name.startswith(".")
    }


def _run(name: str, data: str, out: str, started: Any) -> None:
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    import torch

    torch.set_num_threads(1)
    started.set()
    WORK[name](Path(data), Path(out))


class Killer:
    """Begins work in processes of its own, and ends them when it pleases."""

    def __init__(self, place: Path, seed: int) -> None:
        self._place = place
        self._rng = np.random.default_rng(seed)
        self._context: Any = multiprocessing.get_context(
            "spawn" if sys.platform == "win32" else "forkserver"
        )
        if sys.platform != "win32":
            # All is imported once: a process is there in milliseconds.
            multiprocessing.set_forkserver_preload(_PRELOAD)
        self._data = place / "data"
        make_set(self._data)
        make_models(place / "models")
        self.work("label", place / "masks")

    def work(self, name: str, out: Path, seconds: float | None = None) -> float | None:
        """Do a piece of work; with `seconds`, kill it after that time.

        Returns
        -------
        float or None
            How long it took; None if it was killed.
        """
        started = self._context.Event()
        child = self._context.Process(
            target=_run, args=(name, str(self._data), str(out), started), daemon=True
        )
        child.start()
        if not started.wait(_LONGEST):
            child.kill()
            raise NotWholeError(f"{name} does not start")
        begin = time.perf_counter()
        child.join(_LONGEST if seconds is None else seconds)
        took = time.perf_counter() - begin
        if child.exitcode is None:
            child.kill()
            child.join()
            if seconds is None:
                raise NotWholeError(f"{name} takes more than {_LONGEST:g} s")
            return None
        if child.exitcode != 0:
            raise NotWholeError(f"{name} ended with {child.exitcode} in {out}")
        return took

    def torment(self, name: str, kills: int) -> Tally:
        """Kill a piece of work so many times.

        Raises
        ------
        NotWholeError
            If a file is not whole, the work cannot go on, or its end is another.
        """
        tally, wanted_in = Tally(), self._place / f"{name}-whole"
        took = self.work(name, wanted_in) or 0.0
        wanted = result(wanted_in)
        while tally.kills < kills or not tally.finished:
            out = self._place / f"{name}-{tally.finished}"
            # The last one is left to come to its end.
            while tally.kills < kills:
                ended = self.work(name, out, float(self._rng.uniform(0, took)))
                look(out)
                if ended is not None:
                    break
                tally.kills += 1
                # Late ones leave little to do: begin anew before there is none.
                if self._rng.random() < 0.2:
                    break
            self.work(name, out)
            look(out)
            if result(out) != wanted:
                raise NotWholeError(f"{name} came to another end in {out}")
            tally.finished += 1
            if left := [str(path) for path in out.rglob(".*")]:
                raise NotWholeError(f"{name} left {left}")
            shutil.rmtree(out)
        return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="for each piece of work")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        killer = Killer(Path(place), given.seed)
        for name in WORK:
            tally = killer.torment(name, given.kills)
            print(f"{name}: {tally.kills} kills, {tally.finished} times brought to the same end")


if __name__ == "__main__":
    main()
