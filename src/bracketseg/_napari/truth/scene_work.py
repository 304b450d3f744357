"""Where the work on a scene is kept, and what was kept there before."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

from bracketseg._napari.session.subject import Subject
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import find_masks, mask_name
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.drafts import Draft, DraftStore
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256, holds_mask
from bracketseg.labeling.prediction import Basis
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo, SceneRecord
from bracketseg.labeling.saved_scene import open_annotation, save_annotation

Source = Literal["new", "draft", "saved", "layer"]

DRAFTS_FOLDER = "drafts"


@dataclass(frozen=True, kw_only=True)
class Work:
    """A labelling in memory and where it came from.

    Attributes
    ----------
    annotation : SceneAnnotation
    source : {"new", "draft", "saved", "layer"}
        The defaults, unfinished work on the disk, saved masks, or ground truth that was
        open in the viewer.
    problem : LabelingError or None
        Why something that is on the disk was not used.
    """

    annotation: SceneAnnotation
    source: Source
    problem: LabelingError | None = None


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

        The pictures themselves name the folder, so that scenes called alike stay apart.
        """
        digest = hashlib.sha256()
        for luma in subject.lumas.values():
            digest.update(np.ascontiguousarray(luma).data)
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

    def open(
        self,
        subject: Subject,
        rules: Mapping[MaskRole, Basis],
        shown: Mapping[MaskRole, NDArray[np.bool_]],
    ) -> Work:
        """Go on with a scene where it was left: unfinished work first, then what was saved.

        Parameters
        ----------
        subject : Subject
        rules : mapping of role to Basis
            For a scene that nothing is known of.
        shown : mapping of role to (H, W) bool
            Ground truth that is open in the viewer, and that nothing on a disk precedes.
        """
        lumas = subject.lumas
        problem: LabelingError | None = None
        try:
            draft = DraftStore(self.drafts).load(subject.scene)
            if draft is not None:
                return Work(annotation=draft.restore(lumas), source="draft")
        except LabelingError as error:
            problem = error
        try:
            saved = self._saved(subject, rules)
            if saved is not None:
                return Work(annotation=saved, source="saved", problem=problem)
        except LabelingError as error:
            problem = problem or error
        annotation = SceneAnnotation(subject.scene, lumas, rules)
        if shown:
            for role, mask in shown.items():
                annotation.set_mask(role, mask)
            return Work(annotation=copy_of(annotation), source="layer", problem=problem)
        return Work(annotation=annotation, source="new", problem=problem)

    def unfinished(self) -> tuple[str, ...]:
        """List the scenes with unfinished work; empty also where that cannot be told."""
        try:
            return DraftStore(self.drafts).scenes()
        except LabelingError:
            return ()

    def write_draft(self, draft: Draft) -> None:
        """Keep unfinished work.

        Raises
        ------
        LabelingError
            If it cannot be written.
        """
        self._check_root(self.drafts)
        DraftStore(self.drafts).write(draft)

    def conflict(self, annotation: SceneAnnotation) -> str | None:
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
        if not find_masks(self.labeling):
            return None
        there = LabelingFolder.open(self.labeling)
        if there.info is None:
            return f"{self.labeling} holds masks that were not made here."
        if not there.info.same_way(self.info):
            who = there.info.annotator or "somebody without a name"
            how = {"manual": "by hand", "otsu": "by Otsu's method", "network": "by a network"}
            return (
                f"{self.labeling} holds masks made {how[there.info.method]} by {who}, and would "
                f"count as made by hand by {self.annotator or 'you'} from here on."
            )
        scene = annotation.scene
        record = there.record(scene)
        known = {role: mask.mask_sha256 for role, mask in record.masks.items()} if record else {}
        unfinished = scene in self.unfinished()
        changed = [
            path.name
            for role in annotation.roles
            if (path := there.masks.get((scene, role))) is not None
            and file_sha256(path) != known.get(role)
            and not (unfinished and holds_mask(path, annotation.mask(role)))
        ]
        if changed:
            return f"{' and '.join(changed)} was changed by another program since it was saved."
        return None

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
        self.write_draft(Draft.of(annotation, self.annotator))
        frames = {role: frame.file or frame.name for role, frame in subject.frames.items()}
        record = save_annotation(folder, annotation, frames)
        DraftStore(self.drafts).discard(subject.scene)
        return record

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

    def _saved(self, subject: Subject, rules: Mapping[MaskRole, Basis]) -> SceneAnnotation | None:
        labeling = self.labeling
        if labeling is None:
            return None
        if not any((labeling / mask_name(subject.scene, role)).exists() for role in subject.frames):
            return None
        folder = LabelingFolder.open(labeling)
        return open_annotation(folder, subject.scene, subject.lumas, rules)


def copy_of(annotation: SceneAnnotation) -> SceneAnnotation:
    """Take a copy that stays as it is now, without the history."""
    strokes = {role: annotation.corrections(role) for role in annotation.roles}
    return SceneAnnotation(
        annotation.scene,
        {role: annotation.luma(role) for role in annotation.roles},
        {role: annotation.rule(role) for role in annotation.roles},
        {role: painted for role, painted in strokes.items() if painted is not None},
    )
