"""Work that is spread over processes: where they are, and paths that all of them understand."""

from contextlib import AbstractContextManager
from pathlib import Path

import typer

from bracketseg.cluster import Cluster, cluster


def spread(scheduler: str | None, workers: int | None) -> AbstractContextManager[Cluster | None]:
    """Give the processes that the options name, for as long as the context lasts."""
    if scheduler is not None and workers is not None:
        raise typer.BadParameter(
            "the workers of a scheduler are started elsewhere", param_hint="--workers"
        )
    return cluster(scheduler, workers)


def for_all(path: Path, pool: Cluster | None) -> Path:
    """Give a path that other processes understand as well."""
    return path if pool is None else path.absolute()
