"""Showing Labels data that were changed in place."""

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray


def refresh_labels(
    viewer: ViewerModel, layer: Labels, plane: NDArray[np.uint8], *, settled: bool
) -> None:
    """Draw a layer anew whose data were changed in place.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Labels
    plane : (H, W) array
        The part of its data that is shown.
    settled : bool
        False while more changes are about to follow: then only the picture is drawn, and
        where that can be, as it is for a brush, without slicing the layer again. That
        takes 2 ms at 1900 x 1060 instead of 12, and spares the layer list a redraw.
    """
    in_order = viewer.dims.displayed == (viewer.dims.ndim - 2, viewer.dims.ndim - 1)
    if settled or not in_order or layer.contour or plane.dtype != np.uint8:
        layer.refresh(extent=False, highlight=False, thumbnail=settled)
        return
    # The layer list takes every event of a layer for a reason to draw itself anew, and with
    # it the window.
    with viewer.layers.events.blocker_all():
        layer.events.labels_update(data=plane, offset=[0, 0])
