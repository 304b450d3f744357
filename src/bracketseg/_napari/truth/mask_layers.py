"""The Labels layers that a person paints ground truth on."""

from collections.abc import Callable, Collection
from typing import Any, cast

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.layers.labels._labels_key_bindings import reset_polygon
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import ShownFrame
from bracketseg._napari.layers.labels_refresh import refresh_labels
from bracketseg._napari.layers.layer_thumbnail import mask_thumbnail
from bracketseg._napari.layers.picture_place import lay_on, place_of, put_over, shape_of
from bracketseg._napari.layers.provenance import (
    MASK_OPACITY,
    METADATA_KEY,
    VIEW,
    Provenance,
    find_layer,
    mask_colormap,
    mask_layer_name,
)
from bracketseg._napari.widgets.turns import turns_of
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
    on_tool : callable
        Takes the role of a layer that has got another tool.
    on_undo, on_redo : callable
    awaits : callable
        Returns whether another scene is about to be shown, which takes the layers that
        were put aside.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        *,
        on_painted: Callable[[MaskRole], bool],
        on_tool: Callable[[MaskRole], object],
        on_undo: Callable[[], object],
        on_redo: Callable[[], object],
        awaits: Callable[[], bool],
    ) -> None:
        self._viewer = viewer
        self._turns = turns_of(viewer)
        self._awaits = awaits
        self._on_painted = on_painted
        self._on_tool = on_tool
        self._undo_and_redo = {"undo": on_undo, "redo": on_redo}
        self._announced: set[MaskRole] = set()
        self._layers: dict[MaskRole, Labels] = {}
        self._made: list[Labels] = []
        self._spare: list[tuple[MaskRole, Labels]] = []
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
        # What an earlier dock left open is the work that stands on it, or nobody's.
        if layer is None or layer in self._made or _WORK_KEY in layer.metadata:
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

    def lacks(self, scene: str, role: MaskRole, frame: ShownFrame) -> bool:
        """Whether a layer would have to be added for a mask, or resized, which takes a while."""
        free = self._free(role, frame)
        fits = free is not None and free.data.shape == shape_of(frame.layer)
        return not fits and self._fitting(scene, role, frame) is None

    def show(
        self, scene: str, role: MaskRole, frame: ShownFrame, mask: NDArray[np.bool_]
    ) -> Labels:
        """Show a mask over its frame, in the layer that is there or in a new one.

        A new one is hidden, and the selected layer stays so.

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
        _raise_above(self._viewer, layer, frame.layer)
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
        if settled and not layer.visible:
            # napari draws that of a layer that is seen.
            layer.thumbnail = mask_thumbnail(mask, mask_colormap(role).color_dict[None])

    def shown(self, role: MaskRole) -> NDArray[np.bool_] | None:
        """Give the mask that the layer of a role shows, (H, W) bool; None without a layer."""
        layer = self.layer(role)
        return None if layer is None else np.asarray(layer.data[self._index]) != 0

    def differs(self, role: MaskRole, mask: NDArray[np.bool_]) -> bool:
        """Whether the layer of a role shows another mask of this size; False without a layer."""
        layer = self.layer(role)
        if layer is None:
            return False
        plane = np.asarray(layer.data[self._index])
        return plane.shape == mask.shape and not np.array_equal(plane, mask.view(np.uint8))

    def end_drawing(self) -> None:
        """Forget outlines that are half drawn, which would be finished on the next scene."""
        for role in MASK_ROLES:
            layer = self.layer(role)
            if layer is not None:
                reset_polygon(layer)

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

    def has_hand(self, role: MaskRole) -> bool:
        """Whether the layer of a role is there and its tool is the one that moves the picture."""
        layer = self.layer(role)
        return layer is not None and layer.mode == "pan_zoom"

    def give_brush(self, role: MaskRole) -> None:
        """Take up the brush on the layer of a role in place of the hand; another tool stays."""
        layer = self.layer(role)
        if layer is not None and self.has_hand(role):
            layer.mode = "paint"

    def show_only(self, role: MaskRole) -> None:
        """Show the mask of a role and hide that of the other."""
        for other in MASK_ROLES:
            self._show(other, visible=other == role)

    @property
    def visible(self) -> bool:
        """Whether a mask is shown."""
        return any(layer.visible for role in MASK_ROLES if (layer := self.layer(role)) is not None)

    def hide(self) -> None:
        """Hide the masks of both roles; something else shows them."""
        for role in MASK_ROLES:
            self._show(role, visible=False)

    def keep_only(self, roles: Collection[MaskRole]) -> None:
        """Put the layers of other roles aside; one that was open before us stays, hidden."""
        for role in MASK_ROLES:
            if role in roles:
                continue
            layer = self.layer(role)
            self.forget(role)
            if layer is None:
                continue
            if layer.visible:
                layer.visible = False
            if layer in self._made:
                self._put_aside(role, layer)
        self._made = [layer for layer in self._made if layer in self._viewer.layers]

    def close(self) -> None:
        """Let go of the layers; they stay open, without those that were put aside."""
        for role in MASK_ROLES:
            self.forget(role)
        self._awaits = _nothing
        self.tidy()

    def shrink_spare(self) -> None:
        """Have the layers that were put aside not count for how far the view has to reach."""
        while self._shrink_one():
            pass

    def tidy(self) -> None:
        """Remove the layers that were put aside, one in each turn, unless they are awaited."""
        if self._spare:
            self._turns.add(self._tidy_one)

    def _tidy_one(self) -> None:
        if self._shrink_one():
            self.tidy()
        elif self._spare and not self._awaits():
            _, layer = self._spare.pop()
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
            self.tidy()

    def _shrink_one(self) -> bool:
        for _, layer in self._spare:
            small = (1,) * layer.ndim
            if layer.data.shape != small:
                _resize(layer, small)
                return True
        return False

    def _put_aside(self, role: MaskRole, layer: Labels) -> None:
        """Keep a layer for the next scene, which is faster than to add another one."""
        self._spare.append((role, layer))
        layer.metadata = {METADATA_KEY: VIEW}
        self._viewer.layers.selection.discard(layer)

    def forget(self, role: MaskRole) -> None:
        """Let go of the layer of a role; it stays open."""
        layer = self._layers.pop(role, None)
        if layer is not None:
            for event in (layer.events.paint, layer.events.data):
                event.disconnect(self._painted)
            for event in (layer.events.labels_update, layer.events.set_data):
                event.disconnect(self._drawn)
            layer.events.mode.disconnect(self._tool_chosen)
            self._announced.discard(role)
            for name in self._undo_and_redo:
                layer.__dict__.pop(name, None)

    def _show(self, role: MaskRole, *, visible: bool) -> None:
        layer = self.layer(role)
        if layer is not None and layer.visible != visible:
            layer.visible = visible

    def _free(self, role: MaskRole, frame: ShownFrame) -> Labels | None:
        """Give the layer of the scene before, or one that was put aside, if it can be filled."""
        layer = self.layer(role)
        ours = [layer] if layer is not None and layer in self._made else []
        ours += [spare for known, spare in self._spare if known == role]
        ndim = len(shape_of(frame.layer))
        fits = (it for it in ours if it.ndim == ndim and it in self._viewer.layers)
        return next(fits, None)

    def _reused(self, scene: str, role: MaskRole, frame: ShownFrame) -> Labels | None:
        layer = self._free(role, frame)
        if layer is None:
            return None
        self._spare = [known for known in self._spare if known[1] is not layer]
        shape = shape_of(frame.layer)
        if layer.data.shape != shape:
            self.forget(role)
            _resize(layer, shape)
            layer.brush_size = _brush(shape)
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
        active = self._viewer.layers.selection.active
        layer = self._viewer.add_labels(
            np.zeros(shape, np.uint8),
            name=mask_layer_name(scene, role, "ground truth"),
            colormap=mask_colormap(role),
            opacity=MASK_OPACITY,
            metadata=_metadata(scene, role),
            visible=False,
            **place_of(image),
        )
        self._viewer.layers.selection.active = active
        layer.brush_size = _brush(shape)
        self._made.append(layer)
        return cast("Labels", layer)

    def _listen(self, layer: Labels) -> None:
        for event in (layer.events.paint, layer.events.data):
            event.connect(self._painted)
        for event in (layer.events.labels_update, layer.events.set_data):
            event.connect(self._drawn)
        layer.events.mode.connect(self._tool_chosen)
        # napari's history knows strokes only, and takes them back over a range that has
        # moved since. Its keys and menus all go through these two methods.
        for name, action in self._undo_and_redo.items():
            setattr(layer, name, action)

    def _tool_chosen(self, event: Any) -> None:
        role = self.role_of(event.source)
        if role is not None:
            self._on_tool(role)

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


def _nothing() -> bool:
    return False


def _resize(layer: Labels, shape: tuple[int, ...]) -> None:
    layer.data = np.zeros(shape, np.uint8)
    # napari 0.9 goes on with the old extent of a layer that was hidden when its data changed,
    # until it is given a place.
    layer.translate = layer.translate


def _raise_above(viewer: ViewerModel, mask: Labels, image: Image) -> None:
    """Put a mask above its frame, which may have been opened after it."""
    places = viewer.layers.index(mask), viewer.layers.index(image)
    if places[0] < places[1]:
        viewer.layers.move(places[0], places[1] + 1)


def _brush(shape: tuple[int, ...]) -> int:
    return max(10, shape[-2] // _BRUSH)


def _metadata(scene: str, role: MaskRole) -> dict[str, Provenance]:
    ours: Provenance = {"kind": "ground truth", "scene": scene, "role": role}
    return {METADATA_KEY: ours}
