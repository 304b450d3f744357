"""The scenes of the folder that is open, in their order."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from bracketseg._napari.session.folder_scan import ScanEnd, ScenesFound, scan_folder
from bracketseg._napari.session.labeled_scenes import LabelsRead
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import Bracket
from bracketseg.errors import BracketError, BracketSegError

if TYPE_CHECKING:
    from bracketseg.brackets.grouping import LeftOver


class SceneList:
    """Found in the background; each scene has a place, counted from 0.

    Attributes
    ----------
    folder : Path or None
        The folder that is open.
    brackets : list of Bracket
        Those found so far.
    problems : tuple of BracketSegError
        What the scan could not use.
    left_over : tuple of LeftOver
        Pictures that are in no bracket.
    scanning : bool
        Whether the scan goes on, or was cut short.

    Signals
    -------
    found(list of Bracket)
        A batch was added to `brackets`.
    finished(tuple of BracketSegError)
        The scan has ended, with these problems.
    labels_read(LabelsRead)
        The scan has read who labelled some scenes.
    """

    found = Signal(list)
    finished = Signal(tuple)
    labels_read = Signal(object)

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.brackets: list[Bracket] = []
        self.problems: tuple[BracketSegError, ...] = ()
        self.left_over: tuple[LeftOver, ...] = ()
        self.scanning = False
        self._path: Path | None = None
        self._places: dict[str, int] = {}
        self._scan: Job | None = None

    @property
    def cut_short(self) -> Path | None:
        """What was to be opened when the scan was stopped before its end."""
        return self._path if self.scanning and self._scan is None else None

    def open(self, path: Path) -> None:
        """Begin with another folder, or that of a picture; :meth:`scan` comes next."""
        self.stop()
        self._path = path
        self.folder = path.parent if path.is_file() else path
        self.brackets, self._places, self.problems, self.left_over = [], {}, (), ()
        self.scanning = True

    def scan(self) -> None:
        """Start looking for the scenes of the folder."""
        if self._path is None or self.folder is None:
            return
        self._scan = run_job(
            partial(scan_folder, self._path, self.folder),
            on_event=self._take,
            on_done=self._end,
            on_error=lambda error: self._end(ScanEnd(problems=(error,))),
            description=f"looking for brackets in {self._path}",
        )

    def stop(self) -> None:
        """Cut the scan short."""
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None

    def get(self, scene: str) -> Bracket:
        """Find a scene by its name.

        Raises
        ------
        BracketError
            If no such scene was found.
        """
        if scene not in self._places:
            raise BracketError(
                f"{scene}: no such scene in {self.folder}. Choose one of the {len(self.brackets)} "
                "in the table."
            )
        return self.brackets[self._places[scene]]

    def place(self, bracket: Bracket | None) -> int | None:
        """Say where a scene stands; None for none, and for one that is not there."""
        return None if bracket is None else self._places.get(bracket.scene)

    def replace(self, bracket: Bracket) -> None:
        """Take another state of a scene that is there."""
        self.brackets[self._places[bracket.scene]] = bracket

    def _take(self, event: ScenesFound | LabelsRead) -> None:
        if isinstance(event, LabelsRead):
            self.problems += event.problems
            self.labels_read.emit(event)
            return
        for bracket in event.brackets:
            self._places[bracket.scene] = len(self.brackets)
            self.brackets.append(bracket)
        self.found.emit(event.brackets)

    def _end(self, end: ScanEnd) -> None:
        self._scan = None
        self.scanning = False
        self.problems = self.problems + end.problems
        self.left_over = end.left_over
        self.finished.emit(self.problems)
