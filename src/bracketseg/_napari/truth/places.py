"""Which folders the work on a scene goes to."""

from dataclasses import replace
from pathlib import Path

from bracketseg._napari.session.annotator_name import annotator_folder
from bracketseg._napari.session.labels_folder import labels_folder, root_of
from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.scene_work import WorkPlace


class Places:
    """Scenes of the session go to its labelling, other pictures beside their file.

    Pictures without a file go to :attr:`folder`, once somebody has chosen one.

    Attributes
    ----------
    folder : Path or None
        Chosen for pictures that are not of the session; goes before their own folder.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.folder: Path | None = None

    def in_session(self, subject: Subject | None) -> bool:
        """Whether a subject is the scene that the session shows."""
        session = self._session
        bracket = session.current
        if subject is None or bracket is None or bracket not in session.brackets:
            return False
        files = {frame.file for frame in subject.frames.values()}
        return files <= {frame.path for frame in bracket.frames}

    def choose(self, folder: Path, subject: Subject | None) -> None:
        """Save this subject, and what comes after it, to a folder."""
        if self.in_session(subject):
            self._session.labeling_path = folder
        else:
            self.folder = folder

    def of(self, subject: Subject) -> WorkPlace:
        """Say where the work on a subject is kept and saved."""
        session = self._session
        annotator, labeling = session.annotator, session.labeling_path
        if labeling is not None and session.folder is not None and self.in_session(subject):
            return WorkPlace.of_labeling(labeling, root_of(labeling, session.folder), annotator)
        place = WorkPlace.of_pictures(subject, annotator)
        if self.folder is not None:
            return place.moved_to(self.folder)
        file = next((frame.file for frame in subject.frames.values() if frame.file), None)
        if file is None:
            return place
        beside = labels_folder(file.parent) / annotator_folder(annotator)
        return replace(place, labeling=beside, root=root_of(beside, file.parent))
