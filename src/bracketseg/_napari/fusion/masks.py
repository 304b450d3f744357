"""Which of the open Labels layers are the masks of the two frames."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer
from psygnal import Signal

from bracketseg._napari.layers.frames import scene_of, source_of
from bracketseg._napari.layers.picture_place import shape_of
from bracketseg._napari.layers.provenance import METADATA_KEY, find_layer, provenance_of
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import Session
from bracketseg._napari.truth.made_on import made_on_other
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole


class MaskChoice:
    """Finds the masks of the frames that are chosen: ground truth before predictions.

    What a person chose holds until other frames are shown or the layer is closed.

    Attributes
    ----------
    masks : dict of role to Labels
    later : callable
        Calls what it is given once the layer list has come to rest.

    Signals
    -------
    changed()
        Other masks are chosen or can be, or their names are others.
    """

    changed = Signal()

    def __init__(self, session: Session, frames: FrameChoice) -> None:
        self._layers = session.viewer.layers
        self._frames = frames
        self.masks: dict[MaskRole, Labels] = {}
        self.later: Callable[[Callable[[], None]], object] = lambda call: call()
        self._by_hand: dict[MaskRole, Labels] = {}
        self._chosen_for = self._scenes()
        self._looking = self._closed = False
        # What each mask is about: a layer can be filled with that of another scene or frame.
        self._about: dict[Labels, tuple[object, ...]] = {}
        events = self._layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.connect(self._layers_changed)
        frames.changed.connect(self._frames_changed)

    def close(self) -> None:
        """Let go of the viewer."""
        self._closed = True
        events = self._layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._layers_changed)
        self._watch([])
        self._by_hand, self.masks = {}, {}

    def candidates(self) -> list[Labels]:
        """List the masks that fit the frames, the topmost first."""
        image = next(iter(self._frames.images.values()), None)
        if image is None:
            return []
        return [layer for layer in reversed(self._layers) if _fits(layer, image)]

    def choose(self, role: MaskRole, mask: Labels | None) -> None:
        """Take a mask for a role."""
        if mask is not None and self.masks.get(role) is not mask:
            self._by_hand[role] = mask
            self.look()

    def look(self) -> None:
        """Find the masks anew."""
        self._looking = False
        if self._closed:
            return
        there = self.candidates()
        self._watch(there)
        self._by_hand = {role: mask for role, mask in self._by_hand.items() if mask in there}
        found = {role: self._by_hand.get(role) or self._guess(role, there) for role in MASK_ROLES}
        self.masks = {role: mask for role, mask in found.items() if mask is not None}
        self.changed.emit()

    def probability(self, role: MaskRole) -> Layer | None:
        """Give the layer of the probability that the chosen mask was made from, or None."""
        mask = self.masks.get(role)
        ours = None if mask is None else provenance_of(mask.metadata)
        if mask is None or ours is None or ours["kind"] != "prediction":
            return None
        layer = find_layer(self._layers, "probability", ours["scene"], ours["role"])
        same = layer is not None and layer.data.shape == mask.data.shape
        return layer if same else None

    def _guess(self, role: MaskRole, there: Sequence[Labels]) -> Labels | None:
        image = self._frames.images.get(role)
        if image is None:
            return None
        scene, file = scene_of([image]), source_of(image)
        for kind in ("ground truth", "prediction"):
            for mask in there:
                ours = provenance_of(mask.metadata)
                same = ours and (ours["kind"], ours["scene"], ours["role"]) == (kind, scene, role)
                # Another frame may play the role since the mask was made.
                if same and not made_on_other(mask, file):
                    return mask
        named = [mask for mask in there if provenance_of(mask.metadata) is None]
        return next((mask for mask in named if role in mask.name.lower()), None)

    def _layers_changed(self, event: Any) -> None:
        layer = getattr(event, "value", None)
        ours = None if layer is None else provenance_of(layer.metadata)
        probability = ours is not None and ours["kind"] == "probability"
        if layer is None or probability or isinstance(layer, Labels):
            self._look_soon()

    def _watch(self, masks: Sequence[Labels]) -> None:
        for mask in self._about:
            mask.events.metadata.disconnect(self._mask_says)
        self._about = {mask: _about(mask) for mask in masks}
        for mask in masks:
            mask.events.metadata.connect(self._mask_says)

    def _mask_says(self, event: Any) -> None:
        # Its threshold may be another: that is nothing to choose anew for.
        if _about(event.source) != self._about[event.source]:
            self._look_soon()

    def _look_soon(self) -> None:
        if not self._looking:
            self._looking = True
            self.later(self.look)

    def _scenes(self) -> list[tuple[Image, str]]:
        return [(image, scene_of([image])) for image in self._frames.images.values()]

    def _frames_changed(self) -> None:
        # A mask that was chosen for a stack is that of all its slices.
        if self._scenes() != self._chosen_for:
            self._by_hand, self._chosen_for = {}, self._scenes()
        self._look_soon()


def _fits(layer: Layer, image: Image) -> bool:
    if not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
        return False
    marked = METADATA_KEY in layer.metadata
    ours = provenance_of(layer.metadata)
    # A view of several masks is marked as ours, and is nobody's mask.
    mask = not marked if ours is None else ours["kind"] in ("ground truth", "prediction")
    return mask and layer.data.shape == shape_of(image)


def _about(mask: Labels) -> tuple[object, ...]:
    ours = provenance_of(mask.metadata)
    if ours is None:
        return ()
    return ours["kind"], ours["scene"], ours["role"], ours.get("frame"), ours.get("path")
