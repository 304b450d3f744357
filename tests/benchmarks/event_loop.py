"""How long a window stands still: the gaps between the ticks of a timer in its event loop."""

import gc
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from qtpy.QtCore import QObject, Qt, QTimer

TICK = 0.005
BLOCKED = 0.1
"""Seconds after which a person notices that the window does not answer."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time without a tick.

    Attributes
    ----------
    seconds : float
    cpu : float
        Seconds that the main thread itself worked, whatever else the machine was doing.
    garbage : float
        Seconds in which Python collected garbage: nobody can do anything meanwhile, whichever
        thread happened to begin with it.
    where : tuple of str
        What the main thread was at after `BLOCKED` seconds, outermost first; empty for a
        shorter gap.
    """

    seconds: float
    cpu: float
    garbage: float
    where: tuple[str, ...]


class EventLoopProbe(QObject):
    """Ticks every 5 ms and keeps the gaps that were longer than that.

    Runs from :meth:`start` to :meth:`stop`; make and use it on the main thread. Another
    thread, which sleeps nearly all the time, looks where the main thread is when a tick is
    late.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gaps: list[Gap] = []
        self._last = self._worked = self._began = self._garbage = 0.0
        gc.callbacks.append(self._collecting)
        self._late: tuple[float, tuple[str, ...]] = (0.0, ())
        self._watching = threading.Event()
        self._main = threading.get_ident()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(1000 * TICK))
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin, and forget what was before."""
        self._gaps, self._last, self._worked = [], time.perf_counter(), time.thread_time()
        self._timer.start()
        self._watching.set()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> list[Gap]:
        """End; gives the gaps, the longest first."""
        self._tick()
        self._timer.stop()
        self._watching.clear()
        return sorted(self._gaps, key=lambda gap: gap.seconds, reverse=True)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        start, where = self._late
        found = where if start == self._last else ()
        self._gaps.append(
            Gap(
                seconds=now - self._last,
                cpu=worked - self._worked,
                garbage=self._garbage,
                where=found,
            )
        )
        self._last, self._worked, self._garbage = now, worked, 0.0

    def _collecting(self, phase: str, _info: object) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._garbage += time.perf_counter() - self._began

    def _watch(self) -> None:
        while self._watching.is_set():
            time.sleep(BLOCKED / 5)
            last = self._last
            if time.perf_counter() - last > BLOCKED * 0.9 and self._late[0] != last:
                frame = sys._current_frames().get(self._main)
                steps = traceback.extract_stack(frame)
                # What lives in that function may have to go at its end, as painters have.
                del frame
                self._late = (last, tuple(f"{s.filename}:{s.lineno} {s.name}" for s in steps))
