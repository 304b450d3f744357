"""The predictions of the images that are chosen, and what of them is shown."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from bracketseg.labeling.records import Network
from bracketseg.learning.config import PredictConfig
from bracketseg.worker.requests import FramePredicted


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
    regions : callable
        Takes a subject; returns for some of its roles the (H, W) bool region beyond which its
        masks are empty.

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
        # Roles of a run of which nothing has come yet: their first mask is to be seen.
        self._awaited: set[MaskRole] = set()
        self.subject: Subject | None = None
        self.focus = choice.role
        self.later: Callable[[Callable[[], None]], object] = _now
        self.regions: Callable[[Subject], Mapping[MaskRole, NDArray[np.bool_]]] = _nowhere
        viewer.layers.selection.events.active.connect(self._layer_selected)
        choice.role_shown.connect(self._role_shown)

    def close(self) -> None:
        """Let go of the viewer; the layers stay."""
        self._known = []
        self._choice.role_shown.disconnect(self._role_shown)
        self._viewer.layers.selection.events.active.disconnect(self._layer_selected)

    def begin(self, subject: Subject | None) -> None:
        """Take what the chosen images show now, and hide what was made from others."""
        another = self.subject is None or subject is None or self.subject.title != subject.title
        self.subject = subject
        known, self._known = self._known, []
        for layers in known:
            closed = _is_closed(layers, self._viewer)
            left = layers.image is not self._choice.images.get(layers.role)
            if closed or left or layers.shows_another:
                layers.put_away()
            if closed:
                # napari needs a quarter of a second to remove one.
                turns_of(self._viewer).add(layers.remove)
            elif layers.mask is not None:
                self._known.append(layers)
        if self._choice.role in self.roles:
            self.focus = self._choice.role
        if another:
            # What somebody else shows of this scene is being worked on.
            free = not self._truth_visible()
            for layers in self._present():
                layers.set_visible(on=free and layers.role == self.focus)
        self.limit()

    @property
    def roles(self) -> tuple[MaskRole, ...]:
        """The roles of the images that are chosen."""
        return tuple(self.subject.frames) if self.subject is not None else ()

    def layers(self, role: MaskRole) -> PredictionLayers | None:
        """Give the prediction of what the image that is chosen for a role shows now."""
        found = self._fitting(role)
        return None if found is None or found.shows_another else found

    def _fitting(self, role: MaskRole) -> PredictionLayers | None:
        """Give the layers of a role, which may show what was said of another frame."""
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
                if (
                    old is not layers
                    and old.role == role
                    and old.image is layers.image
                    and old.shows_another
                ):
                    layers.reuse(old)
            if layers not in known:
                known.append(layers)
        self._known = known
        # A mask may be there and hidden: that of another frame was.
        self._awaited = set(roles)
        if self.focus not in roles:
            self.focus = next(iter(roles))

    def put(self, index: Index, answer: FramePredicted, model: str) -> bool:
        """Show what the network says of a frame; see :meth:`PredictionLayers.put`."""
        role = answer.role
        layers = self._fitting(role)
        if layers is None:
            return True
        first = role in self._awaited
        self._awaited.discard(role)
        self._adding = True
        network = Network(
            model=model,
            model_sha256=answer.model_sha256,
            loss=answer.loss,
            threshold=self._threshold,
            scale=self._scale,
        )
        region = None if index else self._regions().get(role)
        shown = layers.put(index, answer.probability, network, region)
        self._adding = False
        self._show_maps([layers])
        if first and role == self.focus:
            self.show_only(role)
        elif first:
            layers.set_visible(on=False)
        self.masks_changed.emit()
        return shown

    def limit(self) -> None:
        """Leave the masks empty where the frames have nothing in common, as aligned now."""
        present = self._present()
        regions = self._regions() if present else {}
        for layers in present:
            layers.limit(regions.get(layers.role), self._threshold)
        self.masks_changed.emit()

    def _regions(self) -> Mapping[MaskRole, NDArray[np.bool_]]:
        return {} if self.subject is None else self.regions(self.subject)

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

    def _truth_visible(self) -> bool:
        """Whether ground truth of these images is shown."""
        title = self.subject.title if self.subject is not None else ""
        found = (find_layer(self._viewer.layers, "ground truth", title, it) for it in MASK_ROLES)
        return any(layer is not None and layer.visible for layer in found)

    def _role_shown(self, role: MaskRole) -> None:
        """Follow another dock to the other role."""
        if role == self.focus or role not in self.roles:
            return
        self.focus = role
        present, active = self._present(), self._viewer.layers.selection.active
        visible = any(layers.visible for layers in present)
        for layers in present:
            layers.set_visible(on=visible and layers.role == role)
        if active is not None and any(layers.mask is active for layers in present):
            self._viewer.layers.selection.active = next(
                (layers.mask for layers in present if layers.role == role),
                self._choice.images[role],
            )
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
        title, image = self.subject.title, self.subject.frames[role].layer
        of_scene = (it for it in self._known if (it.scene, it.role) == (title, role))
        # Another frame of the scene may have been predicted, whose mask this one's is to be.
        layers = self._fitting(role) or next((it for it in of_scene if it.has_size_of(image)), None)
        if layers is None:
            return PredictionLayers(self._viewer, title, role, image)
        layers.image = image
        return layers


def _is_closed(layers: PredictionLayers, viewer: ViewerModel) -> bool:
    """Whether the frame was closed with its folder, or is of another size."""
    ours = provenance_of(layers.image.metadata)
    closed = ours is not None and (ours["kind"] == "spare" or layers.image not in viewer.layers)
    return closed or not layers.fits(layers.scene, layers.image)


def _nowhere(_subject: Subject) -> Mapping[MaskRole, NDArray[np.bool_]]:
    return {}


def _now(call: Callable[[], None]) -> None:
    call()
