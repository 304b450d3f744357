"""True and false positives and negatives as one layer, over the picture."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.provenance import METADATA_KEY, VIEW
from bracketseg.evaluation.overlay import OUTCOMES

_OPACITY = 0.6

LEGEND = [(outcome.title, outcome.color) for outcome in OUTCOMES]
"""Words and colours, as a legend has them."""


class ErrorOverlay:
    """A Labels layer of the four outcomes; nobody's mask.

    While it is there, the masks that it is made of are transparent, since their colours
    would mix with its own. They stay visible to napari, which does not let anybody paint on
    a layer that is hidden.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Labels | None = None
        self._opacities: dict[Layer, float] = {}

    @property
    def layer(self) -> Labels | None:
        """The layer while it is open."""
        if self._layer is not None and self._layer not in self._viewer.layers:
            self._layer = None
        return self._layer

    def show(
        self,
        title: str,
        composed: NDArray[np.uint8],
        base: Layer | None,
        covered: Sequence[Layer] = (),
    ) -> None:
        """Show a picture of outcomes, in the layer that is open or in a new one.

        Parameters
        ----------
        title : str
        composed : (H, W) uint8
            As `bracketseg.evaluation.overlay.compose` makes it.
        base : Layer or None
            Where it lies: on this layer.
        covered : sequence of Layer
            The masks that it stands for, and what would hide the frame.
        """
        self._clear(covered)
        name = f"{title} errors"
        place = _place(base)
        layer = self.layer
        if layer is not None and layer.data.shape == composed.shape:
            np.copyto(layer.data, composed)
            for key, value in {"name": name, **place}.items():
                if not np.array_equal(getattr(layer, key), value):
                    setattr(layer, key, value)
            _turn(layer, base)
            refresh_labels(self._viewer, layer, layer.data, settled=False)
            return
        self._remove()
        active = self._viewer.layers.selection.active
        self._layer = cast(
            "Labels",
            self._viewer.add_labels(
                composed.copy(),
                name=name,
                colormap=_colors(),
                opacity=_OPACITY,
                metadata={METADATA_KEY: VIEW},
                **place,
            ),
        )
        _turn(self._layer, base)
        self._layer.editable = False
        self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Close the layer, and show the masks as they were."""
        self._clear(())
        self._remove()

    def _remove(self) -> None:
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)
        self._layer = None

    def _clear(self, covered: Sequence[Layer]) -> None:
        """Make these layers transparent, and those before them as they were."""
        for layer in [known for known in self._opacities if known not in covered]:
            layer.opacity = self._opacities.pop(layer)
        for layer in covered:
            if layer not in self._opacities:
                self._opacities[layer] = layer.opacity
                layer.opacity = 0


def _place(base: Layer | None) -> dict[str, Any]:
    if base is None:
        return {}
    return {
        "scale": tuple(base.scale[-2:]),
        "translate": tuple(base.translate[-2:]),
        "units": tuple(base.units[-2:]),
    }


def _turn(layer: Labels, base: Layer | None) -> None:
    """Turn it as its base is turned; a slice of a stack is none."""
    if base is None or base.ndim != layer.ndim:
        return
    if not np.array_equal(layer.affine.affine_matrix, base.affine.affine_matrix):
        layer.affine = base.affine


def _colors() -> DirectLabelColormap:
    colors: dict[int | None, str] = {0: "transparent", None: "transparent"}
    return DirectLabelColormap(
        color_dict=colors | {outcome.number: outcome.color for outcome in OUTCOMES}
    )
