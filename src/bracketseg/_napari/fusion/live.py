"""A fused picture that follows the masks while they are painted."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from bracketseg._napari.fusion.fusing import MaskArrays, Preview, Settings, laid
from bracketseg._napari.fusion.masks import MaskChoice
from bracketseg._napari.fusion.material import Material
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.fusion.laid_frames import LaidFrames

DELAY_MS = 10
"""How long further changes are gathered before the picture is made again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Basis:
    """The frames laid on each other, and what they were made from."""

    material: Material
    settings: Settings
    whole: LaidFrames
    preview: Preview


class LiveFusion:
    """Fuses what is chosen in the background, again whenever a mask changes.

    Signals
    -------
    fused(Material, array)
        A new picture of them, (h, w) or (h, w, 3) uint8, smaller than the frames.
    failed(Exception)
    """

    fused = Signal(object, object)
    failed = Signal(object)

    def __init__(self, choice: MaskChoice) -> None:
        self._choice = choice
        self._material: Material | None = None
        self._settings = Settings()
        self._basis: _Basis | None = None
        self._watched: list[Layer] = []
        self._due = self._gathering = False
        self._job: Job | None = None
        self._shown: NDArray[np.uint8] | None = None

    @property
    def whole(self) -> LaidFrames | None:
        """The frames in full size, once they were laid on each other."""
        basis = self._basis
        return basis.whole if basis is not None and self._is_current(basis) else None

    def follow(self, material: Material | None, settings: Settings) -> None:
        """Fuse these frames from now on, by the masks that are chosen; None ends it."""
        self._cancel()
        self._unwatch()
        self._material, self._settings, self._shown = material, settings, None
        if material is None:
            self._basis = None
            return
        soft = filter(None, map(self._choice.probability, self._choice.masks))
        self._watched = list(dict.fromkeys([*self._choice.masks.values(), *soft]))
        for layer in self._watched:
            for event in _events(layer):
                event.connect(self._mask_changed)
        self._due = True
        self._begin()

    def close(self) -> None:
        """Stop, and let go of the layers."""
        self.follow(None, self._settings)

    def arrays(self, material: Material) -> tuple[MaskArrays, MaskArrays]:
        """Give what the chosen masks of these frames hold now."""
        low, high = (self._arrays(role, material.index) for role in MASK_ROLES)
        return low, high

    def _arrays(self, role: MaskRole, index: tuple[int, ...]) -> MaskArrays:
        probability = self._choice.probability(role)
        return MaskArrays(
            labels=self._choice.masks[role].data[index],
            probability=None if probability is None else probability.data[index],
        )

    def _mask_changed(self, event: Any) -> None:
        self._due = True
        if not self._gathering:
            self._gathering = True
            # The window draws the stroke first, and a timer would wait for that. What is
            # announced before it is drawn would be fused twice.
            if event.type != "paint":
                self._begin()
            QTimer.singleShot(DELAY_MS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        self._begin()

    def _begin(self) -> None:
        material = self._material
        if self._job is not None or not self._due or material is None:
            return
        self._due = False
        work = partial(_fuse, material, self._settings, self._basis, *self.arrays(material))
        self._job = run_job(
            work, on_done=self._ended, on_error=self._broke, description="fusing the frames"
        )

    def _ended(self, result: tuple[_Basis, NDArray[np.uint8]]) -> None:
        self._job = None
        self._basis, picture = result
        if picture is not self._shown:
            self._shown = picture
            self.fused.emit(self._basis.material, picture)
        if not self._gathering:
            self._begin()

    def _broke(self, error: Exception) -> None:
        self._job = None
        self.failed.emit(error)
        self._begin()

    def _is_current(self, basis: _Basis) -> bool:
        return basis.settings == self._settings and basis.material.same(self._material)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job, self._due = None, False

    def _unwatch(self) -> None:
        for layer in self._watched:
            for event in _events(layer):
                event.disconnect(self._mask_changed)
        self._watched = []


def _fuse(
    material: Material,
    settings: Settings,
    basis: _Basis | None,
    low: MaskArrays,
    high: MaskArrays,
) -> tuple[_Basis, NDArray[np.uint8]]:
    if basis is None or basis.settings != settings or not material.same(basis.material):
        whole = laid(material.pixels(), material.frames, settings)
        basis = _Basis(material=material, settings=settings, whole=whole, preview=Preview(whole))
    return basis, basis.preview.picture(low, high)


def _events(layer: Layer) -> tuple[Any, ...]:
    events = layer.events
    if not isinstance(layer, Labels):
        return events.data, events.set_data
    # Polygons and scripts are announced before they are drawn, and drawn with the last two.
    return events.paint, events.data, events.labels_update, events.set_data
