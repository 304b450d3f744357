"""The window's side: start a worker, ask it, stop it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from bracketseg.errors import WorkerError
from bracketseg.worker.requests import Done, Failed, Request, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMAND = (sys.executable, "-P", "-m", "bracketseg.worker")


class Worker:
    """A process that trains and predicts, one request at a time.

    It is started by the first request and kept for the next ones, because importing torch
    takes seconds. Whatever happens to the process that made it, it ends too, and a training
    in hand saves its state first.

    Parameters
    ----------
    command : sequence of str, optional
        What to start instead.
    """

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._busy = False
        self._killed = False

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        process = self._process
        return process is not None and process.poll() is None

    def ask(self, request: Request) -> Iterator[Any]:
        """Have a request fulfilled; to be stepped through in a thread that may wait.

        If the iterator is closed before its end, the process stops what it does, as at
        :meth:`close`, and is gone when that returns.

        Yields
        ------
        Ready, and then what `request` says

        Raises
        ------
        BracketSegError
            What went wrong in the worker, as it was raised there.
        WorkerError
            If the process cannot be started, or ends before its last answer unless by
            :meth:`kill`.
        """
        process = self._send(request)
        ended = False
        try:
            while not ended:
                answer = self._answer(process)
                ended = answer is None or isinstance(answer, Failed | Done)
                if isinstance(answer, Failed):
                    raise answer.error
                if not ended:
                    yield answer
        finally:
            if not ended:
                self.close()
            with self._lock:
                self._busy = False
                kept = self._process is process
            if not kept:
                _end(process)

    def stop(self) -> None:
        """Ask the request in hand to end after its step; from any thread, and no harm without."""
        with self._lock:
            if self._busy and self._process is not None:
                _write(self._process, Stop())

    def close(self, *, wait: bool = False) -> None:
        """Let the process end: a training in hand saves its state first.

        Parameters
        ----------
        wait : bool
            Return only when an idle process has ended. One with a request in hand ends when
            its answers have been read.
        """
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return
            _close(process.stdin)
            if self._busy:
                return
        ending = threading.Thread(target=_end, args=(process,), daemon=True)
        ending.start()
        if wait:
            ending.join()

    def kill(self) -> None:
        """End the process at once; the request in hand ends without a word."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def _send(self, request: Request) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._busy:
                raise WorkerError("another request is still worked on; wait for it or stop it")
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)
                self._process = None
            if self._process is None:
                self._process = self._start()
            self._busy, self._killed = True, False
            if not _write(self._process, request):
                self._busy = False
                raise WorkerError(_last_words(self._process))
            return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - our own module, and no shell
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            raise WorkerError(
                f"{self._command[0]}: cannot be started ({error.strerror or error}). Use the "
                "command bracketseg in a terminal instead."
            ) from error

    def _answer(self, process: subprocess.Popen[bytes]) -> object:
        """Wait for an answer; None if the process was killed on purpose."""
        if process.stdout is None:
            raise WorkerError("the worker has no output")
        try:
            return pickle.load(process.stdout)  # noqa: S301 - comes from a process of ours
        except (EOFError, pickle.UnpicklingError) as error:
            with self._lock:
                if self._process is process:
                    self._process = None
            _end(process)
            if self._killed:
                return None
            raise WorkerError(_last_words(process)) from error


def _write(process: subprocess.Popen[bytes], message: object) -> bool:
    """Send a message; False if nobody is there to read it."""
    if process.stdin is None:
        return False
    try:
        pickle.dump(message, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
    except (OSError, ValueError):  # a broken or a closed pipe
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process that was told to end, and let go of it."""
    _close(process.stdin)
    _close(process.stdout)
    process.wait()


def _close(pipe: Any) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        return  # what was still to be written found nobody to read it


def _last_words(process: subprocess.Popen[bytes]) -> str:
    status = process.wait()
    if status in (-9, 137):
        return (
            "The system ended the process that was learning, most likely because memory ran "
            "out. Choose a smaller batch or image size, or close other programs. A training "
            "that has saved a state can be resumed."
        )
    return (
        f"The process that was learning ended without an answer (status {status}); what it "
        "said stands in the terminal that napari was started from. A training that has saved "
        "a state can be resumed."
    )
