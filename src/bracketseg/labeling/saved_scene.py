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
from bracketseg.labeling.ranges import DEFAULT_RANGES, Rule
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
    records, strokes = {}, {}
    for role in annotation.roles:
        frame = frames[role]
        records[role] = MaskRecord.of_rule(
            role,
            annotation.rule(role),
            annotation.bounds(role),
            frame=frame.name if isinstance(frame, Path) else frame,
            frame_sha256=file_sha256(frame) if isinstance(frame, Path) else "",
            edited_pixels=annotation.edited_pixels(role),
        )
        painted = annotation.corrections(role)
        if painted is not None:
            strokes[role] = painted
    return folder.save_scene(
        {role: annotation.mask(role) for role in annotation.roles},
        SceneRecord(scene=annotation.scene, masks=records, time=datetime.now(UTC)),
        corrections=strokes,
        revise=revise,
    )


def open_annotation(
    folder: LabelingFolder,
    scene: str,
    lumas: Mapping[MaskRole, NDArray[np.uint8]],
    defaults: Mapping[MaskRole, Rule] = DEFAULT_RANGES,
) -> SceneAnnotation | None:
    """Open a scene of a labelling to go on with it.

    The masks come out as they are on disk, whoever made them: what the recorded rule
    and corrections do not account for, as in a mask that another program changed or a
    network predicted, becomes corrections.

    Parameters
    ----------
    folder : LabelingFolder
    scene : str
    lumas : mapping of role to (H, W) uint8
        Luma of the frames of this scene.
    defaults : mapping of role to Rule
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
    rules: dict[MaskRole, Rule] = {role: defaults[role] for role in lumas}
    strokes: dict[MaskRole, NDArray[np.int8]] = {}
    masks: dict[MaskRole, NDArray[np.bool_]] = {}
    for role in saved:
        made = record.masks.get(role) if record is not None else None
        if made is not None and not isinstance(made.origin, Network):
            rules[role] = made.origin
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
