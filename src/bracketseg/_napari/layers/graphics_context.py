"""The graphics context in which napari lets go of what a removed layer had there.

napari 0.9 frees the textures and shader programs of a removed layer in whatever OpenGL context
is current at that moment, which is often the one that Qt puts the window together with. Mesa then
loses the program that the canvas uses: if the canvas next draws with that same program, as it does
when all layers are hidden and the circle of a brush is not, the whole process ends with a
segmentation fault. So the canvas's own context is made current before a layer goes.
"""

from functools import partial
from typing import Any
from weakref import ref

from napari.components import ViewerModel


def remove_layers_in_own_context(viewer: ViewerModel) -> None:
    """Make the canvas's context current before each layer that is removed from now on.

    Parameters
    ----------
    viewer : ViewerModel
        Without a window there is no context, and nothing happens.
    """
    removing = partial(_make_current, ref(viewer))
    viewer.layers.events.removing.connect(removing)


def _make_current(viewer: "ref[ViewerModel]", _event: object) -> None:
    window: Any = getattr(viewer(), "window", None)
    # There is no public way to the canvas; another napari may have another one, or none.
    canvas = getattr(getattr(window, "_qt_viewer", None), "canvas", None)
    widget = getattr(canvas, "native", None)
    if widget is not None and widget.isValid():
        widget.makeCurrent()
