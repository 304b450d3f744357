"""The table of scenes: what each row says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap

from bracketseg._napari.brackets.thumbnails import SIZE, Thumbnails, framed
from bracketseg._napari.session.labeled_scenes import SceneLabels
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import Bracket, EVSource
from bracketseg.errors import FrameError
from bracketseg.wording import counted

_EV_SOURCES: dict[EVSource, str] = {
    "exif": "EXIF",
    "sidecar": "side-car",
    "names": "names",
    "brightness": "brightness",
    "person": "order by hand",
}
_NO_PARENT = QModelIndex()


class SceneTable(QAbstractTableModel):
    """The scenes of a session, one a row, in a single column that a narrow dock has room for.

    A cell has the thumbnail and three lines: the name; the number of frames, how many stops
    they span and where the exposure values come from; whether the person at work has labelled
    the scene, how much of it the masks cover together, and by whom they are.

    Parameters
    ----------
    session : Session
    thumbnails : Thumbnails
    parent : QObject, optional
    """

    def __init__(
        self, session: Session, thumbnails: Thumbnails, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._thumbnails = thumbnails
        # Rows that Qt knows of: the session's list grows before Qt hears of it.
        self._brackets: list[Bracket] = list(session.brackets)
        self._rows = {bracket.scene: row for row, bracket in enumerate(self._brackets)}
        self._blank = QPixmap(SIZE, SIZE)
        self._blank.fill(QColor(0, 0, 0, 40))

    def bracket(self, row: int) -> Bracket:
        """Give the scene of a row."""
        return self._brackets[row]

    def row_of(self, scene: str) -> int | None:
        """Find the row of a scene."""
        return self._rows.get(scene)

    def clear(self) -> None:
        """Remove all rows."""
        self.beginResetModel()
        self._brackets, self._rows = [], {}
        self.endResetModel()

    def add(self, brackets: Sequence[Bracket]) -> None:
        """Append rows."""
        first = len(self._brackets)
        self.beginInsertRows(_NO_PARENT, first, first + len(brackets) - 1)
        for bracket in brackets:
            self._rows[bracket.scene] = len(self._brackets)
            self._brackets.append(bracket)
        self.endInsertRows()

    def replace(self, bracket: Bracket) -> None:
        """Take another version of a bracket that is in the table, with other roles."""
        row = self._rows.get(bracket.scene)
        if row is not None:
            self._brackets[row] = bracket

    def show_labels(self, scenes: frozenset[str]) -> None:
        """Draw anew what is said about the labels of some scenes."""
        rows = [self._rows[scene] for scene in scenes if scene in self._rows]
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), 0))

    def show_all_labels(self) -> None:
        """Draw anew what is said about labels everywhere: somebody else labels now."""
        self.show_labels(frozenset(self._rows))

    def show_thumbnail(self, scene: str) -> None:
        """Draw the thumbnail of a scene anew."""
        row = self._rows.get(scene)
        if row is not None:
            cell = self.index(row, 0)
            self.dataChanged.emit(cell, cell, [Qt.ItemDataRole.DecorationRole])

    def rowCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One a scene."""
        return 0 if parent.isValid() else len(self._brackets)

    def columnCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One."""
        return 0 if parent.isValid() else 1

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what a cell shows."""
        bracket = self._brackets[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            labels = labels_text(self._labels(bracket), self._session.labeling_path)
            return f"{scene_text(bracket)}\n{labels}"
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(bracket.scene)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(bracket)
        return None

    def _labels(self, bracket: Bracket) -> tuple[SceneLabels, ...]:
        return self._session.labeled.get(bracket.scene, ())

    def _icon(self, scene: str) -> QIcon:
        thumbnail = self._thumbnails.get(scene)
        pixmap = framed(thumbnail, SIZE) if isinstance(thumbnail, np.ndarray) else self._blank
        icon = QIcon(pixmap)
        # Left to itself Qt tints the picture of the selected row.
        icon.addPixmap(pixmap, QIcon.Mode.Selected)
        return icon

    def _tooltip(self, bracket: Bracket) -> str:
        lines = [bracket.scene, str(bracket.folder)]
        lines += [
            f"{frame.path.name}: {frame.ev - bracket.frames[0].ev:+.1f} EV"
            for frame in bracket.frames
        ]
        lines += bracket.notes
        lines += [
            _labels_line(labels)
            for labels in _own_first(self._labels(bracket), self._session.labeling_path)
        ]
        thumbnail = self._thumbnails.get(bracket.scene)
        if isinstance(thumbnail, FrameError):
            lines.append(str(thumbnail))
        return "\n".join(lines)


def scene_text(bracket: Bracket) -> str:
    """Two lines about a bracket: its name, and its frames."""
    span = bracket.frames[-1].ev - bracket.frames[0].ev
    source = _EV_SOURCES[bracket.ev_source]
    return f"{bracket.scene}\n{counted(len(bracket.frames), 'frame')}, {span:.1f} EV ({source})"


def labels_text(labels: Sequence[SceneLabels], own: Path | None) -> str:
    """Say how much of a scene its masks cover, and by whom they are.

    Only what the person at work has labelled has a tick: the rest is still to be done.

    Parameters
    ----------
    labels : sequence of SceneLabels
        Of one scene.
    own : Path or None
        The labelling of the person at work. It comes first, and networks last; the coverage
        is that of the first.
    """
    if not labels:
        return "not labelled"
    ordered = _own_first(labels, own)
    first, coverage = ordered[0], ordered[0].coverage
    if first.folder != own and first.method == "network":
        # Which network it was has no room here, and stands in the tooltip.
        return "predicted" if coverage is None else f"predicted: {coverage.union:.0%} covered"
    # The names last: where they are too many for the line, they are what is cut short.
    names = "by " + ", ".join(known.annotator for known in ordered)
    text = names if coverage is None else f"{coverage.union:.0%} covered, {names}"
    return f"✓ {text}" if first.folder == own else text


def _own_first(labels: Sequence[SceneLabels], own: Path | None) -> list[SceneLabels]:
    return sorted(labels, key=lambda known: (known.folder != own, known.method == "network"))


def _labels_line(labels: SceneLabels) -> str:
    predicted = labels.method == "network"
    parts = [f"{'Predicted' if predicted else 'Labelled'} by {labels.annotator}"]
    if labels.method and not predicted:
        parts.append(labels.method)
    if labels.coverage:
        parts.append(f"{labels.coverage.union:.0%} covered")
    return ", ".join(parts)
