"""Python's garbage collector, kept from holding up the window.

A full collection looks at every object in the process. With napari's own it stops all threads
for some 0.2 s, in the middle of a brush stroke as well as anywhere else. So while docks are open,
what was there when they opened is set apart (:func:`gc.freeze`), and a full collection looks at
what came later. What is set apart is freed as ever when nothing refers to it; only if it had
become part of a cycle it waits, for one of the occasions below.
"""

import gc

_users: set[object] = set()


def hold(user: object) -> None:
    """Set apart what there is now, until :func:`release`; a second time, what came since.

    Parameters
    ----------
    user : object
        Anything that stands for who wants it.
    """
    _users.add(user)
    gc.freeze()


def settle() -> None:
    """Set apart what was made since, such as the scenes of a large folder; if anybody wants it."""
    if _users:
        gc.freeze()


def thaw() -> None:
    """Let full collections look at everything, until the next :func:`hold` or :func:`settle`.

    For when something large may have gone.
    """
    if _users:
        gc.unfreeze()


def release(user: object) -> None:
    """End what :func:`hold` began, and let what has gone with this user be collected."""
    if user in _users:
        gc.unfreeze()
    _users.discard(user)
