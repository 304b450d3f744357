"""Two masks in one picture: low with high, or a person's with Otsu's."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray

from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.picture_place import lay_on
from bracketseg._napari.layers.provenance import METADATA_KEY, VIEW
from bracketseg.evaluation.overlay import compose

_OPACITY = 0.55


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """What the labels of a view mean, in colours that colour-blind people tell apart.

    Attributes
    ----------
    name : str
        The end of the layer's name.
    only_first, only_second, both, neither : tuple of word and colour
        `neither` is transparent where it has no colour.
    """

    name: str
    only_first: tuple[str, str]
    only_second: tuple[str, str]
    both: tuple[str, str]
    neither: tuple[str, str] = ("neither", "")

    @property
    def legend(self) -> list[tuple[str, str]]:
        """The words and their colours, without what is transparent."""
        entries = (self.only_first, self.only_second, self.both, self.neither)
        return [entry for entry in entries if entry[1]]


# Okabe and Ito's palette.
MERGED = Scheme(
    name="merged",
    only_first=("low only", "#e69f00"),
    only_second=("high only", "#56b4e9"),
    both=("both", "#009e73"),
    neither=("neither", "#cc79a7"),
)
COMPARED = Scheme(
    name="compared with Otsu",
    only_first=("yours only", "#f0e442"),
    only_second=("Otsu only", "#0072b2"),
    both=("both", "#009e73"),
)


class MaskView:
    """A Labels layer that shows how two masks of a frame meet; nobody's ground truth."""

    def __init__(self, viewer: ViewerModel, scheme: Scheme) -> None:
        self._viewer = viewer
        self._scheme = scheme
        self._layer: Labels | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer while it is open."""
        if self._layer is not None and self._layer not in self._viewer.layers:
            self._layer = None
        return self._layer

    def show(
        self,
        title: str,
        image: Image,
        first: NDArray[np.bool_],
        second: NDArray[np.bool_],
        *,
        settled: bool = True,
    ) -> None:
        """Show the two masks over a frame, in the layer that is open or in a new one."""
        composed = compose(first, second)
        layer = self.layer
        if layer is not None and layer.data.shape == composed.shape:
            np.copyto(layer.data, composed)
            if settled:
                layer.name = f"{title} {self._scheme.name}"
            lay_on(layer, image)
            refresh_labels(self._viewer, layer, layer.data, settled=settled)
            return
        self.hide()
        active = self._viewer.layers.selection.active
        self._layer = cast(
            "Labels",
            self._viewer.add_labels(
                composed,
                name=f"{title} {self._scheme.name}",
                colormap=self._colors(),
                opacity=_OPACITY,
                metadata={METADATA_KEY: VIEW},
                scale=image.scale[-2:],
                translate=image.translate[-2:],
                units=image.units[-2:],
            ),
        )
        lay_on(self._layer, image)
        self._layer.editable = False
        self._viewer.layers.selection.active = active

    def hide(self) -> None:
        """Close the layer."""
        if self.layer is not None:
            self._viewer.layers.remove(self.layer)
        self._layer = None

    def _colors(self) -> DirectLabelColormap:
        scheme = self._scheme
        parts = (scheme.only_first, scheme.only_second, scheme.both, scheme.neither)
        colors: dict[int | None, str] = {0: "transparent", None: "transparent"}
        colors |= {number: color or "transparent" for number, (_, color) in enumerate(parts, 1)}
        return DirectLabelColormap(color_dict=colors)
