"""The Image layers that show the frames of the current scene."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer

from bracketseg._napari.layers.provenance import METADATA_KEY, Provenance, lay_on, provenance_of
from bracketseg._napari.layers.reader import LayerData
from bracketseg.brackets.alignment import Shift

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FrameLayers:
    """Shows one scene after the other in the same layers; those of the user stay.

    A layer of the scene before is taken again where the new frame plays the same role and
    has the same type, so that what the user set on it (visibility, order, gamma) stays.
    Frames that are aligned keep their pixels, and only their layers are moved: a mask that
    is painted on one fits its file.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._mine: list[ref[Image]] = []
        self._moved: WeakKeyDictionary[Image, NDArray[np.float64]] = WeakKeyDictionary()

    def show(self, frames: tuple[LayerData, ...], shifts: Mapping[Path, Shift]) -> bool:
        """Show these frames and no others of ours; an open layer of the same file is taken over.

        Parameters
        ----------
        frames : tuple of layer data
            Of one bracket, dark to bright.
        shifts : mapping of Path to Shift
            As for :meth:`move`.

        Returns
        -------
        bool
            Whether they have another size than those before, so that the view has to be reset.
        """
        viewer = self._viewer()
        if viewer is None:
            return False
        before = self.layers()
        extent = {layer.data.shape[:2] for layer in before}
        active = viewer.layers.selection.active
        place = _place(viewer, before)
        free = before + [layer for layer in _open_frames(viewer, frames) if layer not in before]
        matches: list[Image | None] = []
        for data in frames:
            match = next((layer for layer in free if _same_file(layer, data)), None)
            match = match or next((layer for layer in free if _same_use(layer, data)), None)
            if match is not None:
                free.remove(match)
            matches.append(match)
        for layer in free:
            place -= viewer.layers.index(layer) < place
            viewer.layers.remove(layer)
        _free_names(matches, frames)
        shown: list[Image] = []
        for match, data in zip(matches, frames, strict=True):
            if match is None:
                match = _new_layer(data)
                viewer.layers.insert(place, match)
            else:
                _fill(match, data)
            place = viewer.layers.index(match) + 1
            shown.append(match)
        self._mine = [ref(layer) for layer in shown]
        self.move(shifts)
        if active is None or active not in viewer.layers:
            active = next((layer for layer in shown if layer.visible), None)
        viewer.layers.selection.active = active
        return extent != {layer.data.shape[:2] for layer in shown}

    def move(self, shifts: Mapping[Path, Shift]) -> None:
        """Move the layers, and with them all that was made from their frames.

        Parameters
        ----------
        shifts : mapping of Path to Shift
            By how many pixels each frame is to be moved from where its layer would lie by
            itself; those that are missing lie there.
        """
        viewer = self._viewer()
        for layer in self.layers():
            ours = provenance_of(layer.metadata)
            path = _path(layer.metadata)
            if viewer is None or ours is None or path is None:
                continue
            shift = shifts.get(path)
            by = np.zeros(layer.ndim)
            if shift is not None:
                by[-2:] = layer.scale[-2:] * (shift.dy, shift.dx)
            # What was added is taken away again; where the user has put the layer stays.
            place = layer.translate - self._moved.get(layer, 0) + by
            if not np.array_equal(place, layer.translate):
                layer.translate = place
            self._moved[layer] = by
            told = {key: value for key, value in ours.items() if key != "shift"}
            if shift is not None:
                told["shift"] = [shift.dx, shift.dy]
            layer.metadata = {**layer.metadata, METADATA_KEY: told}
            for other in viewer.layers:
                made = provenance_of(other.metadata)
                if made is not None and _made_from(made, ours):
                    lay_on(other, layer)

    def layers(self) -> list[Image]:
        """Give the layers that show the scene, without those that the user removed."""
        viewer = self._viewer()
        known = (layer() for layer in self._mine)
        return [layer for layer in known if viewer is not None and layer in viewer.layers]

    def complete(self, frames: tuple[LayerData, ...]) -> bool:
        """Whether every one of these frames is shown."""
        return [_path(layer.metadata) for layer in self.layers()] == [
            _path(options["metadata"]) for _, options, _ in frames
        ]

    def clear(self) -> None:
        """Remove the layers."""
        viewer = self._viewer()
        for layer in self.layers():
            if viewer is not None:
                viewer.layers.remove(layer)
        self._mine = []


def _path(metadata: dict[str, Any]) -> Path | None:
    found = provenance_of(metadata)
    return Path(found["path"]) if found and found["kind"] == "frame" else None


def _made_from(made: Provenance, frame: Provenance) -> bool:
    same = (made["scene"], made["role"]) == (frame["scene"], frame["role"])
    return same and made["kind"] != "frame"


def _same_file(layer: Image, data: LayerData) -> bool:
    return _same_type(layer, data) and _path(layer.metadata) == _path(data[1]["metadata"])


def _same_use(layer: Image, data: LayerData) -> bool:
    there, new = provenance_of(layer.metadata), provenance_of(data[1]["metadata"])
    same_role = there is not None and new is not None and there["role"] == new["role"]
    return same_role and _same_type(layer, data)


def _same_type(layer: Image, data: LayerData) -> bool:
    pixels, options, _ = data
    return bool(layer.rgb == options["rgb"]) and layer.data.dtype == pixels.dtype


def _free_names(layers: list[Image | None], frames: tuple[LayerData, ...]) -> None:
    """Take from layers the names that others of them are about to get.

    napari keeps two layers from having one name by adding a number to it.
    """
    wanted = [options["name"] for _, options, _ in frames]
    for layer, name in zip(layers, wanted, strict=True):
        if layer is not None and layer.name != name and layer.name in wanted:
            layer.name = f"{layer.name} before"


def _fill(layer: Image, data: LayerData) -> None:
    pixels, options, _ = data
    if layer.data is not pixels:
        resized = layer.data.shape != pixels.shape
        layer.data = pixels
        if resized:
            # napari 0.9 goes on with the old extent of a layer that was hidden when its data
            # changed, until it is given a place.
            layer.translate = layer.translate
    layer.name = options["name"]
    layer.metadata = {**layer.metadata, METADATA_KEY: options["metadata"][METADATA_KEY]}


def _new_layer(data: LayerData) -> Image:
    pixels, options, kind = data
    return cast("Image", Layer.create(pixels, options, kind))


def _open_frames(viewer: ViewerModel, frames: tuple[LayerData, ...]) -> list[Image]:
    """Layers that somebody opened of the same files; two of one file would only confuse."""
    paths = {_path(options["metadata"]) for _, options, _ in frames}
    return [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image) and (_path(layer.metadata) or 0) in paths
    ]


def _place(viewer: ViewerModel, before: list[Image]) -> int:
    """Where new frames go: where the last were, else below the first layer that is no image."""
    if before:
        return int(min(viewer.layers.index(layer) for layer in before))
    for index, layer in enumerate(viewer.layers):
        if not isinstance(layer, Image):
            return index
    return len(viewer.layers)
