"""The picture beside a dock that has just been opened."""

from functools import partial
from weakref import ref

from napari.components import Camera, ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

_PLACED_MS = 100
"""How long the window takes to make room for a dock."""


_NEARLY = 1.15
"""By how much a fitted picture may be too large: napari's own controls grow with the first layer,
and leave it as it is."""


def keep_in_sight(viewer: ViewerModel, dock: QWidget) -> None:
    """Fit the picture into what a new dock leaves of the canvas, if it was fitted before.

    What a person has zoomed or moved stays where it is.

    Parameters
    ----------
    viewer : ViewerModel
    dock : QWidget
        That the window is about to make room for.
    """
    if not viewer.layers or viewer.dims.ndisplay != 2:
        return
    before = _view(viewer)
    viewer.reset_view()
    center, zoom = _view(viewer)
    camera = _camera(viewer)
    camera.center, camera.zoom = before
    if center != before[0] or not 1 / _NEARLY < before[1] / zoom < _NEARLY:
        return
    timer = QTimer(dock)
    timer.setSingleShot(True)
    timer.timeout.connect(partial(_fit, ref(viewer), before))
    timer.start(_PLACED_MS)


def _fit(weak: "ref[ViewerModel]", before: object) -> None:
    viewer = weak()
    # Somebody may have turned to another part of the picture meanwhile.
    if viewer is not None and viewer.dims.ndisplay == 2 and _view(viewer) == before:
        viewer.reset_view()


def _view(viewer: ViewerModel) -> tuple[tuple[float, ...], float]:
    camera = _camera(viewer)
    return camera.center, camera.zoom


def _camera(viewer: ViewerModel) -> Camera:
    # napari before 0.9 keeps it with the viewer itself.
    camera: Camera = getattr(viewer, "scene", viewer).camera
    return camera
