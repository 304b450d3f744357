"""The Image layer of the fused picture."""

from typing import cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray

from bracketseg._napari.layers.picture_place import shape_of
from bracketseg._napari.layers.provenance import METADATA_KEY, Provenance


class FusedLayer:
    """Shows the fused picture over the frames; nobody's frame."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Image | None = None

    @property
    def layer(self) -> Image | None:
        """The layer while it is open."""
        if self._layer is not None and self._layer not in self._viewer.layers:
            self._layer = None
        return self._layer

    @property
    def lost(self) -> bool:
        """Whether somebody closed it."""
        return self._layer is not None and self._layer not in self._viewer.layers

    def show(self, scene: str, picture: NDArray[np.uint8], base: Image) -> None:
        """Show a picture where a frame lies, in the layer that is open or in a new one.

        Parameters
        ----------
        scene : str
        picture : (h, w) or (h, w, 3) uint8
            Of the frame's size, or smaller.
        base : Image
        """
        layer = self.layer
        if layer is not None and layer.data.shape == picture.shape:
            np.copyto(layer.data, picture)
            self._place(layer, scene, base)
            if not layer.visible:
                layer.visible = True
            # The layer list takes a new thumbnail for a reason to draw itself anew.
            layer.refresh(extent=False, highlight=False, thumbnail=False)
            return
        self.remove()
        layer = Image(
            picture,
            rgb=picture.ndim == 3,
            contrast_limits=(0, 255),
            metadata={METADATA_KEY: _provenance(scene)},
        )
        self._place(layer, scene, base)
        # napari selects what is new, and somebody may be painting a mask.
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(layer)
        self._viewer.layers.selection.active = active
        self._layer = cast("Image", layer)

    def hide(self) -> None:
        """Show nothing until there is something again."""
        if self.layer is not None:
            self.layer.visible = False

    def remove(self) -> None:
        """Close the layer."""
        layer, self._layer = self.layer, None
        # Who hears of it must not take it for closed by somebody else.
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _place(self, layer: Image, scene: str, base: Image) -> None:
        name = f"{scene} fused"
        if layer.name != name:
            layer.name = name
            layer.metadata = {**layer.metadata, METADATA_KEY: _provenance(scene)}
        whole = np.array(shape_of(base)[-2:])
        # A pixel of the smaller picture is the mean of `step` ones, around their middle.
        step = whole / np.array(layer.data.shape[:2])
        scale = base.scale[-2:] * step
        translate = base.translate[-2:] + base.scale[-2:] * (step - 1) / 2
        for key, value in (("scale", scale), ("translate", translate)):
            if not np.allclose(getattr(layer, key), value):
                setattr(layer, key, value)
        if tuple(layer.units) != tuple(base.units[-2:]):
            layer.units = tuple(base.units[-2:])


def _provenance(scene: str) -> Provenance:
    return {"kind": "fused", "scene": scene, "role": None}
