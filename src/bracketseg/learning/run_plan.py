"""Which trainings an experiment is made of, and where they lie; this module imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.errors import TrainingError
from bracketseg.learning.runs import find_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.learning.config import Loss, TrainConfig
    from bracketseg.learning.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One training of an experiment.

    Attributes
    ----------
    path
        Its run folder, which need not exist.
    config
        Its settings, role, loss and seed among them.
    """

    path: Path
    config: TrainConfig


def run_name(role: MaskRole, loss: Loss, seed: int) -> str:
    """Name the run folder of one training of an experiment.

    >>> run_name("low", "dice-bce", 1)
    'low-dice-bce-seed1'
    """
    return f"{role}-{loss}-seed{seed}"


def plan_runs(
    out: Path,
    config: TrainConfig,
    losses: Sequence[Loss],
    seeds: Sequence[int],
    *,
    roles: Sequence[MaskRole] = MASK_ROLES,
    resume: bool = False,
) -> tuple[PlannedRun, ...]:
    """Plan each loss for each role with each seed.

    A training that is in `out` already is known by its role, loss and seed, whatever its
    folder is called; the others go to ``<role>-<loss>-seed<seed>``.

    Parameters
    ----------
    out
        The folder of all runs.
    config
        The settings of all; its role, loss and seed are replaced.
    losses, seeds, roles
        Each named once.
    resume
        Whether to go on with trainings that are there.

    Returns
    -------
    tuple of PlannedRun
        Seed by seed, so that the first whole comparison is there early.

    Raises
    ------
    TrainingError
        If a loss or seed is named twice or none is, if two folders hold the same training,
        or if one is there that must not be gone on with: others may have other settings,
        and without `resume` there must be none.
    """
    for what, named in (("losses", losses), ("seeds", seeds)):
        if len(set(named)) < len(named) or not named:
            raise TrainingError(f"{what} {' '.join(map(str, named))}: name each to compare once")
    known = _known(out)
    planned = []
    for seed in seeds:
        for role in roles:
            for loss in losses:
                settings = config.model_copy(update={"role": role, "loss": loss, "seed": seed})
                there = known.get((role, loss, seed))
                if there is not None:
                    _check(there, settings, resume=resume)
                path = out / run_name(role, loss, seed) if there is None else there.path
                planned.append(PlannedRun(path=path, config=settings))
    return tuple(planned)


def _known(out: Path) -> dict[tuple[MaskRole, Loss, int], Run]:
    known: dict[tuple[MaskRole, Loss, int], Run] = {}
    for run in find_runs([out])[0]:
        key = (run.config.role, run.config.loss, run.config.seed)
        if key in known:
            raise TrainingError(
                f"{run.path} and {known[key].path} hold the same training: role {key[0]}, loss "
                f"{key[1]}, seed {key[2]}. Move one of them away."
            )
        known[key] = run
    return known


def _check(run: Run, config: TrainConfig, *, resume: bool) -> None:
    if not resume:
        raise TrainingError(
            f"{run.path} holds a run already; resume it (--resume) or choose another folder"
        )
    before, now = run.config.fixed(), config.fixed()
    changed = [f"{k} (was {before[k]}, is {now[k]})" for k in before if before[k] != now[k]]
    if changed:
        raise TrainingError(
            f"{run.path} was started with other settings: {'; '.join(changed)}; resume it with "
            "the same ones or choose another folder"
        )
