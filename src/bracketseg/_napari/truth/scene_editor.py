"""What a person does to the masks of one scene, and the layers that show it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import cv2
import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.frames import pixel_at
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.focus import Focus
from bracketseg._napari.truth.mask_layers import MaskLayers
from bracketseg._napari.truth.mask_origin import note_origin
from bracketseg._napari.truth.picking import Picking, picked_range
from bracketseg._napari.widgets.turns import turns_of
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, Bounds, ManualRange, Otsu


class SceneEditor:
    """Changes an annotation and keeps the layers and whoever listens in step with it.

    Attributes
    ----------
    masks : MaskLayers
    subject : Subject or None
    annotation : SceneAnnotation or None
        Both None where there is nothing to label.
    focus : Focus
        The role that is being worked on.
    picking : Picking
        Of its bounds.
    predicted : dict of role to Prediction
        What the masks of this scene began from last.

    Signals
    -------
    subject_changed()
        Another scene, or none.
    mask_changed(role, settled)
        Rule or strokes of a role are others; while a bound is dragged `settled` is False.
    mask_added(role)
        The mask of a role has got its layer.
    """

    subject_changed = Signal()
    mask_changed = Signal(str, bool)
    mask_added = Signal(str)

    def __init__(self, viewer: ViewerModel, choice: FrameChoice) -> None:
        self.masks = MaskLayers(
            viewer,
            on_painted=self._painted,
            on_tool=lambda role: self.picking.tool_chosen(role),
            on_undo=self.undo,
            on_redo=self.redo,
            awaits=lambda: choice.awaits_scene or bool(self._lacking),
        )
        self.focus = Focus(viewer, choice, self.masks)
        self.picking = Picking(viewer, self.focus, self.masks, self.pick)
        self._turns = turns_of(viewer)
        self._lacking: set[MaskRole] = set()
        self.subject: Subject | None = None
        self.annotation: SceneAnnotation | None = None
        self._moving: MaskRole | None = None
        self._made = True
        self._manual: dict[MaskRole, ManualRange] = dict(DEFAULT_RANGES)
        self.predicted: dict[MaskRole, Prediction] = {}

    def close(self) -> None:
        """Let go of the viewer; the layers stay."""
        self.picking.on = False
        self.focus.close()
        self.annotation = None
        self.masks.close()

    def begin(self, subject: Subject, annotation: SceneAnnotation, *, made: bool = True) -> None:
        """Show a scene and its masks, with the brush armed.

        `made` tells whether somebody has made these masks, or a rule alone gives them so far.

        A mask that needs a new layer comes a little later: one in each turn of the event loop,
        and that of the role in work first. Whatever is done until then is done to this scene.
        """
        self.picking.end()
        self.subject = self.focus.subject = subject
        self.annotation, self._made = annotation, made
        self._moving = None
        self._manual, self.predicted = dict(DEFAULT_RANGES), {}
        self._lacking = {
            role
            for role, frame in subject.frames.items()
            if self.masks.lacks(subject.title, role, frame)
        }
        self.masks.keep_only(subject.frames.keys() - self._lacking)
        if self._lacking:
            # The view is fitted to this scene before they are filled.
            self.masks.shrink_spare()
        focus = self.focus.wanted(subject)
        for role in sorted(subject.frames, key=lambda role: role != focus):
            frame, rule = subject.frames[role], annotation.rule(role)
            if isinstance(rule, ManualRange):
                self._manual[role] = rule
            elif isinstance(rule, Prediction):
                self.predicted[role] = rule
            if role in self._lacking:
                self._turns.add(partial(self._add_mask, annotation, role))
            else:
                self.masks.show(subject.title, role, frame, annotation.mask(role))
                self._note_origin(role)
        self.focus.set(focus)
        self.masks.tidy()
        self.subject_changed.emit()

    def end(self) -> None:
        """Show nothing."""
        self.picking.on = False
        self.subject = self.focus.subject = self.annotation = None
        self._lacking = set()
        self.masks.keep_only(frozenset())
        self.masks.tidy()
        self.subject_changed.emit()

    @property
    def roles(self) -> tuple[MaskRole, ...]:
        """The roles that can be labelled now."""
        return self.annotation.roles if self.annotation is not None else ()

    def rule(self, role: MaskRole) -> Basis | None:
        """Give the rule or prediction of a role; None where there is nothing to label."""
        return self.annotation.rule(role) if self.annotation and role in self.roles else None

    def bounds(self, role: MaskRole) -> Bounds | None:
        """Give the bounds of a rule, both inclusive; None for a prediction."""
        return self.annotation.bounds(role) if self.annotation and role in self.roles else None

    def histogram(self, role: MaskRole) -> NDArray[np.intp] | None:
        """Count the pixels of each luma of a role's frame, (256,) int."""
        if self.annotation is None or role not in self.roles:
            return None
        # NumPy's count takes fifteen times as long, and is waited for with each scene.
        counts = cv2.calcHist([self.annotation.luma(role)], [0], None, [256], [0, 256])
        return counts.ravel().astype(np.intp)

    def set_range(self, role: MaskRole, lo: float, hi: float, *, settled: bool = True) -> None:
        """Move the bounds of a role; the moves up to a settled one are one step of undo."""
        self._set_rule(role, ManualRange(lo=lo, hi=hi), settled=settled)

    def set_method(self, role: MaskRole, method: Literal["manual", "otsu"]) -> None:
        """Go over to Otsu's threshold, or back to the range that was there before it."""
        self._set_rule(role, Otsu() if method == "otsu" else self._manual[role])

    def go_over_to(self, role: MaskRole, prediction: Prediction) -> None:
        """Go over to a predicted mask; the strokes stay on top of it."""
        self._set_rule(role, self._known(role, prediction))

    def take_found(self, role: MaskRole, rule: Automatic) -> None:
        """Go over to a range that took a while to be found; role and stroke in work stay."""
        if role in self.roles:
            self._take_in(role)
        self._set_rule(role, rule, turn=False)

    def begin_with(self, role: MaskRole, rule: Automatic) -> None:
        """Take the range that a scene begins with, which took a while to be found."""
        if self.annotation is not None and role in self.roles:
            self._take_in(role)
            self.annotation.begin_with(role, rule)
            if role in self._lacking:
                # Its layer is on its way, and shows the mask as it is by then.
                self.mask_changed.emit(role, True)
            else:
                self._show(role)

    def begin_from(self, role: MaskRole, prediction: Prediction) -> bool:
        """Begin anew from a predicted mask, without the strokes that were on another mask.

        Returns
        -------
        bool
            Whether strokes were taken off; undo brings them back.
        """
        if self.annotation is None or role not in self.roles:
            return False
        prediction = self._known(role, prediction)
        painted = self.annotation.corrections(role) is not None
        changed = self.annotation.start_from(role, prediction)
        # What is left to do is what any change of the rule takes.
        self._set_rule(role, prediction)
        return changed and painted

    def _known(self, role: MaskRole, prediction: Prediction) -> Prediction:
        """Give the array that is known already: the history keeps each that it is given."""
        known = self.predicted.get(role)
        return known if known is not None and known == prediction else prediction

    def pick(self, position: tuple[float, ...]) -> bool:
        """Move a bound of the role in work to the luma under a position in the world.

        Returns
        -------
        bool
            Whether there is a pixel.
        """
        if self.subject is None or self.annotation is None:
            return False
        role = self.focus.role
        luma = self.annotation.luma(role)
        row, column = pixel_at(self.subject.frames[role].layer, position)
        if not (0 <= row < luma.shape[0] and 0 <= column < luma.shape[1]):
            return False
        # A prediction has no bounds: they are those of the range that was there before it.
        bounds = self.bounds(role) or self._manual[role]
        self.set_range(role, *picked_range(bounds, float(luma[row, column])))
        return True

    def limit(self, *limits: Any) -> None:
        """Leave masks empty outside of regions; see :meth:`SceneAnnotation.limit`."""
        for role in self.roles:
            self._take_in(role)
        for role in self.annotation.limit(*limits) if self.annotation is not None else ():
            self._show(role)

    def clear_corrections(self) -> bool:
        """Take the strokes off the masks of all roles; returns whether there were any."""
        cleared = [
            role
            for role in self.roles
            if self.annotation and self.annotation.clear_corrections(role)
        ]
        for role in cleared:
            self._show(role)
        return bool(cleared)

    def undo(self) -> bool:
        """Take back the last stroke or change of a rule, whichever role it was on."""
        return self._step(SceneAnnotation.undo)

    def redo(self) -> bool:
        """Make again what was undone last."""
        return self._step(SceneAnnotation.redo)

    def leave(self) -> None:
        """Take in what is painted and not told of yet, as the layers are about to show more."""
        for role in self.roles:
            self._take_in(role)
        self.masks.end_drawing()

    def _take_in(self, role: MaskRole) -> None:
        if self.annotation and self.masks.differs(role, self.annotation.mask(role)):
            self._painted(role)

    def _set_rule(
        self, role: MaskRole, rule: Basis, *, settled: bool = True, turn: bool = True
    ) -> None:
        if self.annotation is None or role not in self.roles:
            return
        changed = self.annotation.set_rule(role, rule, merge=self._moving == role)
        self._moving = None if settled else role
        if isinstance(rule, ManualRange):
            self._manual[role] = rule
        elif isinstance(rule, Prediction):
            self.predicted[role] = rule
        if turn and (settled or role != self.focus.role):
            self.focus.set(role)
        if changed or settled:
            self._show(role, settled=settled)

    def _step(self, step: Callable[[SceneAnnotation], bool]) -> bool:
        annotation = self.annotation
        if annotation is None:
            return False
        self._moving = None
        before = {role: (annotation.rule(role), annotation.mask(role)) for role in self.roles}
        if not step(annotation):
            return False
        for role, (rule, mask) in before.items():
            if annotation.rule(role) != rule or annotation.mask(role) is not mask:
                self._show(role)
        return True

    def _show(self, role: MaskRole, *, settled: bool = True) -> None:
        if self.annotation is not None and self.subject is not None:
            mask = self.annotation.mask(role)
            if self.masks.layer(role) is None:
                # Somebody removed it, and now works on it.
                self.masks.show(self.subject.title, role, self.subject.frames[role], mask)
            else:
                self.masks.update(role, mask, settled=settled)
            self._note_origin(role)
            self.mask_changed.emit(role, settled)

    def _add_mask(self, annotation: SceneAnnotation, role: MaskRole) -> None:
        subject = self.subject
        if annotation is not self.annotation or subject is None:
            return
        self._lacking.discard(role)
        if self.masks.layer(role) is None:
            mask = annotation.mask(role)
            self.masks.show(subject.title, role, subject.frames[role], mask)
            self._note_origin(role)
        self._turns.add(partial(self._show_added, annotation, role))

    def _show_added(self, annotation: SceneAnnotation, role: MaskRole) -> None:
        if annotation is self.annotation:
            if role == self.focus.role:
                self.focus.set(role)
            self.mask_added.emit(role)

    def note_made(self, *, made: bool) -> None:
        """Write on the layers whether somebody has made their masks."""
        self._made = made
        for role in self.roles:
            self._note_origin(role)

    def _note_origin(self, role: MaskRole) -> None:
        layer = self.masks.layer(role)
        if layer is not None:
            note_origin(layer, self.rule(role), made=self._made)

    def _painted(self, role: MaskRole) -> bool:
        mask = self.masks.shown(role)
        if self.annotation is None or mask is None or role not in self.roles:
            return False
        self._moving = None
        changed = self.annotation.set_mask(role, mask)
        if role in self.annotation.limits() and (mask & ~self.annotation.mask(role)).any():
            # Painted where not all of the aligned frames show something.
            self.masks.update(role, self.annotation.mask(role))
        if changed:
            self.mask_changed.emit(role, True)
        return changed
