"""The Image layer of a probability."""

from typing import cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from bracketseg._napari.layers.picture_place import place_of, put_over
from bracketseg._napari.layers.provenance import (
    METADATA_KEY,
    Provenance,
    find_layer,
    probability_layer_name,
)


class ProbabilityMap:
    """Shows a probability below the mask that was made from it.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Image | None = None

    @property
    def layer(self) -> Image | None:
        """The layer, unless it is not there."""
        layer = self._layer
        return layer if layer is not None and layer in self._viewer.layers else None

    def show(
        self, probability: NDArray[np.float32], image: Image, mask: Labels, ours: Provenance
    ) -> None:
        """Show what an array holds now.

        Parameters
        ----------
        probability : (..., H, W) float32, 0..1
            The layer shares it.
        image : Image
            The frame.
        mask : Labels
            Above it.
        ours : Provenance
        """
        layer, layers = self.layer, self._viewer.layers
        metadata = {METADATA_KEY: ours}
        name = probability_layer_name(ours["scene"], "low" if ours["role"] == "low" else "high")
        if layer is None:
            old = find_layer(layers, "probability", ours["scene"], ours["role"])
            if old is not None:
                layers.remove(old)
            layer = Image(
                probability,
                name=name,
                contrast_limits=(0, 1),
                colormap="viridis",
                visible=mask.visible,
                metadata=metadata,
                **place_of(image),
            )
            # napari selects what is new.
            active = layers.selection.active
            layers.insert(layers.index(mask), layer)
            layers.selection.active = active
            self._layer = cast("Image", layer)
            return
        if layer.metadata.get(METADATA_KEY) != ours:
            layer.name, layer.metadata = name, {**layer.metadata, **metadata}
            put_over(layer, image)
        layer.refresh()

    def remove(self) -> None:
        """Close the layer."""
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)
        self._layer = None
