"""Two folders of masks, one held against the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import BracketSegError
from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.pairs import PairMeasured, SceneMetrics, match_masks, measure_pairs
from bracketseg.scene_pool import ScenePool


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
    pool: ScenePool | None = None,
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
    pool : ScenePool, optional
        Who does it; by default one pair after the other, here.

    Raises
    ------
    LabelingError
        If a folder is missing, or the two have no mask in common.
    """
    matched = match_masks(reference, prediction, scenes)
    measured: list[SceneMetrics] = []
    problems: list[BracketSegError] = []
    for event in measure_pairs(matched.pairs, pool=pool):
        if isinstance(event, PairMeasured):
            measured.append(event.measured)
        else:
            problems.append(event.error)
        if on_pair is not None:
            on_pair(event.index, event.total)
    return Evaluation(
        scenes=tuple(measured),
        mean=mean_by_role(measured),
        problems=tuple(problems),
        unmatched=matched.unmatched,
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


def mean_baselines(counts: Sequence[Confusion]) -> tuple[Metrics, Metrics]:
    """Average over scenes what masks of all foreground and of none would score there.

    Parameters
    ----------
    counts : sequence of Confusion
        One a scene.
    """
    measured = [baselines(scene).measured() for scene in counts]
    everything, nothing = (mean_metrics(column) for column in zip(*measured, strict=True))
    return everything, nothing
