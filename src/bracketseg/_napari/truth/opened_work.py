"""Going on with a scene where it was left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.labels_ahead import opened_labeling
from bracketseg._napari.truth.scene_work import WorkPlace, copy_of
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.draft import Draft
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.saved_scene import OpenedScene, open_annotation

Source = Literal["new", "draft", "saved", "elsewhere", "layer"]


@dataclass(frozen=True, kw_only=True)
class Work:
    """A labelling in memory and where it came from.

    Attributes
    ----------
    annotation : SceneAnnotation
    source : {"new", "draft", "saved", "elsewhere", "layer"}
        The defaults, unfinished work on the disk, saved masks, the rules of masks that were
        saved of other frames, or ground truth that was open in the viewer.
    problem : str
        What on the disk was not used, and saving would replace; empty if nothing.
    note : str
        What else a person should know; empty if nothing.
    to_find : frozenset of role
        What is to begin with an automatic range, once that is found.
    """

    annotation: SceneAnnotation
    source: Source
    problem: str = ""
    note: str = ""
    to_find: frozenset[MaskRole] = frozenset()


def open_work(
    place: WorkPlace,
    subject: Subject,
    rules: Mapping[MaskRole, Basis],
    shown: Mapping[MaskRole, NDArray[np.bool_]],
) -> Work:
    """Open unfinished work first, then what was saved.

    What was painted on another frame is not laid on the one that is chosen now: there the
    rule alone counts.

    Parameters
    ----------
    place : WorkPlace
    subject : Subject
    rules : mapping of role to Basis
        For a scene that nothing is known of.
    shown : mapping of role to (H, W) bool
        Ground truth that is open in the viewer, and that nothing on a disk precedes.
    """
    rules, problem, note = dict(rules), "", ""
    drafts = DraftStore(place.drafts)
    try:
        draft = drafts.find(subject.scene, place.annotator, subject.lumas)
        if draft is not None:
            return Work(annotation=draft.restore(subject.lumas), source="draft")
        last = drafts.load(subject.scene)
        if last is not None and last.annotator == place.annotator:
            note = _of_other_frames(last)
            rules |= {role: rule for role, rule in last.rules.items() if _is_rule(rule)}
    except LabelingError as error:
        problem = str(error)
    to_find = {role for role, rule in rules.items() if isinstance(rule, Automatic)}
    rules |= {role: DEFAULT_RANGES[role] for role in to_find}
    try:
        saved = _saved(place, subject, rules)
    except LabelingError as error:
        saved, problem = None, problem or str(error)
    if saved is not None:
        return _as_saved(subject, saved, problem=problem, note=note)
    annotation = SceneAnnotation(subject.scene, subject.lumas, rules)
    if not shown:
        found_later = frozenset(to_find.intersection(annotation.roles))
        return Work(
            annotation=annotation, source="new", problem=problem, note=note, to_find=found_later
        )
    for role, mask in shown.items():
        annotation.set_mask(role, mask)
    return Work(annotation=copy_of(annotation), source="layer", problem=problem, note=note)


def _saved(
    place: WorkPlace, subject: Subject, rules: Mapping[MaskRole, Basis]
) -> OpenedScene | None:
    if place.labeling is None:
        return None
    if not place.labeling.is_dir():
        place.note_seen(subject.scene, None)
        return None
    folder = opened_labeling(place.labeling)
    place.note_seen(subject.scene, folder.record(subject.scene))
    frames = {role: frame.file or frame.name for role, frame in subject.frames.items()}
    return open_annotation(folder, subject.scene, subject.lumas, rules, frames=frames)


def _as_saved(subject: Subject, saved: OpenedScene, *, problem: str, note: str) -> Work:
    annotation = saved.annotation
    if not saved.elsewhere:
        return Work(annotation=annotation, source="saved", problem=problem, note=note)
    # What was found for another frame is found anew for this one.
    anew = [role for role in saved.elsewhere if isinstance(annotation.rule(role), Automatic)]
    for role in anew:
        annotation.begin_with(role, DEFAULT_RANGES[role])
    return Work(
        annotation=annotation,
        source="elsewhere",
        problem=problem or _elsewhere(subject, saved.elsewhere),
        note=note,
        to_find=frozenset(anew),
    )


def _elsewhere(subject: Subject, elsewhere: Mapping[MaskRole, str]) -> str:
    """Say which saved masks are of other frames."""
    told = []
    for role, name in elsewhere.items():
        mask, now = mask_name(subject.scene, role), subject.frames[role].called
        changed = f"{now} as it was then" if now == name else f"{name}, and {now} is chosen now"
        told.append(f"{mask} was made on {changed}")
    return (
        f"{'; '.join(told)}: its range is worked out on this frame, without strokes, and the saved "
        "mask stays as it is."
    )


def _of_other_frames(draft: Draft) -> str:
    names = " and ".join(frame.name for frame in draft.frames.values() if frame.name)
    where = names or "other frames"
    return (
        f"Unfinished work on {draft.scene} was done on {where}. It is kept, and is back when "
        "that is chosen again."
    )


def _is_rule(basis: Basis) -> bool:
    return not isinstance(basis, Prediction)
