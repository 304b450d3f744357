"""From a labelling in memory to one on disk, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.prediction import Basis, Prediction, prediction_name
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import MaskRecord, Network, SceneRecord


def save_annotation(
    folder: LabelingFolder,
    annotation: SceneAnnotation,
    frames: Mapping[MaskRole, Path | str],
    *,
    revise: bool = True,
) -> SceneRecord:
    """Save the masks of a scene, their corrections and how they were made.

    Parameters
    ----------
    folder : LabelingFolder
    annotation : SceneAnnotation
    frames : mapping of role to Path or str
        The file of each frame, or the name of a picture that has no file.
    revise : bool
        See :meth:`LabelingFolder.save_scene`.

    Returns
    -------
    SceneRecord
        As it was written.

    Raises
    ------
    LabelingError
        As :meth:`LabelingFolder.save_scene`.
    """
    records, strokes, predictions = {}, {}, {}
    for role in annotation.roles:
        basis = annotation.rule(role)
        records[role] = _record(annotation, role, frames[role])
        if isinstance(basis, Prediction):
            predictions[role] = basis.mask
        painted = annotation.corrections(role)
        if painted is not None:
            strokes[role] = painted
    return folder.save_scene(
        {role: annotation.mask(role) for role in annotation.roles},
        SceneRecord(scene=annotation.scene, masks=records, time=datetime.now(UTC)),
        corrections=strokes,
        predictions=predictions,
        revise=revise,
    )


def open_annotation(
    folder: LabelingFolder,
    scene: str,
    lumas: Mapping[MaskRole, NDArray[np.uint8]],
    defaults: Mapping[MaskRole, Basis] = DEFAULT_RANGES,
) -> SceneAnnotation | None:
    """Open a scene of a labelling to go on with it.

    The masks come out as they are on disk, whoever made them: what the recorded rule
    and corrections do not account for, as in a mask that another program changed, becomes
    corrections.

    Parameters
    ----------
    folder : LabelingFolder
    scene : str
    lumas : mapping of role to (H, W) uint8
        Luma of the frames of this scene.
    defaults : mapping of role to Basis
        For roles of which no rule is known.

    Returns
    -------
    SceneAnnotation or None
        With an empty history. None where the labelling has no mask for any of `lumas`.

    Raises
    ------
    LabelingError
        If a file is broken or of another size than the frame.
    """
    saved = [role for role in lumas if (scene, role) in folder.masks]
    if not saved:
        return None
    record = folder.record(scene)
    rules: dict[MaskRole, Basis] = {role: defaults[role] for role in lumas}
    strokes: dict[MaskRole, NDArray[np.int8]] = {}
    masks: dict[MaskRole, NDArray[np.bool_]] = {}
    for role in saved:
        made = record.masks.get(role) if record is not None else None
        basis = None if made is None else _basis(folder, scene, role, made)
        if basis is not None:
            rules[role] = basis
        if isinstance(basis, Prediction) and basis.mask.shape != lumas[role].shape:
            raise LabelingError(
                f"{folder.path / prediction_name(scene, role)}: this prediction is "
                f"{basis.mask.shape}, but the frame is {lumas[role].shape} (rows, columns). "
                "Choose the frame that was labelled, or label this one in another folder."
            )
        painted = folder.corrections(scene, role)
        masks[role] = folder.mask(scene, role)
        for array in (masks[role], painted):
            if array is not None and array.shape != lumas[role].shape:
                raise LabelingError(
                    f"{folder.masks[scene, role]}: this mask or its corrections are "
                    f"{array.shape}, but the frame is {lumas[role].shape} (rows, columns). "
                    "Choose the frame that was labelled, or label this one in another folder."
                )
        if painted is not None:
            strokes[role] = painted
    annotation = SceneAnnotation(scene, lumas, rules, strokes)
    differences = [annotation.set_mask(role, mask) for role, mask in masks.items()]
    if not any(differences):
        return annotation
    found = {role: annotation.corrections(role) for role in lumas}
    painted_over = {role: strokes for role, strokes in found.items() if strokes is not None}
    return SceneAnnotation(scene, lumas, rules, painted_over)


def _record(annotation: SceneAnnotation, role: MaskRole, frame: Path | str) -> MaskRecord:
    """Say how a mask was made."""
    basis, edited = annotation.rule(role), annotation.edited_pixels(role)
    name = frame.name if isinstance(frame, Path) else frame
    digest = file_sha256(frame) if isinstance(frame, Path) else ""
    if isinstance(basis, Prediction):
        return MaskRecord(
            origin=basis.origin, edited_pixels=edited, frame=name, frame_sha256=digest
        )
    bounds = basis.bounds(annotation.luma(role), role)
    return MaskRecord.of_rule(
        role, basis, bounds, edited_pixels=edited, frame=name, frame_sha256=digest
    )


def _basis(folder: LabelingFolder, scene: str, role: MaskRole, made: MaskRecord) -> Basis | None:
    """Give what a saved mask began from; None where it is gone."""
    if not isinstance(made.origin, Network):
        return made.origin
    mask = folder.prediction(scene, role)
    if mask is None and not made.edited_pixels:
        file = folder.masks[scene, role]
        mask = folder.mask(scene, role) if file_sha256(file) == made.mask_sha256 else None
    return None if mask is None else Prediction(origin=made.origin, mask=mask)
