"""All that a report tells, before it takes any form."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from bracketseg.brackets.bracket import MaskRole
from bracketseg.evaluation.pairs import SceneMetrics
from bracketseg.evaluation.significance import PairedTest, paired_tests
from bracketseg.evaluation.spread import deviation
from bracketseg.labeling.agreement import COLUMNS, SceneCompared, agreement_row
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.learning.config import Loss
from bracketseg.learning.runs import Run, RunSplit
from bracketseg.report.baselines import Baseline
from bracketseg.report.experiment import Experiment
from bracketseg.report.pictures import Example
from bracketseg.report.results import RoleResults

LOSS_LABELS: dict[Loss, str] = {"bce": "BCE", "focal": "Focal", "dice-bce": "Dice - BCE"}
"""What the first column of the paper's tables calls each loss."""


@dataclass(frozen=True, kw_only=True)
class RoleContent:
    """What there is to tell of one role.

    Attributes
    ----------
    role : {"low", "high"}
    runs : tuple of Run
    splits : dict of int to RunSplit
        The scenes of each seed.
    results : RoleResults
    baselines : tuple of Baseline
    examples : tuple of Example
    measured : dict of loss to tuple of (int, SceneMetrics)
        Everything that was measured, with its seed, also what counts for nothing.
    """

    role: MaskRole
    runs: tuple[Run, ...]
    splits: dict[int, RunSplit]
    results: RoleResults
    baselines: tuple[Baseline, ...]
    examples: tuple[Example, ...]
    measured: dict[Loss, tuple[tuple[int, SceneMetrics], ...]]

    @property
    def unlabelled(self) -> frozenset[str]:
        """The scenes that nobody has labelled for this role, as a run found them."""
        return frozenset(
            scene.scene
            for split in self.splits.values()
            for scene in split.skipped
            if not scene.broken
        )

    @cached_property
    def tests(self) -> tuple[PairedTest, ...]:
        """The losses held against each other, scene by scene."""
        return paired_tests(self.results.dice())


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageColumn:
    """One number of :func:`bracketseg.labeling.agreement.agreement_row` over all scenes.

    Attributes
    ----------
    mean : float
    over_scenes : float or None
        Standard deviation (n - 1); None of one scene.
    """

    mean: float
    over_scenes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageContent:
    """What manual masks and Otsu's cover (sec. 3.3, fig. 3).

    Attributes
    ----------
    manual : str
        What the manual masks are.
    scenes : tuple of SceneCompared
    """

    manual: str
    scenes: tuple[SceneCompared, ...]

    def columns(self) -> dict[str, CoverageColumn]:
        """Average each number over the scenes that have it, as far as any has."""
        rows = [agreement_row(scene.agreement) for scene in self.scenes]
        found = {}
        for name in COLUMNS[1:]:
            values = [value for row in rows if (value := row[name]) is not None]
            if values:
                found[name] = CoverageColumn(mean=fmean(values), over_scenes=deviation(values))
        return found

    def manual_covers_more(self) -> tuple[int, int]:
        """Count the scenes on which the manual masks together cover more than Otsu's, and all."""
        both = [
            (found.manual.union, found.otsu.union)
            for scene in self.scenes
            if (found := scene.agreement).manual is not None and found.otsu is not None
        ]
        return sum(manual > otsu for manual, otsu in both), len(both)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Everything.

    Attributes
    ----------
    experiment : Experiment
    brackets : int
        Brackets of the set.
    roles : tuple of RoleContent
        Those with results.
    coverage : CoverageContent
    environments : tuple of dict
        What the runs were made with, each kind once.
    left_out : tuple of str
        What the report is not about, and why.
    """

    experiment: Experiment
    brackets: int
    roles: tuple[RoleContent, ...]
    coverage: CoverageContent
    environments: tuple[dict[str, object], ...]
    left_out: tuple[str, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds of the runs."""
        return tuple(sorted({run.config.seed for run in self.experiment.runs}))


def manual_title(experiment: Experiment) -> str:
    """Say what Otsu's coverage is held against."""
    if experiment.method == "otsu":
        low, high = (DEFAULT_RANGES[role] for role in ("low", "high"))
        return f"Manual, by the paper's ranges ({low.lo:g}–{low.hi:g}, {high.lo:g}–{high.hi:g})"
    return f"{experiment.made.capitalize()}, as in this report"


def several(count: int, what: str) -> str:
    """Count things in words.

    >>> several(1, "scene"), several(3, "scene")
    ('1 scene', '3 scenes')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Join names as in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
