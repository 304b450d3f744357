"""The labellings of the folder that is open, and the one that is being written."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.session.annotator_name import (
    annotator_folder,
    keep_annotator,
    read_annotator,
)
from bracketseg._napari.session.labeled_scenes import (
    LabelsRead,
    SceneLabels,
    read_labels,
    read_scene_labels,
)
from bracketseg._napari.session.labels_folder import labels_folder
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.errors import LabelingError


class Labelings:
    """Who labelled what, who labels now, and where to.

    Attributes
    ----------
    labeled : dict of str to tuple of SceneLabels
        By scene; those without masks are missing.

    Signals
    -------
    changed(frozenset of str)
        What `labeled` says of these scenes is new.
    path_changed(Path or None)
        `annotator` or `path` is another.
    notice(str)
        Something that a person should read.
    """

    changed = Signal(object)
    path_changed = Signal(object)
    notice = Signal(str)

    def __init__(self) -> None:
        self.labeled: dict[str, tuple[SceneLabels, ...]] = {}
        self._folder: Path | None = None
        self._annotator = read_annotator()
        self._chosen: Path | None = None
        self._path: Path | None = None
        self._held: set[str] = set()
        self._jobs = JobGroup()

    def start(self, folder: Path) -> None:
        """Begin with another folder of brackets, of whose labels nothing is known yet."""
        self.cancel()
        self._folder, self._chosen, self.labeled = folder, None, {}
        self._move()

    def cancel(self) -> None:
        """Stop all reading."""
        self._jobs.cancel()

    @property
    def annotator(self) -> str:
        """Who labels; empty for somebody who gave no name. Kept between starts."""
        return self._annotator

    @annotator.setter
    def annotator(self, name: str) -> None:
        name = name.strip()
        if name == self._annotator:
            return
        self._annotator = name
        try:
            keep_annotator(name)
        except LabelingError as error:
            self.notice.emit(str(error))
        self._move()

    @property
    def path(self) -> Path | None:
        """Where masks are saved: among the folder's labels unless another was chosen."""
        return self._path

    @path.setter
    def path(self, path: Path | None) -> None:
        if path == self._chosen:
            return
        self._chosen = path
        self._move()
        if path is not None:
            self._read(partial(read_labels, path), f"reading the labels in {path}")

    def holds(self, scene: str) -> bool:
        """Whether `path` holds masks of a scene."""
        return scene in self._held

    def add(self, read: LabelsRead) -> None:
        """Take in what one labelling holds of some scenes."""
        for scene, labels in read.scenes.items():
            others = (known for known in self.labeled.get(scene, ()) if known.folder != read.folder)
            self.labeled[scene] = (*others, labels)
        if read.folder == self._path:
            self._held |= read.scenes.keys()
        if read.scenes:
            self.changed.emit(frozenset(read.scenes))

    def note_saved(self, scene: str) -> None:
        """Take in that the masks of a scene were saved into `path`."""
        path = self.path
        if path is None:
            return
        # At once, so that whoever goes on to the next unlabelled scene does not get this one.
        if not self.holds(scene):
            new = SceneLabels(folder=path, annotator=self.annotator or path.name)
            self.add(LabelsRead(folder=path, scenes={scene: new}))
        self._read(partial(_read_scene, path, scene), f"reading the labels of {scene}")

    def _move(self) -> None:
        self._path = self._chosen
        if self._path is None and self._folder is not None:
            self._path = labels_folder(self._folder) / annotator_folder(self._annotator)
        self._note_held()
        self.path_changed.emit(self._path)

    def _note_held(self) -> None:
        """Note which scenes `path` holds masks of: it is asked of all scenes at once."""
        self._held = {
            scene
            for scene, known in self.labeled.items()
            if any(labels.folder == self._path for labels in known)
        }

    def _read(self, work: partial[Iterator[LabelsRead]], description: str) -> None:
        self._jobs.run(
            work,
            on_event=self.add,
            on_error=lambda error: self.notice.emit(str(error)),
            description=description,
        )


def _read_scene(path: Path, scene: str) -> Iterator[LabelsRead]:
    labels = read_scene_labels(path, scene)
    if labels is not None:
        yield LabelsRead(folder=path, scenes={scene: labels})
