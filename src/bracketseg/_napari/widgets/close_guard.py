"""A question before a dock is closed, or the window that it is in."""

from collections.abc import Callable
from weakref import ref

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget


class CloseGuard(QObject):
    """Asks before the close button of a dock, or that of napari's window, does its work.

    napari's own question knows only the work that its threads do, is not asked where a
    window is closed from a menu, and is not asked for a dock at all.

    Parameters
    ----------
    dock : QWidget
        The inner widget of a dock.
    may_close : callable
        Asks, where there is something to ask; returns whether to go on.
    closed : callable
        Called when the widget was taken out of its dock. It may live on for a while.
    """

    def __init__(
        self, dock: QWidget, may_close: Callable[[], bool], closed: Callable[[], object]
    ) -> None:
        super().__init__(dock)
        self._dock = dock
        self._may_close = may_close
        self._closed = closed
        # Weak: Qt keeps this guard as long as the window, which would then keep itself.
        self._window: ref[QMainWindow] | None = None
        dock.installEventFilter(self)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Stop what must not be closed from closing."""
        if a1 is None or a0 is None:
            return False
        if a0 is self._dock and a1.type() == QEvent.Type.Show:
            self._watch()
        taken_out = a0 is self._dock and a1.type() == QEvent.Type.ParentChange
        if taken_out and self._dock.parentWidget() is None:
            self._closed()
        window = None if self._window is None else self._window()
        if a0 is window and a1.type() == QEvent.Type.Close and not self._may_close():
            a1.ignore()
            return True
        return False

    def _watch(self) -> None:
        """Find the dock and the window around the widget, which has them once it is shown."""
        around = self._dock.parentWidget()
        while around is not None and not isinstance(around, QMainWindow):
            if isinstance(around, QDockWidget) and self._window is None:
                self._guard_button(around)
            around = around.parentWidget()
        if isinstance(around, QMainWindow) and self._window is None:
            self._window = ref(around)
            around.installEventFilter(self)

    def _guard_button(self, around: QDockWidget) -> None:
        # What napari's close button calls; Qt has no event for it that could be held back.
        close = getattr(around, "destroyOnClose", None)
        if close is not None:
            around.destroyOnClose = (  # type: ignore[attr-defined]
                lambda: close() if self._may_close() else None
            )
