"""What the picture shows: the mask in work, low with high, or a person's with Otsu's."""

from typing import Literal

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.mask_views import COMPARED, MERGED, MaskView, Scheme
from bracketseg._napari.layers.provenance import placement_of
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.placement import place_image
from bracketseg.labeling.agreement import Agreement, compare_masks
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.ranges import Otsu

View = Literal["masks", "merged", "compared"]

_SCHEMES: dict[View, Scheme] = {"merged": MERGED, "compared": COMPARED}


class ViewSwitch:
    """Shows one view at a time and keeps it in step with the masks.

    Signals
    -------
    changed(view)
    """

    changed = Signal(str)

    def __init__(self, viewer: ViewerModel, editor: SceneEditor) -> None:
        self._editor = editor
        self._views = {view: MaskView(viewer, scheme) for view, scheme in _SCHEMES.items()}
        self._view: View = "masks"
        editor.subject_changed.connect(self.update)
        editor.mask_changed.connect(self._mask_changed)
        editor.focus.changed.connect(self.update)
        editor.mask_added.connect(self.update)

    @property
    def view(self) -> View:
        """What is shown."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        if view == self._view:
            return
        self._view = view
        self.update()
        if view == "masks":
            self._editor.focus.set(self._editor.focus.role)
        self.changed.emit(view)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Words and colours of the view; empty for the masks themselves."""
        return _SCHEMES[self._view].legend if self._view in _SCHEMES else []

    @property
    def possible(self) -> bool:
        """Whether the view that is wanted can be shown: merged takes two masks."""
        roles = self._editor.roles
        return (
            self._view == "masks" or len(roles) == 2 or (self._view == "compared" and bool(roles))
        )

    def agreement(self) -> Agreement | None:
        """Compare the masks of this scene with Otsu's; None where there are none."""
        annotation = self._editor.annotation
        if annotation is None:
            return None
        otsu = {role: _otsu(annotation, role) for role in annotation.roles}
        return compare_masks({role: annotation.mask(role) for role in annotation.roles}, otsu)

    def close(self) -> None:
        """Close the layers of all views."""
        for view in self._views.values():
            view.hide()

    def _mask_changed(self, _role: MaskRole, settled: bool) -> None:
        self.update(settled=settled)

    def update(self, *_what: object, settled: bool = True) -> None:
        """Show the masks and their frames as they are and lie now."""
        for name, view in self._views.items():
            if name != self._view or not self.possible:
                view.hide()
        annotation, subject = self._editor.annotation, self._editor.subject
        if annotation is None or subject is None or not self.possible or self._view == "masks":
            return
        focus = self._editor.focus.role
        if self._view == "merged":
            title = subject.title
            low, high = (
                _lying_on(focus, role, subject, annotation.mask(role)) for role in MASK_ROLES
            )
            masks = (low, high)
        else:
            title = f"{subject.title} {focus}"
            masks = (annotation.mask(focus), _otsu(annotation, focus))
        self._views[self._view].show(title, subject.frames[focus].layer, *masks, settled=settled)
        self._editor.masks.hide()


def _otsu(annotation: SceneAnnotation, role: MaskRole) -> NDArray[np.bool_]:
    """Give Otsu's mask, where masks can be."""
    luma = annotation.luma(role)
    mask = Otsu().bounds(luma, role).mask(luma)
    region = annotation.limits().get(role)
    return mask if region is None else mask & region


def _lying_on(
    focus: MaskRole, role: MaskRole, subject: Subject, mask: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Give the mask of a role in the pixels of the frame in work, where frames are aligned."""
    by, on = (placement_of(subject.frames[other].layer).matrix for other in (role, focus))
    return place_image(mask, np.linalg.inv(on) @ by, smooth=False)
