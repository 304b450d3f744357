"""The overlay of a scene whose masks lie on a disk."""

from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.error_overlay import ErrorOverlay
from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.metrics.layers import mask_layers
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.masks import find_masks, read_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.overlay import compose
from bracketseg.evaluation.pairs import SceneMetrics


class SceneOverlay:
    """Shows one mask pair of a set over the frame that it belongs to.

    Attributes
    ----------
    scene : SceneMetrics or None
        What was asked for; None again when another scene is shown.

    Signals
    -------
    changed()
        The overlay is shown, or the scene was left.
    failed(Exception)
        The masks cannot be read any more.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.scene: SceneMetrics | None = None
        self._on = False
        self._composed: NDArray[np.uint8] | None = None
        self._overlay = ErrorOverlay(session.viewer)
        self._visible: dict[Image, bool] = {}
        self._jobs = JobGroup()
        session.scene_changed.connect(self._scene_changed)

    def close(self) -> None:
        """Let go of the viewer, and leave it as it was."""
        self._session.scene_changed.disconnect(self._scene_changed)
        self.forget()

    @property
    def on(self) -> bool:
        """Whether the overlay is wanted."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        if on:
            self._draw()
        else:
            self._hide()

    @property
    def lost(self) -> bool:
        """Whether somebody closed the layer."""
        return self._on and self._ready and self._overlay.layer is None

    def in_session(self, scene: str) -> bool:
        """Whether the session has the frames of a scene."""
        return any(bracket.scene == scene for bracket in self._session.brackets)

    def show(self, scene: SceneMetrics, reference: Path, prediction: Path) -> None:
        """Show a pair of two labellings, and its frame if the session has it."""
        self.forget()
        self.scene, self._on = scene, True
        self._jobs.run(
            partial(_compose, scene, reference, prediction),
            on_done=self._compared,
            on_error=self.failed.emit,
            description=f"comparing the masks of {scene.scene}",
        )
        if self.in_session(scene.scene):
            self._session.select(scene.scene)

    def forget(self) -> None:
        """Show no scene."""
        self._jobs.cancel()
        self._hide()
        self.scene = self._composed = None

    @property
    def _ready(self) -> bool:
        """Whether the picture is there, and the frame below it is, too."""
        if self.scene is None or self._composed is None:
            return False
        current = self._session.current
        shown = current is not None and current.scene == self.scene.scene
        return shown or not self.in_session(self.scene.scene)

    def _compared(self, composed: NDArray[np.uint8]) -> None:
        self._composed = composed
        self._draw()

    def _scene_changed(self, bracket: Bracket) -> None:
        # What was visible before belongs to another scene now.
        self._visible = {}
        if self.scene is not None and bracket.scene != self.scene.scene:
            self.forget()
            self.changed.emit()
        self._draw()

    def _draw(self) -> None:
        if not (self._on and self._ready) or self.scene is None or self._composed is None:
            return
        name, role = self.scene.scene, self.scene.role
        layers = self._session.viewer.layers
        base = find_layer(layers, "frame", name, role)
        for layer in layers:
            ours = provenance_of(layer.metadata)
            if isinstance(layer, Image) and ours and ours["scene"] == name:
                self._visible.setdefault(layer, layer.visible)
                layer.visible = layer is base
        masks = [mask for mask in mask_layers(layers) if mask.visible]
        self._overlay.show(f"{name} {role}", self._composed, base, masks)
        self.changed.emit()

    def _hide(self) -> None:
        self._overlay.hide()
        for image, visible in self._visible.items():
            image.visible = visible
        self._visible = {}


def _compose(scene: SceneMetrics, reference: Path, prediction: Path) -> NDArray[np.uint8]:
    # The first Labels layer of a napari loads pandas, which takes long.
    import_module("pandas")
    key = (scene.scene, scene.role)
    found = [find_masks(folder).get(key) for folder in (reference, prediction)]
    masks = [read_mask(path) for path in found if path is not None]
    if len(masks) < 2 or masks[0].shape != masks[1].shape:
        raise LabelingError(
            f"{scene.scene} {scene.role}: its masks have changed since they were measured. Press "
            "Again to measure all of them."
        )
    return compose(masks[0], masks[1])
