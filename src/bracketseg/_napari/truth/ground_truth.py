"""Labelling by hand, from the scene that is shown to its masks on the disk; without Qt."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari.components import ViewerModel
from napari.layers import Image
from psygnal import Signal

from bracketseg._napari.layers.frames import source_of
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import session_of
from bracketseg._napari.session.subject import Subject, subject_of
from bracketseg._napari.truth.aligned_regions import limits_of
from bracketseg._napari.truth.automatic_ranges import AutomaticRanges
from bracketseg._napari.truth.beginnings import Beginnings
from bracketseg._napari.truth.next_scene import NextScene
from bracketseg._napari.truth.opened_work import Source, Work, open_work
from bracketseg._napari.truth.places import Places
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg._napari.truth.scene_work import WorkPlace
from bracketseg._napari.truth.work_keeper import WorkKeeper
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.masks import mask_name
from bracketseg.errors import BracketError, FrameError, LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.record_files import INFO_NAME
from bracketseg.labeling.records import SceneRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    from numpy.typing import NDArray

State = Literal["starting", "empty", "unusable", Source, "changed", "saving"]


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
    ranges : AutomaticRanges
    writer : BackgroundWriter
        The keeper's. Its :meth:`~BackgroundWriter.flush` has to be called twice a second
        or so while it is not idle.
    state : State
        Of the scene: before :meth:`start`; nothing to label; pictures that cannot be
        labelled; untouched; as some open layer shows it; unfinished work from the disk;
        with the rules of masks of other frames; as it is on the disk; changed; being saved.
    problem : str
        What is wrong; empty where all is well.
    saved_before : str
        The scene that Accept has saved and gone on from; empty once something else was done.
    is_first_save : bool
        Whether nothing was saved yet to where Accept saves.
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_folder : callable
        Returns the folder to save to, or None; for pictures that have none of their own.

    Signals
    -------
    state_changed()
        `state` or `problem` is another.
    notice(str)
        Something that a person should read; it begins with ⚠ where something went wrong.
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
        self._beginnings = Beginnings(self.session, self.notice.emit)
        self.predictions = self._beginnings.predictions
        self.ranges = AutomaticRanges(self.session, self.editor, self.notice.emit)
        self.state: State = "starting"
        self.problem = self.saved_before = ""
        self._going_on = False
        self._unfound: dict[tuple[Path, str], frozenset[MaskRole]] = {}
        self.is_first_save = True
        self.ask: Callable[[str], bool] = _no
        self.choose_folder: Callable[[], Path | None] = _no_folder
        self._places = Places(self.session)
        self._place: WorkPlace | None = None
        self._revision = 0
        self._unread: dict[tuple[Path, str], str] = {}
        self._next = NextScene(
            self.session, self.choice, self._is_labelled, self._saving, self.notice.emit
        )
        self.choice.leaving.connect(self.leave)
        self.choice.changed.connect(self.begin)
        self.editor.mask_changed.connect(self._mask_changed)
        self.writer.failed.connect(self._failed)
        self.writer.recovered.connect(self._recovered)
        self.keeper.notice.connect(self.notice.emit)
        self.session.labeling_changed.connect(self._place_changed)
        self.session.shifts_changed.connect(self._aligned)
        self.session.correction_wanted.connect(self._correct)
        for nothing_comes in (self.session.scan_finished, self.session.scene_failed):
            nothing_comes.connect(self._tidy)

    def start(self) -> None:
        """Begin with the scene or the images that are open; once is enough."""
        if self.state == "starting":
            self.choice.start()

    def close(self) -> None:
        """Write what waits and let go of the viewer; the layers stay."""
        self.choice.close()
        if self._place is not None and self.editor.subject is not None:
            self.editor.masks.sign(_work_name(self._place, self.editor.subject))
        self.ranges.cancel()
        self.editor.close()
        self.predictions.close()
        self.session.labeling_changed.disconnect(self._place_changed)
        self.session.shifts_changed.disconnect(self._aligned)
        self.session.correction_wanted.disconnect(self._correct)
        for nothing_comes in (self.session.scan_finished, self.session.scene_failed):
            nothing_comes.disconnect(self._tidy)
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
        place = self._places.of(subject)
        self._take_place(place)
        self._tell_unfinished(place)
        left = self._left_open(subject, place)
        work = self._work(subject, place, without=left)
        work.annotation.limit(*limits_of(self.session, subject))
        painted = [role for role, mask in left.items() if work.annotation.set_mask(role, mask)]
        self._revision = work.annotation.revision
        self.editor.begin(subject, work.annotation, made=work.source != "new")
        self._set_state(work.source)
        if painted:
            self._keep()
            self._set_state("changed")
        if work.problem:
            self._unread[place.drafts, subject.scene] = work.problem
        elif work.source != "draft":
            self._unread.pop((place.drafts, subject.scene), None)
        problem = f"⚠ {work.problem}" if work.problem else ""
        told = " ".join(text for text in (problem, work.note) if text)
        if told:
            self.notice.emit(told)
        unfound = self._unfound.pop((place.drafts, subject.scene), frozenset())
        if unfound and work.source == "draft":
            self.ranges.want(unfound.intersection(self.editor.roles))
        else:
            self.ranges.want(work.to_find, beginning=True)
        self._correct()

    def choose(self, role: MaskRole, image: Image | None) -> None:
        """Take an open image, or none, for a role.

        Another frame of the scene that the session shows becomes the scene's own choice, so
        that the other docks and the command go by it, too.
        """
        bracket = self.session.current
        path = source_of(image) if image is not None else None
        frame = next((it for it in bracket.frames if it.path == path), None) if bracket else None
        if bracket is None or frame is None or not self.in_session:
            self.choice.choose(role, image)
            return
        roles = {which: bracket.frame(which) for which in MASK_ROLES}
        try:
            if roles[role] != frame:
                roles[role] = frame
                self.session.choose_roles(roles["low"], roles["high"])
            elif self.choice.images.get(role) is not image:
                self.choice.choose(role, image)
        except BracketError:
            other = "brighter high" if role == "low" else "darker low"
            self.notice.emit(
                f"⚠ {frame.path.name} cannot be {role}: the low frame has to be darker than the "
                f"high one. Choose a {other} frame first."
            )
        self.choice.listed.emit()

    @property
    def from_prediction(self) -> bool:
        """Whether scenes that nothing is known of begin from their prediction."""
        return self._beginnings.from_prediction

    @from_prediction.setter
    def from_prediction(self, on: bool) -> None:
        self._beginnings.from_prediction = on
        if self.state == "new":
            self.begin()

    def set_method(
        self, role: MaskRole, method: Literal["manual", "otsu", "auto", "prediction"]
    ) -> None:
        """Make the mask of a role in another way; the strokes stay."""
        if method == "auto":
            self.editor.focus.set(role)
            self.ranges.want([role])
        elif method != "prediction":
            self.ranges.leave(role)
            self.editor.set_method(role, method)
        elif self.editor.subject is not None and role in self.editor.roles:
            found = self._prediction(self.editor.subject, role)
            if isinstance(found, Prediction):
                self.ranges.leave(role)
                self.editor.go_over_to(role, found)
            else:
                self.notice.emit(f"⚠ {found}")

    def _prediction(self, subject: Subject, role: MaskRole) -> Prediction | str:
        """Give the prediction of a role, or say why there is none that can be used."""
        why_not = f"There is no prediction of {subject.scene} {role}."
        try:
            found = self.predictions.of(subject, role)
        except LabelingError as error:
            found, why_not = None, str(error)
        return found or self.editor.predicted.get(role) or why_not

    def _correct(self) -> None:
        """Begin from the predictions that somebody wants corrected, once it can be done."""
        if self.state == "starting":
            return
        wanted, self.session.to_correct = self.session.to_correct, ()
        subject = self.editor.subject
        if subject is None:
            return
        roles = [role for role in self.editor.roles if role in wanted]
        found = {role: self._prediction(subject, role) for role in roles}
        starts = {role: start for role, start in found.items() if isinstance(start, Prediction)}
        told = [f"⚠ {why_not}" for why_not in found.values() if isinstance(why_not, str)]
        for role in starts:
            self.ranges.leave(role)
        fresh = [role for role, start in starts.items() if self.editor.rule(role) != start]
        cleared = [role for role, start in starts.items() if self.editor.begin_from(role, start)]
        if starts:
            self.editor.focus.set(next(iter(starts)))
        if fresh:
            models = " and ".join(dict.fromkeys(starts[role].origin.model for role in fresh))
            told.append(f"Begun from what {models} predicted: {' and '.join(fresh)}.")
        if cleared:
            told.append(
                f"The strokes on {' and '.join(cleared)} were taken off. Undo brings them back."
            )
        if told:
            self.notice.emit(" ".join(told))

    def leave(self) -> None:
        """Have what is unfinished written, as another scene is about to be shown."""
        subject, place = self.editor.subject, self._place
        if subject is not None and place is not None and self.ranges.pending:
            # What was done meanwhile is kept; the ranges are looked for again on return.
            self._unfound[place.drafts, subject.scene] = self.ranges.pending
        if not self._going_on:
            self.saved_before = ""
        self._going_on = False
        self.editor.leave()
        self.writer.flush()

    def accept(self) -> bool:
        """Save the masks of this scene and go on to the next one without.

        The files are written in the background. Where they cannot be, the work stays in
        memory and is tried again.

        Returns
        -------
        bool
            False where there is nothing to save, another scene is about to be shown, a stroke
            has not come to its end, or somebody else's work or what could not be read would
            have been replaced and the answer was no.
        """
        self.start()
        if self._moving_on:
            return False
        if self.session.mouse_held:
            self.notice.emit("Let go of the mouse first: the stroke belongs to these masks, too.")
            return False
        subject, annotation = self.editor.subject, self.editor.annotation
        if subject is None or annotation is None or self._place is None:
            self.notice.emit("There are no masks to save yet: open a picture first.")
            return False
        if not self.ranges.finish():
            return False
        if self._place.labeling is None:
            folder = self.choose_folder()
            if folder is None:
                return False
            self._places.choose(folder, subject)
            self._take_place(self._places.of(subject))
        place = self._place
        try:
            # What is just being saved is no other program's; what was refused may be.
            saving = subject.scene in self.keeper.saving(place) - self.keeper.refused(place)
            conflict = None if saving else place.conflict(subject, annotation)
        except LabelingError as error:
            self._set_state(self.state, str(error))
            self.notice.emit(f"⚠ {error}")
            return False
        doubts = conflict or self._unread.get((place.drafts, subject.scene), "")
        if doubts and not self.ask(f"{doubts} Replace it with these masks?"):
            return False
        self._unread.pop((place.drafts, subject.scene), None)
        self._revision = annotation.revision
        self.editor.picking.on = False
        self._set_state("saving")
        saved = partial(self._saved, annotation, annotation.revision)
        self.keeper.save(place, subject, annotation, saved, overwrite=conflict is not None)
        self.saved_before = ""
        self._going_on = True
        # Where the next one is shown at once, this one is left already.
        self._going_on = self.next() and self._going_on
        return True

    @property
    def in_session(self) -> bool:
        """Whether the scene that is being labelled is that of the session."""
        return self._places.in_session(self.editor.subject)

    @property
    def can_skip(self) -> bool:
        """Whether there is another scene or slice to go to."""
        return self._next.is_one(self.editor.subject, in_session=self.in_session)

    @property
    def all_labelled(self) -> bool:
        """Whether every scene of the session has masks, this one included."""
        return self.in_session and self._next.all_labelled()

    def next(self) -> bool:
        """Go to the next scene or slice without saved masks.

        Returns
        -------
        bool
            False where there is none, or another scene is about to be shown already.
        """
        if self._moving_on:
            return False
        return self._next.go(self.editor.subject, in_session=self.in_session)

    @property
    def _moving_on(self) -> bool:
        """Whether the session is about to show another scene than the one on show."""
        loading = self.session.loading
        return self.in_session and loading not in (None, self.session.current)

    def _is_labelled(self, scene: str) -> bool:
        return self._place is not None and self._has_masks(self._place, scene)

    def _saving(self) -> frozenset[str]:
        return self.keeper.saving(self._place) if self._place is not None else frozenset()

    def _has_masks(self, place: WorkPlace, scene: str) -> bool:
        if place.labeling is None:
            return False
        files = [place.labeling / mask_name(scene, role) for role in MASK_ROLES]
        return scene in self.keeper.saving(place) or any(file.exists() for file in files)

    def _tidy(self, *_what: object) -> None:
        self.editor.masks.tidy()

    def _nothing(self, state: State, problem: str = "") -> None:
        self.editor.end()
        self._set_state(state, problem)

    def _work(self, subject: Subject, place: WorkPlace, *, without: "Collection[MaskRole]") -> Work:
        """Open a scene; open layers of the roles in `without` are not taken over."""
        kept = self.keeper.recall(place, subject)
        if kept is not None:
            return Work(annotation=kept, source="draft")
        before = {role: self.editor.rule(role) for role in self.editor.roles}
        before |= {role: Automatic() for role in self.ranges.pending}
        rules = self._beginnings.rules(subject, before)
        shown: dict[MaskRole, NDArray[np.bool_]] = {}
        for role, frame in subject.frames.items():
            mask = self.editor.masks.existing(subject.title, role, frame)
            if mask is not None and mask.any() and role not in without:
                shown[role] = mask
        return open_work(place, subject, rules, shown)

    def _left_open(self, subject: Subject, place: WorkPlace) -> dict[MaskRole, "NDArray[np.bool_]"]:
        """Give what the layers show that an earlier dock left open with this very work."""
        work = _work_name(place, subject)
        found = {
            role: self.editor.masks.signed(subject.title, role, frame, work)
            for role, frame in subject.frames.items()
        }
        # A slice of a stack that nobody has seen is empty in the layer.
        return {
            role: mask
            for role, mask in found.items()
            if mask is not None and (mask.any() or not subject.index)
        }

    def _place_changed(self, _path: Path | None) -> None:
        """Another annotator or folder: unfinished work goes along unless there is some already."""
        subject = self.editor.subject
        if subject is None or self._place is None or self.choice.between_scenes:
            return
        place = self._places.of(subject)
        if place == self._place:
            return
        if self.state == "changed" and self._is_free(place, subject):
            self._take_place(place)
            self._keep()
            self.state_changed.emit()
        else:
            self.leave()
            self.begin()

    def _take_place(self, place: WorkPlace) -> None:
        self._place = place
        labeling = place.labeling
        self.is_first_save = labeling is None or not (labeling / INFO_NAME).exists()

    def _is_free(self, place: WorkPlace, subject: Subject) -> bool:
        """Whether nothing is kept of a scene at another place but what is being edited."""
        kept = self.keeper.recall(place, subject)
        if kept is not None and kept is not self.editor.annotation:
            return False
        here = self._place
        same = here is not None and (here.drafts, here.annotator) == (place.drafts, place.annotator)
        drafted = kept is None and not same and place.has_draft(subject)
        return not drafted and not self._has_masks(place, subject.scene)

    def _tell_unfinished(self, place: WorkPlace) -> None:
        scenes = self.keeper.unfinished(place)
        if scenes:
            more = f" and {len(scenes) - 3} more" if len(scenes) > 3 else ""
            self.notice.emit(
                f"Recovered unfinished work on {', '.join(scenes[:3])}{more}. It is shown where "
                "its scene is, and Accept saves it."
            )

    def _mask_changed(self, _role: str, _settled: bool) -> None:
        annotation = self.editor.annotation
        # A bound that is let go where it was taken up changes nothing.
        if annotation is not None and annotation.revision != self._revision:
            self.saved_before = ""
            self._keep()
            self._set_state("changed")

    def _aligned(self, _bracket: Bracket) -> None:
        """Leave the masks empty where not all frames show something now."""
        if self.editor.subject is not None:
            self.editor.limit(*limits_of(self.session, self.editor.subject))

    def _keep(self) -> None:
        """Have the scene written as a draft."""
        subject, annotation = self.editor.subject, self.editor.annotation
        if subject is not None and annotation is not None and self._place is not None:
            self.keeper.keep(self._place, subject, annotation, self.state_changed.emit)

    def _saved(
        self,
        annotation: SceneAnnotation,
        revision: int,
        place: WorkPlace,
        record: SceneRecord,
    ) -> None:
        self.is_first_save = self.is_first_save and place != self._place
        self.saved_before = record.scene
        if annotation is self.editor.annotation and annotation.revision == revision:
            self._set_state("saved")
        else:
            self.state_changed.emit()
        if place.labeling == self.session.labeling_path:
            self.session.scene_saved.emit(record.scene)

    def _failed(self, error: BaseException) -> None:
        self._set_state(self.state, str(error))
        self.notice.emit(
            f"⚠ {error} Your work is kept in memory and saved as soon as that is mended."
        )

    def _recovered(self) -> None:
        self._set_state(self.state)
        self.notice.emit("Saving works again, and everything is saved.")

    def _set_state(self, state: State, problem: str = "") -> None:
        if problem == "" and self.writer.failing:
            problem = self.problem
        if (state, problem) != (self.state, self.problem):
            self.state, self.problem = state, problem
            if self.editor.subject is not None:
                self.editor.note_made(made=state != "new")
            self.state_changed.emit()


def _work_name(place: WorkPlace, subject: Subject) -> str:
    frames = {role: str(frame.file or frame.name) for role, frame in subject.frames.items()}
    return repr((place, subject.title, frames))


def _no(_question: str) -> bool:
    return False


def _no_folder() -> Path | None:
    return None
