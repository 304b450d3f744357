"""Moving the layers of frames that are aligned, from wherever the user has put them."""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image

from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.placement import Placement, affine_part

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FramePlaces:
    """Moves layers and takes what it moved them by away again.

    A shift goes into the layer's `translate`, and what turns and tilts into its `affine`, as
    the affine transform that is nearest: a layer of napari cannot be tilted.
    """

    def __init__(self) -> None:
        self._shifted: WeakKeyDictionary[Image, NDArray[np.float64]] = WeakKeyDictionary()
        self._turned: WeakKeyDictionary[Image, tuple[NDArray[np.float64], NDArray[np.float64]]] = (
            WeakKeyDictionary()
        )

    def put(self, layer: Image, placement: Placement | None) -> None:
        """Move a layer to where its frame lies; None is where it lies by itself."""
        self._turn_back(layer)
        by = np.zeros(layer.ndim)
        if isinstance(placement, Shift):
            by[-2:] = layer.scale[-2:] * (placement.dy, placement.dx)
        # What was added is taken away again; where the user has put the layer stays.
        place = layer.translate - self._shifted.get(layer, 0) + by
        if not np.array_equal(place, layer.translate):
            layer.translate = place
        self._shifted[layer] = by
        if placement is not None and not isinstance(placement, Shift):
            self._turn(layer, placement)

    def _turn(self, layer: Image, placement: Placement) -> None:
        before = layer.affine.affine_matrix
        pixels = np.eye(layer.ndim + 1)
        # Rows come before columns here.
        order = [1, 0, 2]
        part = affine_part(placement, layer.data.shape).matrix[np.ix_(order, order)]
        pixels[-3:, -3:] = part
        corners = np.vstack([np.zeros(layer.ndim), np.eye(layer.ndim)])
        in_world = np.array([layer.data_to_world(corner) for corner in corners])
        way = np.eye(layer.ndim + 1)
        way[:-1, -1] = in_world[0]
        way[:-1, :-1] = (in_world[1:] - in_world[0]).T
        # In the world instead of in pixels, where napari applies it last of all.
        after = way @ pixels @ np.linalg.inv(way) @ before
        layer.affine = after
        self._turned[layer] = before, layer.affine.affine_matrix

    def _turn_back(self, layer: Image) -> None:
        if layer not in self._turned:
            return
        before, after = self._turned.pop(layer)
        now = layer.affine.affine_matrix
        # The user may have moved it since.
        layer.affine = before if np.array_equal(now, after) else now @ np.linalg.inv(after) @ before
