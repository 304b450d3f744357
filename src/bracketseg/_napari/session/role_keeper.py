"""Keeping which frames a person took as low and high, away from the main thread."""

from functools import partial
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.session.labels_folder import short_path
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.choices import choices_file, keep_choice


class RoleKeeper:
    """Writes one choice after the other, so that the last one stays.

    Signals
    -------
    failed(str)
        Choices of a folder cannot be kept; told once until another folder fails or one can.
    kept_elsewhere(str)
        Choices of a folder are kept, but not in it; told once a folder.
    """

    failed = Signal(str)
    kept_elsewhere = Signal(str)

    def __init__(self) -> None:
        self._waiting: dict[tuple[Path, str], Bracket] = {}
        self._job: Job | None = None
        self._failing: Path | None = None
        self._told: set[Path] = set()

    def keep(self, folder: Path, bracket: Bracket) -> None:
        """Have the choice for a bracket of a folder written."""
        self._waiting[folder, bracket.scene] = bracket
        self._write_next()

    def _tell_place(self, folder: Path) -> None:
        file = choices_file(folder)
        if file.parent == folder or folder in self._told:
            return
        self._told.add(folder)
        self.kept_elsewhere.emit(
            f"Chosen frames are kept in {short_path(file, folder)}, as nothing can be saved beside "
            "the pictures."
        )

    def _write_next(self) -> None:
        if not self._waiting or (self._job is not None and not self._job.over):
            return
        folder, scene = key = next(iter(self._waiting))
        self._job = run_job(
            partial(keep_choice, folder, self._waiting.pop(key)),
            on_done=lambda _: self._ended(folder),
            on_error=partial(self._ended, folder),
            description=f"keeping the frames that were chosen for {scene}",
        )

    def _ended(self, folder: Path, error: Exception | None = None) -> None:
        if error is None:
            self._failing = None
            self._tell_place(folder)
        elif folder != self._failing:
            self._failing = folder
            self.failed.emit(str(error))
        self._write_next()
