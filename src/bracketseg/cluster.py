"""Scenes spread over processes and machines with dask.distributed (the extra `cluster`)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bracketseg import __version__
from bracketseg.errors import ClusterError
from bracketseg.scene_pool import Results, attempt, handed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from distributed import Client, Future, Worker

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_REACH_SECONDS = 10
"""How long a scheduler may take to answer, and its first worker to be there."""

_START_SECONDS = 60
"""How long workers of our own may take to start: each of them imports the package."""

_BACKLOG = 2
"""Scenes in hand for each thread of a worker, so that none waits for the slowest scene."""

_KEEP_FREED_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": str(256 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
}
"""What `bracketseg.allocator` sets in the command itself; dask sets the opposite."""


class Cluster:
    """A pool of scenes on the workers of a dask scheduler.

    Every worker has to see the same folders under the same absolute paths. When a worker dies,
    its scenes are given to another one.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def in_order(
        self, items: Sequence[_Item], work: Callable[[_Item], _Result]
    ) -> Results[_Item, _Result]:
        """See :class:`bracketseg.scene_pool.ScenePool`."""

        def submit(item: _Item) -> _OnCluster:
            # Not pure: what an earlier command made of the same scene is no answer.
            future = self._client.submit(attempt, work, item, pure=False)
            return _OnCluster(future, str(getattr(item, "scene", item)))

        yield from handed_out(items, submit, lambda: _BACKLOG * self._threads())

    def _threads(self) -> int:
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))


class _OnCluster:
    """A scene that a worker has, or will have."""

    def __init__(self, future: Future, scene: str) -> None:
        self._future = future
        self._scene = scene

    def result(self) -> Any:
        from distributed import CancelledError, KilledWorker

        try:
            return self._future.result()
        except CancelledError as error:
            raise ClusterError(
                f"{self._scene}: the dask scheduler was lost; what is done is whole, and the same "
                "command does the rest"
            ) from error
        except KilledWorker as error:
            return ClusterError(
                f"{self._scene}: each worker that was given this scene died, most likely because "
                f"its memory did not suffice ({error.last_worker.address} was the last); start "
                "fewer workers on a machine, or do this scene without them"
            )

    def cancel(self) -> None:
        """Wait for it: a worker that has begun cannot be made to stop, and leaves whole files."""
        self._future.exception()


@contextmanager
def cluster(scheduler: str | None, workers: int | None) -> Iterator[Cluster | None]:
    """Give the pool of a scheduler, or of processes that are started here and stopped again.

    Parameters
    ----------
    scheduler : str, optional
        The address of a dask scheduler, such as ``tcp://10.0.0.1:8786``.
    workers : int, optional
        How many processes to start instead; each has an equal share of the cores.

    Yields
    ------
    Cluster or None
        None where neither was asked for.

    Raises
    ------
    ClusterError
        If dask is not installed, nobody answers at the address, or a worker there cannot work.
    """
    if scheduler is None and workers is None:
        yield None
        return
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ClusterError(
            "the package dask.distributed is needed to spread scenes over workers; install it "
            "with: pip install 'bracketseg[cluster]'"
        ) from error
    if scheduler is not None:
        try:
            asyncio.run(_knock(scheduler))
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"{scheduler}: no dask scheduler answers there; start one with `dask scheduler` "
                "and give the address that it prints"
            ) from error
        with Client(scheduler, set_as_default=False) as client:
            _check(client, scheduler, _REACH_SECONDS)
            yield Cluster(client)
        return
    environment = {
        "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // (workers or 1))),
        **_KEEP_FREED_MEMORY,
    }
    with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
        started = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=None,
            # A port that is free, so that two commands at once do not meet.
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        )
    with started, Client(started, set_as_default=False) as client:
        client.register_plugin(_deaf_to_interrupts())
        _check(client, "this machine", _START_SECONDS)
        yield Cluster(client)


async def _knock(scheduler: str) -> None:
    """Raise OSError where nobody answers; a client that was refused never ends cleanly."""
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    (await connect(scheduler, timeout=_REACH_SECONDS, **arguments)).abort()


def _check(client: Client, where: str, seconds: int) -> None:
    """Refuse workers that are not there, or have another bracketseg or none."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise ClusterError(
            f"{where}: the dask scheduler has no workers; start some with `dask worker {where}`"
        ) from error
    try:
        found = client.run(_version)
    except (ImportError, AttributeError) as error:
        raise ClusterError(
            f"{where}: a worker cannot import bracketseg {__version__} ({error}); install the same "
            "version in the environment of every worker"
        ) from error
    others = {worker: version for worker, version in found.items() if version != __version__}
    if others:
        worker, version = others.popitem()
        raise ClusterError(
            f"{where}: the worker {worker} has bracketseg {version} and this is {__version__}; "
            "install the same version everywhere"
        )


def _version() -> str:
    return __version__


def _deaf_to_interrupts() -> Any:
    """Make a plugin for workers of our own: Ctrl-C reaches the whole group of processes.

    The command stops them after the scenes in hand; without this they would die at once.
    """
    from distributed import WorkerPlugin

    class DeafToInterrupts(WorkerPlugin):  # type: ignore[misc]  # dask tells no types
        def setup(self, worker: Worker) -> None:  # noqa: ARG002 - dask's own name
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, signal.SIG_IGN)

    return DeafToInterrupts()
