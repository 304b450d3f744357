"""From any thread to the main thread, through Qt's event loop."""

import threading
import time
from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

TURN = 0.010
"""Seconds of callbacks after which the window gets its turn to draw and to listen."""


class Courier(QObject):
    """Calls on the main thread what other threads hand over, in their order."""

    _handed_over = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._awake = False
        # Made on the main thread, it hears other threads through the event loop.
        self._handed_over.connect(self._deliver)

    def post(self, call: Callable[[], None]) -> None:
        """Have `call` called on the main thread; may be used from any thread."""
        with self._lock:
            self._calls.append(call)
            asleep, self._awake = not self._awake, True
        if asleep:
            self._handed_over.emit()

    def _deliver(self) -> None:
        end = time.perf_counter() + TURN
        try:
            while (call := self._next()) is not None:
                call()
                if time.perf_counter() >= end:
                    break
        finally:
            # Also where a callback failed: those behind it belong to others. A timer, and
            # not the signal, because Qt lets input and drawing pass before a timer.
            with self._lock:
                self._awake = bool(self._calls)
                if self._awake:
                    QTimer.singleShot(0, self._deliver)

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            return self._calls.popleft() if self._calls else None


_courier: Courier | None = None


def courier(*, at_quit: Callable[[], object]) -> Courier | None:
    """Give the courier of the running Qt application; None if there is no application.

    Parameters
    ----------
    at_quit : callable
        Is called when the application is about to quit; only that of the first call counts.
    """
    global _courier
    application = QApplication.instance()
    if application is None:
        return None
    if _courier is None:
        _courier = Courier()
        application.aboutToQuit.connect(at_quit)
    return _courier
