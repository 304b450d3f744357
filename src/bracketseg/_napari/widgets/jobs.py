"""Work away from the main thread, whose news come back on it.

Every dock starts its long work here. napari's own `thread_worker` is not used: one that
runs a generator drops a RuntimeError without a word (torch's out-of-memory error is one),
never closes a generator that was told to quit, and swaps Python's filters of warnings for
the whole process while it runs.
"""

import inspect
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_at_work: set["Job"] = set()
_lock = threading.Lock()


class Job:
    """One piece of work under way.

    Attributes
    ----------
    description : str
        What it does, as people are told when it fails.
    """

    def __init__(
        self,
        work: Callable[[], Any],
        callbacks: dict[str, Callable[[Any], object]],
        description: str,
        stop: threading.Event,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self.description = description
        self._work: Callable[[], Any] | None = work
        self._callbacks = callbacks
        self._stop = stop
        self._post = post
        self._done = threading.Event()
        self._told = False

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called; may be asked from any thread."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Whether the work itself goes on; its last callback may still be under way."""
        return not self._done.is_set()

    @property
    def over(self) -> bool:
        """Whether no callback will be called any more; to be asked on the main thread."""
        return self._told or self.cancelled

    def cancel(self) -> None:
        """Stop the work after the step in hand; from here on no callback is called.

        A generator is closed in the thread it runs in, so that its `finally` is done with
        when the thread ends. A plain function cannot be interrupted: its result is dropped.
        """
        self._stop.set()
        # What the callbacks belong to may be on its way out, such as a closed dock.
        self._callbacks.clear()

    def wait(self, seconds: float) -> bool:
        """Wait until the work itself has ended; False if it has not by then."""
        return self._done.wait(seconds)

    def _run(self) -> None:
        try:
            self._step_through()
        except BaseException as error:  # noqa: BLE001 - whatever it is, a person has to hear of it
            self._tell("error", error)
        finally:
            self._work = None
            self._done.set()
            with _lock:
                _at_work.discard(self)

    def _step_through(self) -> None:
        if self._work is None or self.cancelled:
            return
        result = self._work()
        if inspect.isgenerator(result):
            try:
                while not self.cancelled:
                    self._tell("event", next(result))
            except StopIteration as end:
                self._tell("done", end.value)
            finally:
                result.close()
        else:
            self._tell("done", result)

    def _tell(self, kind: str, value: Any) -> None:
        if not self.cancelled:
            self._post(lambda: self._call(kind, value))

    def _call(self, kind: str, value: Any) -> None:
        callback = self._callbacks.get(kind)
        if kind != "event":
            self._told = True
            self._callbacks.clear()
        if callback is not None:
            callback(value)
        elif kind == "error" and not self.cancelled:
            _show_error(value)


def run_job(
    work: Callable[[], Any],
    *,
    on_event: Callable[[Any], object] | None = None,
    on_error: Callable[[Any], object] | None = None,
    on_done: Callable[[Any], object] | None = None,
    description: str = "",
    stop: threading.Event | None = None,
) -> Job:
    """Run a function, or step through a generator, in a thread of its own.

    Call it on the main thread. All callbacks run on the main thread, in the order of what
    happened, a few at a time, so that a flood of events does not hold up the window.
    Where there is no Qt application, and so no event loop to come back to, the work is done
    before this returns, in the caller's thread.

    Parameters
    ----------
    work : callable
        Takes nothing. It must not touch layers or widgets. If it returns a generator, that
        generator is the work, and each value it yields is an event.
    on_event : callable, optional
        Takes one event.
    on_error : callable, optional
        Takes whatever was raised, of ours or not, RuntimeError included; nothing is called
        after it. Without it napari shows the error.
    on_done : callable, optional
        Takes what the function or the generator returned.
    description : str
        What is being done, in a few words.
    stop : threading.Event, optional
        What :meth:`Job.cancel` sets. Give one of your own where the work has to look at it
        within a step.

    Returns
    -------
    Job
    """
    callbacks = {"event": on_event, "error": on_error, "done": on_done}
    given = {kind: callback for kind, callback in callbacks.items() if callback is not None}
    calls: list[Callable[[], None]] = []
    post = _way_to_main_thread()
    job = Job(work, given, description, stop or threading.Event(), post or calls.append)
    with _lock:
        _at_work.add(job)
    if post is None:
        job._run()  # noqa: SLF001 - the other half of the class
        for call in calls:
            call()
    else:
        # A daemon, so that a step without an end cannot keep the process from ending.
        threading.Thread(
            target=job._run,  # noqa: SLF001
            name=f"bracketseg: {description}",
            daemon=True,
        ).start()
    return job


class JobGroup:
    """Jobs that are cancelled together, such as those of one dock."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def run(self, work: Callable[[], Any], **options: Any) -> Job:
        """Start a job; the options are those of :func:`run_job`."""
        job = run_job(work, **options)
        self._jobs = [known for known in (*self._jobs, job) if not known.over]
        return job

    def cancel(self) -> None:
        """Cancel all that are not over."""
        for job in self._jobs:
            job.cancel()
        self._jobs = []


def next_turn(call: Callable[[], None]) -> None:
    """Call something in the next turn of the event loop; at once where no event loop runs.

    Call it on the main thread. Qt lets input and drawing pass before.
    """
    if _way_to_main_thread() is None:
        call()
    else:
        from qtpy.QtCore import QTimer

        QTimer.singleShot(0, call)


def running_jobs() -> tuple[Job, ...]:
    """Give all jobs whose work goes on."""
    with _lock:
        return tuple(_at_work)


def cancel_all(seconds: float = 5.0) -> bool:
    """Cancel all jobs and wait for their threads.

    Parameters
    ----------
    seconds : float
        How long to wait at most, for all of them together.

    Returns
    -------
    bool
        Whether every thread has ended.
    """
    jobs = running_jobs()
    for job in jobs:
        job.cancel()
    end = time.monotonic() + seconds
    return all(job.wait(max(0.0, end - time.monotonic())) for job in jobs)


def _way_to_main_thread() -> Callable[[Callable[[], None]], None] | None:
    """Find who hands calls to the main thread; None without a Qt application."""
    # Whoever made an application has imported one of these; without them there is none, and
    # asking Qt about it would load Qt into a script that has no window.
    bindings = ("PyQt6", "PySide6", "PyQt5", "PySide2")
    if not any(f"{binding}.QtWidgets" in sys.modules for binding in bindings):
        return None
    from bracketseg._napari.widgets.courier import courier

    found = courier(at_quit=cancel_all)
    return None if found is None else found.post


def _show_error(error: BaseException) -> None:
    from napari.utils.notifications import notification_manager

    notification_manager.receive_error(type(error), error, error.__traceback__)
