"""One training at a time in a run folder, and nothing left of one that was killed."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from bracketseg.errors import TrainingError
from bracketseg.learning.run_files import BEST, CONFIG, ENVIRONMENT, HISTORY, LAST, METRICS, SPLIT

if TYPE_CHECKING:
    from pathlib import Path

_WRITTEN = (CONFIG, SPLIT, HISTORY, METRICS, ENVIRONMENT, BEST, LAST)


class RunLock:
    """Keeps other processes from training into a folder while this one does.

    The system lets go of it when the process ends, however that happens. Where it knows no
    such lock, as Windows and some network disks, there is none.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the folder, and remove the unfinished files of a training that was killed.

        Raises
        ------
        TrainingError
            If another training has it.
        """
        try:
            import fcntl
        except ImportError:  # Windows refuses to remove a file that somebody writes
            self._sweep()
            return
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise TrainingError(
                    f"{self._folder}: another training writes into this folder; wait for it, stop "
                    "it, or train into another folder"
                ) from error
            return
        self._descriptor = descriptor
        self._sweep()

    def release(self) -> None:
        """Let others train there."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            if is_unfinished(path.name) and path.is_file() and not path.is_symlink():
                # What cannot be removed is in the way of nothing.
                with suppress(OSError):
                    path.unlink()


def is_unfinished(name: str) -> bool:
    """Whether a file is what a training writes before it takes the name of a run's file.

    See :func:`bracketseg.brackets.files.atomic_write`.

    Examples
    --------
    >>> is_unfinished(".last.0123456789abcdef0123456789abcdef.pt"), is_unfinished("last.pt")
    (True, False)
    """
    stems = (file.rpartition(".") for file in _WRITTEN)
    return any(
        re.fullmatch(rf"\.{re.escape(stem)}\.[0-9a-f]{{32}}\.{re.escape(suffix)}", name)
        for stem, _, suffix in stems
    )
