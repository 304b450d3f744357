"""The table of all scenes: a row a mask, a column a metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt

from bracketseg._napari.metrics.text import SHORT, TIPS, short_text
from bracketseg.brackets.natural_order import natural_key
from bracketseg.evaluation.metrics import Metrics

NAMES = tuple(SHORT)
TITLE_ROLE, LABEL_ROLE = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
_NO_PARENT = QModelIndex()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsRow:
    """A row.

    Attributes
    ----------
    label : str
        Short: a role, say.
    metrics : Metrics
    title : str
        What stands above the values: the scene; empty where the label says it all.
    tip : str
        What the row is, in full.
    """

    label: str
    metrics: Metrics
    title: str = ""
    tip: str = ""


class SetTable(QAbstractTableModel):
    """Metrics of many masks, or their means.

    A cell gives its exact value under `Qt.ItemDataRole.UserRole`, and title and label of its
    row under `TITLE_ROLE` and `LABEL_ROLE`.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[MetricsRow] = []

    def show(self, rows: Sequence[MetricsRow]) -> None:
        """Show these rows in place of others."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def add(self, rows: Sequence[MetricsRow]) -> None:
        """Append rows."""
        if rows:
            first = len(self._rows)
            self.beginInsertRows(_NO_PARENT, first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def rowCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One a mask."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One for the name, and one a metric."""
        return 0 if parent.isValid() else 1 + len(NAMES)

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name the metrics, and explain them."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return SHORT[NAMES[section - 1]] if section else "Scene"
        if role == Qt.ItemDataRole.ToolTipRole:
            sort = "Click to sort, the worst first."
            return f"{TIPS[NAMES[section - 1]]} {sort}" if section else "Click to sort by name."
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what a cell shows."""
        row, column = self._rows[index.row()], index.column()
        if role in (TITLE_ROLE, LABEL_ROLE):
            return row.title if role == TITLE_ROLE else row.label
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            place = Qt.AlignmentFlag.AlignBottom if row.title else Qt.AlignmentFlag.AlignVCenter
            return side | place
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip or f"{row.title} {row.label}"
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.UserRole):
            return None
        if not column:
            return f"{row.title} {row.label}" if row.title else row.label
        name = NAMES[column - 1]
        value = getattr(row.metrics, name)
        return short_text(name, value) if role == Qt.ItemDataRole.DisplayRole else value


class WorstFirst(QSortFilterProxyModel):
    """Sorts numbers as numbers and names as people do; what has no value comes last."""

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:  # noqa: N802
        """Whether one cell comes before another."""
        values = [cell.data(Qt.ItemDataRole.UserRole) for cell in (left, right)]
        if left.column() == 0:
            return natural_key(values[0]) < natural_key(values[1])
        if None in values:
            last = self.sortOrder() == Qt.SortOrder.AscendingOrder
            return bool(values[0] is not None) if last else bool(values[1] is not None)
        return bool(values[0] < values[1])
