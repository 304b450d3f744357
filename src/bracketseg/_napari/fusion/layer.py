"""The Image layer of the fused picture."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from bracketseg._napari.layers.picture_place import shape_of
from bracketseg._napari.layers.provenance import METADATA_KEY, Provenance


class FusedLayer:
    """Shows the fused picture over the frames and below the masks; nobody's frame."""

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

    def prepare(self, scene: str, frames: Sequence[Image], masks: Sequence[Labels]) -> None:
        """Add the layer, hidden, while its picture is made: it takes napari a tenth of a second.

        Parameters
        ----------
        scene : str
        frames : sequence of Image
            It lies on the topmost of them.
        masks : sequence of Labels
            It lies below these, so that what is painted on them is seen.
        """
        rgb = bool(frames[0].rgb)
        if self.layer is not None and self.layer.rgb != rgb:
            self.remove()
        if self.layer is not None:
            return
        layers = self._viewer.layers
        place = 1 + max((at for at, layer in enumerate(layers) if layer in frames), default=-1)
        above = (at for at, layer in enumerate(layers) if at >= place and layer in masks)
        layer = Image(
            np.zeros((1, 1, 3) if rgb else (1, 1), np.uint8),
            rgb=rgb,
            name=_name(scene),
            contrast_limits=(0, 255),
            metadata={METADATA_KEY: _provenance(scene)},
            # napari cannot add a hidden picture of colours to a view in space.
            visible=self._viewer.dims.ndisplay != 2,
        )
        # napari selects what is new, and somebody may be painting a mask.
        active = layers.selection.active
        layers.insert(min(above, default=place), layer)
        layers.selection.active = active
        self._layer = cast("Image", layer)

    def show(self, scene: str, picture: NDArray[np.uint8], base: Image) -> None:
        """Show a picture where a frame lies, in the layer that was prepared.

        Parameters
        ----------
        scene : str
        picture : (h, w) or (h, w, 3) uint8
            Of the frame's size, or smaller.
        base : Image
        """
        layer = self.layer
        if layer is None:
            return
        self._place(layer, scene, picture.shape, base)
        if layer.data.shape != picture.shape:
            layer.data = picture.copy()
            # napari 0.9 goes on with the old extent of a layer that was hidden when its data
            # changed, until it is given a place.
            layer.translate = layer.translate
        else:
            np.copyto(layer.data, picture)
            if layer.visible:
                # The layer list takes a new thumbnail for a reason to draw itself anew.
                layer.refresh(extent=False, highlight=False, thumbnail=False)
        if not layer.visible:
            layer.visible = True

    def hide(self) -> None:
        """Show nothing until there is something again."""
        if self.layer is not None:
            self.layer.visible = False

    def close(self) -> None:
        """Let go of the viewer; what is shown stays."""
        if self.layer is not None and not self.layer.visible:
            self.remove()

    def remove(self) -> None:
        """Close the layer."""
        layer, self._layer = self.layer, None
        # Who hears of it must not take it for closed by somebody else.
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _place(self, layer: Image, scene: str, shape: tuple[int, ...], base: Image) -> None:
        if layer.name != _name(scene):
            layer.name = _name(scene)
            layer.metadata = {**layer.metadata, METADATA_KEY: _provenance(scene)}
        whole = np.array(shape_of(base)[-2:])
        # A pixel of the smaller picture is the mean of `step` ones, around their middle.
        step = whole / np.array(shape[:2])
        scale = base.scale[-2:] * step
        translate = base.translate[-2:] + base.scale[-2:] * (step - 1) / 2
        for key, value in (("scale", scale), ("translate", translate)):
            if not np.allclose(getattr(layer, key), value):
                setattr(layer, key, value)
        if tuple(layer.units) != tuple(base.units[-2:]):
            layer.units = tuple(base.units[-2:])


def _name(scene: str) -> str:
    return f"{scene} fused"


def _provenance(scene: str) -> Provenance:
    return {"kind": "fused", "scene": scene, "role": None}
