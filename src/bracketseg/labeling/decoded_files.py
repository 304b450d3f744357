"""The pixels of masks that were read before, as long as their files stay as they are."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

KEPT_BYTES = 64 * 2**20
"""What is kept: eight scenes of 1900x1060, with strokes on both masks."""

_Mark = tuple[int, int, int, int]


class DecodedFiles:
    """Pixels up to a number of bytes; what was not used for longest goes first.

    Threads can share it: one reads ahead what another one wants later.

    Parameters
    ----------
    limit : int
        Bytes.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path, read: Callable[[Path], NDArray[Any]]) -> NDArray[Any]:
        """Give what a file holds; it is read where it is another than the one read before.

        Parameters
        ----------
        path : Path
        read : callable
            Takes the path; returns the array. What it raises is not kept.

        Returns
        -------
        array
            Read-only.
        """
        # Looked at before reading: a file that changes meanwhile is another one next time.
        mark = _mark(path)
        with self._lock:
            known = self._kept.get(path)
            if known is not None and known.mark == mark:
                self._kept.move_to_end(path)
                return known.pixels
        pixels = read(path)
        pixels.flags.writeable = False
        if mark is not None:
            self._keep(path, _Kept(mark, pixels))
        return pixels

    def _keep(self, path: Path, kept: "_Kept") -> None:
        with self._lock:
            self._kept[path] = kept
            self._kept.move_to_end(path)
            while sum(it.pixels.nbytes for it in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)


class _Kept(NamedTuple):
    mark: _Mark
    pixels: NDArray[Any]


def _mark(path: Path) -> _Mark | None:
    """Give what tells a file from the one that was there before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
