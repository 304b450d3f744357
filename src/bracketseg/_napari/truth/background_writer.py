"""What has to reach the disk soon, written one after the other in the background."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psygnal import Signal

from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.errors import BracketSegError

RETRY = 5.0
"""Seconds after which something that could not be written is tried again."""

LAST_WAIT = 10.0
"""Seconds that closing waits for the disk."""

Write = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class _Pending:
    prepare: Callable[[], Write]
    on_written: Callable[[Any], object] | None


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException
    retry_at: float


class BackgroundWriter:
    """Keeps what was not written yet and tries until it is.

    Each thing has a key; a newer one of the same key takes the place of the older.
    Writing is started by :meth:`flush`, which the owner calls every so often.

    Signals
    -------
    failed(BracketSegError)
        Something could not be written. Not again as long as it fails for the same reason.
    recovered()
        All that had failed is written now.
    """

    failed = Signal(object)
    recovered = Signal()

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        self._in_flight: dict[str, _Pending] = {}
        self._unwanted: set[str] = set()
        self._job: Job | None = None
        self._failures: dict[str, _Failure] = {}
        self._told: str | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._pending or key in self._in_flight

    def has_failed(self, key: str) -> bool:
        """Whether something could not be written when that was last tried."""
        return key in self._failures

    @property
    def idle(self) -> bool:
        """Whether everything is written."""
        return not self._pending and not self._in_flight

    @property
    def writing(self) -> bool:
        """Whether a write is under way."""
        return bool(self._in_flight)

    @property
    def failing(self) -> bool:
        """Whether something failed and :attr:`recovered` was not told since."""
        return self._told is not None

    def put(
        self,
        key: str,
        prepare: Callable[[], Write],
        on_written: Callable[[Any], object] | None = None,
    ) -> None:
        """Have something written at the next :meth:`flush`.

        Parameters
        ----------
        key : str
        prepare : callable
            Called on the main thread when writing starts; returns what a background
            thread then calls. What it writes must not change meanwhile.
        on_written : callable, optional
            Takes what the write returned; called on the main thread.
        """
        self._pending.pop(key, None)
        self._pending[key] = _Pending(prepare, on_written)

    def drop(self, key: str) -> None:
        """Forget something; a write of it that is under way is not tried again."""
        self._pending.pop(key, None)
        self._failures.pop(key, None)
        if key in self._in_flight:
            self._unwanted.add(key)

    def flush(self, *, now: bool = False) -> None:
        """Start writing what waits, unless a write is under way.

        Parameters
        ----------
        now : bool
            Also what could not be written a moment ago.
        """
        held = set() if now else self._held_back()
        due = {key: entry for key, entry in self._pending.items() if key not in held}
        if self._in_flight or not due:
            return
        self._in_flight = due
        self._pending = {key: entry for key, entry in self._pending.items() if key in held}
        writes = {key: entry.prepare() for key, entry in self._in_flight.items()}
        self._job = run_job(
            lambda: _write_all(writes),
            on_done=self._ended,
            on_error=self._broke,
            description="saving ground truth",
        )

    def finish(self) -> None:
        """Write what waits before this returns; for the end of a window or a program."""
        if self._job is not None and self._in_flight:
            self._job.wait(LAST_WAIT)
            self._job.cancel()
            # Its news can no longer come; what it wrote is simply written again.
            self._put_before(self._still_wanted())
            self._in_flight = {}
        waiting, self._pending = self._pending, {}
        self._in_flight = waiting
        self._ended(_write_all({key: entry.prepare() for key, entry in waiting.items()}))

    def _held_back(self) -> set[str]:
        now = self._clock()
        return {key for key, failure in self._failures.items() if now < failure.retry_at}

    def _put_before(self, older: dict[str, _Pending]) -> None:
        """Have something written again, before what was put meanwhile, which is newer."""
        again = {key: entry for key, entry in older.items() if key not in self._pending}
        self._pending = again | self._pending

    def _still_wanted(self) -> dict[str, _Pending]:
        wanted = {key: it for key, it in self._in_flight.items() if key not in self._unwanted}
        self._unwanted.clear()
        return wanted

    def _broke(self, error: BaseException) -> None:
        self._ended(dict.fromkeys(self._in_flight, error))

    def _ended(self, results: dict[str, Any]) -> None:
        wanted = self._still_wanted()
        written, self._in_flight, self._job = self._in_flight, {}, None
        errors = {key: error for key, error in results.items() if isinstance(error, BaseException)}
        self._put_before({key: wanted[key] for key in errors if key in wanted})
        for key in results:
            self._failures.pop(key, None)
        retry_at = self._clock() + RETRY
        self._failures |= {
            key: _Failure(error, retry_at) for key, error in errors.items() if key in self._pending
        }
        for key, result in results.items():
            on_written = written[key].on_written
            if on_written is not None and key not in errors:
                on_written(result)
        reasons = {str(it.error): it.error for it in self._failures.values()}
        if reasons and self._told not in reasons:
            self._told, error = next(iter(reasons.items()))
            self.failed.emit(error)
        elif self.failing and not reasons:
            self._told = None
            self.recovered.emit()


def _write_all(writes: dict[str, Write]) -> dict[str, Any]:
    """Write each; one that fails does not keep the others from being tried."""
    results: dict[str, Any] = {}
    for key, write in writes.items():
        try:
            results[key] = write()
        except (BracketSegError, OSError) as error:
            results[key] = error
    return results
