"""The layer of what moved between the frames of the scene on show."""

from typing import cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.picture_place import place_of, put_over
from bracketseg._napari.layers.provenance import (
    METADATA_KEY,
    Provenance,
    ghosts_layer_name,
    provenance_of,
)
from bracketseg.brackets.bracket import Role

_COLOR = "#cc79a7"
"""Okabe and Ito's purple: no mask of ours has it."""

_OPACITY = 0.75


class GhostLayer:
    """Shows one ghost map after the other in the same layer, over the frame that stays.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Labels | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer while it is there, seen or not."""
        if self._layer is not None and self._layer not in self._viewer.layers:
            self._layer = None
        return self._layer

    def show(self, scene: str, role: Role | None, ghosts: NDArray[np.bool_], frame: Image) -> None:
        """Show a map over the layer of its frame.

        Parameters
        ----------
        scene : str
        role : Role or None
            That of the frame.
        ghosts : (H, W) bool
        frame : Image
        """
        layer, labels = self.layer, ghosts.view(np.uint8)
        ours = Provenance(kind="ghosts", scene=scene, role=role)
        if layer is None:
            active = self._viewer.layers.selection.active
            made = Layer.create(
                labels.copy(),
                {
                    "name": ghosts_layer_name(scene),
                    "metadata": {METADATA_KEY: ours},
                    "colormap": DirectLabelColormap(color_dict={0: "transparent", None: _COLOR}),
                    "opacity": _OPACITY,
                    **place_of(frame),
                },
                "labels",
            )
            self._layer = cast("Labels", self._viewer.add_layer(made))
            self._layer.editable = False
            self._viewer.layers.selection.active = active
            return
        if layer.data.shape == labels.shape:
            np.copyto(layer.data, labels)
            refresh_labels(self._viewer, layer, layer.data, settled=True)
        else:
            layer.data = labels.copy()
            layer.editable = False
        layer.name = ghosts_layer_name(scene)
        layer.metadata = {**layer.metadata, METADATA_KEY: ours}
        put_over(layer, frame)
        layer.visible = True

    def hide(self) -> None:
        """Show nothing; the layer stays, empty, for the next map."""
        layer = self.layer
        if layer is None or not layer.visible:
            return
        layer.visible = False
        ours = provenance_of(layer.metadata)
        if ours is not None:
            spare = Provenance(kind="spare", scene="", role=ours["role"])
            layer.metadata = {**layer.metadata, METADATA_KEY: spare}

    def remove(self) -> None:
        """Close the layer."""
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)
        self._layer = None
