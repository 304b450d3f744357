"""The predictions of a scene that a correction can begin from."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.frames import ShownFrame
from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.made_on import made_on_other
from bracketseg._napari.truth.places import Places
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import LabelingError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.records import Network
from bracketseg.labeling.saved_scene import other_frame
from bracketseg.learning.config import PredictConfig


class Predictions:
    """Finds what a network says of a scene: in an open layer first, then in a labelling.

    Signals
    -------
    changed()
        Others may be there.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layers = session.viewer.layers
        self._places = Places(session)
        # What each mask is about: a layer can be filled with the prediction of another scene.
        self._about: dict[Labels, tuple[object, ...]] = {}
        self._layers.events.inserted.connect(self._layer_came)
        self._layers.events.removed.connect(self._layer_went)
        for layer in self._layers:
            self._watch(layer)
        session.labeled_changed.connect(self._labeled_changed)

    def close(self) -> None:
        """Let go of the viewer and the session."""
        self._layers.events.inserted.disconnect(self._layer_came)
        self._layers.events.removed.disconnect(self._layer_went)
        for layer in list(self._about):
            self._unwatch(layer)
        self._session.labeled_changed.disconnect(self._labeled_changed)

    def roles(self, subject: Subject | None) -> tuple[MaskRole, ...]:
        """Say of which roles of a subject there is a prediction."""
        if subject is None:
            return ()
        return tuple(
            role
            for role in subject.frames
            if self._layer(subject, role) is not None or self._folder(subject, role) is not None
        )

    def of(self, subject: Subject, role: MaskRole) -> Prediction | None:
        """Read the prediction of a frame; None where there is none.

        Raises
        ------
        LabelingError
            If it was made on another frame, or is on the disk and cannot be read or is of
            another size than the frame.
        """
        found, frame = self._layer(subject, role), subject.frames[role]
        made_on = made_on_other(found[0], frame.file) if found is not None else ""
        if found is not None and not made_on:
            layer, mask = found
            return Prediction(origin=_origin_of(layer), mask=mask)
        folder = self._folder(subject, role)
        if folder is None and found is not None:
            raise _of_another(found[0].name, made_on, role, frame)
        if folder is None:
            return None
        labeling = LabelingFolder.open(folder)
        if frame.file is not None:
            made_on = other_frame(labeling, subject.scene, role, frame.file)
            if made_on:
                name = str(labeling.masks[subject.scene, role])
                raise _of_another(name, made_on, role, frame)
        mask, shape = labeling.mask(subject.scene, role), subject.frames[role].luma.shape
        if mask.shape != shape:
            raise LabelingError(
                f"{labeling.masks[subject.scene, role]}: this prediction is {mask.shape}, but "
                f"the frame is {shape} (rows, columns). Predict this scene again."
            )
        origin = _recorded(labeling, subject.scene, role) or _unknown(folder.name)
        return Prediction(origin=origin, mask=mask)

    def _layer(self, subject: Subject, role: MaskRole) -> tuple[Labels, NDArray[np.bool_]] | None:
        layer = find_layer(self._layers, "prediction", subject.title, role)
        frame = subject.frames[role]
        if not isinstance(layer, Labels) or not isinstance(layer.data, np.ndarray):
            return None
        if layer.data.shape[-2:] != frame.luma.shape or layer.data.ndim != len(frame.index) + 2:
            return None
        if any(at >= size for at, size in zip(frame.index, layer.data.shape, strict=False)):
            return None
        mask: NDArray[np.bool_] = np.asarray(layer.data[frame.index]) != 0
        # A slice of a stack that the network has not seen is empty in the layer.
        return None if frame.index and not mask.any() else (layer, mask)

    def _folder(self, subject: Subject, role: MaskRole) -> Path | None:
        if not self._places.in_session(subject):
            return None
        for labels in reversed(self._session.labeled.get(subject.scene, ())):
            file = labels.folder / mask_name(subject.scene, role)
            if labels.method == "network" and file.is_file():
                return labels.folder
        return None

    def _layer_came(self, event: Any) -> None:
        self._watch(event.value)
        if _is_prediction(event.value):
            self.changed.emit()

    def _layer_went(self, event: Any) -> None:
        self._unwatch(event.value)
        if _is_prediction(event.value):
            self.changed.emit()

    def _watch(self, layer: Layer) -> None:
        if isinstance(layer, Labels) and layer not in self._about:
            self._about[layer] = _about(layer)
            layer.events.metadata.connect(self._layer_says)

    def _unwatch(self, layer: Layer) -> None:
        if isinstance(layer, Labels) and self._about.pop(layer, None) is not None:
            layer.events.metadata.disconnect(self._layer_says)

    def _layer_says(self, event: Any) -> None:
        layer = event.source
        before, now = self._about[layer], _about(layer)
        self._about[layer] = now
        # Of a stack, another slice may have been predicted.
        if now != before or (layer.ndim > 2 and _is_prediction(layer)):
            self.changed.emit()

    def _labeled_changed(self, scenes: Collection[str]) -> None:
        current = self._session.current
        if current is not None and current.scene in scenes:
            self.changed.emit()


def _is_prediction(layer: Layer) -> bool:
    ours = provenance_of(layer.metadata)
    return ours is not None and ours["kind"] == "prediction"


def _about(layer: Layer) -> tuple[object, ...]:
    """Say of which scene and role a layer is a prediction; empty if it is none."""
    ours = provenance_of(layer.metadata)
    return (ours["scene"], ours["role"]) if ours and ours["kind"] == "prediction" else ()


def _of_another(name: str, made_on: str, role: MaskRole, frame: ShownFrame) -> LabelingError:
    return LabelingError(
        f"{name}: this prediction was made on {made_on}, but {frame.called} is the {role} frame "
        f"now. Predict this scene again, or choose {made_on} again."
    )


def _origin_of(layer: Labels) -> Network:
    """Say which network made the mask of a layer, as far as the layer or its file says."""
    ours = provenance_of(layer.metadata)
    if ours is None:
        return _unknown(layer.name)
    if "path" in ours:
        with suppress(LabelingError):
            labeling = LabelingFolder.open(Path(ours["path"]).parent)
            recorded = _recorded(labeling, ours["scene"], ours["role"])
            if recorded is not None:
                return recorded
    usual = _unknown(layer.name)
    return Network(
        model=ours.get("model", usual.model),
        model_sha256=ours.get("model_sha256", usual.model_sha256),
        loss=ours.get("loss", usual.loss),
        threshold=ours.get("threshold", usual.threshold),
        scale=ours.get("scale", usual.scale),
    )


def _recorded(labeling: LabelingFolder, scene: str, role: Any) -> Network | None:
    record = labeling.record(scene)
    made = record.masks.get(role) if record is not None else None
    return made.origin if made is not None and isinstance(made.origin, Network) else None


def _unknown(name: str) -> Network:
    """Stand for a network of which no more is known than that it was asked as usual."""
    usual = PredictConfig()
    return Network(
        model=name, model_sha256="", loss="", threshold=usual.threshold, scale=usual.scale
    )
