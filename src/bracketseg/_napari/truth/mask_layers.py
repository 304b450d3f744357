"""The Labels layers that a person paints ground truth on."""

from collections.abc import Callable, Collection
from typing import Any, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import ShownFrame
from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.picture_place import place_of, put_over, shape_of
from bracketseg._napari.layers.provenance import (
    MASK_OPACITY,
    METADATA_KEY,
    Provenance,
    find_layer,
    lay_on,
    mask_colormap,
    mask_layer_name,
)
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole

_WORK_KEY = "bracketseg work"
_PAINTING = ("paint", "erase", "fill", "polygon")
_BRUSH = 40
"""The picture's height over the size of a fresh brush."""


class MaskLayers:
    """One Labels layer for each role of the scene that is being labelled.

    The layers only show masks. What is painted on them is told, and so is what napari's
    own undo and redo are asked for, because undo goes over more than strokes here.

    Parameters
    ----------
    viewer : ViewerModel
    on_painted : callable
        Takes the role of a layer whose data somebody else has changed: a stroke, a fill,
        a script. Returns whether there was a difference.
    on_undo, on_redo : callable
    """

    def __init__(
        self,
        viewer: ViewerModel,
        *,
        on_painted: Callable[[MaskRole], bool],
        on_undo: Callable[[], object],
        on_redo: Callable[[], object],
    ) -> None:
        self._viewer = viewer
        self._on_painted = on_painted
        self._undo_and_redo = {"undo": on_undo, "redo": on_redo}
        self._announced: set[MaskRole] = set()
        self._layers: dict[MaskRole, Labels] = {}
        self._made: list[Labels] = []
        self._index: tuple[int, ...] = ()

    def layer(self, role: MaskRole) -> Labels | None:
        """Give the layer of a role; None where there is none, or somebody removed it."""
        layer = self._layers.get(role)
        return layer if layer is not None and layer in self._viewer.layers else None

    def role_of(self, layer: object) -> MaskRole | None:
        """Give the role of a layer that is one of these."""
        return next((role for role, mine in self._layers.items() if mine is layer), None)

    def existing(self, scene: str, role: MaskRole, frame: ShownFrame) -> NDArray[np.bool_] | None:
        """Give the ground truth that somebody else has opened for a frame.

        Returns
        -------
        (H, W) bool or None
            None where there is none, or it is of another size.
        """
        layer = self._fitting(scene, role, frame)
        if layer is None or layer in self._made:
            return None
        mask: NDArray[np.bool_] = np.asarray(layer.data[frame.index]) != 0
        return mask

    def sign(self, work: str) -> None:
        """Write on the layers whose work they show, for whoever finds them open later."""
        for role in MASK_ROLES:
            layer = self.layer(role)
            if layer is not None:
                layer.metadata[_WORK_KEY] = work

    def signed(
        self, scene: str, role: MaskRole, frame: ShownFrame, work: str
    ) -> NDArray[np.bool_] | None:
        """Give the mask that was left open for a frame, (H, W) bool, if it is of this work."""
        layer = self._fitting(scene, role, frame)
        if layer is None or layer.metadata.get(_WORK_KEY) != work:
            return None
        mask: NDArray[np.bool_] = np.asarray(layer.data[frame.index]) != 0
        return mask

    def show(
        self, scene: str, role: MaskRole, frame: ShownFrame, mask: NDArray[np.bool_]
    ) -> Labels:
        """Show a mask over its frame, in the layer that is there or in a new one.

        Parameters
        ----------
        scene : str
            Of the picture, or of the whole stack.
        role : {"low", "high"}
        frame : ShownFrame
        mask : (H, W) bool
        """
        self._index = frame.index
        layer = self._fitting(scene, role, frame) or self._reused(scene, role, frame)
        if layer is None:
            layer = self._add(scene, role, frame.layer)
        layer.metadata.pop(_WORK_KEY, None)
        lay_on(layer, frame.layer)
        if self._layers.get(role) is not layer:
            self.keep_only(self._layers.keys() - {role})
            self._layers[role] = layer
            self._listen(layer)
        self.update(role, mask)
        return layer

    def update(self, role: MaskRole, mask: NDArray[np.bool_], *, settled: bool = True) -> None:
        """Show another mask; while a bound is dragged only the picture itself is drawn."""
        layer = self.layer(role)
        if layer is None:
            return
        self._announced.discard(role)
        plane = layer.data[self._index]
        np.copyto(plane, mask.view(np.uint8), casting="unsafe")
        refresh_labels(self._viewer, layer, plane, settled=settled)

    def shown(self, role: MaskRole) -> NDArray[np.bool_] | None:
        """Give the mask that the layer of a role shows, (H, W) bool; None without a layer."""
        layer = self.layer(role)
        return None if layer is None else np.asarray(layer.data[self._index]) != 0

    def arm(self, role: MaskRole, *, brush: bool = True) -> None:
        """Select the layer of a role, with a tool that paints or with the hand."""
        layer = self.layer(role)
        if layer is None:
            return
        self._viewer.layers.selection.active = layer
        if not brush:
            layer.mode = "pan_zoom"
        elif layer.mode not in _PAINTING:
            layer.mode = "paint"

    def show_only(self, role: MaskRole) -> None:
        """Show the mask of a role and hide that of the other."""
        for other in MASK_ROLES:
            self._show(other, visible=other == role)

    def hide(self) -> None:
        """Hide the masks of both roles; something else shows them."""
        for role in MASK_ROLES:
            self._show(role, visible=False)

    def keep_only(self, roles: Collection[MaskRole]) -> None:
        """Close the layers of other roles; one that was open before us stays, hidden."""
        for role in MASK_ROLES:
            if role in roles:
                continue
            layer = self.layer(role)
            self.forget(role)
            if layer is None:
                continue
            if layer in self._made:
                self._viewer.layers.remove(layer)
            else:
                layer.visible = False
        self._made = [layer for layer in self._made if layer in self._viewer.layers]

    def forget(self, role: MaskRole) -> None:
        """Let go of the layer of a role; it stays open."""
        layer = self._layers.pop(role, None)
        if layer is not None:
            for event in (layer.events.paint, layer.events.data):
                event.disconnect(self._painted)
            for event in (layer.events.labels_update, layer.events.set_data):
                event.disconnect(self._drawn)
            self._announced.discard(role)
            for name in self._undo_and_redo:
                layer.__dict__.pop(name, None)

    def _show(self, role: MaskRole, *, visible: bool) -> None:
        layer = self.layer(role)
        if layer is not None and layer.visible != visible:
            layer.visible = visible

    def _reused(self, scene: str, role: MaskRole, frame: ShownFrame) -> Labels | None:
        """Take the layer of the scene before, which is faster than a new one."""
        layer = self.layer(role)
        if layer is None or layer not in self._made or layer.data.shape != shape_of(frame.layer):
            return None
        put_over(layer, frame.layer)
        layer.name = mask_layer_name(scene, role, "ground truth")
        layer.metadata = _metadata(scene, role)
        if frame.index:
            layer.data[...] = 0
        return layer

    def _fitting(self, scene: str, role: MaskRole, frame: ShownFrame) -> Labels | None:
        found = find_layer(self._viewer.layers, "ground truth", scene, role)
        shape = shape_of(frame.layer)
        fits = (
            isinstance(found, Labels)
            and isinstance(found.data, np.ndarray)
            and found.data.shape == shape
            and found.data.flags.writeable
        )
        return cast("Labels", found) if fits else None

    def _add(self, scene: str, role: MaskRole, image: Image) -> Labels:
        shape = shape_of(image)
        layer = self._viewer.add_labels(
            np.zeros(shape, np.uint8),
            name=mask_layer_name(scene, role, "ground truth"),
            colormap=mask_colormap(role),
            opacity=MASK_OPACITY,
            metadata=_metadata(scene, role),
            **place_of(image),
        )
        layer.brush_size = max(10, shape[-2] // _BRUSH)
        self._made.append(layer)
        return cast("Labels", layer)

    def _listen(self, layer: Labels) -> None:
        for event in (layer.events.paint, layer.events.data):
            event.connect(self._painted)
        for event in (layer.events.labels_update, layer.events.set_data):
            event.connect(self._drawn)
        # napari's history knows strokes only, and takes them back over a range that has
        # moved since. Its keys and menus all go through these two methods.
        for name, action in self._undo_and_redo.items():
            setattr(layer, name, action)

    def _painted(self, event: Any) -> None:
        role = self.role_of(event.source)
        # A stroke of the mouse is announced when it is there; polygons and scripts are
        # announced just before, and drawn just after.
        if role is not None and not self._on_painted(role):
            self._announced.add(role)

    def _drawn(self, event: Any) -> None:
        role = self.role_of(event.source)
        if role is not None and role in self._announced:
            self._announced.discard(role)
            self._on_painted(role)


def _metadata(scene: str, role: MaskRole) -> dict[str, Provenance]:
    ours: Provenance = {"kind": "ground truth", "scene": scene, "role": role, "method": "manual"}
    return {METADATA_KEY: ours}
