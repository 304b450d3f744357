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
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import Network


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a mask covers, and how well.

    Attributes
    ----------
    foreground : float
        Part of the frame, 0..1.
    truth : str
        Whose ground truth it is held against; empty without any.
    began_from : str
        The model whose prediction that ground truth is a correction of; empty for another.
    dice, constant : float or None
        Its Dice index, and that of a mask that is foreground everywhere; None without
        ground truth, and where that is a correction of this very prediction.
    """

    foreground: float
    truth: str = ""
    began_from: str = ""
    dice: float | None = None
    constant: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Truth:
    whose: str
    mask: NDArray[np.bool_]
    model: str
    """Whose prediction it began from; empty where it began from none."""


class GroundTruths:
    """Finds the ground truth of the scene that is shown: an open layer, else a saved mask.

    Signals
    -------
    changed()
        A mask was read, or other masks are there, or somebody works on one.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._jobs = JobGroup()
        self._scene = ""
        self._read: dict[tuple[Path, MaskRole], _Truth | None] = {}
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

    def score(
        self, subject: Subject, role: MaskRole, mask: NDArray[np.bool_], model: str = ""
    ) -> Score:
        """Hold a mask against the ground truth.

        Parameters
        ----------
        subject : Subject
        role : {"low", "high"}
        mask : (H, W) bool
        model : str
            Who predicted it.
        """
        found = self._truth(subject, role)
        foreground = float(np.count_nonzero(mask)) / mask.size
        if found is None or found.mask.shape != mask.shape:
            return Score(foreground=foreground)
        if found.model and found.model == model:
            return Score(foreground=foreground, truth=found.whose, began_from=model)
        counts = confusion(found.mask, mask)
        positives = counts.tp + counts.fn
        everything = Confusion(tp=positives, fp=counts.total - positives, fn=0, tn=0)
        return Score(
            foreground=foreground,
            truth=found.whose,
            began_from=found.model,
            dice=dice(counts),
            constant=dice(everything),
        )

    def _truth(self, subject: Subject, role: MaskRole) -> _Truth | None:
        layer = find_layer(self._viewer.layers, "ground truth", subject.title, role)
        if isinstance(layer, Labels) and layer.data.ndim == len(subject.index) + 2:
            ours = provenance_of(layer.metadata)
            model = ours.get("model", "") if ours is not None else ""
            # What a rule gives of itself is nobody's word on what is right.
            if ours is None or ours.get("made", True) or model:
                return _Truth(
                    whose="the open ground truth",
                    mask=np.asarray(layer.data[subject.index]) != 0,
                    model=model,
                )
        if subject.scene != self._scene:
            self._jobs.cancel()
            self._scene, self._read = subject.scene, {}
        for folder, name in self._labelings(subject.scene):
            if (folder, role) not in self._read:
                self._read[folder, role] = None
                self._jobs.run(
                    partial(_read_truth, folder, name, subject.scene, role),
                    on_done=partial(self._found, folder, role),
                    description=f"reading the ground truth of {subject.scene}",
                )
            truth = self._read[folder, role]
            if truth is not None:
                return truth
        return None

    def _layer_came(self, event: Any) -> None:
        self._watch(event.value)
        if _is_truth(event.value):
            self.changed.emit()

    def _layer_went(self, event: Any) -> None:
        self._unwatch(event.value)
        if _is_truth(event.value):
            self.changed.emit()

    def _watch(self, layer: Layer) -> None:
        # Any of them may become ground truth, and cease to be: layers are kept and filled anew.
        if isinstance(layer, Labels):
            for event in _events(layer):
                event.connect(self._layer_changed)

    def _unwatch(self, layer: Layer) -> None:
        if isinstance(layer, Labels):
            for event in _events(layer):
                event.disconnect(self._layer_changed)

    def _layer_changed(self, event: Any) -> None:
        if _is_truth(event.source):
            self.changed.emit()

    def _labelings(self, scene: str) -> list[tuple[Path, str]]:
        """List who labelled the scene otherwise than by a network, the session's own first."""
        made = [
            (labels.folder, labels.annotator)
            for labels in self._session.labeled.get(scene, ())
            if labels.method != "network"
        ]
        return sorted(made, key=lambda known: known[0] != self._session.labeling_path)

    def _found(self, folder: Path, role: MaskRole, truth: _Truth | None) -> None:
        self._read[folder, role] = truth
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


def _events(layer: Layer) -> tuple[Any, ...]:
    # A stroke; another rule below the strokes; another prediction that it began from.
    return layer.events.paint, layer.events.set_data, layer.events.metadata


def _read_truth(folder: Path, whose: str, scene: str, role: MaskRole) -> _Truth | None:
    try:
        path = find_masks(folder).get((scene, role))
        if path is None:
            return None
        return _Truth(whose=whose, mask=read_mask(path), model=_began_from(folder, scene, role))
    except LabelingError:
        return None


def _began_from(folder: Path, scene: str, role: MaskRole) -> str:
    try:
        record = LabelingFolder.open(folder).record(scene)
    except LabelingError:
        return ""  # the mask itself can be read
    made = record.masks.get(role) if record is not None else None
    return made.origin.model if made is not None and isinstance(made.origin, Network) else ""
