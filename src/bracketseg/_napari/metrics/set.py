"""Metrics of all scenes of two labellings."""

from collections.abc import Generator
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.metrics.text import left_out
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.errors import LabelingError
from bracketseg.evaluation.pairs import (
    Matched,
    PairFailed,
    PairMeasured,
    match_masks,
    measure_pairs,
)
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import Network

_Event = Matched | PairMeasured | PairFailed


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
    threshold : float or None
        At which the predictions were made; None where their folder does not say.
    error : str
        Why nothing can be measured; empty where it can.

    Signals
    -------
    added(PairMeasured)
    changed()
        Something began, went on or ended.
    """

    added = Signal(object)
    changed = Signal()

    def __init__(self) -> None:
        self._job: Job | None = None
        self._stopped = False
        self.measured: list[PairMeasured] = []
        self.problems: list[str] = []
        self.total = self.done = 0
        self.threshold: float | None = None
        self.error = ""

    @property
    def running(self) -> bool:
        """Whether pairs are still being measured."""
        return self._job is not None

    @property
    def stopped(self) -> bool:
        """Whether the last measuring was stopped before its end."""
        return self._stopped

    def start(self, reference: Path, prediction: Path) -> None:
        """Measure these two, in place of what was measured."""
        self.clear()
        self._job = run_job(
            lambda: _measure(reference, prediction),
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
        self.threshold, self.error = None, ""

    def _take(self, event: _Event | float) -> None:
        if isinstance(event, float):
            self.threshold = event
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


def networks_of(folder: Path) -> list[Network]:
    """Say which networks predicted the masks of a folder; none where it does not say.

    Raises
    ------
    LabelingError
        If the folder holds no masks, or what it says of them cannot be read.
    """
    info = LabelingFolder.open(folder).info
    origins = info.ranges.values() if info is not None else ()
    return [origin for origin in origins if isinstance(origin, Network)]


def _measure(reference: Path, prediction: Path) -> Generator[_Event | float, None, None]:
    matched = match_masks(reference, prediction)
    yield matched
    try:
        thresholds = {origin.threshold for origin in networks_of(prediction)}
    except LabelingError:
        thresholds = set()  # a folder from elsewhere need not say how its masks were made
    if len(thresholds) == 1:
        yield float(thresholds.pop())
    yield from measure_pairs(matched.pairs, with_curves=True)
