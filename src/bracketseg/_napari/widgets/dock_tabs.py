"""Our docks of one side of the window share it as tabs: below each other none has room."""

from functools import partial
from weakref import ref

from napari.components import ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

_OURS = "bracketseg_dock"
"""The property of a widget that tells ours from those of other plugins."""


def join_tabs(dock: QWidget) -> None:
    """Put a dock among ours, in front of them, once the window has given it a place.

    Docks that the user keeps elsewhere, on another side or as windows, stay there.

    Parameters
    ----------
    dock : QWidget
        A new one; napari puts it into the window right after it was made.
    """
    dock.setProperty(_OURS, True)
    placed = QTimer(dock)
    placed.setSingleShot(True)
    placed.timeout.connect(partial(_join, ref(dock)))
    placed.start(0)


def open_dock(viewer: ViewerModel, name: str) -> None:
    """Bring one of our docks to the front, opened where it is not.

    Parameters
    ----------
    viewer : ViewerModel
        One without a window opens none.
    name : str
        As `napari.yaml` names it.
    """
    window = getattr(viewer, "window", None)
    if window is None:
        return
    frame, _ = window.add_plugin_dock_widget("bracketseg", name)
    frame.show()
    frame.raise_()


def _join(weak: "ref[QWidget]") -> None:
    dock = weak()
    frame = None if dock is None else dock.parentWidget()
    window = None if frame is None else frame.parentWidget()
    if not isinstance(frame, QDockWidget) or not isinstance(window, QMainWindow):
        return
    side = window.dockWidgetArea(frame)
    others = [
        other
        for other in window.findChildren(QDockWidget)
        if other is not frame
        and _is_ours(other)
        and window.dockWidgetArea(other) == side
        and not (other.isFloating() or other.isHidden())
    ]
    if others and not frame.isFloating():
        window.tabifyDockWidget(others[-1], frame)
        for tab in (*others, frame):
            # With the plugin's name, which napari adds, no more than two would be legible.
            tab.setWindowTitle(tab.windowTitle().removesuffix(" (bracketseg)"))
        frame.raise_()


def _is_ours(frame: QDockWidget) -> bool:
    inner = frame.widget()
    return inner is not None and bool(inner.property(_OURS))
