"""How the frames of the scene on show are aligned, and what moved between them."""

from collections.abc import Mapping
from pathlib import Path

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from bracketseg._napari.brackets.ghost_finder import GhostFinder
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.align_choice import AlignChoice
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.placement import Placement, affine_part, is_still
from bracketseg.brackets.placement_text import way_text

_TOLD = 0.5
"""Pixels by which a layer may lie off its homography before that is said."""


class AlignmentControl(QWidget):
    """Chooses the alignment and says by how much each frame moved; shows ghosts.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._ways = AlignChoice(
            self,
            "brackets.align",
            "Move the frames of a hand-held bracket onto each other. Only layers move: files, "
            "and masks of their pixels, stay as they are.",
        )
        self._ways.method = session.align
        self._ways.currentIndexChanged.connect(self._choose)
        self._ghosts = QCheckBox("Ghosts")
        self._ghosts.setObjectName("brackets.ghosts")
        self._ghosts.setToolTip(
            "Look in each scene for what moved between the frames as they lie now. There they "
            "disagree by more than noise, and masks cannot be trusted. Untick to stop."
        )
        self._moved = StillText(self, "brackets.shifts")
        self._moved.hide()
        self._found = StillText(self, "brackets.ghosts_found")
        self._found.hide()
        self._finder = GhostFinder(session, self._tell_ghosts)
        self._ghosts.toggled.connect(self._want_ghosts)
        self.destroyed.connect(self._finder.jobs.cancel)
        row = QHBoxLayout()
        row.addWidget(QLabel("Align"))
        row.addWidget(self._ways, stretch=1)
        row.addWidget(self._ghosts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self._moved)
        layout.addWidget(self._found)

    def show_bracket(self, bracket: Bracket) -> None:
        """Say where the frames of the scene on show lie, and look for its ghosts."""
        shifts = self._session.shifts
        self._moved.setVisible(bool(shifts))
        self._moved.setText(placements_text(bracket, shifts) if shifts else "")
        self._finder.look()

    def leave(self, _bracket: Bracket | None = None) -> None:
        """Show nothing of a scene that is no longer on show."""
        self._moved.hide()
        self._finder.leave()

    def _choose(self) -> None:
        self._session.align = self._ways.method

    def _want_ghosts(self, on: bool) -> None:
        self._finder.wanted = on

    def _tell_ghosts(self, text: str) -> None:
        self._found.setText(text)
        self._found.setVisible(bool(text))


def placements_text(bracket: Bracket, placements: Mapping[Path, Placement]) -> str:
    """Say by how many pixels each frame of a bracket was moved."""
    moved, seen_off = [], 0.0
    for frame in bracket.frames:
        placement = placements.get(frame.path, Shift())
        name = bracket.role_of(frame) or frame.path.name
        if not placement.reliable:
            moved.append(f"{name} not told (too little in common)")
        elif not is_still(placement.matrix):
            by = way_text(placement, frame.shape)
            if not isinstance(placement, Shift):
                seen_off = max(seen_off, affine_part(placement, frame.shape).deviation)
            moved.append(f"{name} {by}{f' ({placement.note})' if placement.note else ''}")
    if not moved:
        return "Moved by 0 pixels: the frames lie on each other."
    rest = "" if len(moved) == len(bracket.frames) else "; others 0"
    off = f" Layers show it to {seen_off:.1f} pixels." if seen_off > _TOLD else ""
    return f"Moved by pixels: {'; '.join(moved)}{rest}.{off}"
