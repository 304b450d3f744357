"""The role that is being worked on, of the two of a scene."""

from itertools import product
from typing import Any

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.layers.provenance import Kind, find_layer
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.mask_layers import MaskLayers
from bracketseg.brackets.bracket import MaskRole


class Focus:
    """Turns from one role to the other, with whatever layer somebody selects.

    Parameters
    ----------
    viewer : ViewerModel
    choice : FrameChoice
    masks : MaskLayers

    Attributes
    ----------
    role : {"low", "high"}
    subject : Subject or None
        The scene; None where there is nothing to label.
    brush : bool
        Whether the mask that is turned to gets a brush, or else the hand.

    Signals
    -------
    leaving()
        `role` is about to be the other one.
    changed(role)
    """

    leaving = Signal()
    changed = Signal(str)

    def __init__(self, viewer: ViewerModel, choice: FrameChoice, masks: MaskLayers) -> None:
        self._viewer = viewer
        self._choice = choice
        self._masks = masks
        self.role = choice.role
        self.subject: Subject | None = None
        self.brush = True
        viewer.layers.selection.events.active.connect(self._layer_selected)
        choice.role_shown.connect(self._role_shown)

    def close(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.selection.events.active.disconnect(self._layer_selected)
        self._choice.role_shown.disconnect(self._role_shown)
        self.subject = None

    @property
    def roles(self) -> tuple[MaskRole, ...]:
        """The roles that can be turned to."""
        return tuple(self.subject.frames) if self.subject is not None else ()

    def wanted(self, subject: Subject) -> MaskRole:
        """Say which role of a scene to begin with: the one whose frame is shown, if it has it."""
        shown = self._choice.role
        return shown if shown in subject.frames else next(iter(subject.frames))

    def set(self, role: MaskRole, *, arm: bool = True) -> None:
        """Work on a role: its frame and mask are shown, its layer is selected.

        Predictions are hidden: they have the colours of ground truth, and one above the other
        tells nothing.
        """
        if role not in self.roles:
            return
        changed = role != self.role
        if changed:
            self.leaving.emit()
        self.role = role
        self._choice.show_only(role)
        self._masks.show_only(role)
        self._hide_predictions()
        if arm and self._masks.layer(role) is not None:
            self._masks.arm(role, brush=self.brush)
        elif arm and self._masks.role_of(self._viewer.layers.selection.active) is not None:
            # Until its mask is there; if that of the other role stayed selected, whoever gives
            # the selection back after adding a layer would turn to that role.
            self._viewer.layers.selection.active = self._choice.images.get(role)
        if changed:
            self.changed.emit(role)

    def turn(self) -> None:
        """Turn to the other role."""
        self.set("high" if self.role == "low" else "low")

    def _hide_predictions(self) -> None:
        kinds: tuple[Kind, ...] = ("prediction", "probability")
        for role, kind in product(self.roles, kinds):
            title = self.subject.title if self.subject is not None else ""
            layer = find_layer(self._viewer.layers, kind, title, role)
            if layer is not None and layer.visible:
                layer.visible = False

    def _role_shown(self, role: MaskRole) -> None:
        """Follow another dock to the other role; what it shows instead of the masks stays."""
        if role == self.role or role not in self.roles:
            return
        self.leaving.emit()
        self.role = role
        if self._masks.visible:
            self._masks.show_only(role)
        if self._masks.role_of(self._viewer.layers.selection.active) is not None:
            self._masks.arm(role)
        self.changed.emit(role)

    def _layer_selected(self, event: Any) -> None:
        role = self._masks.role_of(event.value)
        if role is not None and role != self.role:
            self.set(role, arm=False)
