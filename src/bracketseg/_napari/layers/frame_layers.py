"""The Image layers that show the frames of the current scene."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer

from bracketseg._napari.layers.frame_place import FramePlaces
from bracketseg._napari.layers.layer_thumbnail import picture_thumbnail
from bracketseg._napari.layers.picture_place import lay_on
from bracketseg._napari.layers.provenance import METADATA_KEY, Provenance, provenance_of
from bracketseg._napari.layers.reader import LayerData
from bracketseg._napari.layers.warm_up import use_loaded
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.placement import Placement

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FrameLayers:
    """Shows one scene after the other in the same layers; those of the user stay.

    A layer of the scene before is taken again where the new frame plays the same role and
    has the same type, so that what the user set on it (visibility, order, gamma) stays; and
    where there is no such one, any of the same type: napari takes a fifth of a second to add
    a layer, and as long to remove one. What is left over is hidden and spare, until it is
    filled or dropped. Frames that are aligned keep their pixels, and only their layers are
    moved: a mask that is painted on one fits its file.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = ref(viewer)
        self._mine: list[ref[Image]] = []
        self._spare: list[ref[Image]] = []
        self._seen: WeakKeyDictionary[Image, bool] = WeakKeyDictionary()
        self._fresh: WeakSet[Image] = WeakSet()
        self._places = FramePlaces()

    def unready(self, frames: tuple[LayerData, ...]) -> list[int]:
        """List which of these frames need :meth:`prepare`: no layer can show them at once."""
        if self._viewer() is None:
            return []
        spare = self.spare()
        return [
            number
            for number, match in enumerate(self._match(frames))
            if match is None or (match in spare and match.data is not frames[number][0])
        ]

    def prepare(self, frames: tuple[LayerData, ...], number: int) -> None:
        """Give a spare layer the pixels of one of these frames, or add one that has them."""
        match, data = self._match(frames)[number], frames[number]
        if match is None:
            self._make(data)
        elif match in self.spare() and match.data is not data[0]:
            _set_pixels(match, data[0])

    def _make(self, data: LayerData) -> None:
        viewer = self._viewer()
        if viewer is None:
            return
        use_loaded()
        # Frames are looked at in the plane, and napari cannot add a hidden picture of colours
        # to a view in space.
        viewer.dims.ndisplay = 2
        pixels, options, kind = data
        active = viewer.layers.selection.active
        layer = cast("Image", Layer.create(pixels, {**options, "visible": False}, kind))
        _mark_spare(layer)
        self._seen[layer] = bool(options.get("visible", True))
        ours = [viewer.layers.index(other) for other in (*self.layers(), *self.spare())]
        viewer.layers.insert(max(ours) + 1 if ours else _place(viewer, []), layer)
        viewer.layers.selection.active = active
        self._spare.append(ref(layer))
        self._fresh.add(layer)

    def show(self, frames: tuple[LayerData, ...], shifts: Mapping[Path, Placement]) -> bool:
        """Show these frames and no others of ours; an open layer of the same file is taken over.

        Parameters
        ----------
        frames : tuple of layer data
            Of one bracket, dark to bright.
        shifts : mapping of Path to Placement
            As for :meth:`move`.

        Returns
        -------
        bool
            Whether they have another size than those before, so that the view has to be reset.
        """
        viewer = self._viewer()
        if viewer is None:
            return False
        for data, match in zip(frames, self._match(frames), strict=True):
            if match is None:
                self._make(data)
        ours = [*self.layers(), *self.spare()]
        extent = {layer.data.shape[:2] for layer in self.layers()}
        active = viewer.layers.selection.active
        place = _place(viewer, ours)
        shown = [layer for layer in self._match(frames) if layer is not None]
        left = [layer for layer in ours if layer not in shown]
        left += [layer for layer in _open_frames(viewer, frames) if layer not in [*shown, *left]]
        _free_names([*shown, *left], frames)
        for layer in left:
            self._put_aside(layer)
        self._spare = [ref(layer) for layer in left]
        self._mine = [ref(layer) for layer in shown]
        for layer, data in zip(shown, frames, strict=True):
            if layer in self._fresh or not _alike(layer, data):
                _put_to(viewer, layer, place)
            self._fill(layer, data)
            place = viewer.layers.index(layer) + 1
        self.move(shifts)
        if active is None or active not in viewer.layers or active in left:
            active = next((layer for layer in shown if layer.visible), None)
        viewer.layers.selection.active = active
        return extent != {layer.data.shape[:2] for layer in shown}

    def move(self, shifts: Mapping[Path, Placement]) -> None:
        """Move the layers, and with them all that was made from their frames.

        Parameters
        ----------
        shifts : mapping of Path to Placement
            Where each frame is to be moved from where its layer would lie by itself; those
            that are missing lie there.
        """
        viewer = self._viewer()
        for layer in self.layers():
            ours = provenance_of(layer.metadata)
            path = _path(layer.metadata)
            if viewer is None or ours is None or path is None:
                continue
            placement = shifts.get(path)
            self._places.put(layer, placement)
            told = {k: value for k, value in ours.items() if k not in ("shift", "homography")}
            if isinstance(placement, Shift):
                told["shift"] = [placement.dx, placement.dy]
            elif placement is not None:
                told["homography"] = placement.matrix.tolist()
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

    def put_aside(self) -> None:
        """Show no scene; the layers are spare."""
        left = [*self.layers(), *self.spare()]
        for layer in left:
            self._put_aside(layer)
        self._mine, self._spare = [], [ref(layer) for layer in left]

    def spare(self) -> list[Image]:
        """Give the layers that can be filled, without those that the user removed."""
        viewer = self._viewer()
        known = (layer() for layer in self._spare)
        return [layer for layer in known if viewer is not None and layer in viewer.layers]

    def shrink_spare(self) -> None:
        """Have the spare layers not count for how far the view has to reach."""
        for layer in self.spare():
            _set_pixels(layer, np.zeros_like(layer.data[:1, :1]))

    def drop_one(self) -> bool:
        """Remove one spare layer; returns whether there are more."""
        viewer = self._viewer()
        spare = self.spare()
        if viewer is not None and spare:
            viewer.layers.remove(spare.pop())
        self._spare = [ref(layer) for layer in spare]
        return bool(spare)

    def _put_aside(self, layer: Image) -> None:
        ours = provenance_of(layer.metadata)
        if ours is not None and ours["kind"] == "spare":
            return
        self._seen[layer] = layer.visible
        layer.visible = False
        _mark_spare(layer)
        viewer = self._viewer()
        if viewer is not None:
            viewer.layers.selection.discard(layer)

    def _match(self, frames: tuple[LayerData, ...]) -> list[Image | None]:
        """Choose a layer for each frame; None where there is none that can show it."""
        viewer = self._viewer()
        ours = [*self.layers(), *self.spare()]
        opened = [] if viewer is None else _open_frames(viewer, frames)
        free = ours + [layer for layer in opened if layer not in ours]
        found: list[Image | None] = [None] * len(frames)
        for fits in (_same_file, _same_use, _same_type):
            for number, data in enumerate(frames):
                if found[number] is not None:
                    continue
                match = next((layer for layer in free if fits(layer, data)), None)
                if match is not None:
                    free.remove(match)
                found[number] = match
        return found

    def _fill(self, layer: Image, data: LayerData) -> None:
        pixels, options, _ = data
        alike = _alike(layer, data)
        if layer.data is not pixels:
            _set_pixels(layer, pixels)
        layer.name = options["name"]
        layer.metadata = {**layer.metadata, METADATA_KEY: options["metadata"][METADATA_KEY]}
        self._fresh.discard(layer)
        seen = self._seen.pop(layer, layer.visible)
        wanted = seen if alike else bool(options.get("visible", True))
        if wanted != layer.visible:
            layer.visible = wanted
        if not wanted:
            # napari draws that of a layer that is seen.
            layer.thumbnail = picture_thumbnail(pixels)


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


def _alike(layer: Image, data: LayerData) -> bool:
    return _same_file(layer, data) or _same_use(layer, data)


def _set_pixels(layer: Image, pixels: "NDArray[Any]") -> None:
    resized = layer.data.shape != pixels.shape
    layer.data = pixels
    if resized:
        # napari 0.9 goes on with the old extent of a layer that was hidden when its data
        # changed, until it is given a place.
        layer.translate = layer.translate


def _mark_spare(layer: Image) -> None:
    ours = provenance_of(layer.metadata)
    role = ours["role"] if ours is not None else None
    layer.metadata = {
        **layer.metadata,
        METADATA_KEY: Provenance(kind="spare", scene="", role=role),
    }


def _free_names(layers: list[Image], frames: tuple[LayerData, ...]) -> None:
    """Take from layers the names that others of them are about to get.

    napari keeps two layers from having one name by adding a number to it.
    """
    wanted = [options["name"] for _, options, _ in frames]
    for number, layer in enumerate(layers):
        kept = number < len(wanted) and layer.name == wanted[number]
        if layer.name in wanted and not kept:
            layer.name = f"{layer.name} before"


def _put_to(viewer: ViewerModel, layer: Image, place: int) -> None:
    index = viewer.layers.index(layer)
    if index != place:
        viewer.layers.move(index, place)


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
