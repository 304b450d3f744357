"""The Fusion dock: the picture that a bracket and its masks make, while they are painted."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

from bracketseg._napari.fusion.controls import FusionControls
from bracketseg._napari.fusion.fusing import Settings, laid, save
from bracketseg._napari.fusion.layer import FusedLayer
from bracketseg._napari.fusion.live import LiveFusion
from bracketseg._napari.fusion.masks import MaskChoice
from bracketseg._napari.fusion.material import Material, material_of
from bracketseg._napari.fusion.place import choose_file, proposed
from bracketseg._napari.fusion.text import fused_text
from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import BracketSegError
from bracketseg.fusion.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Callable


class FusionDock(QWidget):
    """Fuses the open scene, or whatever frames and masks are open.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_file : callable
        Takes a proposal; returns the file to save to, or None.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.ask: Callable[[str], bool] = self._ask
        self.choose_file: Callable[[Path], Path | None] = partial(choose_file, self)
        self._session = session = session_of(napari_viewer)
        self._controls = FusionControls(self)
        self._frames = FrameChoice(session.viewer, session)
        self._masks = MaskChoice(session, self._frames)
        self._frames.later = self._masks.later = partial(QTimer.singleShot, 0)
        self._live = LiveFusion(self._masks)
        self._fused = FusedLayer(session.viewer)
        self._jobs = JobGroup()
        self._saving = False
        self._said = ""
        self._last: Path | None = None
        controls = self._controls
        self._aligned = controls.align.method = session.align
        controls.fuse.toggled.connect(self._fuse_wanted)
        controls.save.clicked.connect(self._save)
        controls.align.currentIndexChanged.connect(self._settings_changed)
        controls.deghost.toggled.connect(self._settings_changed)
        for role, combo in controls.masks.items():
            combo.currentIndexChanged.connect(partial(self._mask_chosen, role))
        self._masks.changed.connect(self._chosen)
        self._live.fused.connect(self._show)
        self._live.failed.connect(self._failed)
        session.viewer.layers.events.removed.connect(self._layer_removed)
        join_session(
            self,
            session,
            [
                (session.scene_leaving, self._scene_leaving),
                (session.shifts_changed, self._shifts_changed),
            ],
        )
        self._frames.start()
        self._masks.look()
        parts = (self._live, self._masks, self._frames, self._fused)
        self.destroyed.connect(partial(_close, parts, self._jobs))

    # What a person does.

    def _fuse_wanted(self, on: bool) -> None:
        self._said = ""
        if not on:
            self._fused.remove()
        self._follow()

    def _mask_chosen(self, role: MaskRole, index: int) -> None:
        self._said = ""
        there = self._masks.candidates()
        self._masks.choose(role, there[index] if 0 <= index < len(there) else None)

    def _settings_changed(self, _value: object) -> None:
        self._said = ""
        self._follow()

    def _save(self) -> None:
        material = self._material()
        if isinstance(material, str):
            return
        path = self.choose_file(proposed(material, self._session.folder, self._last))
        if path is None:
            return
        if path.exists() and not self.ask(f"{path} exists. Replace it?"):
            return
        whole, settings = self._live.whole, self._settings
        # Frames may take seconds to be laid on each other, and meanwhile masks change in place.
        masks = tuple(mask.copied() for mask in self._live.arrays(material))

        def work() -> Path:
            frames = whole or laid(material.pixels(), material.frames, settings)
            return save(path, frames, material.frames, *masks, evs_known=material.evs_known)

        self._saving, self._said = True, ""
        self._jobs.run(
            work,
            on_done=partial(self._saved, evs_known=material.evs_known),
            on_error=self._not_saved,
            description="saving the picture",
        )
        self._tell()

    # What comes of it.

    @property
    def _settings(self) -> Settings:
        return Settings(
            align=self._controls.align.method, deghost=self._controls.deghost.isChecked()
        )

    def _material(self) -> Material | str:
        """Give what is fused; or say in words what is missing."""
        found = material_of(self._frames, self._frames.candidates(), self._session.viewer)
        if isinstance(found, str):
            return found
        missing = [role for role in MASK_ROLES if role not in self._masks.masks]
        if missing:
            return (
                f"{found.scene} has no mask of the {' and the '.join(missing)} frame. Label or "
                "predict it, or choose a Labels layer above."
            )
        return found

    def _chosen(self) -> None:
        there = self._masks.candidates()
        for role in MASK_ROLES:
            mask = self._masks.masks.get(role)
            self._controls.show_masks(
                role, [layer.name for layer in there], there.index(mask) if mask in there else -1
            )
        self._follow()

    def _follow(self) -> None:
        material = self._material()
        wanted = self._controls.fuse.isChecked() and not isinstance(material, str)
        if not wanted:
            self._fused.hide()
        followed = material if wanted and isinstance(material, Material) else None
        self._live.follow(followed, self._settings)
        if followed is not None:
            self._fused.prepare(followed.title, followed.layers, list(self._masks.masks.values()))
        self._tell()

    def _scene_leaving(self, _bracket: object) -> None:
        # Until the next one is there, its frames and masks are of two scenes.
        self._live.follow(None, self._settings)

    def _shifts_changed(self, _bracket: object) -> None:
        # Who aligns the layers wants the frames aligned; here it may still be chosen otherwise.
        if self._session.align != self._aligned:
            self._aligned = self._controls.align.method = self._session.align

    def _show(self, material: Material, picture: NDArray[np.uint8]) -> None:
        self._said = ""
        self._fused.show(material.title, picture, material.base)
        self._tell()

    def _failed(self, error: Exception) -> None:
        self._said = f"⚠ {error}"
        self._fused.hide()
        self._tell()

    def _saved(self, path: Path, *, evs_known: bool) -> None:
        self._saving, self._said, self._last = False, f"Saved {path}.", path
        if format_of(path) == "exr" and not evs_known:
            self._said += " No file tells the exposures, which were measured in the pictures."
        self._tell()

    def _not_saved(self, error: Exception) -> None:
        self._saving = False
        if not isinstance(error, (BracketSegError, OSError, MemoryError)):
            self._tell()
            raise error
        self._said = f"⚠ {error}"
        self._tell()

    def _layer_removed(self, _event: Any) -> None:
        if self._controls.fuse.isChecked() and self._fused.lost:
            self._controls.fuse.setChecked(False)

    def _tell(self) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        controls, material = self._controls, self._material()
        ready = not isinstance(material, str)
        controls.fuse.setEnabled(ready or controls.fuse.isChecked())
        controls.save.setEnabled(ready and not self._saving)
        controls.show_save(stack=isinstance(material, Material) and bool(material.index))
        controls.status.setText(self._state(material))

    def _state(self, material: Material | str) -> str:
        if self._saving:
            return "Saving in full size…"
        if self._said:
            return self._said
        if isinstance(material, str):
            return material
        if not self._controls.fuse.isChecked():
            return f"Ready: {material.scene}, {len(material.layers)} frames and two masks."
        layer, whole = self._fused.layer, self._live.whole
        if layer is None or not layer.visible or whole is None:
            return f"Fusing {material.scene}…"
        return fused_text(material, whole, layer.data.shape, deghost=self._settings.deghost)

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Fusion", question)
        return answer == yes


def _close(
    parts: tuple[LiveFusion, MaskChoice, FrameChoice, FusedLayer],
    jobs: JobGroup,
    _dock: object = None,
) -> None:
    jobs.cancel()
    for part in parts:
        part.close()
