"""The place that the work on the scene on show is kept at, and what is there already."""

from pathlib import Path

from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.places import Places
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg._napari.truth.scene_work import WorkPlace
from bracketseg._napari.truth.work_keeper import WorkKeeper
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.masks import mask_name
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.record_files import INFO_NAME


class CurrentPlace:
    """Follows the scene, the annotator and the folder.

    Parameters
    ----------
    session : Session
    editor : SceneEditor
    keeper : WorkKeeper

    Attributes
    ----------
    known : WorkPlace or None
        None where nothing can be labelled.
    is_first_save : bool
        Whether nothing was saved yet to where Accept saves.
    """

    def __init__(self, session: Session, editor: SceneEditor, keeper: WorkKeeper) -> None:
        self._editor = editor
        self._keeper = keeper
        self._places = Places(session)
        self._unread: dict[tuple[Path, str], str] = {}
        self.known: WorkPlace | None = None
        self.is_first_save = True

    @property
    def folder(self) -> Path | None:
        """Where Accept saves; None where it would ask."""
        return self.known.labeling if self.known is not None else None

    @property
    def in_session(self) -> bool:
        """Whether the scene that is being labelled is that of the session."""
        return self._places.in_session(self._editor.subject)

    def of(self, subject: Subject) -> WorkPlace:
        """Say where the work on a subject is kept and saved as things are now."""
        return self._places.of(subject)

    def choose(self, folder: Path) -> None:
        """Save the scene on show, and what comes after it, to a folder."""
        self._places.choose(folder, self._editor.subject)

    def take(self, place: WorkPlace) -> None:
        """Keep the work on the scene at a place from now on."""
        self.known = place
        labeling = place.labeling
        self.is_first_save = labeling is None or not (labeling / INFO_NAME).exists()

    def saving(self) -> frozenset[str]:
        """Give the scenes whose masks are about to be saved here."""
        return self._keeper.saving(self.known) if self.known is not None else frozenset()

    def is_labelled(self, scene: str) -> bool:
        """Whether the masks of a scene are saved here, or about to be."""
        return self.known is not None and self._has_masks(self.known, scene)

    def is_free(self, place: WorkPlace) -> bool:
        """Whether another place has nothing of the scene on show but what is being edited."""
        subject, here = self._editor.subject, self.known
        if subject is None:
            return False
        kept = self._keeper.recall(place, subject)
        if kept is not None and kept is not self._editor.annotation:
            return False
        same = here is not None and (here.drafts, here.annotator) == (place.drafts, place.annotator)
        drafted = kept is None and not same and place.has_draft(subject)
        return not drafted and not self._has_masks(place, subject.scene)

    def note_unread(self, subject: Subject, problem: str) -> None:
        """Take in what on the disk was not used, and saving would replace; empty if nothing."""
        if self.known is not None:
            self._unread[self.known.drafts, subject.scene] = problem

    def unread(self, subject: Subject) -> str:
        """Say what was not used when a scene was opened here; empty if nothing."""
        place = self.known
        return self._unread.get((place.drafts, subject.scene), "") if place is not None else ""

    def conflict(self, subject: Subject, annotation: SceneAnnotation) -> str | None:
        """Say what of somebody else saving a scene here would replace; None if nothing.

        Raises
        ------
        LabelingError
            If what is there cannot be read.
        """
        place = self.known
        if place is None:
            return None
        # What is just being saved is no other program's; what was refused may be.
        own = subject.scene in self._keeper.saving(place) - self._keeper.refused(place)
        return None if own else place.conflict(subject, annotation)

    def _has_masks(self, place: WorkPlace, scene: str) -> bool:
        if place.labeling is None:
            return False
        files = [place.labeling / mask_name(scene, role) for role in MASK_ROLES]
        return scene in self._keeper.saving(place) or any(file.exists() for file in files)
