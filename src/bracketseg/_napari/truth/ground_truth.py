"""Labelling by hand, from the scene that is shown to its masks on the disk; without Qt."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import session_of
from bracketseg._napari.session.subject import Subject, subject_of
from bracketseg._napari.truth.places import Places
from bracketseg._napari.truth.predictions import Predictions
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg._napari.truth.scene_work import Source, Work, WorkPlace
from bracketseg._napari.truth.work_keeper import WorkKeeper
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import FrameError, LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu
from bracketseg.labeling.records import SceneRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    from numpy.typing import NDArray

State = Literal[
    "starting", "empty", "unusable", "new", "layer", "draft", "changed", "saving", "saved"
]


class GroundTruth:
    """Opens scenes as they were left, keeps what is done to them, and saves them.

    Attributes
    ----------
    session : Session
    choice : FrameChoice
        Which Image layers are low and high.
    editor : SceneEditor
        What is done to the masks.
    keeper : WorkKeeper
    predictions : Predictions
        What the masks can begin from.
    writer : BackgroundWriter
        The keeper's. Its :meth:`~BackgroundWriter.flush` has to be called twice a second
        or so while it is not idle.
    state : State
        Of the scene: before :meth:`start`; nothing to label; pictures that cannot be
        labelled; untouched; as some open layer shows it; unfinished work from the disk;
        changed; being saved; as it is on the disk.
    problem : str
        What is wrong; empty where all is well.
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_folder : callable
        Returns the folder to save to, or None; for pictures that have none of their own.

    Signals
    -------
    state_changed()
        `state` or `problem` is another.
    notice(str)
        Something that a person should read.
    """

    state_changed = Signal()
    notice = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        self.session = session_of(viewer)
        self._viewer = self.session.viewer
        self.choice = FrameChoice(self._viewer, self.session)
        self.editor = SceneEditor(self._viewer, self.choice)
        self.keeper = WorkKeeper()
        self.writer = self.keeper.writer
        self.predictions = Predictions(self.session)
        self._from_prediction = False
        self.state: State = "starting"
        self.problem = ""
        self.ask: Callable[[str], bool] = _no
        self.choose_folder: Callable[[], Path | None] = _no_folder
        self._places = Places(self.session)
        self._place: WorkPlace | None = None
        self._unread: dict[tuple[Path, str], LabelingError] = {}
        self.choice.leaving.connect(self.leave)
        self.choice.changed.connect(self.begin)
        self.editor.mask_changed.connect(self._mask_changed)
        self.writer.failed.connect(self._failed)
        self.writer.recovered.connect(self._recovered)
        self.keeper.notice.connect(self.notice.emit)
        self.session.labeling_changed.connect(self._place_changed)
        self.session.correction_wanted.connect(self._correct)

    def start(self) -> None:
        """Begin with the scene or the images that are open; once is enough."""
        if self.state == "starting":
            self.choice.start()

    def close(self) -> None:
        """Write what waits and let go of the viewer; the layers stay."""
        self.choice.close()
        if self._place is not None and self.editor.subject is not None:
            self.editor.masks.sign(_work_name(self._place, self.editor.subject))
        self.editor.close()
        self.predictions.close()
        self.session.labeling_changed.disconnect(self._place_changed)
        self.session.correction_wanted.disconnect(self._correct)
        self.writer.finish()

    @property
    def folder(self) -> Path | None:
        """Where Accept saves; None where it would ask."""
        return self._place.labeling if self._place is not None else None

    @folder.setter
    def folder(self, folder: Path) -> None:
        if self._place is not None and self.writer.failing:
            # What cannot be written there goes along.
            self.keeper.move(self._place, self._place.moved_to(folder), self.state_changed.emit)
        self._places.choose(folder, self.editor.subject)
        self._place_changed(folder)

    def begin(self) -> None:
        """Show the masks of the images that are chosen, as they were left."""
        self._place = None
        images = self.choice.images
        if not images:
            self._nothing("empty")
            return
        try:
            subject = subject_of(images, self._viewer)
        except FrameError as error:
            self._nothing("unusable", str(error))
            return
        self._place = self._places.of(subject)
        self._tell_unfinished(self._place)
        left = self._left_open(subject, self._place)
        work = self._work(subject, self._place, without=left)
        painted = [role for role, mask in left.items() if work.annotation.set_mask(role, mask)]
        self.editor.begin(subject, work.annotation)
        self._set_state(_STATES[work.source])
        if painted:
            self._keep()
            self._set_state("changed")
        if work.problem is not None:
            self._unread[self._place.drafts, subject.scene] = work.problem
            self.notice.emit(str(work.problem))
        elif work.source != "draft":
            self._unread.pop((self._place.drafts, subject.scene), None)
        self._correct()

    @property
    def from_prediction(self) -> bool:
        """Whether scenes that nothing is known of begin from their prediction."""
        return self._from_prediction

    @from_prediction.setter
    def from_prediction(self, on: bool) -> None:
        self._from_prediction = on
        if self.state == "new":
            self.begin()

    def set_method(self, role: MaskRole, method: Literal["manual", "otsu", "prediction"]) -> None:
        """Make the mask of a role in another way; the strokes stay."""
        subject = self.editor.subject
        if method != "prediction":
            self.editor.set_method(role, method)
        elif subject is not None and role in subject.frames:
            found = self._prediction(subject, role) or self.editor.predicted.get(role)
            if found is None:
                self.notice.emit(f"There is no prediction of {subject.scene} {role}.")
                return
            self.predictions.hide(subject)
            self.editor.begin_from(role, found)

    def _prediction(self, subject: Subject, role: MaskRole) -> Prediction | None:
        try:
            return self.predictions.of(subject, role)
        except LabelingError as error:
            self.notice.emit(str(error))
            return None

    def _correct(self) -> None:
        """Begin from the predictions that somebody wants corrected, once it can be done."""
        if self.state == "starting":
            return
        wanted, self.session.to_correct = self.session.to_correct, ()
        roles = [role for role in self.editor.roles if role in wanted]
        for role in roles:
            self.set_method(role, "prediction")
        if roles:
            self.editor.set_focus(roles[0])

    def leave(self) -> None:
        """Have what is unfinished written, as another scene is about to be shown."""
        self.writer.flush()

    def accept(self) -> bool:
        """Save the masks of this scene and go on to the next one without.

        The files are written in the background. Where they cannot be, the work stays in
        memory and is tried again.

        Returns
        -------
        bool
            False where there is nothing to save, another scene is about to be shown, or
            somebody else's work or what could not be read would have been replaced and the
            answer was no.
        """
        self.start()
        if self._moving_on:
            return False
        subject, annotation = self.editor.subject, self.editor.annotation
        if subject is None or annotation is None or self._place is None:
            self.notice.emit("There are no masks to save yet: open a picture first.")
            return False
        if self._place.labeling is None:
            folder = self.choose_folder()
            if folder is None:
                return False
            self._places.choose(folder, subject)
            self._place = self._places.of(subject)
        place = self._place
        try:
            conflict = place.conflict(annotation)
        except LabelingError as error:
            self._set_state(self.state, str(error))
            self.notice.emit(str(error))
            return False
        reasons = [conflict, self._unread.get((place.drafts, subject.scene))]
        doubts = " ".join(str(reason) for reason in reasons if reason is not None)
        if doubts and not self.ask(f"{doubts} Replace it with these masks?"):
            return False
        self._unread.pop((place.drafts, subject.scene), None)
        self._set_state("saving")
        saved = partial(self._saved, annotation, annotation.revision)
        self.keeper.save(place, subject, annotation, saved, overwrite=conflict is not None)
        self.next()
        return True

    @property
    def in_session(self) -> bool:
        """Whether the scene that is being labelled is that of the session."""
        return self._places.in_session(self.editor.subject)

    @property
    def can_skip(self) -> bool:
        """Whether there is another scene or slice to go to."""
        subject = self.editor.subject
        if self.in_session:
            return len(self.session.brackets) > 1
        return subject is not None and bool(subject.index) and len(self.choice.slices()) > 1

    def next(self) -> bool:
        """Go to the next scene or slice without saved masks.

        Returns
        -------
        bool
            False where there is none, or another scene is about to be shown already.
        """
        if self._moving_on:
            return False
        if self.in_session:
            return self.session.next_unlabelled()
        subject = self.editor.subject
        if subject is None or not subject.index:
            return False
        slices = self.choice.slices()
        here = slices.index(subject.index)
        for index in slices[here + 1 :] + slices[:here]:
            if not self._has_masks(self._place, subject.scene_at(index)):
                self.choice.go_to(index)
                return True
        self.notice.emit(f"All {len(slices)} slices of {subject.title} are labelled.")
        return False

    @property
    def _moving_on(self) -> bool:
        """Whether the session is about to show another scene than the one on show."""
        loading = self.session.loading
        return self.in_session and loading not in (None, self.session.current)

    def _has_masks(self, place: WorkPlace | None, scene: str) -> bool:
        if place is None or place.labeling is None:
            return False
        files = [place.labeling / mask_name(scene, role) for role in MASK_ROLES]
        return self.keeper.is_saving(place, scene) or any(file.exists() for file in files)

    def _nothing(self, state: State, problem: str = "") -> None:
        self.editor.end()
        self._set_state(state, problem)

    def _work(self, subject: Subject, place: WorkPlace, *, without: "Collection[MaskRole]") -> Work:
        """Open a scene; open layers of the roles in `without` are not taken over."""
        kept = self.keeper.recall(place, subject)
        if kept is not None:
            return Work(annotation=kept, source="draft")
        rules: dict[MaskRole, Basis] = dict(DEFAULT_RANGES)
        for role in self.editor.roles:
            # Who works with Otsu's threshold goes on with it in the next scene.
            if isinstance(self.editor.rule(role), Otsu):
                rules[role] = Otsu()
        if self._from_prediction:
            found = {role: self._prediction(subject, role) for role in subject.frames}
            rules.update({role: predicted for role, predicted in found.items() if predicted})
        shown: dict[MaskRole, NDArray[np.bool_]] = {}
        for role, frame in subject.frames.items():
            mask = self.editor.masks.existing(subject.title, role, frame)
            if mask is not None and mask.any() and role not in without:
                shown[role] = mask
        return place.open(subject, rules, shown)

    def _left_open(self, subject: Subject, place: WorkPlace) -> dict[MaskRole, "NDArray[np.bool_]"]:
        """Give what the layers show that an earlier dock left open with this very work."""
        work = _work_name(place, subject)
        found = {
            role: self.editor.masks.signed(subject.title, role, frame, work)
            for role, frame in subject.frames.items()
        }
        return {role: mask for role, mask in found.items() if mask is not None}

    def _place_changed(self, _path: Path | None) -> None:
        """Another annotator or folder: unfinished work goes along unless there is some already."""
        subject = self.editor.subject
        if subject is None or self._place is None or self.choice.between_scenes:
            return
        place = self._places.of(subject)
        if place == self._place:
            return
        if self.state == "changed" and self._is_free(place, subject):
            self._place = place
            self._keep()
            self.state_changed.emit()
        else:
            self.leave()
            self.begin()

    def _is_free(self, place: WorkPlace, subject: Subject) -> bool:
        """Whether nothing is kept of a scene at another place but what is being edited."""
        kept = self.keeper.recall(place, subject)
        if kept is not None and kept is not self.editor.annotation:
            return False
        # Work on pictures without a folder is kept at one place, whoever does it.
        same = kept is not None or (self._place is not None and place.drafts == self._place.drafts)
        drafted = not same and subject.scene in place.unfinished()
        return not drafted and not self._has_masks(place, subject.scene)

    def _tell_unfinished(self, place: WorkPlace) -> None:
        scenes = self.keeper.unfinished(place)
        if scenes:
            more = f" and {len(scenes) - 3} more" if len(scenes) > 3 else ""
            self.notice.emit(
                f"Recovered unfinished work on {', '.join(scenes[:3])}{more}. It is shown when "
                "the scene is opened, and Accept saves it."
            )

    def _mask_changed(self, _role: str, _settled: bool) -> None:
        self._keep()
        self._set_state("changed")

    def _keep(self) -> None:
        """Have the scene written as a draft."""
        if self.editor.annotation is not None and self._place is not None:
            self.keeper.keep(self._place, self.editor.annotation, self.state_changed.emit)

    def _saved(
        self,
        annotation: SceneAnnotation,
        revision: int,
        place: WorkPlace,
        record: SceneRecord,
    ) -> None:
        if annotation is self.editor.annotation and annotation.revision == revision:
            self._set_state("saved")
        if place.labeling == self.session.labeling_path:
            self.session.scene_saved.emit(record.scene)

    def _failed(self, error: BaseException) -> None:
        self._set_state(self.state, str(error))
        self.notice.emit(
            f"{error} Your work is kept in memory and saved as soon as that is mended."
        )

    def _recovered(self) -> None:
        self._set_state(self.state)
        self.notice.emit("Saving works again, and everything is saved.")

    def _set_state(self, state: State, problem: str = "") -> None:
        if problem == "" and self.writer.failing:
            problem = self.problem
        if (state, problem) != (self.state, self.problem):
            self.state, self.problem = state, problem
            self.state_changed.emit()


_STATES: dict[Source, State] = {
    "new": "new",
    "draft": "draft",
    "saved": "saved",
    "layer": "layer",
}


def _work_name(place: WorkPlace, subject: Subject) -> str:
    return repr((place, subject.scene))


def _no(_question: str) -> bool:
    return False


def _no_folder() -> Path | None:
    return None
