"""The paper's experiment: each loss for each role, tried on scenes kept back (sec. 3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bracketseg.errors import BracketSegError
from bracketseg.learning.events import RunFailed, RunStarted, ScenePredicted, Stopped, TrainEvent
from bracketseg.learning.run_files import LAST, METRICS
from bracketseg.learning.run_predictions import predict_kept_back
from bracketseg.learning.runs import read_run
from bracketseg.learning.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bracketseg.brackets.bracket import Bracket
    from bracketseg.labeling.label_folder import SceneFailed
    from bracketseg.learning.run_plan import PlannedRun

ComparisonEvent: TypeAlias = "RunStarted | TrainEvent | ScenePredicted | SceneFailed | RunFailed"


def compare(
    brackets: Sequence[Bracket],
    masks: Path,
    plan: Sequence[PlannedRun],
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[ComparisonEvent]:
    """Train what is missing of an experiment, and predict what each run kept back.

    The validation scenes of each run's split are predicted at full resolution into its
    folder ``validation``. They chose the best epoch as well, so the figures flatter a little.
    `bracketseg.report` makes the tables from that.

    Parameters
    ----------
    brackets : sequence of Bracket
    masks : Path
        Folder of ground-truth masks for all roles of the plan.
    plan : sequence of PlannedRun
    resume : bool
        Go on with the trainings that are there already; of a finished one nothing is done
        again.
    should_stop
        Asked before each step; true ends the work in a state that can be resumed.

    Yields
    ------
    RunStarted, the events of each training, ScenePredicted or SceneFailed, and RunFailed for
    a training that breaks on its way: the others go on

    Raises
    ------
    BracketSegError
        If a training cannot start, or all of them fail.
    """
    failures: list[BracketSegError] = []
    for index, planned in enumerate(plan, start=1):
        config, run = planned.config, planned.path
        yield RunStarted(
            role=config.role, loss=config.loss, seed=config.seed, index=index, total=len(plan)
        )
        begun = resume and _is_finished(planned)
        try:
            if not begun:
                for event in train(
                    brackets,
                    masks,
                    config,
                    run,
                    resume=resume and (run / LAST).is_file(),
                    should_stop=should_stop,
                ):
                    begun = True
                    yield event
                    if isinstance(event, Stopped):
                        return
            yield from predict_kept_back(
                run, brackets, device=config.device, should_stop=should_stop
            )
        except BracketSegError as error:
            if not begun:
                raise
            failures.append(error)
            yield RunFailed(run=run, error=error)
        if should_stop():
            yield Stopped(run=run, epoch=config.epochs, step=0, resumable=True)
            return
    if failures and len(failures) == len(plan):
        raise failures[0]


def _is_finished(planned: PlannedRun) -> bool:
    """Whether a training is done; the plan has made sure that its settings are these."""
    if not (planned.path / METRICS).is_file():
        return False
    run = read_run(planned.path)
    return run.finished and run.config.epochs == planned.config.epochs
