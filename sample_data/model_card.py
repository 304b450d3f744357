"""The description that lies beside the models: what they are, how they were made, how good."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.labeling.mask_store import file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from scenes import Package

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.evaluation.metrics import Metrics
    from bracketseg.evaluation.pairs import SceneMetrics
    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.model_card import ModelCard

    Maps = Mapping[Package, tuple[str, ...]]

TINY = 0.01
"""A mask that covers less of the frame is so small that a few pixels decide its Dice."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Predicted masks held against the truth that was taught, scene by scene."""

    scenes: tuple[SceneMetrics, ...]

    def of(self, role: MaskRole, *, tiny: bool = True) -> list[Metrics]:
        """Give the metrics of a role, with or without the references that are tiny."""
        found = [scene.metrics for scene in self.scenes if scene.role == role]
        return [m for m in found if tiny or m.reference_foreground >= TINY]

    def rows(self) -> str:
        """Give the rows of a table, see `HEADING`."""
        return "\n".join(
            _row(role, self.of(role), self.of(role, tiny=False)) for role in MASK_ROLES
        )

    def by_map(self) -> str:
        """Give a row for each map: the name of a scene without its number, and its mean Dice."""
        maps = sorted({scene.scene.rpartition("_")[0] for scene in self.scenes})
        rows = []
        for name in maps:
            here = Measured(tuple(s for s in self.scenes if s.scene.rpartition("_")[0] == name))
            dice = (f"{fmean(m.dice for m in here.of(role)):.3f}" for role in MASK_ROLES)
            rows.append(f"| {name.replace('_', ': ', 1)} | {' | '.join(dice)} |")
        return "\n".join(rows)


HEADING = """\
| role | frames | Dice | median | Jaccard | sensitivity | specificity | foreground, truth | \
foreground, predicted | Dice of "all foreground" | Dice of "none" | Dice of truths over 1 % |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"""


def _row(role: MaskRole, every: list[Metrics], larger: list[Metrics]) -> str:
    def mean(value: Callable[[Metrics], float], of: Iterable[Metrics] = every) -> str:
        return f"{fmean(value(m) for m in of):.3f}"

    cells = (
        role,
        len(every),
        mean(lambda m: m.dice),
        f"{median(m.dice for m in every):.3f}",
        mean(lambda m: m.jaccard),
        mean(lambda m: m.sensitivity),
        mean(lambda m: m.specificity),
        mean(lambda m: m.reference_foreground),
        mean(lambda m: m.prediction_foreground),
        mean(lambda m: 2 * m.reference_foreground / (1 + m.reference_foreground)),
        mean(lambda m: float(m.reference_foreground == 0)),
        f"{mean(lambda m: m.dice, larger)} ({len(larger)})",
    )
    return f"| {' | '.join(map(str, cells))} |"


def model_card(
    models: Path,
    cards: Mapping[MaskRole, ModelCard],
    config: TrainConfig,
    maps: tuple[Maps, Maps],
    scenes: tuple[int, int],
    measured: Measured,
    real: tuple[str, Measured] | None,
    method: str = "manual",
) -> str:
    """Write the card.

    Parameters
    ----------
    models : Path
        The folder with the files.
    cards : mapping of role to ModelCard
        Of each file.
    config : TrainConfig
        Of one of the two trainings; they differ by their role.
    maps : tuple of mappings
        The maps of each package that were trained and tested on.
    scenes : tuple of int
        How many brackets were trained on, and how many kept back from these to choose the epoch.
    measured : Measured
        On the maps that were not trained on.
    real : tuple of str and Measured, optional
        What real brackets are, and how it went on them.
    method : str
        How the truth was made; those that the package brings learned "manual" ranges.
    """
    files = "\n".join(_file(models / f"{role}.safetensors", card) for role, card in cards.items())
    versions = ", ".join(f"{name} {value}" for name, value in cards["low"].versions.items())
    on_real = (
        "" if real is None else REAL.format(words=real[0], heading=HEADING, rows=real[1].rows())
    )
    card = CARD.format(
        files=files,
        title="that bracketseg brings" if method == "manual" else f"taught by {method}",
        taught=MANUAL if method == "manual" else FOUND.format(method=method),
        training=_listed(maps[0]),
        test=_listed(maps[1]),
        places=sum(map(len, maps[0].values())),
        scenes=scenes[0],
        kept=scenes[1],
        tested=len({scene.scene for scene in measured.scenes}),
        config=config,
        versions=versions,
        heading=HEADING,
        rows=measured.rows(),
        by_map=measured.by_map(),
        real=on_real,
    )
    return "\n\n".join(_wrapped(block) for block in card.split("\n\n")) + "\n"


def _wrapped(block: str) -> str:
    """Fill the lines of a paragraph or a list; leave tables, headings and comments."""
    if block.lstrip().startswith(("|", "#", "<")):
        return block
    items = re.split(r"\n(?=- )", block.strip())
    indent = "  " if block.lstrip().startswith("- ") else ""
    filled = (
        textwrap.fill(" ".join(item.split()), 100, subsequent_indent=indent, break_on_hyphens=False)
        for item in items
    )
    return "\n".join(filled)


def _file(path: Path, card: ModelCard) -> str:
    size = f"{path.stat().st_size / 1e6:.2f} MB"
    dice = f"{card.metrics['dice']:.3f}"
    return f"| `{path.name}` | {size} | {card.epoch} | {dice} | `{file_sha256(path)}` |"


def _listed(maps: Maps) -> str:
    return "; ".join(f"`{package}`: {', '.join(names)}" for package, names in maps.items())


MANUAL = """\
The truth is the paper's manual ranges: luma 120 to 255 in the low frame, 0 to 200 in the high one
(both ends included). The paper finds them better than Otsu's threshold.

**A range of luma is a rule that needs no network.** `bracketseg label --method manual` gives this
truth exactly, and much faster. So these models are there to see how prediction works
right after the installation, and as something to hold your own against. A network is worth its time
where it is trained on masks that no rule gives: corrected by hand, or agreed on by several people.\
"""

FOUND = """\
The truth is what `bracketseg label --method {method}` makes of each bracket."""

CARD = """\
# The models {title}

<!-- Written by sample_data/make_models.py; change sample_data/model_card.py instead. -->

Two networks to begin with: the U-Net of the paper (2,158,705 parameters), one for the dark frame of
an exposure bracket and one for the bright frame. Each takes one RGB frame and gives for each pixel
the probability that it is well exposed. They were trained on simulated brackets alone.

| file | size | epoch | Dice, validation | SHA-256 |
|---|---:|---:|---:|---|
{files}

The weights are float16 in the file and float32 in use. The file's metadata hold the same
description as those of any run.

## What they were taught

{taught}

## Data

Brackets at -2, 0 and +2 EV, rendered by `sample_data/make_sample_data.py` from random views into
radiance maps by Poly Haven that are CC0 1.0. Drawn at random for each bracket: direction, field of
view (70 to 150 degrees), metering (medium frame at a mean luma of 80 to 165), colour of the light,
saturation, response of the camera and its white, ISO 100 to 3200 with its noise, sharpening, and
JPEG quality. Where the maps come from, and where their terms stand, is written in
`sample_data/README.md`: `blender-data` 3.4.1+dfsg-2 (Debian) and `@pmndrs/assets` 1.7.0 (npm).

- {scenes} brackets of 256x256 to train on, and {kept} kept back at random to choose the epoch, from
  {places} maps ({training}). The two groups share maps, so the Dice of the validation flatters.
- {tested} brackets of 384x256 to test on, from other maps ({test}).

## Training

`bracketseg train` with the loss {config.loss}, Adam at {config.learning_rate:g}, dropout
{config.dropout:g}, flips and quarter turns, {config.epochs} epochs, batches of {config.batch_size},
images of {config.image_size}x{config.image_size}, seed {config.seed}, bfloat16 autocast, on a CPU
with one thread each. The epoch with the best Dice on the validation counts. Made with {versions}.

## How good they are

Means over frames at full resolution, threshold 0.5. A constant mask is no achievement, so what it
would reach stands beside.

### On maps that no training has seen

{heading}
{rows}

| map | Dice, low | Dice, high |
|---|---:|---:|
{by_map}
{real}
## Limits

- Where the truth is tiny, a handful of pixels decides the Dice: look at the last column.
- The network of the high frame takes in a little too much: hold its two foregrounds against each
  other.
- They know simulated cameras and the light of {places} places, most of them from maps of 512x256,
  so that fine texture is rare in what they have seen.
- Frames are display-referred (JPEG-like). Linear or logarithmic pictures are strange to them.
- `--scale full` is what was measured here; `--scale train` squeezes a frame to 256x256 and loses
  detail.
- They judge one frame by itself, know nothing of the others, and do not see ghosts or misalignment.

## Terms

The same as those of bracketseg (BSD-3-Clause). The maps are CC0 1.0 and ask for nothing.
"""

REAL = """
### On real photographs

{words} Nothing was tuned on them.

{heading}
{rows}
"""
