"""The process that a dock has its predictions made by."""

from collections.abc import Callable

from bracketseg.worker.client import Worker


class WorkerSlot:
    """Starts a worker when one is wanted, and another one after it was killed.

    Parameters
    ----------
    make : callable
        Gives a new worker.
    """

    def __init__(self, make: Callable[[], Worker] = Worker) -> None:
        self.make = make
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker:
        """The worker; its process is kept from one request to the next."""
        if self._worker is None:
            self._worker = self.make()
        return self._worker

    def stop(self) -> None:
        """Have the request in hand end after its step."""
        if self._worker is not None:
            self._worker.stop()

    def kill(self) -> None:
        """End the process at once. Nothing that is written to a disk may be in hand."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            worker.close()

    def close(self) -> None:
        """Let the process end after its step."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
