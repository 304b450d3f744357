"""From the opening of a dock to its end."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakMethod

from psygnal import SignalInstance
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from bracketseg._napari.layers.warm_up import warm_up
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.dock_tabs import join_tabs
from bracketseg._napari.widgets.whole_picture import keep_in_sight

WARM_UP_MS = 200
"""How long the background waits for the dock to be there, and drawn."""

_closing: list[QWidget] = []

Connection = tuple[SignalInstance, Callable[..., Any]]


def join_session(dock: QWidget, session: Session, connections: Sequence[Connection]) -> None:
    """Connect a dock to its session until the dock is destroyed, and put it among the others.

    Without this a session would go on calling into widgets that Qt has deleted.

    Parameters
    ----------
    dock : QWidget
    session : Session
    connections : sequence of (signal, method)
        Signals of the session, and methods of the dock to call.
    """
    token = object()
    for signal, method in connections:
        signal.connect(method)
    weak = [(signal, WeakMethod(method)) for signal, method in connections]
    # Neither refers to the dock, which must be free to go.
    dock.destroyed.connect(partial(_leave, session, token, weak))
    session.attach(token)
    join_tabs(dock)
    keep_in_sight(session.viewer, dock)
    _EndWithFrame(dock)
    later = QTimer(dock)
    later.setSingleShot(True)
    later.timeout.connect(warm_up)
    later.start(WARM_UP_MS)


class _EndWithFrame(QObject):
    """Deletes a dock that napari has taken out of its frame, as the user has closed it.

    Left to Python it would go on working for as long as nobody collects it, and one that is
    collected emits no `destroyed`.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        dock.installEventFilter(self)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Look whether the dock has lost its parent."""
        parted = a1 is not None and a1.type() == QEvent.Type.ParentChange
        if parted and isinstance(a0, QWidget) and a0.parent() is None and a0 not in _closing:
            # Until Qt has told everybody, Python must not collect it.
            _closing.append(a0)
            a0.destroyed.connect(lambda *_: _closing.remove(a0))
            a0.deleteLater()
        return False


def _leave(
    session: Session,
    token: object,
    connections: list[tuple[SignalInstance, "WeakMethod[Callable[..., Any]]"]],
    _dock: object = None,
) -> None:
    for signal, weak in connections:
        method = weak()
        if method is not None:
            signal.disconnect(method, missing_ok=True)
    session.detach(token)
