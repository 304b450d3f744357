"""Small pictures of scenes, read in the background for those in sight."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtGui import QImage, QPixmap

from bracketseg._napari.widgets.jobs import Job, JobGroup
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.images import read_thumbnail
from bracketseg.errors import FrameError

SIZE = 64
"""Longer side in pixels."""

MAX_KEPT = 3000
"""Thumbnails in memory: at most 12 KB each, 36 MB."""

Thumbnail = NDArray[np.uint8] | FrameError


class _Read(NamedTuple):
    scene: str
    thumbnail: Thumbnail


class Thumbnails:
    """Reads thumbnails of the scenes that were asked for last, and keeps them.

    Signals
    -------
    ready(str)
        :meth:`get` has the thumbnail of this scene now.
    """

    ready = Signal(str)

    def __init__(self, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._kept: OrderedDict[str, Thumbnail] = OrderedDict()
        self._waiting: list[Bracket] = []
        self._lock = Lock()
        self._jobs = JobGroup()
        self._job: Job | None = None

    def get(self, scene: str) -> Thumbnail | None:
        """Give the thumbnail of a scene, or why there is none; None while it is not read.

        Returns
        -------
        (h, w) or (h, w, 3) uint8 array, FrameError or None
        """
        return self._kept.get(scene)

    def ask(self, brackets: Sequence[Bracket]) -> None:
        """Ask for the thumbnails of some scenes, in this order.

        Scenes that were asked for before and are not read yet are forgotten: they have
        been scrolled out of sight.
        """
        wanted = []
        for bracket in brackets:
            if bracket.scene in self._kept:
                self._kept.move_to_end(bracket.scene)
            else:
                wanted.append(bracket)
        with self._lock:
            self._waiting = wanted
        self._go_on()

    def clear(self) -> None:
        """Stop reading, and forget all: another folder has other scenes."""
        self.cancel()
        self._kept.clear()

    def cancel(self) -> None:
        """Stop reading."""
        with self._lock:
            self._waiting = []
        self._jobs.cancel()
        self._job = None

    def _go_on(self) -> None:
        with self._lock:
            idle = not self._waiting
        if idle or (self._job is not None and not self._job.over):
            return
        self._job = self._jobs.run(
            self._read_waiting,
            on_event=self._take,
            # What was asked for after it had looked for the last time.
            on_done=lambda _: self._go_on(),
            description="reading thumbnails",
        )

    def _read_waiting(self) -> Iterator[_Read]:
        """Run away from the main thread."""
        while (bracket := self._next()) is not None:
            yield _Read(bracket.scene, _thumbnail_of(bracket))

    def _next(self) -> Bracket | None:
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def _take(self, read: _Read) -> None:
        self._kept[read.scene] = read.thumbnail
        while len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)
        self.ready.emit(read.scene)


def _thumbnail_of(bracket: Bracket) -> Thumbnail:
    # The frame in the middle of the exposures; finding the medium frame of a long bracket
    # would take a look at every frame.
    frame = bracket.frames[len(bracket.frames) // 2]
    try:
        return read_thumbnail(frame.path, SIZE, ev=frame.shown_at)
    except FrameError as error:
        return error


def framed(thumbnail: NDArray[np.uint8], size: int) -> QPixmap:
    """Make a square pixmap, so that the text beside it starts at the same place in every row."""
    grey = thumbnail.ndim == 2
    pixels = np.ascontiguousarray(np.repeat(thumbnail[..., None], 3, axis=2) if grey else thumbnail)
    height, width = pixels.shape[:2]
    square = np.zeros((size, size, 4), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width, :3] = pixels
    square[top : top + height, left : left + width, 3] = 255
    image = QImage(square.tobytes(), size, size, 4 * size, QImage.Format.Format_RGBA8888)
    return QPixmap.fromImage(image)
