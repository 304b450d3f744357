"""The Labels layer of one role's prediction, and beside it the layer of its probability."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import source_of
from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.picture_place import lay_on, place_of, put_over, shape_of
from bracketseg._napari.layers.provenance import (
    MASK_OPACITY,
    METADATA_KEY,
    Kind,
    Provenance,
    find_layer,
    mask_colormap,
    mask_layer_name,
    provenance_of,
)
from bracketseg._napari.predict.map import ProbabilityMap
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.records import Network

if TYPE_CHECKING:
    from pathlib import Path

Index = tuple[int, ...]


class PredictionLayers:
    """What the network says of one picture or stack, and the layers that show it.

    Strokes that a person paints on the mask are never written over, unless that was asked
    for by :meth:`give_up`.

    Parameters
    ----------
    viewer : ViewerModel
    scene : str
        Of the picture, or of the whole stack.
    role : {"low", "high"}
    image : Image
        The frame.

    Attributes
    ----------
    network : Network or None
        What made the last prediction, as it was asked; None without one.
    frame : Path or None
        The file that it saw; None without a prediction, or where the picture has no file.
    """

    def __init__(self, viewer: ViewerModel, scene: str, role: MaskRole, image: Image) -> None:
        self._viewer = viewer
        self.scene = scene
        self.role = role
        self.image = image
        self.network: Network | None = None
        self.frame: Path | None = None
        self._probability = np.zeros(shape_of(image), np.float32)
        # Beyond it mask and probability are empty, and what the network said there besides.
        self._region: NDArray[np.bool_] | None = None
        self._said: NDArray[np.float32] | None = None
        self._layer: Labels | None = None
        self._map = ProbabilityMap(viewer)
        self._spare: PredictionLayers | None = None
        # The threshold that each slice is shown at; None where anything may be written over.
        # What is missing was never written to: every pixel is background.
        self._shown: dict[Index, float | None] = {}
        self._pending: dict[Index, float] = {}
        # The slice that was written last: comparing with it is five times as fast.
        self._last: tuple[Index, NDArray[np.uint8]] | None = None

    @property
    def mask(self) -> Labels | None:
        """The Labels layer, unless it is not there."""
        layer = self._layer
        return layer if layer is not None and layer in self._viewer.layers else None

    @property
    def model(self) -> str:
        """What the model of the last prediction is called; empty without one."""
        return self.network.model if self.network is not None else ""

    @property
    def predicted(self) -> frozenset[Index]:
        """The slices that the network has seen."""
        return frozenset(index for index, at in self._shown.items() if at is not None)

    @property
    def painted(self) -> bool:
        """Whether the mask is another than the network's: somebody has painted on it."""
        layer = self.mask or self._existing()
        if layer is None:
            return False
        if layer is not self._layer:
            return bool(np.any(layer.data))
        return any(self._is_painted(layer, index) for index in _slices(layer))

    def fits(self, scene: str, image: Image) -> bool:
        """Whether these are the layers of a picture, and it has the size that it had."""
        return (self.scene, self.image) == (scene, image) and self.has_size_of(image)

    def has_size_of(self, image: Image) -> bool:
        """Whether these layers can be laid on a picture."""
        return self._probability.shape == shape_of(image)

    @property
    def shows_another(self) -> bool:
        """Whether the image shows another scene or frame by now than the network saw."""
        ours = provenance_of(self.image.metadata)
        if ours is not None and ours["scene"] != self.scene:
            return True
        return self.frame is not None and source_of(self.image) not in (None, self.frame)

    def reuse(self, other: "PredictionLayers") -> None:
        """Take the layers of a scene that is no longer shown once there is something to show.

        napari needs a quarter of a second to remove a layer, and almost as long to add one.
        """
        self._spare = other

    def hand_over(
        self, shape: tuple[int, ...]
    ) -> tuple[Labels, ProbabilityMap, NDArray[np.float32]] | None:
        """Give away the mask, the map and the array that it shows, all empty.

        Parameters
        ----------
        shape : tuple of int
            That the mask has to have.

        Returns
        -------
        tuple or None
            None where somebody has painted on the mask, or it is of another size.
        """
        layer = self.mask
        if layer is None or self.painted:
            return None
        if layer.data.shape != shape:
            self.remove()
            return None
        given = (layer, self._map, self._probability)
        self._layer, self._map = None, ProbabilityMap(self._viewer)
        for array in (layer.data, self._probability):
            array[...] = 0
        return given

    def give_up(self) -> None:
        """Let the next prediction replace whatever the mask shows now."""
        layer = self.mask or self._existing()
        if layer is not None:
            self._layer = layer
            self._shown, self._last = dict.fromkeys(_slices(layer)), None

    def put(
        self,
        index: Index,
        probability: NDArray[np.float32],
        network: Network,
        region: NDArray[np.bool_] | None = None,
    ) -> bool:
        """Show what the network says of the picture, or of one slice of the stack.

        Parameters
        ----------
        index : tuple of int
            The slice; empty for a picture.
        probability : (H, W) float32, 0..1
        network : Network
            A pixel that equals its threshold, as float32, is foreground.
        region : (H, W) bool, optional
            As of :meth:`limit`.

        Returns
        -------
        bool
            False where the mask was painted on meanwhile and stays as it is.
        """
        layer = self.mask
        if layer is None:
            self._shown.clear()
            self._last = None
            layer = self._layer = self._existing() or self._take_spare() or self._add()
        lay_on(layer, self.image)
        kept = self._is_painted(layer, index)
        self._region = region
        self._said = None if region is None else probability
        self._probability[index] = probability if region is None else probability * region
        self.network, self.frame = network, source_of(self.image)
        if not kept:
            self._write(layer, index, network.threshold, settled=True)
        return not kept

    def limit(self, region: NDArray[np.bool_] | None, threshold: float) -> None:
        """Leave mask and probability empty where the aligned frames have nothing in common.

        A mask that was painted on stays as it is.

        Parameters
        ----------
        region : (H, W) bool or None
            What they have in common, in the pixels of this frame; None for all of it.
        threshold : float
        """
        layer, index = self.mask, ()
        if layer is None or index not in self.predicted or _same(region, self._region):
            return
        kept = self._is_painted(layer, index)
        said = self._probability.copy() if self._said is None else self._said
        self._region, self._said = region, None if region is None else said
        self._probability[...] = said if region is None else said * region
        if not kept:
            self._write(layer, index, threshold, settled=True)
        if self._map.layer is not None:
            self._map.layer.refresh()

    def set_threshold(self, threshold: float, index: Index, *, settled: bool) -> bool:
        """Hold the probabilities against another threshold, in the slice that is shown.

        The others follow with :meth:`catch_up`. Slices that were painted on stay.

        Returns
        -------
        bool
            Whether others are to follow.
        """
        layer = self.mask
        if layer is None:
            return False
        if index in self.predicted and not self._is_painted(layer, index):
            self._write(layer, index, threshold, settled=settled)
        self._pending = dict.fromkeys(self.predicted - {index}, threshold)
        return bool(self._pending)

    def catch_up(self) -> bool:
        """Bring one more slice to the threshold of the one that is shown.

        Returns
        -------
        bool
            Whether others are to follow.
        """
        layer = self.mask
        if layer is None or not self._pending:
            return False
        index, threshold = self._pending.popitem()
        if not self._is_painted(layer, index):
            self._fill(layer, index, threshold)
        return bool(self._pending)

    def mask_at(self, index: Index) -> NDArray[np.bool_] | None:
        """Give what the layer shows of a slice, (H, W) bool; None without a prediction."""
        layer = self.mask
        if layer is None or index not in self.predicted:
            return None
        mask: NDArray[np.bool_] = np.asarray(layer.data[index]) != 0
        return mask

    def show_probability(self, *, on: bool) -> None:
        """Show the probability below the mask as an Image layer, or remove it."""
        if not on:
            self._map.remove()
        elif self.predicted and self.mask is not None:
            ours = self._provenance("probability")
            self._map.show(self._probability, self.image, self.mask, ours)

    @property
    def visible(self) -> bool:
        """Whether any of the layers is shown."""
        return any(it.visible for it in (self.mask, self._map.layer) if it is not None)

    def set_visible(self, *, on: bool) -> None:
        """Show or hide the layers."""
        for layer in (self.mask, self._map.layer):
            if layer is not None and layer.visible != on:
                layer.visible = on

    def put_away(self) -> None:
        """Hide the layers, as the frame shows another scene."""
        layers = self._viewer.layers
        if layers.selection.active in (self.mask, self._map.layer) and self.image in layers:
            layers.selection.active = self.image
        self.set_visible(on=False)

    def remove(self) -> None:
        """Close the layers, as their frame is closed; a painted mask stays, hidden."""
        self.put_away()
        self.show_probability(on=False)
        if self.mask is not None and not self.painted:
            self._viewer.layers.remove(self.mask)
        self._layer = None

    def _is_painted(self, layer: Labels, index: Index) -> bool:
        threshold = self._shown.get(index, np.inf)
        if threshold is None:
            return False
        if self._last is not None and self._last[0] == index:
            return not np.array_equal(layer.data[index], self._last[1])
        return not np.array_equal(layer.data[index] != 0, self._mask_of(index, threshold) != 0)

    def _write(self, layer: Labels, index: Index, threshold: float, *, settled: bool) -> None:
        self._fill(layer, index, threshold)
        ours: Provenance = {**self._provenance("prediction"), "threshold": threshold}
        layer.metadata = {**layer.metadata, METADATA_KEY: ours}
        # A hidden layer is drawn when it is shown again.
        if settled or layer.visible:
            refresh_labels(self._viewer, layer, layer.data[index], settled=settled)

    def _fill(self, layer: Labels, index: Index, threshold: float) -> None:
        self._shown[index] = threshold
        mask = self._mask_of(index, threshold)
        np.copyto(layer.data[index], mask, casting="unsafe")
        self._last = (index, mask)

    def _mask_of(self, index: Index, threshold: float) -> NDArray[np.uint8]:
        mask: NDArray[np.bool_] = self._probability[index] >= np.float32(threshold)
        if self._region is not None:
            # Of a threshold of 0 as well.
            mask &= self._region
        return mask.view(np.uint8)

    def _existing(self) -> Labels | None:
        found = find_layer(self._viewer.layers, "prediction", self.scene, self.role)
        fits = (
            isinstance(found, Labels)
            and isinstance(found.data, np.ndarray)
            and found.data.shape == self._probability.shape
            and found.data.flags.writeable
        )
        return cast("Labels", found) if fits else None

    def _take_spare(self) -> Labels | None:
        spare, self._spare = self._spare, None
        given = None if spare is None else spare.hand_over(self._probability.shape)
        if given is None:
            return None
        layer, self._map, self._probability = given
        layer.name = mask_layer_name(self.scene, self.role, "prediction")
        put_over(layer, self.image)
        return layer

    def _add(self) -> Labels:
        layer = Labels(
            np.zeros(self._probability.shape, np.uint8),
            name=mask_layer_name(self.scene, self.role, "prediction"),
            colormap=mask_colormap(self.role),
            opacity=MASK_OPACITY,
            metadata={METADATA_KEY: self._provenance("prediction")},
            **place_of(self.image),
        )
        # napari selects what is new, and which layer is worked on is decided elsewhere.
        active = self._viewer.layers.selection.active
        self._viewer.layers.append(layer)
        self._viewer.layers.selection.active = active
        return layer

    def _provenance(self, kind: Kind) -> Provenance:
        ours: Provenance = {
            "kind": kind,
            "scene": self.scene,
            "role": self.role,
            "method": "network",
        }
        if self.network is not None:
            ours["model"], ours["scale"] = self.network.model, self.network.scale
            ours["model_sha256"], ours["loss"] = self.network.model_sha256, self.network.loss
        if self.frame is not None:
            ours["frame"] = str(self.frame)
        return ours


def _slices(layer: Labels) -> Iterator[Index]:
    return np.ndindex(layer.data.shape[:-2])


def _same(region: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    if region is None or other is None:
        return region is other
    return np.array_equal(region, other)
