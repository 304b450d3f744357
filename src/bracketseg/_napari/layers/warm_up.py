"""What the first layers of a napari wait for, made ready before anybody opens one."""

from contextlib import suppress
from importlib import import_module
from threading import Lock

import pint
from pint.registry import LazyRegistry

from bracketseg._napari.widgets.jobs import run_job

_lock = Lock()
_units: list["pint.UnitRegistry[float]"] = []
_begun = False


def warm_up() -> None:
    """Load in the background what the first Image and the first Labels layer load; once.

    Together that takes a second and more, during which the window would stand still.
    """
    global _begun
    if not _begun:
        _begun = True
        run_job(_load_all, on_done=lambda _: use_loaded(), description="getting ready for layers")


def load_for_images() -> None:
    """Load what the first Image layer loads, in any thread; waits where it is being loaded."""
    with _lock:
        # napari draws the thumbnail of an image with it.
        import_module("scipy.ndimage")
        # Every layer has units of measure, and reading all that pint knows takes longest.
        if not _units and _nobody_has_units():
            _units.append(pint.UnitRegistry())


def use_loaded() -> None:
    """Have layers use what was loaded, on the main thread."""
    # A registry that is in use stays: units of two do not go together.
    if _units and _nobody_has_units():
        pint.application_registry.set(_units[0])  # type: ignore[no-untyped-call]


def _load_all() -> None:
    load_for_images()
    # Where labels get their colours from, and the tables of what they mean.
    for name in ("skimage.color", "pandas"):
        with suppress(ImportError):
            import_module(name)


def _nobody_has_units() -> bool:
    return isinstance(pint.application_registry.get(), LazyRegistry)  # type: ignore[no-untyped-call]
