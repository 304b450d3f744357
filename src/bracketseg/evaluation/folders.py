"""Two folders of masks, one held against the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.masks import find_masks, probability_name, read_mask, read_probability
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import Metrics, measure, roc_auc


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneMetrics:
    """The metrics of one mask pair.

    Attributes
    ----------
    scene : str
    role : {"low", "high"}
    metrics : Metrics
    """

    scene: str
    role: MaskRole
    metrics: Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a prediction is worth.

    Attributes
    ----------
    scenes : tuple of SceneMetrics
        Each scene and role that both folders hold.
    mean : dict of role to Metrics
        The mean over scenes of each metric, for the roles that were found; `roc_auc`
        over the scenes that have one.
    problems : tuple of BracketSegError
        Mask pairs that could not be compared.
    unmatched : tuple of str
        Masks that only one of the folders holds, each with which.
    """

    scenes: tuple[SceneMetrics, ...]
    mean: dict[MaskRole, Metrics]
    problems: tuple[BracketSegError, ...]
    unmatched: tuple[str, ...]


def evaluate_folders(
    reference: Path,
    prediction: Path,
    scenes: Sequence[str] | None = None,
    *,
    on_pair: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Compare each mask of a folder with the mask of the same scene and role in another.

    Where the prediction has a probability beside the mask, the area under the ROC curve
    is measured as well.

    Parameters
    ----------
    reference, prediction : Path
        Folders of masks named `<scene>_<role>.png` (or TIFF).
    scenes : sequence of str, optional
        Only these; by default all.
    on_pair : callable, optional
        Called after each pair of masks with how many are done, and of how many.

    Raises
    ------
    LabelingError
        If a folder is missing, or the two have no mask in common.
    """
    folders = {"reference": reference, "prediction": prediction}
    found = {}
    for name, folder in folders.items():
        if not folder.is_dir():
            raise LabelingError(f"{folder}: no such folder. Name the folder of the {name} masks.")
        found[name] = {
            key: path
            for key, path in find_masks(folder).items()
            if scenes is None or key[0] in scenes
        }
    wanted, given = found["reference"], found["prediction"]
    both = [key for key in wanted if key in given]
    if not both:
        raise LabelingError(
            f"{prediction}: no mask has a partner in {reference} ({len(given)} and {len(wanted)} "
            "masks). Both folders need masks of the same scenes, named <scene>_<role>.png."
        )
    measured: list[SceneMetrics] = []
    problems: list[BracketSegError] = []
    for done, (scene, role) in enumerate(both, start=1):
        pair = wanted[scene, role], given[scene, role]
        try:
            metrics = _measure_pair(*pair, prediction / probability_name(scene, role))
        except BracketSegError as error:
            problems.append(error)
        else:
            measured.append(SceneMetrics(scene=scene, role=role, metrics=metrics))
        if on_pair is not None:
            on_pair(done, len(both))
    return Evaluation(
        scenes=tuple(measured),
        mean=mean_by_role(measured),
        problems=tuple(problems),
        unmatched=(
            *(f"{path} has no prediction" for key, path in wanted.items() if key not in given),
            *(f"{path} has no reference" for key, path in given.items() if key not in wanted),
        ),
    )


def mean_by_role(scenes: Sequence[SceneMetrics]) -> dict[MaskRole, Metrics]:
    """Average each metric over the scenes of each role that is there."""
    by_role = {role: [s.metrics for s in scenes if s.role == role] for role in MASK_ROLES}
    return {role: mean_metrics(metrics) for role, metrics in by_role.items() if metrics}


def mean_metrics(metrics: Sequence[Metrics]) -> Metrics:
    """Average each metric; `roc_auc` over those that have one."""
    means = {}
    for field in fields(Metrics):
        values = [getattr(m, field.name) for m in metrics if getattr(m, field.name) is not None]
        means[field.name] = fmean(values) if values else None
    return Metrics(**means)  # type: ignore[arg-type]  # only roc_auc can be None


def _measure_pair(reference: Path, prediction: Path, probability: Path) -> Metrics:
    truth, predicted = read_mask(reference), read_mask(prediction)
    if truth.shape != predicted.shape:
        raise LabelingError(
            f"{prediction}: is {predicted.shape} but {reference} is {truth.shape} (rows, columns). "
            "Make both masks from the same frame."
        )
    counts = confusion(truth, predicted)
    area = roc_auc(truth, read_probability(probability)) if probability.is_file() else None
    return measure(counts, area)
