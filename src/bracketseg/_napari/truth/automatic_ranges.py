"""Automatic ranges of the scene that is labelled, found away from the main thread."""

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.layers.frames import slice_of
from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole, Role
from bracketseg.brackets.placement import Placement, seen_by_all
from bracketseg.labeling.automatic import Automatic, find_ranges

if TYPE_CHECKING:
    from pathlib import Path

    from bracketseg.labeling.prediction import Basis

Frames = Mapping[Role, Callable[[], NDArray[Any]]]


class AutomaticRanges:
    """Finds ranges from all frames of a bracket, and gives them to the editor.

    Parameters
    ----------
    session : Session
    editor : SceneEditor
    tell : callable
        Takes a sentence for the person.

    Signals
    -------
    changed()
        `pending` is another.
    """

    changed = Signal()

    def __init__(
        self, session: Session, editor: SceneEditor, tell: Callable[[str], object]
    ) -> None:
        self._session = session
        self._editor = editor
        self._tell = tell
        self._asked: dict[MaskRole, Basis | None] = {}
        self._find: _Search | None = None
        self._job: Job | None = None
        self._give: Callable[[MaskRole, Automatic], object] = editor.take_found
        editor.subject_changed.connect(self.cancel)

    @property
    def pending(self) -> frozenset[MaskRole]:
        """The roles whose range is being found, and that have got no other rule meanwhile."""
        return frozenset(
            role for role, before in self._asked.items() if self._editor.rule(role) is before
        )

    def want(self, roles: Collection[MaskRole], *, beginning: bool = False) -> None:
        """Find the ranges of some roles of the scene that is shown.

        The editor gets them unless the role has got another rule by then. What keeps them from
        being found is told.

        Parameters
        ----------
        roles : collection of role
        beginning : bool
            The scene is to begin with them, and nobody has changed anything so far.
        """
        subject = self._editor.subject
        if subject is None or not roles:
            return
        lacking = next((role for role in MASK_ROLES if role not in subject.frames), None)
        if lacking is not None:
            other = "dark" if lacking == "low" else "bright"
            self._tell(
                "⚠ An automatic range takes a dark and a bright frame of one scene: choose the "
                f"{other} one under {lacking.capitalize()} first."
            )
            return
        asked = {role: self._editor.rule(role) for role in self.pending.union(roles)}
        self.cancel()
        self._asked = asked
        self._give = self._editor.begin_with if beginning else self._editor.take_found
        frames = self._frames(subject)
        self._find = _Search(frames, self._placements(subject, frames))
        self.changed.emit()
        job = run_job(
            self._find,
            on_done=self._found,
            on_error=self._failed,
            description=f"finding the ranges of {subject.scene}",
        )
        # Where no event loop runs, it is over already.
        self._job = job if self._asked else None

    def leave(self, role: MaskRole) -> None:
        """Find no range for a role any more: its mask is to be made in another way."""
        others = {other: rule for other, rule in self._asked.items() if other != role}
        if not others:
            self.cancel()
        elif others != self._asked:
            self._asked = others
            self.changed.emit()

    def finish(self) -> bool:
        """Wait for what is being found; returns whether that was possible."""
        if not self.pending:
            self.cancel()
        if self._job is None or self._find is None:
            return True
        self._job.cancel()
        try:
            found = self._find()
        except Exception as error:  # noqa: BLE001 - as in the thread, a person has to hear of it
            self._failed(error)
            return False
        self._found(found)
        return True

    def cancel(self) -> None:
        """Give up what is being found."""
        if self._job is not None:
            self._job.cancel()
        self._end()

    def _end(self) -> None:
        asked, self._asked, self._find, self._job = self._asked, {}, None, None
        if asked:
            self.changed.emit()

    def _found(self, found: Mapping[MaskRole, Automatic]) -> None:
        wanted = self.pending
        self._end()
        for role in sorted(wanted):
            self._give(role, found[role])

    def _failed(self, error: BaseException) -> None:
        self._end()
        self._tell(f"⚠ {error}")

    def _frames(self, subject: Subject) -> Frames:
        """Say where the pixels of each frame come from, which may take a while to read."""
        frames: dict[Role, Callable[[], NDArray[Any]]] = {
            role: slice_of(frame.layer, frame.index) for role, frame in subject.frames.items()
        }
        medium = self._medium(subject)
        if medium is not None:
            frames["medium"] = medium
        return frames

    def _placements(self, subject: Subject, frames: Frames) -> Mapping[Role, Placement]:
        """Say where the frames lie; empty where they are not aligned."""
        files: dict[Role, Path | None] = {r: frame.file for r, frame in subject.frames.items()}
        bracket = self._session.current
        if bracket is not None and "medium" in bracket.roles:
            files["medium"] = bracket.roles["medium"].path
        shifts = self._session.shifts
        found = {r: shifts[file] for r in frames if (file := files.get(r)) in shifts}
        return found if len(found) == len(frames) and self._session.align != "off" else {}

    def _medium(self, subject: Subject) -> Callable[[], NDArray[Any]] | None:
        """Say where the medium frame comes from; None where nobody knows of one."""
        low = subject.frames["low"]
        ours = provenance_of(low.layer.metadata)
        if ours is None:
            return None
        layer = find_layer(self._session.viewer.layers, "frame", ours["scene"], "medium")
        if isinstance(layer, Image):
            return slice_of(layer, low.index)
        # Somebody may have closed its layer.
        bracket = self._session.current
        if bracket is None or bracket.scene != ours["scene"] or "medium" not in bracket.roles:
            return None
        return bracket.frame("medium").read


class _Search:
    """Finds ranges once, whichever thread asks first; another one waits for it."""

    def __init__(self, frames: Frames, placements: Mapping[Role, Placement]) -> None:
        self._frames = frames
        self._placements = placements
        self._found: dict[MaskRole, Automatic] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> dict[MaskRole, Automatic]:
        with self._lock:
            if self._found is None:
                frames = {role: read() for role, read in self._frames.items()}
                if self._placements:
                    frames = seen_by_all(frames, self._placements)
                self._found = find_ranges(frames)
            return self._found
