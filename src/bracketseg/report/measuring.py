"""What the runs of an experiment reached on the scenes that they kept back, step by step."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.errors import BracketError, BracketSegError, ModelError
from bracketseg.evaluation.pairs import PairMeasured, SceneMetrics, match_masks, measure_pairs
from bracketseg.labeling.agreement import SceneCompared, compare_with_otsu
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.learning.run_files import PREDICTIONS
from bracketseg.learning.runs import Run, RunSplit, read_environment, read_split
from bracketseg.report.baselines import baseline_rows, otsu_metrics
from bracketseg.report.content import CoverageContent, ReportContent, RoleContent, manual_title
from bracketseg.report.events import ReportStep, ReportStepFailed
from bracketseg.report.experiment import Experiment
from bracketseg.report.pictures import Example, choose_scenes, make_example
from bracketseg.report.results import RoleResults, balance

if TYPE_CHECKING:
    from pathlib import Path

    from bracketseg.evaluation.metrics import Metrics
    from bracketseg.learning.config import Loss

Steps: TypeAlias = Generator[ReportStep | ReportStepFailed, None, None]


class Measuring:
    """Measures an experiment; what fails costs itself only.

    Parameters
    ----------
    experiment : Experiment
    brackets : sequence of Bracket
        The set; without them there are no pictures, no coverage, and no row of Otsu.
    left_out : sequence of str
        What is known to be missing, and why.
    """

    def __init__(
        self, experiment: Experiment, brackets: Sequence[Bracket], left_out: Sequence[str] = ()
    ) -> None:
        self._experiment = experiment
        self._brackets = {bracket.scene: bracket for bracket in brackets}
        self._left_out = list(dict.fromkeys((*left_out, *experiment.left_out)))
        self._splits: dict[Path, RunSplit] = {}
        self._measured: dict[Path, dict[str, SceneMetrics]] = {}
        self._otsu: dict[MaskRole, dict[str, Metrics]] = {role: {} for role in MASK_ROLES}
        self._compared: list[SceneCompared] = []
        self._examples: dict[MaskRole, tuple[Example, ...]] = {}
        self._results: dict[MaskRole, RoleResults] = {}
        self._index = self._total = 0

    def steps(self) -> Steps:
        """Measure; to be stepped through to its end before :meth:`content` is asked for.

        Yields
        ------
        ReportStep or ReportStepFailed
            The last of them is the last but one of the report: writing comes after it.
        """
        self._read_splits()
        baseline = self._otsu_scenes()
        compared = self._brackets_to_compare()
        kept_back = sum(len(split.validation) for split in self._splits.values())
        self._total = kept_back + len(baseline) + len(compared) + len(MASK_ROLES) + 1
        for run in self._experiment.runs:
            if run.path in self._splits:
                yield from self._measure(run)
        for role, scene in baseline:
            yield self._measure_otsu(role, scene)
        yield from self._compare(compared)
        for role in MASK_ROLES:
            yield from self._show(role)

    @property
    def written(self) -> tuple[int, int]:
        """The number of the last step of the report, and of how many."""
        return self._total, self._total

    def content(self) -> ReportContent:
        """Give all that was found."""
        roles = []
        for role, results in self._results.items():
            runs = tuple(run for run in self._experiment.runs if run.config.role == role)
            measured: dict[Loss, list[tuple[int, SceneMetrics]]] = {}
            splits: dict[int, RunSplit] = {}
            for run in runs:
                if run.path in self._splits:
                    splits.setdefault(run.config.seed, self._splits[run.path])
                found = self._measured.get(run.path, {}).values()
                measured.setdefault(run.config.loss, []).extend(
                    (run.config.seed, scene) for scene in found
                )
            roles.append(
                RoleContent(
                    role=role,
                    runs=runs,
                    splits=dict(sorted(splits.items())),
                    results=results,
                    baselines=tuple(baseline_rows(results, self._otsu[role])),
                    examples=self._examples.get(role, ()),
                    measured={loss: tuple(found) for loss, found in measured.items()},
                )
            )
        return ReportContent(
            experiment=self._experiment,
            brackets=len(self._brackets),
            roles=tuple(roles),
            coverage=CoverageContent(
                manual=manual_title(self._experiment), scenes=tuple(self._compared)
            ),
            environments=self._environments(),
            left_out=tuple(dict.fromkeys(self._left_out)),
        )

    def _read_splits(self) -> None:
        for run in self._experiment.runs:
            try:
                split = read_split(run.path)
            except ModelError as error:
                self._left_out.append(str(error))
                continue
            self._splits[run.path] = split
            self._left_out += [
                f"{run.config.role}, scene {scene.scene}: {scene.reason}"
                for scene in split.skipped
                if scene.broken
            ]

    def _otsu_scenes(self) -> list[tuple[MaskRole, str]]:
        if self._experiment.method == "otsu" or not self._brackets:
            return []
        return sorted(
            {
                (run.config.role, scene)
                for run in self._experiment.runs
                if run.path in self._splits
                for scene in self._splits[run.path].validation
            }
        )

    def _brackets_to_compare(self) -> list[Bracket]:
        if not self._brackets:
            self._left_out.append(
                "There are no frames: the pictures, the coverage and the row of Otsu need the "
                "folder of the brackets."
            )
        masks = self._experiment.masks.masks
        return [
            bracket
            for scene, bracket in self._brackets.items()
            if self._experiment.method == "otsu"
            or any((scene, role) in masks for role in MASK_ROLES)
        ]

    def _measure(self, run: Run) -> Steps:
        name, role = run.path.name, run.config.role
        kept_back = self._splits[run.path].validation
        measured = self._measured.setdefault(run.path, {})
        try:
            pairs = match_masks(
                self._experiment.masks.path, run.path / PREDICTIONS, kept_back
            ).pairs
        except BracketSegError as error:
            self._index += len(kept_back) - 1
            yield self._failed(f"measuring {name}", error)
            return
        pairs = tuple(pair for pair in pairs if pair.role == role)
        for event in measure_pairs(pairs):
            if isinstance(event, PairMeasured):
                measured[event.measured.scene] = event.measured
                yield self._done(f"measuring {name}")
            else:
                yield self._failed(f"measuring {name}", event.error)
        there = {pair.scene for pair in pairs}
        for scene in kept_back:
            if scene not in there:
                yield self._failed(
                    f"measuring {name}",
                    ModelError(
                        f"{run.path}: its validation scene {scene} lacks a prediction or a ground "
                        "truth; compare with --resume to have it predicted"
                    ),
                )

    def _measure_otsu(self, role: MaskRole, scene: str) -> ReportStep | ReportStepFailed:
        doing = "measuring Otsu's masks"
        try:
            metrics = otsu_metrics(self._bracket(scene), role, self._experiment.masks)
        except BracketSegError as error:
            return self._failed(doing, error)
        self._otsu[role][scene] = metrics
        return self._done(doing)

    def _compare(self, brackets: Sequence[Bracket]) -> Steps:
        doing = "measuring the coverage"
        otsu = self._experiment.method == "otsu"
        for event in compare_with_otsu(
            brackets, DEFAULT_RANGES if otsu else self._experiment.masks
        ):
            if isinstance(event, SceneCompared):
                self._compared.append(event)
                yield self._done(doing)
            else:
                yield self._failed(doing, event.error)

    def _show(self, role: MaskRole) -> Steps:
        runs = [run for run in self._experiment.runs if run.config.role == role]
        by_loss: dict[Loss, dict[int, dict[str, SceneMetrics]]] = {}
        for run in runs:
            found = self._measured.get(run.path, {})
            if found:
                by_loss.setdefault(run.config.loss, {})[run.config.seed] = found
        results = balance(role, by_loss)
        doing = f"making pictures of the {role} exposure"
        if results is None:
            self._left_out.append(f"{role}: no run of this role could be measured")
            yield self._done(doing)
            return
        self._results[role] = results
        self._left_out += results.left_out
        examples = []
        for choice in choose_scenes(results) if self._brackets else []:
            of_seed = {run.config.loss: run for run in runs if run.config.seed == choice.seed}
            try:
                bracket = self._bracket(choice.scene)
                examples.append(
                    make_example(choice, bracket, results, of_seed, self._experiment.masks)
                )
            except BracketSegError as error:
                self._left_out.append(f"picture of {choice.scene}: {error}")
        self._examples[role] = tuple(examples)
        yield self._done(doing)

    def _bracket(self, scene: str) -> Bracket:
        if scene not in self._brackets:
            raise BracketError(
                f"{scene}: no bracket of this name is in the set; give the folder that the runs "
                "were trained on"
            )
        return self._brackets[scene]

    def _environments(self) -> tuple[dict[str, object], ...]:
        found: list[dict[str, object]] = []
        for run in self._experiment.runs:
            environment = read_environment(run.path)
            known: dict[str, object] = {
                key: environment[key]
                for key in ("versions", "platform", "device_name", "precision")
                if key in environment
            }
            if known not in found:
                found.append(known)
        return tuple(found)

    def _done(self, doing: str) -> ReportStep:
        self._index += 1
        return ReportStep(doing=doing, index=self._index, total=self._total)

    def _failed(self, doing: str, error: BracketSegError) -> ReportStepFailed:
        self._index += 1
        self._left_out.append(str(error))
        return ReportStepFailed(doing=doing, error=error, index=self._index, total=self._total)
