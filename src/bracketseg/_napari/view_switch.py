"""What the picture shows: the mask in work, low with high, or a person's with Otsu's."""

from typing import Literal

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.mask_views import COMPARED, MERGED, MaskView, Scheme
from bracketseg._napari.scene_editor import SceneEditor
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.agreement import Agreement, compare_masks
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
        editor.subject_changed.connect(self._update)
        editor.mask_changed.connect(self._mask_changed)
        editor.focus_changed.connect(self._update)

    @property
    def view(self) -> View:
        """What is shown."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        if view == self._view:
            return
        self._view = view
        self._update()
        if view == "masks":
            self._editor.set_focus(self._editor.focus)
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
        otsu = {
            role: Otsu().bounds(annotation.luma(role), role).mask(annotation.luma(role))
            for role in annotation.roles
        }
        return compare_masks({role: annotation.mask(role) for role in annotation.roles}, otsu)

    def close(self) -> None:
        """Close the layers of all views."""
        for view in self._views.values():
            view.hide()

    def _mask_changed(self, _role: MaskRole, settled: bool) -> None:
        self._update(settled=settled)

    def _update(self, *_what: object, settled: bool = True) -> None:
        for name, view in self._views.items():
            if name != self._view or not self.possible:
                view.hide()
        annotation, subject = self._editor.annotation, self._editor.subject
        if annotation is None or subject is None or not self.possible or self._view == "masks":
            return
        focus = self._editor.focus
        if self._view == "merged":
            title, masks = subject.title, (annotation.mask("low"), annotation.mask("high"))
        else:
            luma = annotation.luma(focus)
            title = f"{subject.title} {focus}"
            masks = (annotation.mask(focus), Otsu().bounds(luma, focus).mask(luma))
        self._views[self._view].show(title, subject.frames[focus].layer, *masks, settled=settled)
        self._editor.masks.hide()
