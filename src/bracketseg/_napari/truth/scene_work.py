"""Where the work on a scene is kept and saved."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from platformdirs import user_data_path

from bracketseg._napari.layers.frames import ShownFrame
from bracketseg._napari.session.subject import Subject
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.draft import Draft
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import MADE, LabelingInfo, SceneRecord
from bracketseg.labeling.replacing import holds_mask
from bracketseg.labeling.saved_scene import other_frame, save_annotation

DRAFTS_FOLDER = "drafts"

# When each scene of each labelling was saved that this process has opened or saved last; None for
# one that nobody had saved. Another process may have done so since.
_seen: dict[tuple[Path, str], datetime | None] = {}


@dataclass(frozen=True, kw_only=True)
class WorkPlace:
    """The folders that hold the work of one annotator.

    Attributes
    ----------
    labeling : Path or None
        The labelling; None as long as nobody has said where to save.
    drafts : Path
        Unfinished work.
    root : Path or None
        Nothing is written below this folder unless it is there: what vanished, such as a
        drive that was unplugged, is not made anew in its place.
    annotator : str
    """

    labeling: Path | None
    drafts: Path
    root: Path | None
    annotator: str

    @classmethod
    def of_labeling(cls, labeling: Path, root: Path, annotator: str) -> "WorkPlace":
        """Keep drafts inside the labelling.

        Parameters
        ----------
        labeling : Path
        root : Path
            The folder of the brackets, which the labelling may lie in.
        annotator : str
        """
        if not labeling.is_relative_to(root):
            root = labeling.parent
        return cls(
            labeling=labeling, drafts=labeling / DRAFTS_FOLDER, root=root, annotator=annotator
        )

    @classmethod
    def of_pictures(cls, subject: Subject, annotator: str) -> "WorkPlace":
        """Keep drafts with the user's data: nobody has said yet where to save.

        The pictures themselves name the folder, so that scenes called alike stay apart, and
        so does the annotator. All slices of a stack share one.
        """
        digest = hashlib.sha256(repr((annotator, subject.title)).encode())
        for frame in subject.frames.values():
            for part in _identity(frame):
                digest.update(part)
        folder = user_data_path("bracketseg", appauthor=False) / DRAFTS_FOLDER
        return cls(
            labeling=None,
            drafts=folder / digest.hexdigest()[:16],
            root=None,
            annotator=annotator,
        )

    def moved_to(self, labeling: Path) -> "WorkPlace":
        """Save to another folder; drafts that lie in the labelling go with it."""
        if self.root is not None and self.labeling == self.drafts.parent:
            return WorkPlace.of_labeling(labeling, self.root, self.annotator)
        return replace(self, labeling=labeling, root=labeling.parent)

    @property
    def info(self) -> LabelingInfo:
        """What `labeling.json` says of masks that a person made here."""
        return LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES), annotator=self.annotator)

    def unfinished(self) -> tuple[str, ...]:
        """List the scenes with unfinished work; empty also where that cannot be told.

        That of other annotators, who can have drafts in the same folder, is left out.
        """
        try:
            return DraftStore(self.drafts).scenes(self.annotator)
        except LabelingError:
            return ()

    def has_draft(self, subject: Subject) -> bool:
        """Whether there is unfinished work on these very frames, or one that nobody can read."""
        try:
            found = DraftStore(self.drafts).find(subject.scene, self.annotator, subject.lumas)
        except LabelingError:
            return True
        return found is not None

    def write_draft(self, draft: Draft) -> None:
        """Keep unfinished work.

        Raises
        ------
        LabelingError
            If it cannot be written.
        """
        self._check_root(self.drafts)
        DraftStore(self.drafts).write(draft)

    def conflict(self, subject: Subject, annotation: SceneAnnotation) -> str | None:
        """Say what of somebody else saving a scene here would replace; None if nothing.

        What a save of this scene left that was cut short is nobody else's: it is there
        pixel for pixel, and the draft, which a save lets go of at its end, is there, too.

        Raises
        ------
        LabelingError
            If what is there cannot be read.
        """
        if self.labeling is None or not self.labeling.is_dir():
            return None
        there = LabelingFolder.at(self.labeling)
        if there.info is None:
            holds = bool(there.masks)
            return f"{self.labeling} holds masks that were not made here." if holds else None
        if not there.info.same_way(self.info):
            if not there.masks:
                return None
            who = there.info.annotator or "somebody without a name"
            return (
                f"{self.labeling} holds masks made {MADE[there.info.method]} by {who}, and would "
                f"count as made by hand by {self.annotator or 'you'} from here on."
            )
        scene = annotation.scene
        record = there.record(scene)
        made = record.masks if record is not None else {}
        key = (self.labeling, scene)
        if record is not None and key in _seen and record.time != _seen[key]:
            return f"{scene} was saved here by somebody else since you opened it."
        changed = [
            path.name
            for role in annotation.roles
            if (path := there.path_of(scene, role)) is not None
            and not (role in made and there.is_as_recorded(scene, role, made[role]))
            and not (self._is_unfinished(scene) and holds_mask(path, annotation.mask(role)))
        ]
        if changed:
            return f"{' and '.join(changed)} was changed by another program since it was saved."
        others = [
            f"{mask_name(scene, role)} was made on {made_on}, and not on {frame.called}."
            for role, frame in subject.frames.items()
            if frame.file is not None and (made_on := other_frame(there, scene, role, frame.file))
        ]
        return " ".join(others) or None

    def _is_unfinished(self, scene: str) -> bool:
        return (self.drafts / f"{scene}.json").is_file()

    def save(
        self, subject: Subject, annotation: SceneAnnotation, *, overwrite: bool
    ) -> SceneRecord:
        """Write the masks of a scene and how they were made, and let go of its draft.

        Raises
        ------
        LabelingError
            If a file cannot be written, or holds what somebody else made and
            overwriting was not asked for.
        """
        if self.labeling is None:
            raise LabelingError(f"{subject.scene}: there is no folder to save to. Choose one.")
        self._check_root(self.labeling)
        folder = LabelingFolder.create(self.labeling, self.info, overwrite=overwrite)
        # Whatever happens between the first file and the last: the work is in one place.
        self.write_draft(Draft.of(annotation, self.annotator, names_of(subject)))
        frames = {role: frame.file or frame.name for role, frame in subject.frames.items()}
        record = save_annotation(folder, annotation, frames)
        _seen[self.labeling, subject.scene] = record.time
        DraftStore(self.drafts).discard(subject.scene)
        return record

    def note_seen(self, scene: str, record: SceneRecord | None) -> None:
        """Take in what the labelling says of a scene that is being opened."""
        if self.labeling is not None:
            _seen[self.labeling, scene] = None if record is None else record.time

    def write_coverage(self) -> None:
        """Write `coverage.csv` of the labelling.

        Raises
        ------
        LabelingError
            If it cannot be written.
        """
        if self.labeling is not None:
            LabelingFolder.open(self.labeling).write_coverage()

    def _check_root(self, path: Path) -> None:
        root = self.root
        if root is not None and path.is_relative_to(root) and not root.is_dir():
            raise LabelingError(
                f"{root}: this folder is no longer there. Connect the drive or put the folder back."
            )


def copy_of(annotation: SceneAnnotation) -> SceneAnnotation:
    """Take a copy that stays as it is now, without the history."""
    strokes = {role: annotation.corrections(role) for role in annotation.roles}
    copied = SceneAnnotation(
        annotation.scene,
        {role: annotation.luma(role) for role in annotation.roles},
        {role: annotation.rule(role) for role in annotation.roles},
        {role: painted for role, painted in strokes.items() if painted is not None},
    )
    copied.limit(annotation.limits(), annotation.aligned)
    return copied


def names_of(subject: Subject) -> dict[MaskRole, str]:
    """Say what a person calls the frames."""
    return {role: frame.called for role, frame in subject.frames.items()}


def _identity(frame: ShownFrame) -> Iterator[bytes | memoryview]:
    """Give what tells a picture, or a whole stack, from others."""
    if not frame.index:
        yield np.ascontiguousarray(frame.luma).data
        return
    data = frame.layer.data[0] if frame.layer.multiscale else frame.layer.data
    yield repr((data.shape, str(data.dtype), str(frame.file or ""))).encode()
    # What is read only when it is asked for would take its time.
    if isinstance(data, np.ndarray):
        yield np.ascontiguousarray(data[(0,) * len(frame.index)]).data
