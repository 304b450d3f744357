"""From the opening of a dock to its end."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakMethod

from psygnal import SignalInstance
from qtpy.QtWidgets import QWidget

from bracketseg._napari.session import Session

Connection = tuple[SignalInstance, Callable[..., Any]]


def join_session(dock: QWidget, session: Session, connections: Sequence[Connection]) -> None:
    """Connect a dock to its session until the dock is destroyed.

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
