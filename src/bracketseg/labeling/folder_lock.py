"""One process at a time that writes to a labelling."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from bracketseg.errors import LabelingError

# By the folder's own number: the open folder that holds the lock, and how many here rely on it.
_held: dict[tuple[int, int], tuple[int, int]] = {}
_guard = threading.RLock()  # a folder may be let go of while another is taken


def hold_folder(folder: Path) -> Callable[[], None]:
    """Keep other processes from writing to a labelling until the result is called.

    Within this process it may be held many times. The system lets go of it when the process
    ends, however that happens. Where it knows no such lock, as Windows and some network disks,
    there is none.

    Raises
    ------
    LabelingError
        If another process has it.
    OSError
        If the folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:
        return lambda: None
    with _guard:
        descriptor = os.open(folder, os.O_RDONLY)
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        if key in _held:
            os.close(descriptor)
            descriptor, count = _held[key]
            _held[key] = (descriptor, count + 1)
        else:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    return lambda: None
                raise LabelingError(
                    f"{folder}: another process writes to this labelling. Wait for it, stop it, "
                    "or write to another folder."
                ) from error
            _held[key] = (descriptor, 1)
    return lambda: _release(key)


def _release(key: tuple[int, int]) -> None:
    with _guard:
        descriptor, count = _held.pop(key)
        if count > 1:
            _held[key] = (descriptor, count - 1)
        else:
            os.close(descriptor)
