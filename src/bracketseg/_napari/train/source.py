"""Which brackets and which masks are learned from."""

from functools import partial
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.session.session import Session
from bracketseg._napari.train.material import Masks, Material, read_material
from bracketseg._napari.widgets.jobs import JobGroup


class TrainSource:
    """Follows the session's folder and labelling until a person chooses others.

    Whichever folder was chosen last holds, be it here or in the session.

    Attributes
    ----------
    folder : Path or None
    material : Material or None
        None before it is read.
    problem : str
        Why there is none; empty while it is being read, too.

    Signals
    -------
    changed()
        Any of them, or :attr:`masks`, is another.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self.folder: Path | None = session.folder
        self.material: Material | None = None
        self.problem = ""
        self._chosen: Path | None = None
        self._further: tuple[Path, ...] = ()
        self._jobs = JobGroup()

    @property
    def masks(self) -> Masks | None:
        """The labelling that was chosen, else the session's, else that of the most scenes.

        Predictions of a network are taken only where there is nothing else.
        """
        material = self.material
        if material is None or not material.masks:
            return None
        own = self._session.labeling_path if self._follows else None
        most = max(
            material.masks,
            key=lambda masks: (masks.method != "network", sum(masks.scenes.values())),
        )
        return material.masks_at(self._chosen) or material.masks_at(own) or most

    @property
    def _follows(self) -> bool:
        return self.folder is not None and self.folder == self._session.folder

    def follow(self) -> None:
        """Take the session's folder."""
        self.choose_folder(self._session.folder)

    def choose_folder(self, folder: Path | None) -> None:
        """Learn from the brackets of another folder."""
        self.folder, self._chosen, self._further = folder, None, ()
        self.material = None
        self.read()

    def choose_masks(self, path: Path) -> None:
        """Learn from another labelling, which may lie anywhere."""
        self._chosen = path
        material = self.material
        if material is not None and material.masks_at(path) is None:
            self._further = (*self._further, path)
            self.read()
        else:
            self.changed.emit()

    def read(self) -> None:
        """Look again at what is there; what is known stays until then."""
        self._jobs.cancel()
        self.problem = ""
        session = self._session
        scenes = None
        if self._follows:
            if session.scanning:
                self.changed.emit()
                return
            # A folder without any bracket has a scan that says so better.
            scenes = frozenset(b.scene for b in session.brackets) or None
        if self.folder is not None:
            self._jobs.run(
                partial(read_material, self.folder, self._further, scenes),
                on_done=self._have,
                on_error=self._failed,
                description=f"looking at the masks beside {self.folder}",
            )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop reading."""
        self._jobs.cancel()

    def _have(self, material: Material) -> None:
        self.material = material
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self.material, self.problem = None, str(error)
        self.changed.emit()
