"""One process at a time that writes to a folder, and nothing left of one that was killed."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from bracketseg.brackets.files import sweep

# By the folder's own number: the open folder that holds the lock, and how many here rely on it.
_held: dict[tuple[int, int], tuple[int, int]] = {}
_guard = threading.RLock()  # a folder may be let go of while another is taken


def hold_folder(folder: Path, *, again: bool = False) -> Callable[[], None]:
    """Keep others from writing to a folder until the result is called.

    What a process that was killed left unfinished is removed. The system lets go of the folder
    when this process ends, however that happens. Where it knows no such lock, as Windows and
    some network disks, there is none.

    Parameters
    ----------
    folder : Path
    again : bool
        Whether this process may hold it more than once.

    Raises
    ------
    BlockingIOError
        If another process has it, or this one and not to be held again.
    OSError
        If the folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:
        sweep(folder)
        return lambda: None
    with _guard:
        descriptor = os.open(folder, os.O_RDONLY)
        status = os.fstat(descriptor)
        key = (status.st_dev, status.st_ino)
        if key in _held:
            os.close(descriptor)
            if not again:
                raise BlockingIOError(errno.EWOULDBLOCK, "is held already", str(folder))
            descriptor, count = _held[key]
            _held[key] = (descriptor, count + 1)
        else:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise BlockingIOError(error.errno, error.strerror, str(folder)) from error
                sweep(folder)
                return lambda: None
            _held[key] = (descriptor, 1)
            sweep(folder, idle=0.0)
    return lambda: _release(key)


def _release(key: tuple[int, int]) -> None:
    with _guard:
        descriptor, count = _held.pop(key)
        if count > 1:
            _held[key] = (descriptor, count - 1)
        else:
            os.close(descriptor)
