"""Python's garbage collector, kept from holding up the window.

A full collection looks at every object in the process. With napari's own it stops all threads
for some 0.2 s, in the middle of a brush stroke as well as anywhere else. So while docks are open,
what was there when they opened is set apart (:func:`gc.freeze`), and a full collection looks at
what came later. What is set apart is freed as ever when nothing refers to it; only if it had
become part of a cycle it waits, for one of the occasions below.
"""

import gc
from typing import Any

_users: set[object] = set()
_thawed = False


def hold(user: object) -> None:
    """Set apart what there is now, until :func:`release`; a second time, what came since.

    Parameters
    ----------
    user : object
        Anything that stands for who wants it.
    """
    if not _users:
        gc.callbacks.append(_collected)
    _users.add(user)
    gc.freeze()


def settle() -> None:
    """Set apart what was made since, such as the scenes of a large folder; if anybody wants it."""
    if _users:
        gc.freeze()


def thaw() -> None:
    """Let the next full collection look at everything, since something large may have gone."""
    global _thawed
    if _users:
        _thawed = True
        gc.unfreeze()


def release(user: object) -> None:
    """End what :func:`hold` began; with the last user all is as it was."""
    _users.discard(user)
    if _users:
        thaw()
    elif _collected in gc.callbacks:
        gc.callbacks.remove(_collected)
        gc.unfreeze()


def _collected(phase: str, info: dict[str, Any]) -> None:
    global _thawed
    if _thawed and phase == "stop" and info["generation"] == 2:
        _thawed = False
        gc.freeze()
