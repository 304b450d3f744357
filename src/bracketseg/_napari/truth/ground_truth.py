"""Labelling by hand, from the scene that is shown to its masks on the disk; without Qt."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari.components import ViewerModel
from napari.layers import Image
from psygnal import Signal

from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import session_of
from bracketseg._napari.session.subject import Subject, subject_of
from bracketseg._napari.truth.aligned_regions import limits_of
from bracketseg._napari.truth.automatic_ranges import AutomaticRanges
from bracketseg._napari.truth.beginnings import Beginnings
from bracketseg._napari.truth.chosen_frame import choose_frame
from bracketseg._napari.truth.correction import Correction
from bracketseg._napari.truth.current_place import CurrentPlace
from bracketseg._napari.truth.labels_ahead import read_ahead
from bracketseg._napari.truth.next_scene import NextScene
from bracketseg._napari.truth.open_truth import left_open, opened_by_others, work_name
from bracketseg._napari.truth.opened_work import Source, Work, open_work
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg._napari.truth.scene_work import WorkPlace
from bracketseg._napari.truth.work_keeper import WorkKeeper
from bracketseg.brackets.bracket import Bracket, MaskRole
from bracketseg.errors import FrameError, LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.records import SceneRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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
    place : CurrentPlace
        Where the work on the scene is kept, and saved by Accept.
    next : NextScene
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
        self.ask: Callable[[str], bool] = _no
        self.choose_folder: Callable[[], Path | None] = _no_folder
        self.place = CurrentPlace(self.session, self.editor, self.keeper)
        self._correction = Correction(
            self.session, self.editor, self.predictions, self.ranges, self.notice.emit
        )
        self._revision = 0
        self.next = NextScene(self.session, self.choice, self.editor, self.place, self.notice.emit)
        self.choice.leaving.connect(self.leave)
        self.choice.changed.connect(self.begin)
        self.editor.mask_changed.connect(self._mask_changed)
        self.writer.failed.connect(self._failed)
        self.writer.recovered.connect(self._recovered)
        self.keeper.notice.connect(self.notice.emit)
        self.session.labeling_changed.connect(self._place_changed)
        self.session.shifts_changed.connect(self._aligned)
        self.session.correction_wanted.connect(self._correct)
        self.session.read_along.append(self._read_ahead)
        for nothing_comes in (self.session.scan_finished, self.session.scene_failed):
            nothing_comes.connect(self._tidy)

    def start(self) -> None:
        """Begin with the scene or the images that are open; once is enough."""
        if self.state == "starting":
            self.choice.start()

    def close(self) -> None:
        """Write what waits and let go of the viewer; the layers stay."""
        self.choice.close()
        if self.place.known is not None and self.editor.subject is not None:
            self.editor.masks.sign(work_name(self.place.known, self.editor.subject))
        self.ranges.cancel()
        self.editor.close()
        self.predictions.close()
        self.session.labeling_changed.disconnect(self._place_changed)
        self.session.shifts_changed.disconnect(self._aligned)
        self.session.correction_wanted.disconnect(self._correct)
        self.session.read_along.remove(self._read_ahead)
        for nothing_comes in (self.session.scan_finished, self.session.scene_failed):
            nothing_comes.disconnect(self._tidy)
        self.writer.finish()

    def save_to(self, folder: Path) -> None:
        """Have Accept save to another folder."""
        place = self.place.known
        if place is not None and self.writer.failing:
            # What cannot be written there goes along.
            self.keeper.move(place, place.moved_to(folder), self.state_changed.emit)
        self.place.choose(folder)
        self._place_changed(folder)

    def begin(self) -> None:
        """Show the masks of the images that are chosen, as they were left."""
        self.place.known = None
        images = self.choice.images
        if not images:
            self._nothing("empty")
            return
        try:
            subject = subject_of(images, self._viewer)
        except FrameError as error:
            self._nothing("unusable", str(error))
            return
        place = self.place.of(subject)
        self.place.take(place)
        self._tell_unfinished(place)
        left = left_open(self.editor.masks, place, subject)
        work = self._work(subject, place, without=left)
        work.annotation.limit(*limits_of(self.session, subject))
        painted = [role for role, mask in left.items() if work.annotation.set_mask(role, mask)]
        self._revision = work.annotation.revision
        self.editor.begin(subject, work.annotation, made=work.source != "new")
        self._set_state(work.source)
        if painted:
            self._keep()
            self._set_state("changed")
        if work.problem or work.source != "draft":
            self.place.note_unread(subject, work.problem)
        problem = f"⚠ {work.problem}" if work.problem else ""
        told = " ".join(text for text in (problem, work.note) if text)
        if told:
            self.notice.emit(told)
        unfound = self._unfound.pop((place.drafts, subject.scene), frozenset())
        if unfound:
            self.ranges.want(unfound.intersection(self.editor.roles))
        else:
            self.ranges.want(work.to_find, beginning=True)
        self._correct()

    def choose(self, role: MaskRole, image: Image | None) -> None:
        """Take an open image, or none, for a role."""
        problem = choose_frame(
            self.session, self.choice, role, image, in_session=self.place.in_session
        )
        if problem:
            self.notice.emit(problem)

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
        elif method == "prediction":
            self._correction.go_over(role)
        else:
            self.ranges.leave(role)
            self.editor.set_method(role, method)

    def _correct(self) -> None:
        """Begin from the predictions that somebody wants corrected, once it can be done."""
        if self.state != "starting":
            self._correction.begin()

    def leave(self) -> None:
        """Have what is unfinished written, as another scene is about to be shown."""
        subject, place = self.editor.subject, self.place.known
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
        if self.next.on_its_way:
            return False
        if self.session.mouse_held:
            self.notice.emit("Let go of the mouse first: the stroke belongs to these masks, too.")
            return False
        subject, annotation = self.editor.subject, self.editor.annotation
        place = self.place.known
        if subject is None or annotation is None or place is None:
            self.notice.emit("There are no masks to save yet: open a picture first.")
            return False
        if not self.ranges.finish():
            return False
        if place.labeling is None:
            folder = self.choose_folder()
            if folder is None:
                return False
            self.place.choose(folder)
            place = self.place.of(subject)
            self.place.take(place)
        try:
            conflict = self.place.conflict(subject, annotation)
        except LabelingError as error:
            self._set_state(self.state, str(error))
            self.notice.emit(f"⚠ {error}")
            return False
        doubts = conflict or self.place.unread(subject)
        if doubts and not self.ask(f"{doubts} Replace it with these masks?"):
            return False
        self.place.note_unread(subject, "")
        self._revision = annotation.revision
        self.editor.picking.on = False
        self._set_state("saving")
        saved = partial(self._saved, annotation, annotation.revision)
        self.keeper.save(place, subject, annotation, saved, overwrite=conflict is not None)
        self.saved_before = ""
        self._going_on = True
        # Where the next one is shown at once, this one is left already.
        self._going_on = self.next.go() and self._going_on
        return True

    def _read_ahead(self, bracket: Bracket) -> None:
        """Have what is saved of a scene at hand when it is opened; called in any thread."""
        if self.session.labeling_path is not None:
            read_ahead(self.session.labeling_path, bracket.scene)

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
        shown = opened_by_others(self.editor.masks, subject, without=without)
        return open_work(place, subject, rules, shown)

    def _place_changed(self, _path: Path | None) -> None:
        """Another annotator or folder: unfinished work goes along unless there is some already."""
        subject = self.editor.subject
        if subject is None or self.place.known is None or self.choice.between_scenes:
            return
        place = self.place.of(subject)
        if place == self.place.known:
            return
        if self.state == "changed" and self.place.is_free(place):
            self.place.take(place)
            self._keep()
            self.state_changed.emit()
        else:
            self.leave()
            self.begin()

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
        if subject is not None and annotation is not None and self.place.known is not None:
            self.keeper.keep(self.place.known, subject, annotation, self.state_changed.emit)

    def _saved(
        self,
        annotation: SceneAnnotation,
        revision: int,
        place: WorkPlace,
        record: SceneRecord,
    ) -> None:
        if place == self.place.known:
            self.place.is_first_save = False
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


def _no(_question: str) -> bool:
    return False


def _no_folder() -> Path | None:
    return None
