"""Train the two networks that the package brings, on brackets made from CC0 radiance maps alone.

With the maps fetched and unpacked as ``make_sample_data.py`` says::

    python sample_data/make_models.py --assets package --blender blender --work work

This renders brackets from random views into the maps, labels them by the manual ranges, trains a
network for each role (both at once, one thread each), measures both on maps that no training has
seen, and writes the weights and the model card. It takes half an hour of processor time; when it
was interrupted, the same command goes on from there. On the same kind of processor, with the same
versions and seed, it writes the same weights.

With ``--method auto`` (or another way to label) the networks learn masks made in that way instead,
and lie under ``work``; ``tests/benchmarks/mask_quality.py --models`` says what they are worth.
"""

from __future__ import annotations

import argparse
import datetime
import json
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from make_sample_data import Response, expose, meter, read_map, save, view
from model_card import Measured, model_card
from scenes import Package, Scene

from bracketseg.allocator import keep_freed_memory
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.files import write_text
from bracketseg.brackets.layouts import find_brackets
from bracketseg.evaluation.folders import evaluate_folders
from bracketseg.labeling.label_folder import SceneFailed, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.rules import FOUND_RULES, Rule
from bracketseg.learning.config import TrainConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bracketseg.learning.model_card import ModelCard

OUT = Path(__file__).resolve().parents[1] / "src" / "bracketseg" / "models"

# "sunrise" of @pmndrs/assets is left out: it is the same map as that of blender-data.
TRAINING_MAPS: dict[Package, tuple[str, ...]] = {
    "blender-data": ("city", "forest", "night", "studio", "sunrise", "sunset"),
    "@pmndrs/assets": (
        *("apartment", "bridge", "esplanade", "hall", "lab", "night", "park", "sky"),
        *("studio", "sunset", "venice", "warehouse", "workshop"),
    ),
}
TEST_MAPS: dict[Package, tuple[str, ...]] = {
    "blender-data": ("courtyard", "interior"),
    "@pmndrs/assets": ("city", "dawn", "forest", "lobby"),
}
TRAINING_VIEWS, TEST_VIEWS = 54, 20  # of each map
TRAINING_SIZE, TEST_SIZE = (256, 256), (384, 256)
ISO = (100, 200, 400, 800, 1600, 3200)


def settings(role: MaskRole, seed: int) -> TrainConfig:
    """Give the settings of the training of one role."""
    return TrainConfig(
        role=role, image_size=256, batch_size=4, epochs=5, validation=0.1, seed=seed, device="cpu"
    )


def random_scene(
    package: Package, name: str, number: int, size: tuple[int, int], generator: np.random.Generator
) -> Scene:
    """Point the camera somewhere into a map."""
    draw = generator.uniform
    return Scene(
        name=f"{package.strip('@').partition('/')[0]}_{name}_{number:02d}",
        package=package,
        map_name=name,
        yaw=draw(-180, 180),
        pitch=draw(-30, 30),
        field_of_view=draw(70, 150),
        time=Fraction(1, 60),
        f_number=8,
        iso=int(generator.choice(ISO)),
        metered=draw(80, 165),
        size=size,
        sharpening=draw(0.3, 1.5),
    )


def random_light(
    radiance: NDArray[np.float32], generator: np.random.Generator
) -> NDArray[np.float32]:
    """Change the colour of the light and how saturated the colours are, at random.

    Without it, one channel would do for the luma in many views.
    """
    grey = radiance.mean(axis=2, keepdims=True)
    saturated = grey + generator.uniform(0.3, 1.8) * (radiance - grey)
    tinted = np.maximum(saturated, 0.02 * grey) * np.exp(generator.normal(0, 0.2, 3))
    return np.asarray(tinted, np.float32)


def random_response(generator: np.random.Generator) -> Response:
    """Draw the response of a camera; half of them clip below the display's white."""
    return Response(
        shoulder=generator.uniform(0.5, 3.5),
        contrast=generator.uniform(0, 0.7),
        white=generator.choice([1.0, generator.uniform(0.94, 1)]),
    )


def render_map(
    source: tuple[Package, str],
    views: int,
    size: tuple[int, int],
    arguments: argparse.Namespace,
    folder: Path,
) -> None:
    """Write the brackets of random views into one map, at -2, 0 and +2 EV."""
    package, name = source
    seed = [arguments.seed, *f"{package}/{name}".encode()]
    radiance = None
    for number in range(views):
        generator = np.random.default_rng([*seed, number])
        scene = random_scene(package, name, number, size, generator)
        if (folder / scene.name).is_dir():
            continue
        if radiance is None:
            radiance = read_map(scene, arguments.assets, arguments.blender)
        seen = random_light(view(radiance, scene), generator)
        response = random_response(generator)
        scaled = seen * np.float32(meter(seen[::4, ::4], scene.metered, response))
        quality = int(generator.integers(75, 98))
        taken = datetime.datetime(2024, 5, 4) + datetime.timedelta(minutes=number)  # no zone
        for file, ev in scene.frames():
            pixels = expose(scaled, ev, scene.iso, generator, response)
            save(folder / f"{scene.name}.part" / file, pixels, scene, ev, taken, quality)
        (folder / f"{scene.name}.part").rename(folder / scene.name)


def render(
    maps: dict[Package, tuple[str, ...]],
    views: int,
    size: tuple[int, int],
    arguments: argparse.Namespace,
    folder: Path,
) -> None:
    """Write the brackets of all maps that are not there yet."""
    sources = [(package, name) for package, names in maps.items() for name in names]
    work = partial(render_map, views=views, size=size, arguments=arguments, folder=folder)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for (package, name), _ in zip(sources, pool.map(work, sources), strict=True):
            print(f"rendered {package} {name}", flush=True)


def label(brackets: Path, masks: Path, method: str) -> None:
    """Make the ground truth: by the manual ranges of the paper, or by ranges that are found."""
    rules: dict[MaskRole, Rule] = dict(DEFAULT_RANGES)
    if method != "manual":
        rules = dict.fromkeys(MASK_ROLES, FOUND_RULES[method])
    folder = LabelingFolder.create(masks, LabelingInfo(method=method, ranges=rules))
    _all_done(label_brackets(find_brackets(brackets).brackets, rules, folder))


def _all_done(events: Iterable[object]) -> None:
    for event in events:
        if isinstance(event, SceneFailed):
            raise event.error


def train_role(role: MaskRole, seed: int, work: Path) -> None:
    """Train the network of one role, in a process of its own."""
    keep_freed_memory()
    import torch

    from bracketseg.learning.events import EpochDone
    from bracketseg.learning.training import train

    torch.set_num_threads(1)
    run = work / f"{role}-run"
    brackets = find_brackets(work / "train").brackets
    resume = (run / "last.pt").is_file()
    for event in train(brackets, work / "train-masks", settings(role, seed), run, resume=resume):
        if isinstance(event, EpochDone):
            print(
                f"{role} {event.epoch}/{event.epochs}: loss {event.train_loss:.4f}, validation "
                f"Dice {event.validation_dice:.4f}, {event.seconds:.0f} s",
                flush=True,
            )


def ship(run: Path, file: Path) -> ModelCard:
    """Write the best weights of a run as float16, which takes half the room."""
    from bracketseg.learning.checkpoints import load_model, save_model

    model = load_model(run)
    save_model(file, model.unet.half(), model.card)
    return model.card


def measure(brackets: Path, models: Path, work: Path, method: str) -> Measured:
    """Predict brackets at full resolution and hold the masks against those of the method."""
    from bracketseg.learning.checkpoints import load_model
    from bracketseg.learning.predict_folder import predict_brackets

    masks, prediction = work / f"{brackets.name}-masks", work / f"{brackets.name}-prediction"
    label(brackets, masks, method)
    loaded = {role: load_model(models / f"{role}.safetensors") for role in MASK_ROLES}
    _all_done(
        predict_brackets(
            find_brackets(brackets).brackets, loaded, prediction, device="cpu", overwrite=True
        )
    )
    return Measured(evaluate_folders(masks, prediction).scenes)


def main() -> None:
    """Make the models and their card."""
    parser = argparse.ArgumentParser(description="Make the models that the package brings.")
    parser.add_argument("--assets", type=Path, required=True, help="unpacked @pmndrs/assets")
    parser.add_argument("--blender", type=Path, required=True, help="unpacked blender-data")
    parser.add_argument("--work", type=Path, required=True, help="folder for what lies between")
    parser.add_argument("--out", type=Path, help="folder for the models")
    parser.add_argument(
        "--method", choices=("manual", *FOUND_RULES), default="manual", help="what they learn"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--real", nargs=2, metavar=("DIR", "WORDS"), help="brackets to measure too, and what to say"
    )
    arguments = parser.parse_args()
    work, method, spawn = arguments.work, arguments.method, get_context("spawn")
    out = arguments.out or (OUT if method == "manual" else work / "models")
    render(TRAINING_MAPS, TRAINING_VIEWS, TRAINING_SIZE, arguments, work / "train")
    render(TEST_MAPS, TEST_VIEWS, TEST_SIZE, arguments, work / "test")
    label(work / "train", work / "train-masks", method)
    with ProcessPoolExecutor(len(MASK_ROLES), mp_context=spawn) as pool:
        list(pool.map(partial(train_role, seed=arguments.seed, work=work), MASK_ROLES))
    out.mkdir(parents=True, exist_ok=True)
    cards = {role: ship(work / f"{role}-run", out / f"{role}.safetensors") for role in MASK_ROLES}
    real = None
    if arguments.real:
        real = arguments.real[1], measure(Path(arguments.real[0]), out, work / "real", method)
    split = json.loads((work / "low-run" / "split.json").read_text(encoding="utf-8"))
    card = model_card(
        models=out,
        cards=cards,
        config=settings("low", arguments.seed),
        maps=(TRAINING_MAPS, TEST_MAPS),
        scenes=(len(split["train"]), len(split["validation"])),
        measured=measure(work / "test", out, work, method),
        method=method,
        real=real,
    )
    write_text(out / "README.md", card)


if __name__ == "__main__":
    main()
