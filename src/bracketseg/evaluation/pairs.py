"""Masks of two folders, pair by pair."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import (
    MASK_SUFFIXES,
    find_masks,
    is_mask_name,
    probability_name,
    read_mask,
    read_probability,
)
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.evaluation.confusion import Confusion, confusion
from bracketseg.evaluation.curves import Curves, curves
from bracketseg.evaluation.mask_frame import check_same_frame
from bracketseg.evaluation.metrics import Metrics, measure, roc_auc
from bracketseg.scene_pool import OneByOne, ScenePool


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPair:
    """A reference and the prediction of the same scene and role, on a disk.

    Attributes
    ----------
    scene : str
    role : {"low", "high"}
    reference, prediction : Path
    probability : Path or None
        None where none lies beside the prediction.
    """

    scene: str
    role: MaskRole
    reference: Path
    prediction: Path
    probability: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What two folders have in common, and what not.

    Attributes
    ----------
    pairs : tuple of MaskPair
    unmatched : tuple of str
        Masks that only one of the folders holds, each with which.
    strangers : tuple of Path
        Pictures in either folder that are named unlike a mask, and masks that a PNG of the
        same scene and role goes before. None of them counts.
    """

    pairs: tuple[MaskPair, ...]
    unmatched: tuple[str, ...]
    strangers: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMetrics:
    """The metrics of one mask pair.

    Attributes
    ----------
    scene : str
    role : {"low", "high"}
    counts : Confusion
        What the metrics come from.
    metrics : Metrics
    """

    scene: str
    role: MaskRole
    counts: Confusion
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMeasured:
    """A pair is done.

    Attributes
    ----------
    index, total : int
        Number of the pair, from 1, and of how many.
    measured : SceneMetrics
    curves : Curves or None
        None where there is no probability, or none were asked for.
    """

    index: int
    total: int
    measured: SceneMetrics
    curves: Curves | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFailed:
    """A pair could not be compared; the others go on.

    Attributes
    ----------
    index, total : int
    pair : MaskPair
    error : BracketSegError
    """

    index: int
    total: int
    pair: MaskPair
    error: BracketSegError


def match_masks(reference: Path, prediction: Path, scenes: Sequence[str] | None = None) -> Matched:
    """Find the masks that two folders have in common, by scene and role.

    Parameters
    ----------
    reference, prediction : Path
        Folders of masks named ``<scene>_<role>.png`` (or TIFF).
    scenes : sequence of str, optional
        Only these; by default all.

    Raises
    ------
    LabelingError
        If a folder is missing, or the two have no mask in common.
    """
    wanted = _masks_of(reference, "reference", scenes)
    given = _masks_of(prediction, "prediction", scenes)
    both = [key for key in wanted if key in given]
    if not both:
        raise LabelingError(
            f"{prediction}: no mask has a partner in {reference} ({len(given)} and {len(wanted)} "
            "masks). Both folders need masks of the same scenes, named <scene>_<role>.png."
        )
    return Matched(
        pairs=tuple(
            MaskPair(
                scene=scene,
                role=role,
                reference=wanted[scene, role],
                prediction=given[scene, role],
                probability=probability_beside(given[scene, role], scene, role),
            )
            for scene, role in both
        ),
        unmatched=(
            *(f"{path} has no prediction" for key, path in wanted.items() if key not in given),
            *(f"{path} has no reference" for key, path in given.items() if key not in wanted),
        ),
        strangers=(*_strangers(reference), *_strangers(prediction)),
    )


def probability_beside(mask: Path, scene: str, role: MaskRole) -> Path | None:
    """Give the file of the probability that a mask was made from; None where there is none."""
    path = mask.with_name(probability_name(scene, role))
    return path if path.is_file() else None


def measure_pairs(
    pairs: Sequence[MaskPair], *, with_curves: bool = False, pool: ScenePool | None = None
) -> Generator[PairMeasured | PairFailed, None, None]:
    """Measure pairs in their order; a pair that fails does not stop the others.

    Parameters
    ----------
    pairs : sequence of MaskPair
    with_curves : bool
        Follow predictions that have a probability over all thresholds.
    pool : ScenePool, optional
        Who does it; by default one pair after the other, here.
    """
    results = (pool or OneByOne()).in_order(pairs, partial(_measure, with_curves=with_curves))
    total = len(pairs)
    try:
        for index, (pair, result) in enumerate(results, start=1):
            if isinstance(result, BracketSegError):
                yield PairFailed(index=index, total=total, pair=pair, error=result)
            else:
                measured, found = result
                yield PairMeasured(index=index, total=total, measured=measured, curves=found)
    finally:
        results.close()


def _masks_of(
    folder: Path, name: str, scenes: Sequence[str] | None
) -> dict[tuple[str, MaskRole], Path]:
    if not folder.is_dir():
        raise LabelingError(f"{folder}: no such folder. Name the folder of the {name} masks.")
    return {
        key: path for key, path in find_masks(folder).items() if scenes is None or key[0] in scenes
    }


def _strangers(folder: Path) -> list[Path]:
    masks = set(find_masks(folder).values())
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in MASK_SUFFIXES
        and not path.name.startswith(".")
        and path not in masks
        and (not is_mask_name(path) or path.stem.endswith(("_low", "_high")))
    ]


def _measure(pair: MaskPair, *, with_curves: bool) -> tuple[SceneMetrics, Curves | None]:
    check_same_frame(pair.reference, pair.prediction, pair.scene, pair.role)
    truth, predicted = read_mask(pair.reference), read_mask(pair.prediction)
    if truth.shape != predicted.shape:
        raise LabelingError(
            f"{pair.prediction}: is {predicted.shape} but {pair.reference} is {truth.shape} (rows, "
            "columns). Make both masks from the same frame."
        )
    counts = confusion(truth, predicted)
    found, area = None, None
    if pair.probability is not None:
        probability = read_probability(pair.probability)
        if probability.shape != truth.shape:
            raise LabelingError(
                f"{pair.probability}: is {probability.shape} but {pair.reference} is "
                f"{truth.shape} (rows, columns). Predict this scene again."
            )
        if with_curves:
            found = curves(truth, probability)
            area = found.area
        else:
            area = roc_auc(truth, probability)
    measured = SceneMetrics(
        scene=pair.scene, role=pair.role, counts=counts, metrics=measure(counts, area)
    )
    return measured, found
