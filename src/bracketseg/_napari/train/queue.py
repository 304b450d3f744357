"""Trainings in the worker's process, one after another."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from psygnal import Signal

from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.errors import DeviceError, OutOfMemoryError, WorkerError
from bracketseg.learning.events import Finished, Stopped
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import Train

_NO_USE_TO_GO_ON = (DeviceError, OutOfMemoryError, WorkerError)
"""After one of these the runs behind would meet the same."""


class TrainQueue:
    """Starts runs one after another, and keeps those that a stop left over.

    Parameters
    ----------
    worker : Worker
        Is let go when nothing is left to do, because it keeps the memory that it had.

    Attributes
    ----------
    waiting : tuple of Train
        What is not finished: the run in hand or the one that was stopped, and those behind.
    total : int
        How many runs were started together.
    number : int
        Which of them began last, from 1.
    current : Train or None
        The run in hand.
    stopping : bool
        Whether it was asked to end.

    Signals
    -------
    began(Train)
        A run begins.
    event(object)
        Of the run in hand.
    ended(Train, Exception or None)
        A run is finished or stopped, or failed with this error.
    over()
        Nothing is done any more.
    """

    began = Signal(object)
    event = Signal(object)
    ended = Signal(object, object)
    over = Signal()

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.waiting: tuple[Train, ...] = ()
        self.total = self.number = 0
        self.stopping = False
        self.current: Train | None = None
        self._job: Job | None = None
        self._ready = False
        self._last: object = None

    @property
    def running(self) -> bool:
        """Whether a run is in hand."""
        return self.current is not None

    def start(self, runs: Sequence[Train]) -> None:
        """Begin with the first of some runs."""
        self.waiting, self.total = tuple(runs), len(runs)
        self._begin()

    def go_on(self) -> None:
        """Begin with the first of those that a stop or an error left over."""
        self._begin()

    def stop(self) -> None:
        """End the run in hand after its step, and begin none behind it."""
        self.stopping = True
        if self._ready:
            self.worker.stop()
        else:
            # It is importing torch, which cannot be interrupted, and has done nothing yet.
            self.worker.kill()

    def close(self) -> None:
        """Let everything end by itself: a run in hand saves its state. Nothing more is told."""
        if self._job is not None:
            self._job.cancel()
        self.current = None
        self.worker.close()

    def _begin(self) -> None:
        self.stopping = self._ready = False
        self._last = None
        self.number = self.total - len(self.waiting) + 1
        run = self.current = self.waiting[0]
        self.began.emit(run)
        self._job = run_job(
            partial(self.worker.ask, run),
            on_event=self._take,
            on_error=self._failed,
            on_done=lambda _: self._done(),
            description=f"training {run.out.name}",
        )

    def _take(self, event: object) -> None:
        self._ready = True
        self._last = event
        self.event.emit(event)

    def _done(self) -> None:
        run = self.waiting[0]
        finished = isinstance(self._last, Finished)
        if finished:
            self.waiting = self.waiting[1:]
        elif isinstance(self._last, Stopped):
            self._keep(run, resumable=self._last.resumable)
        self._end(run, None, go_on=finished)

    def _failed(self, error: Exception) -> None:
        run = self.waiting[0]
        if isinstance(error, _NO_USE_TO_GO_ON):
            self._keep(run, resumable=(run.out / "last.pt").exists())
            self._end(run, error, go_on=False)
        else:
            self.waiting = self.waiting[1:]
            self._end(run, error, go_on=True)

    def _keep(self, run: Train, *, resumable: bool) -> None:
        self.waiting = (replace(run, resume=resumable), *self.waiting[1:])

    def _end(self, run: Train, error: Exception | None, *, go_on: bool) -> None:
        self.ended.emit(run, error)
        if go_on and self.waiting and not self.stopping:
            self._begin()
        else:
            self.current, self.stopping = None, False
            self.worker.close()
            self.over.emit()
