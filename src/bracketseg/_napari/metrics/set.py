"""Metrics of all scenes of two labellings."""

import time
from collections.abc import Generator, Iterable
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.metrics.origin import Origin, read_origin
from bracketseg._napari.metrics.text import left_out
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.masks import mask_name
from bracketseg.evaluation.pairs import (
    Matched,
    PairFailed,
    PairMeasured,
    match_masks,
    measure_pairs,
)

_Event = Matched | Origin | PairMeasured | PairFailed


class SetMetrics:
    """Measures two labelling folders in the background, pair by pair.

    Attributes
    ----------
    measured : list of PairMeasured
        Those done so far.
    problems : list of str
        What could not be compared, and why.
    total : int
        Pairs there are; 0 until the folders have been read.
    origin : Origin or None
        Where the predictions come from; None until that has been read.
    outdated : set of str
        Scenes whose masks are others than when they were measured.
    error : str
        Why nothing can be measured; empty where it can.

    Signals
    -------
    origin_read(Origin)
    added(PairMeasured)
    changed()
        Something began, went on or ended.
    """

    origin_read = Signal(object)
    added = Signal(object)
    changed = Signal()

    def __init__(self) -> None:
        self._job: Job | None = None
        self._stopped = False
        self.measured: list[PairMeasured] = []
        self.problems: list[str] = []
        self.total = self.done = 0
        self.origin: Origin | None = None
        self.outdated: set[str] = set()
        self.error = ""
        self._folders: tuple[Path, ...] = ()
        self._begun = 0

    @property
    def running(self) -> bool:
        """Whether pairs are still being measured."""
        return self._job is not None

    @property
    def stopped(self) -> bool:
        """Whether the last measuring was stopped before its end."""
        return self._stopped

    def start(self, reference: Path, prediction: Path, runs: Iterable[Path] = ()) -> None:
        """Measure these two, in place of what was measured.

        Parameters
        ----------
        reference, prediction : Path
        runs : iterable of Path
            Trainings that the predictions may come from.
        """
        self.clear()
        self._folders, self._begun = (reference, prediction), time.time_ns()
        further = tuple(runs)
        self._job = run_job(
            lambda: _measure(reference, prediction, further),
            on_event=self._take,
            on_done=self._ended,
            on_error=self._broke,
            description="measuring all scenes",
        )
        self.changed.emit()

    def stop(self) -> None:
        """Stop after the pair in hand; what was measured stays."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._stopped = True
            self.changed.emit()

    def clear(self) -> None:
        """Forget what was measured."""
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._stopped = False
        self.measured, self.problems = [], []
        self.total = self.done = 0
        self.origin, self.outdated, self.error = None, set(), ""
        self._folders = ()

    def look_again(self, scenes: Iterable[str]) -> None:
        """See whether the masks of some scenes were written since they were measured."""
        files = (
            (scene, folder / mask_name(scene, role))
            for scene in scenes
            for folder in self._folders
            for role in MASK_ROLES
        )
        changed = {scene for scene, file in files if _written(file) > self._begun}
        if not changed <= self.outdated:
            self.outdated |= changed
            self.changed.emit()

    def _take(self, event: _Event) -> None:
        if isinstance(event, Origin):
            self.origin = event
            self.origin_read.emit(event)
        elif isinstance(event, Matched):
            self.total = len(event.pairs)
            self.problems += left_out(event)
        else:
            self.done = event.index
            if isinstance(event, PairFailed):
                self.problems.append(str(event.error))
            else:
                self.measured.append(event)
                self.added.emit(event)
        self.changed.emit()

    def _ended(self, _result: object) -> None:
        self._job = None
        self.changed.emit()

    def _broke(self, error: Exception) -> None:
        self._job = None
        self.error = str(error)
        self.changed.emit()


def _measure(
    reference: Path, prediction: Path, runs: tuple[Path, ...]
) -> Generator[_Event, None, None]:
    matched = match_masks(reference, prediction)
    yield matched
    yield read_origin(reference, prediction, matched.pairs, runs)
    yield from measure_pairs(matched.pairs, with_curves=True)


def _written(file: Path) -> int:
    """When a file was written, in nanoseconds; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
