"""From a labelling in memory to one on disk, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.prediction import Basis, Prediction, prediction_name
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import MaskRecord, Network, SceneRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedScene:
    """A labelling that was saved, as far as it is of these frames.

    Attributes
    ----------
    annotation : SceneAnnotation
        With an empty history.
    elsewhere : mapping of role to str
        What the saved masks were made on that are of another frame, and are therefore
        not in `annotation`: there stands their rule alone, worked out on this frame.
    """

    annotation: SceneAnnotation
    elsewhere: Mapping[MaskRole, str]


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
        records[role] = _record(annotation, role, frames[role]).model_copy(
            update={"aligned": annotation.aligned}
        )
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
    *,
    frames: Mapping[MaskRole, Path | str] | None = None,
) -> OpenedScene | None:
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
    frames : mapping of role to Path or str, optional
        The files of these frames, or the names of pictures that have none. Masks that were
        made on other frames are then told from those that were made on these.

    Returns
    -------
    OpenedScene or None
        None where the labelling has no mask for any of `lumas`.

    Raises
    ------
    LabelingError
        If a file is broken or of another size than the frame.
    """
    saved = [role for role in lumas if folder.path_of(scene, role) is not None]
    if not saved:
        return None
    record = folder.record(scene)
    made = record.masks if record is not None else {}
    rules: dict[MaskRole, Basis] = {role: defaults[role] for role in lumas}
    strokes: dict[MaskRole, NDArray[np.int8]] = {}
    masks: dict[MaskRole, NDArray[np.bool_]] = {}
    for role in saved:
        basis = _basis(folder, scene, role, made[role]) if role in made else None
        if basis is not None:
            rules[role] = basis
        painted = folder.corrections(scene, role)
        masks[role] = folder.mask(scene, role)
        began = basis.mask if isinstance(basis, Prediction) else None
        for array in (began, masks[role], painted):
            if array is not None and array.shape != lumas[role].shape:
                name = prediction_name(scene, role) if array is began else mask_name(scene, role)
                raise LabelingError(
                    f"{folder.path / name}: this mask or what belongs to it is {array.shape}, but "
                    f"the frame is {lumas[role].shape} (rows, columns). Choose the frame that was "
                    "labelled, or label this one in another folder."
                )
        if painted is not None:
            strokes[role] = painted
    annotation = SceneAnnotation(scene, lumas, rules, strokes)
    differing = {role for role, mask in masks.items() if annotation.set_mask(role, mask)}
    elsewhere = {
        role: made[role].frame
        for role in saved
        if frames is not None
        and role in made
        and not _is_of(
            made[role],
            frames[role],
            accounted_for=role not in differing,
            painted=role in strokes,
        )
    }
    if not differing and not elsewhere:
        return OpenedScene(annotation=annotation, elsewhere={})
    for role in elsewhere:
        if isinstance(rules[role], Prediction):
            rules[role] = defaults[role]
    found = {role: annotation.corrections(role) for role in lumas if role not in elsewhere}
    painted_over = {role: strokes for role, strokes in found.items() if strokes is not None}
    return OpenedScene(
        annotation=SceneAnnotation(scene, lumas, rules, painted_over), elsewhere=elsewhere
    )


def other_frame(folder: LabelingFolder, scene: str, role: MaskRole, frame: Path) -> str:
    """Name the frame that a mask was made on, if that is another one.

    Parameters
    ----------
    folder : LabelingFolder
    scene : str
    role : {"low", "high"}
    frame : Path
        The file that plays this role now.

    Returns
    -------
    str
        Empty where the record of the mask does not name another file and other bytes.

    Raises
    ------
    LabelingError
        If the record or the file cannot be read.
    """
    record = folder.record(scene)
    made = record.masks.get(role) if record is not None else None
    # The same picture in another format is called the same.
    if made is None or Path(made.frame).stem == frame.stem or not made.frame_sha256:
        return ""
    return "" if file_sha256(frame) == made.frame_sha256 else made.frame


def refuse_other_frame(folder: LabelingFolder, scene: str, role: MaskRole, frame: Path) -> None:
    """Refuse a mask that was made on another frame than the one it is about to be used with.

    Parameters
    ----------
    folder, scene, role, frame
        As for :func:`other_frame`.

    Raises
    ------
    LabelingError
        If it was; also as :func:`other_frame`.
    """
    made_on = other_frame(folder, scene, role, frame)
    if made_on:
        raise LabelingError(
            f"{folder.path_of(scene, role)}: was made on {made_on}, but {frame.name} is the "
            f"{role} frame now. Choose {made_on} again in the Brackets dock, or label "
            f"{frame.name}."
        )


def _is_of(made: MaskRecord, frame: Path | str, *, accounted_for: bool, painted: bool) -> bool:
    """Tell whether a saved mask was made on a frame.

    Parameters
    ----------
    made : MaskRecord
    frame : Path or str
    accounted_for : bool
        Whether the recorded rule and strokes give this very mask on this frame.
    painted : bool
        Whether there are strokes: all of a mask can be painted, and then it is accounted
        for on any frame.
    """
    name = frame.name if isinstance(frame, Path) else frame
    known = isinstance(frame, Path) and bool(made.frame_sha256)
    if made.frame == name:
        # A file can change without its pixels, as when the data of its camera are edited;
        # what of a prediction nobody can tell.
        if not known or accounted_for or isinstance(made.origin, Network):
            return True
    elif accounted_for and not painted and not isinstance(made.origin, Network):
        return True
    return isinstance(frame, Path) and known and file_sha256(frame) == made.frame_sha256


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
        untouched = folder.is_as_recorded(scene, role, made)
        mask = folder.mask(scene, role) if untouched else None
    return None if mask is None else Prediction(origin=made.origin, mask=mask)
