"""Photographs below the brackets that they are in, to be dragged from one to another."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QDropEvent, QIcon, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from bracketseg._napari.brackets.thumbnails import framed
from bracketseg.brackets.arrangement import Arrangement, Photograph
from bracketseg.brackets.decisions import Decided, Decision
from bracketseg.brackets.exposure import Exposure

ICON = 40
NO_BRACKET = "In no bracket"
LEFT_OUT = "left out by hand"

_NAME = Qt.ItemDataRole.UserRole
_COLUMNS = ("Photograph", "EV", "Exposure", "Taken", "")
_WARNING = QColor(220, 120, 60)


class ArrangeTree(QTreeWidget):
    """Shows a decision; what is dragged changes nothing until somebody shows another.

    Signals
    -------
    dropped(list of str, str)
        Photographs were dragged onto a bracket; onto :data:`NO_BRACKET`; or, with an empty
        name, beside all of them.
    """

    dropped = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons: dict[str, QIcon] = {}
        blank = QPixmap(ICON, ICON)
        blank.fill(QColor(0, 0, 0, 40))
        self._blank = QIcon(blank)
        self._pictures: dict[str, QTreeWidgetItem] = {}
        self.setColumnCount(len(_COLUMNS))
        self.setHeaderLabels(_COLUMNS)
        self.setIconSize(QSize(ICON, ICON))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setAutoScroll(True)
        header = self.header()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
            header.setStretchLastSection(True)

    def show_arrangement(self, arrangement: Arrangement, decision: Decision) -> None:
        """Show brackets and what is in none of them; what was selected stays so."""
        selected = set(self.selected_pictures())
        offset = self._offset()
        self.clear()
        self._pictures = {}
        for bracket in decision.brackets:
            top = self._add_bracket(bracket, arrangement)
            for row in _rows(arrangement, bracket):
                self._add_picture(top, *row)
        left = arrangement.in_none(decision)
        if left:
            top = QTreeWidgetItem(self, [f"{NO_BRACKET} ({len(left)})"])
            top.setFirstColumnSpanned(True)
            top.setFlags(top.flags() & ~Qt.ItemFlag.ItemIsDragEnabled)
            for name in left:
                known = arrangement.photographs[name]
                why = known.reason if name not in decision.left_out else LEFT_OUT
                self._add_picture(top, name, _facts(known, why))
        self.expandAll()
        for column in range(len(_COLUMNS) - 1):
            self.resizeColumnToContents(column)
        for name in selected & self._pictures.keys():
            self._pictures[name].setSelected(True)
        bar = self.verticalScrollBar()
        if bar is not None:
            bar.setValue(offset)

    def show_thumbnail(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Draw the picture of a photograph."""
        self._icons[name] = QIcon(framed(pixels, ICON))
        item = self._pictures.get(name)
        if item is not None:
            item.setIcon(0, self._icons[name])

    def selected_pictures(self) -> list[str]:
        """Give the selected photographs, from top to bottom."""
        return [name for name, item in self._pictures.items() if item.isSelected()]

    def selected_brackets(self) -> list[str]:
        """Give the brackets whose own rows are selected, from top to bottom."""
        tops = (self.topLevelItem(row) for row in range(self.topLevelItemCount()))
        named = ((item.isSelected(), item.data(0, _NAME)) for item in tops if item is not None)
        return [name for selected, name in named if selected and name is not None]

    def select_pictures(self, names: Iterable[str]) -> None:
        """Select these photographs, and nothing else."""
        self.clearSelection()
        for name in names:
            if name in self._pictures:
                self._pictures[name].setSelected(True)

    def select_bracket(self, name: str) -> None:
        """Select the row of one bracket, and nothing else, and bring it into sight."""
        self.clearSelection()
        for row in range(self.topLevelItemCount()):
            item = self.topLevelItem(row)
            if item is not None and item.data(0, _NAME) == name:
                item.setSelected(True)
                self.scrollToItem(item, QAbstractItemView.ScrollHint.PositionAtTop)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Say what was dropped where; Qt itself is to move nothing."""
        if event is None:
            return
        target = self.itemAt(event.position().toPoint())
        if target is not None and target.parent() is not None:
            target = target.parent()
        name = "" if target is None else (target.data(0, _NAME) or NO_BRACKET)
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        pictures = self.selected_pictures()
        if pictures:
            self.dropped.emit(pictures, name)

    def _add_bracket(self, bracket: Decided, arrangement: Arrangement) -> QTreeWidgetItem:
        fault = arrangement.fault(bracket)
        title = f"{bracket.name}  ({len(bracket.frames)}{', in this order' * bracket.ordered})"
        top = QTreeWidgetItem(self, [f"⚠ {title}: {fault}" if fault else title])
        top.setFirstColumnSpanned(True)
        top.setData(0, _NAME, bracket.name)
        top.setFlags(top.flags() & ~Qt.ItemFlag.ItemIsDragEnabled)
        if fault:
            top.setForeground(0, QBrush(_WARNING))
        return top

    def _add_picture(self, top: QTreeWidgetItem, name: str, facts: Sequence[str]) -> None:
        item = QTreeWidgetItem(top, [name, *facts])
        item.setIcon(0, self._icons.get(name, self._blank))
        item.setSizeHint(1, QSize(ICON, ICON + 4))
        item.setToolTip(0, name)
        item.setToolTip(len(facts), facts[-1])
        self._pictures[name] = item

    def _offset(self) -> int:
        bar = self.verticalScrollBar()
        return 0 if bar is None else bar.value()


def exposure_text(exposure: Exposure) -> str:
    """Say how a photograph was exposed, as far as is known."""
    parts = []
    if exposure.time is not None:
        time = exposure.time
        parts.append(f"{time:g} s" if time >= 0.4 else f"1/{1 / time:.0f} s")
    if exposure.f_number is not None:
        parts.append(f"f/{exposure.f_number:g}")
    if exposure.iso is not None:
        parts.append(f"ISO {exposure.iso:g}")
    return ", ".join(parts)


def _rows(arrangement: Arrangement, bracket: Decided) -> list[tuple[str, list[str]]]:
    names = arrangement.in_order(bracket)
    known = [arrangement.photographs[name] for name in names if name in arrangement.photographs]
    evs = [photograph.shot.ev for photograph in known if photograph.shot is not None]
    return [
        (photograph.path.name, _facts(photograph, "", min(evs, default=0))) for photograph in known
    ]


def _facts(photograph: Photograph, note: str, darkest: float | None = None) -> list[str]:
    shot, header = photograph.shot, photograph.header
    taken = None if header is None else header.capture.time
    return [
        "" if shot is None or darkest is None else f"{shot.ev - darkest:+.1f}",
        "" if header is None else exposure_text(header.exposure),
        "" if taken is None else f"{datetime.fromtimestamp(taken, UTC):%Y-%m-%d %H:%M:%S}",
        note,
    ]
