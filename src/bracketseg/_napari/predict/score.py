"""How a prediction compares with the ground truth of its scene, where there is some."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import find_masks, read_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import Confusion, confusion
from bracketseg.evaluation.metrics import dice


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a mask covers, and how well.

    Attributes
    ----------
    foreground : float
        Part of the frame, 0..1.
    truth : str
        Whose ground truth it is held against; empty without any.
    dice, constant : float or None
        Its Dice index, and that of a mask that is foreground everywhere; None without
        ground truth.
    """

    foreground: float
    truth: str = ""
    dice: float | None = None
    constant: float | None = None


class GroundTruths:
    """Finds the ground truth of the scene that is shown: an open layer, else a saved mask.

    Signals
    -------
    changed()
        A mask was read, or other masks are there, or somebody paints on one.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._jobs = JobGroup()
        self._scene = ""
        self._read: dict[tuple[Path, MaskRole], NDArray[np.bool_] | None] = {}
        session.labeled_changed.connect(self._labeled_changed)
        session.labeling_changed.connect(self._labeling_changed)
        viewer.layers.events.inserted.connect(self._layer_came)
        viewer.layers.events.removed.connect(self._layer_went)
        for layer in viewer.layers:
            self._watch(layer)

    def close(self) -> None:
        """Let go of the session."""
        self._jobs.cancel()
        self._session.labeled_changed.disconnect(self._labeled_changed)
        self._session.labeling_changed.disconnect(self._labeling_changed)
        self._viewer.layers.events.inserted.disconnect(self._layer_came)
        self._viewer.layers.events.removed.disconnect(self._layer_went)
        for layer in self._viewer.layers:
            self._unwatch(layer)

    def score(self, subject: Subject, role: MaskRole, mask: NDArray[np.bool_]) -> Score:
        """Hold a mask against the ground truth.

        Parameters
        ----------
        subject : Subject
        role : {"low", "high"}
        mask : (H, W) bool
        """
        found = self._truth(subject, role)
        if found is None or found[1].shape != mask.shape:
            return Score(foreground=float(np.count_nonzero(mask)) / mask.size)
        whose, truth = found
        counts = confusion(truth, mask)
        positives = counts.tp + counts.fn
        everything = Confusion(tp=positives, fp=counts.total - positives, fn=0, tn=0)
        return Score(
            foreground=(counts.tp + counts.fp) / counts.total,
            truth=whose,
            dice=dice(counts),
            constant=dice(everything),
        )

    def _truth(self, subject: Subject, role: MaskRole) -> tuple[str, NDArray[np.bool_]] | None:
        layer = find_layer(self._viewer.layers, "ground truth", subject.title, role)
        if isinstance(layer, Labels) and layer.data.ndim == len(subject.index) + 2:
            return "the open ground truth", np.asarray(layer.data[subject.index]) != 0
        if subject.scene != self._scene:
            self._jobs.cancel()
            self._scene, self._read = subject.scene, {}
        for folder, name in self._labelings(subject.scene):
            if (folder, role) not in self._read:
                self._read[folder, role] = None
                self._jobs.run(
                    partial(_read_mask, folder, subject.scene, role),
                    on_done=partial(self._found, folder, role),
                    description=f"reading the ground truth of {subject.scene}",
                )
            mask = self._read[folder, role]
            if mask is not None:
                return name, mask
        return None

    def _layer_came(self, event: Any) -> None:
        if self._watch(event.value):
            self.changed.emit()

    def _layer_went(self, event: Any) -> None:
        if self._unwatch(event.value):
            self.changed.emit()

    def _watch(self, layer: Layer) -> bool:
        if not _is_truth(layer):
            return False
        layer.events.paint.connect(self._painted)
        return True

    def _unwatch(self, layer: Layer) -> bool:
        if not _is_truth(layer):
            return False
        layer.events.paint.disconnect(self._painted)
        return True

    def _painted(self, _event: Any) -> None:
        self.changed.emit()

    def _labelings(self, scene: str) -> list[tuple[Path, str]]:
        """List who labelled the scene otherwise than by a network, the session's own first."""
        made = [
            (labels.folder, labels.annotator)
            for labels in self._session.labeled.get(scene, ())
            if labels.method != "network"
        ]
        return sorted(made, key=lambda known: known[0] != self._session.labeling_path)

    def _found(self, folder: Path, role: MaskRole, mask: NDArray[np.bool_] | None) -> None:
        self._read[folder, role] = mask
        self.changed.emit()

    def _labeled_changed(self, scenes: frozenset[str]) -> None:
        if self._scene in scenes:
            self._forget()

    def _labeling_changed(self, _path: object) -> None:
        self._forget()

    def _forget(self) -> None:
        self._jobs.cancel()
        self._scene = ""
        self.changed.emit()


def _is_truth(layer: Layer) -> bool:
    ours = provenance_of(layer.metadata)
    return isinstance(layer, Labels) and ours is not None and ours["kind"] == "ground truth"


def _read_mask(folder: Path, scene: str, role: MaskRole) -> NDArray[np.bool_] | None:
    try:
        path = find_masks(folder).get((scene, role))
        return None if path is None else read_mask(path)
    except LabelingError:
        return None
