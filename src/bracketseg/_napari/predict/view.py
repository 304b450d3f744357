"""The predictions of the images that are chosen, and what of them is shown."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.predict.layers import Index, PredictionLayers
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.widgets.turns import turns_of
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.learning.config import PredictConfig


class PredictionView:
    """Holds probabilities against the threshold, and shows one role at a time.

    Attributes
    ----------
    subject : Subject or None
        What the chosen images show.
    focus : {"low", "high"}
        The role whose frame and mask are shown.
    later : callable
        Calls what it is given in a later turn of the event loop.

    Signals
    -------
    masks_changed()
        Other masks are shown.
    focus_changed()
    """

    masks_changed = Signal()
    focus_changed = Signal()

    def __init__(self, viewer: ViewerModel, choice: FrameChoice) -> None:
        self._viewer = viewer
        self._choice = choice
        self._known: list[PredictionLayers] = []
        self._threshold = PredictConfig().threshold
        self._probability = PredictConfig().probability
        self._scale = PredictConfig().scale
        self._catching_up = self._adding = False
        self.subject: Subject | None = None
        self.focus: MaskRole = "low"
        self.later: Callable[[Callable[[], None]], object] = _now
        viewer.layers.selection.events.active.connect(self._layer_selected)

    def close(self) -> None:
        """Let go of the viewer; the layers stay."""
        self._known = []
        self._viewer.layers.selection.events.active.disconnect(self._layer_selected)

    def begin(self, subject: Subject | None) -> None:
        """Take what the chosen images show now, and hide what was made from others."""
        another = self.subject is None or subject is None or self.subject.title != subject.title
        self.subject = subject
        known, self._known = self._known, []
        for layers in known:
            closed = _is_closed(layers, self._viewer)
            if closed or _shows_another(layers):
                layers.put_away()
            if closed:
                # napari needs a quarter of a second to remove one.
                turns_of(self._viewer).add(layers.remove)
            elif layers.mask is not None:
                self._known.append(layers)
        if another:
            for layers in self._present():
                layers.set_visible(on=layers.role == self.focus)
        self.masks_changed.emit()

    @property
    def roles(self) -> tuple[MaskRole, ...]:
        """The roles of the images that are chosen."""
        return tuple(self.subject.frames) if self.subject is not None else ()

    def layers(self, role: MaskRole) -> PredictionLayers | None:
        """Give the prediction of the image that is chosen for a role."""
        image = self._choice.images.get(role)
        if self.subject is None or image is None:
            return None
        title = self.subject.title
        return next((p for p in self._known if p.role == role and p.fits(title, image)), None)

    def mask(self, role: MaskRole) -> NDArray[np.bool_] | None:
        """Give the predicted mask that is shown, (H, W) bool; None without one."""
        layers = self.layers(role)
        return None if layers is None else layers.mask_at(self._index)

    @property
    def _index(self) -> Index:
        return self.subject.index if self.subject is not None else ()

    def _present(self) -> list[PredictionLayers]:
        found = [self.layers(role) for role in self.roles]
        return [layers for layers in found if layers is not None]

    # What the network says.

    def painted(self, roles: Sequence[MaskRole]) -> list[str]:
        """Name the masks that somebody has painted on and that a run would replace."""
        found = [self._layers_of(role) for role in roles]
        return [f"{layers.scene} {layers.role} prediction" for layers in found if layers.painted]

    def prepare(self, roles: Collection[MaskRole], config: PredictConfig, *, replace: bool) -> None:
        """Get ready for a run.

        Parameters
        ----------
        roles : collection of str
        config : PredictConfig
        replace : bool
            Replace also masks that somebody has painted on.
        """
        self._threshold, self._probability = config.threshold, config.probability
        self._scale = config.scale
        known = [layers for layers in self._known if layers.mask is not None]
        for role in roles:
            layers = self._layers_of(role)
            if replace:
                layers.give_up()
            for old in known:
                if old.role == role and old.image is layers.image and _shows_another(old):
                    layers.reuse(old)
            if layers not in known:
                known.append(layers)
        self._known = known
        if self.focus not in roles:
            self.focus = next(iter(roles))

    def put(
        self, role: MaskRole, index: Index, probability: NDArray[np.float32], model: str
    ) -> bool:
        """Show what the network says of a frame; see :meth:`PredictionLayers.put`."""
        layers = self.layers(role)
        if layers is None:
            return True
        first = layers.mask is None
        self._adding = True
        layers.scale = self._scale
        shown = layers.put(index, probability, self._threshold, model)
        self._adding = False
        self._show_maps([layers])
        if first and role == self.focus:
            self.show_only(role)
        elif first:
            layers.set_visible(on=False)
        self.masks_changed.emit()
        return shown

    # What a person wants to see.

    def set_threshold(self, threshold: float, *, settled: bool = True) -> None:
        """Hold the probabilities against another threshold; the network is not asked again."""
        self._threshold = threshold
        for layers in self._present():
            if layers.set_threshold(threshold, self._index, settled=settled):
                self._catch_up_later()
        self.masks_changed.emit()

    def _catch_up_later(self) -> None:
        if not self._catching_up:
            self._catching_up = True
            self.later(self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = False
        if any(layers.catch_up() for layers in self._known):
            self._catch_up_later()

    def show_probability(self, *, on: bool) -> None:
        """Show the probabilities as Image layers, or remove those layers."""
        self._probability = on
        self._show_maps(self._present())

    def _show_maps(self, wanted: Sequence[PredictionLayers]) -> None:
        """Show or remove probabilities, one in each turn: napari needs a fifth of a second."""
        for layers in wanted:
            turns_of(self._viewer).add(partial(self._show_map, layers))

    def _show_map(self, layers: PredictionLayers) -> None:
        # Another scene may be shown by now.
        if layers in self._present() or not self._probability:
            self._adding = True
            layers.show_probability(on=self._probability)
            self._adding = False

    def put_away(self) -> None:
        """Hide all that is shown of the chosen images, as others are to work on these."""
        for layers in self._present():
            layers.put_away()

    def show_only(self, role: MaskRole) -> None:
        """Show the frame of a role with its mask, and select the mask."""
        if role not in self.roles:
            return
        self.focus = role
        self._choice.show_only(role)
        for layers in self._present():
            layers.set_visible(on=layers.role == role)
        shown = self.layers(role)
        if shown is not None and shown.mask is not None:
            for other in MASK_ROLES:
                # Ground truth has the same colours: one above the other tells nothing.
                truth = find_layer(self._viewer.layers, "ground truth", shown.scene, other)
                if truth is not None:
                    truth.visible = False
            self._viewer.layers.selection.active = shown.mask
        self.focus_changed.emit()

    def _layer_selected(self, event: Any) -> None:
        if self._adding or event.value is None:
            return
        for layers in self._present():
            if layers.mask is event.value and layers.role != self.focus:
                self.show_only(layers.role)

    def _layers_of(self, role: MaskRole) -> PredictionLayers:
        if self.subject is None:
            raise ValueError("there is nothing to predict")
        image = self.subject.frames[role].layer
        return self.layers(role) or PredictionLayers(self._viewer, self.subject.title, role, image)


def _is_closed(layers: PredictionLayers, viewer: ViewerModel) -> bool:
    """Whether the frame was closed with its folder, or is of another size."""
    ours = provenance_of(layers.image.metadata)
    closed = ours is not None and (ours["kind"] == "spare" or layers.image not in viewer.layers)
    return closed or not layers.fits(layers.scene, layers.image)


def _shows_another(layers: PredictionLayers) -> bool:
    """Whether the frame shows another scene than that which was predicted."""
    ours = provenance_of(layers.image.metadata)
    return ours is not None and ours["scene"] != layers.scene


def _now(call: Callable[[], None]) -> None:
    call()
