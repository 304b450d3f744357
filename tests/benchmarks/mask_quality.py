"""Measures what masks are worth: the radiance and the picture that they make of a bracket.

Fetch and unpack the radiance maps as `sample_data/make_sample_data.py` says, then:

    python tests/benchmarks/mask_quality.py --assets package --blender blender

It prints a Markdown table: means and standard deviations over brackets simulated from the maps on
which nothing was tuned, at three noise levels. With `--real PATH` it measures the brackets of a
folder instead, which have no truth; with `--models FOLDER` it also measures other networks,
such as `sample_data/make_models.py --method auto` makes. `docs/mask-quality.md` says what each
column and row is.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

import cv2
import numpy as np
from merging import (
    Frames,
    best_frame,
    best_ranges,
    blended,
    brightest_unclipped,
    debevec_opencv,
    debevec_weights,
    enfuse,
    has_enfuse,
    merged,
    mertens,
    weights_of,
)
from numpy.typing import NDArray
from simulated import HELD_OUT, TUNING, WHITE, Simulated, simulate
from skimage.metrics import structural_similarity

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.evaluation.fidelity import log_radiance_error, mu_law, psnr_mu
from bracketseg.evaluation.mef_ssim import mef_ssim
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.rules import FOUND_RULES, Rule, found_for
from bracketseg.learning.shipped import shipped_model

ISO = (100, 400, 1600)
REAL_WHITE = 254
"""From this value on a channel of a photograph counts as clipped."""

Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]
Method = Callable[[Frames, int], Masks]
"""Of frames, dark to bright, and the value from which on a channel counts as clipped."""

TITLES = {
    "manual": "manual [120, 255], [0, 200]",
    "auto": "**auto**",
    "first": "first rule, p = 0.2, true white",
    "otsu": "Otsu",
    "division": "histogram division",
    "mixture": "Gaussian mixture",
    "valley": "valley point",
    "network": "networks of the package",
    "network-unseen": "... on maps that they have not learned from",
    "auto-unseen": "... auto on the same maps",
    "manual-unseen": "... manual on the same maps",
    "other": "networks of --models",
    "other-unseen": "... on maps that they have not learned from",
    "debevec": "Debevec, OpenCV, true response",
    "hats": "Debevec's weights, each channel, true white",
    "hats-time": "... times exposure time",
    "brightest": "brightest frame that does not clip, true white",
    "ranges": "best ranges of each bracket (need the truth)",
    "best": "best frame of each pixel (needs the truth)",
    "mertens": "Mertens, OpenCV",
    "enfuse": "enfuse",
}
COLUMNS = {
    **{f"psnr{iso}": f"PSNR-µ, ISO x{iso // 100}" for iso in ISO},
    "log": "log error, stops",
    "ssim": "SSIM",
    "coverage": "coverage",
    "clipped": "clipped",
    "mef": "MEF-SSIM",
}
AT_MIDDLE = ("log", "ssim", "coverage", "clipped", "mef")
"""What is told of the middle noise level alone."""


@dataclass
class Table:
    """Measured values by method and column."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, method: str, column: str, value: float) -> None:
        self.values.setdefault(method, {}).setdefault(column, []).append(value)

    def markdown(self, columns: Mapping[str, str]) -> str:
        head = f"| method | {' | '.join(columns.values())} |\n|---|{'---:|' * len(columns)}"
        rows = (
            f"| {TITLES[method]} | {' | '.join(_cell(found.get(c, []), c) for c in columns)} |"
            for method, found in sorted(
                self.values.items(), key=lambda item: list(TITLES).index(item[0])
            )
        )
        return "\n".join([head, *rows])


def _cell(values: list[float], column: str) -> str:
    if not values:
        return "-"
    digits = 2 if column.startswith("psnr") else 3
    spread = stdev(values) if len(values) > 1 else math.nan
    return f"{fmean(values):.{digits}f} ± {spread:.{digits}f}"


def methods(models: Path | None) -> dict[str, Method]:
    """Everything that makes masks of a bracket without its truth."""
    networks = {"network": _by_networks(*map(shipped_model, MASK_ROLES))}
    if models is not None:
        networks["other"] = _by_networks(*(models / f"{r}.safetensors" for r in MASK_ROLES))
    return {**rule_methods(), "first": first_rule, **networks}


def rule_methods() -> dict[str, Method]:
    """What finds a range of luma, by the name of its rule."""
    rules: dict[str, dict[str, Rule]] = {"manual": dict(DEFAULT_RANGES)}
    rules |= {name: dict.fromkeys(MASK_ROLES, rule) for name, rule in FOUND_RULES.items()}
    return {name: _by_rules(made) for name, made in rules.items()}


def first_rule(frames: Frames, clips_at: int) -> Masks:
    """The rule that `auto` has to beat, which looks at one luma at a time and not at noise.

    The low frame from the first luma of which a fifth of the pixels are clipped in the medium one;
    the high frame up to the first luma of which a fifth of the pixels are clipped.
    """
    low, high = luma(frames[0]), luma(frames[-1])

    def first(values: NDArray[np.uint8], frame: NDArray[np.uint8]) -> int:
        clipped = (frame >= clips_at).any(axis=2)
        counts = np.bincount(values.ravel(), minlength=256)
        burnt = np.bincount(values[clipped], minlength=256)
        found = np.flatnonzero(burnt >= 0.2 * np.maximum(counts, 1))
        return int(found[0]) if found.size else 256

    return low >= first(low, frames[1]), high < first(high, frames[-1])


def _by_rules(rules: Mapping[str, Rule]) -> Method:
    def make(frames: Frames, _clips_at: int) -> Masks:
        named = {"low": frames[0], "high": frames[-1]}
        if len(frames) == 3:
            named["medium"] = frames[1]
        found = found_for(rules, named)
        lumas = {role: luma(named[role]) for role in MASK_ROLES}
        low, high = (found[r].bounds(lumas[r], r).mask(lumas[r]) for r in MASK_ROLES)
        return low, high

    return make


def _by_networks(*files: Path) -> Method:
    from bracketseg.learning.checkpoints import load_model
    from bracketseg.learning.prediction import binarize, predict_probability

    low, high = map(load_model, files)

    def make(frames: Frames, _clips_at: int) -> Masks:
        pairs = (low, frames[0]), (high, frames[-1])
        one, other = (binarize(predict_probability(model, f, device="cpu")) for model, f in pairs)
        return one, other

    return make


def covered(masks: Masks, frames: Frames, clips_at: int) -> tuple[float, float]:
    """What part of the frame the masks cover, and what part of that is clipped in their frame."""
    low, high = masks
    union = low | high
    burnt = [(f >= clips_at).any(axis=2) for f in (frames[0], frames[-1])]
    clipped = (low & burnt[0]) | (high & burnt[1])
    return float(union.mean()), float(clipped.sum() / max(1, union.sum()))


def measure_simulated(scene: Simulated, iso: int, made: dict[str, Method], table: Table) -> None:
    """Measure one simulated bracket by all methods."""
    radiances = {
        "debevec": debevec_opencv(scene),
        "hats": debevec_weights(scene),
        "hats-time": debevec_weights(scene, by_time=True),
        "brightest": brightest_unclipped(scene),
        "best": best_frame(scene),
        "ranges": merged(scene, weights_of(*best_ranges(scene))),
    }
    middle = iso == ISO[1]
    for name, method in made.items():
        masks = method(scene.frames, scene.clips_at)
        weights = weights_of(*masks)
        radiances[name] = merged(scene, weights)
        if middle:
            coverage, clipped = covered(masks, scene.frames, scene.clips_at)
            table.add(name, "coverage", coverage)
            table.add(name, "clipped", clipped)
            _add_picture(table, name, scene.frames, blended(scene.frames, weights))
    if scene.unseen:
        compared = ("network", "auto", "manual", "other")
        radiances |= {f"{name}-unseen": radiances[name] for name in compared if name in radiances}
    truth = mu_law(scene.truth, WHITE)
    for name, radiance in radiances.items():
        table.add(name, f"psnr{iso}", psnr_mu(scene.truth, radiance, WHITE))
        if middle:
            table.add(name, "log", log_radiance_error(scene.truth, radiance, WHITE))
            seen = mu_law(radiance, WHITE)
            likeness = structural_similarity(truth, seen, channel_axis=2, data_range=1)
            table.add(name, "ssim", float(likeness))
    if middle:
        _add_fusions(table, scene.frames)


def _add_fusions(table: Table, frames: Frames) -> None:
    _add_picture(table, "mertens", frames, mertens(frames))
    if has_enfuse():
        _add_picture(table, "enfuse", frames, enfuse(frames))


def _add_picture(table: Table, name: str, frames: Frames, picture: NDArray[np.uint8]) -> None:
    lumas = np.stack([luma(frame) for frame in frames])
    table.add(name, "mef", mef_ssim(lumas, luma(picture)))


def real_frames(folder: Path, scenes: Sequence[str] = ()) -> Iterator[tuple[str, Frames]]:
    """Read brackets, or those named, that have three roles in one size, and colours."""
    for bracket in find_brackets(folder).brackets:
        if len(bracket.roles) < 3 or (scenes and bracket.scene not in scenes):
            continue
        frames = tuple(to_uint8(bracket.frame(r).read()) for r in ("low", "medium", "high"))
        if len({frame.shape for frame in frames}) == 1 and frames[0].ndim == 3:
            yield bracket.scene, frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--assets", type=Path, default=Path("package"), help="of @pmndrs/assets")
    parser.add_argument("--blender", type=Path, default=Path("blender"), help="of blender-data")
    parser.add_argument("--views", type=int, default=3, help="into each map")
    parser.add_argument("--width", type=int, default=384, help="of a view, pixels")
    parser.add_argument("--quality", type=int, help="of JPEG; without it nothing is compressed")
    parser.add_argument("--tuning", action="store_true", help="the maps that auto was tuned on")
    parser.add_argument("--real", type=Path, help="brackets to measure instead")
    parser.add_argument("--models", type=Path, help="folder with other networks")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    made, table, count = methods(options.models), Table(), 0
    if options.real:
        for _, frames in real_frames(options.real):
            count += 1
            for name, method in made.items():
                masks = method(frames, REAL_WHITE)
                for column, value in zip(
                    ("coverage", "clipped"), covered(masks, frames, REAL_WHITE), strict=True
                ):
                    table.add(name, column, value)
                _add_picture(table, name, frames, blended(frames, weights_of(*masks)))
            _add_fusions(table, frames)
        columns = {name: COLUMNS[name] for name in ("coverage", "clipped", "mef")}
    else:
        for iso in ISO:
            scenes = simulate(
                TUNING if options.tuning else HELD_OUT,
                assets=options.assets,
                blender=options.blender,
                iso=iso,
                views=options.views,
                size=(options.width, options.width * 2 // 3),
                quality=options.quality,
            )
            for scene in scenes:
                count += 1
                measure_simulated(scene, iso, made, table)
        count //= len(ISO)
        columns = COLUMNS
    print(f"{count} brackets; mean ± standard deviation over them.\n")
    print(table.markdown(columns))


if __name__ == "__main__":
    main()
