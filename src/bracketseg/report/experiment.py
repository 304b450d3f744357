"""The runs that are one experiment: the same in all but role, loss and seed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bracketseg.errors import ModelError, ReportError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.learning.config import LOSSES
from bracketseg.learning.runs import Run, find_runs, read_run

_VARIED = ("role", "loss", "seed", "device", "precision")
"""Settings that the runs of one experiment may differ in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Finished runs that can stand in one table.

    Attributes
    ----------
    runs : tuple of Run
        Each role, loss and seed once; by role, then in the order of the paper's losses, then
        by seed.
    masks : LabelingFolder
        What they learned.
    left_out : tuple of str
        Runs that do not take part, and why.
    """

    runs: tuple[Run, ...]
    masks: LabelingFolder
    left_out: tuple[str, ...]

    @property
    def method(self) -> str:
        """How the ground truth was made; ``unknown`` where its folder does not say."""
        return "unknown" if self.masks.info is None else self.masks.info.method

    @property
    def made(self) -> str:
        """How the ground truth was made, for a person to read."""
        return {
            "manual": "manual",
            "otsu": "Otsu",
            "auto": "automatic ranges",
            "division": "histogram division",
            "mixture": "Gaussian mixture of the histogram",
            "valley": "valley of the histogram",
            "network": "predicted by a network",
            "unknown": "masks of unknown origin",
        }[self.method]


def run_paths(folder: Path) -> tuple[Path, ...]:
    """List the runs in a folder, finished or not, readable or not."""
    runs, broken = find_runs([folder])
    return (*(run.path for run in runs), *(run.path for run in broken))


def choose_runs(paths: Iterable[Path], masks: Path | None = None) -> Experiment:
    """Find the experiment among some runs.

    Where they are several experiments, it is the one of the most runs, of equally many the
    newest.

    Parameters
    ----------
    paths : iterable of Path
        Run folders; they need not exist.
    masks : Path, optional
        The labelling that all of them learned; by default the one that they speak of.

    Raises
    ------
    ReportError
        If no run can be used; the message says why not.
    LabelingError
        If the labelling is not there or holds no masks.
    """
    runs, left_out = [], []
    for path in paths:
        try:
            run = read_run(path)
        except ModelError as error:
            left_out.append(str(error) if path.exists() else f"{path}: was not trained")
            continue
        reason = _unusable(run, masks)
        if reason:
            left_out.append(f"{path}: {reason}")
        else:
            runs.append(run)
    runs.sort(key=lambda run: run.started, reverse=True)
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault(_kind(run, masks), []).append(run)
    if not groups:
        raise ReportError(
            "there is no finished run to report on"
            + "".join(f"; {reason}" for reason in left_out[:3])
            + ". Train to the end first (bracketseg compare, or the Train dock)."
        )
    # Of equally many the first, which has the newest run.
    chosen = max(groups.values(), key=len)
    for other in groups.values():
        if other is not chosen:
            left_out += [f"{run.path}: {_difference(run, chosen[0], masks)}" for run in other]
    labeling = LabelingFolder.open(masks or chosen[0].masks or Path())
    kept, made_otherwise = _of_these_masks(chosen, labeling)
    kept, twice = _each_once(kept)
    if not kept:
        raise ReportError(f"there is no run to report on; {made_otherwise[0]}")
    kept.sort(key=lambda run: (run.config.role == "high", *_loss_and_seed(run)))
    return Experiment(
        runs=tuple(kept), masks=labeling, left_out=(*left_out, *made_otherwise, *twice)
    )


def _unusable(run: Run, masks: Path | None) -> str:
    if not run.finished:
        return f"not finished, {len(run.records)} of {run.config.epochs} epochs are done"
    if run.card is None:
        return "has no model"
    if masks is None and (run.masks is None or not run.masks.is_dir()):
        where = "does not say which masks it learned" if run.masks is None else (
            f"the masks that it learned, {run.masks}, are not there"
        )  # fmt: skip
        return f"{where}; name them with bracketseg compare --masks --resume"
    return ""


def _kind(run: Run, masks: Path | None) -> tuple[str, str]:
    settings = run.config.model_dump(mode="json", exclude=set(_VARIED))
    return json.dumps(settings, sort_keys=True), str(masks or run.masks)


def _difference(run: Run, chosen: Run, masks: Path | None) -> str:
    settings, others = (
        r.config.model_dump(mode="json", exclude=set(_VARIED)) for r in (run, chosen)
    )
    changed = [
        f"{name} {settings[name]} instead of {others[name]}"
        for name in settings
        if settings[name] != others[name]
    ]
    if masks is None and run.masks != chosen.masks:
        changed.append(f"masks {run.masks} instead of {chosen.masks}")
    return f"another experiment ({', '.join(changed)})"


def _of_these_masks(runs: Sequence[Run], labeling: LabelingFolder) -> tuple[list[Run], list[str]]:
    """Keep the runs whose model learned masks that were made as those of the labelling are."""
    kept, left_out = [], []
    for run in runs:
        origin = None if labeling.info is None else labeling.info.ranges.get(run.config.role)
        made = {"method": "masks"} if origin is None else origin.model_dump(mode="json")
        learned = None if run.card is None else run.card.ground_truth
        if learned == made:
            kept.append(run)
        else:
            left_out.append(
                f"{run.path}: learned masks that were made in another way ({learned}) than those "
                f"in {labeling.path} ({made})"
            )
    return kept, left_out


def _each_once(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Keep the newest of runs that are the same training; they come newest first."""
    known: dict[tuple[str, int, int], Run] = {}
    left_out = []
    for run in runs:
        key = (run.config.role, *_loss_and_seed(run))
        if key in known:
            left_out.append(f"{run.path}: the same training as {known[key].path}, but older")
        else:
            known[key] = run
    return list(known.values()), left_out


def _loss_and_seed(run: Run) -> tuple[int, int]:
    return LOSSES.index(run.config.loss), run.config.seed
