"""The table of one scene: a row a metric, a few columns a role."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from bracketseg._napari.metrics.live import Measured
from bracketseg._napari.metrics.text import (
    ALL_TIP,
    COUNTS,
    NONE_TIP,
    TIPS,
    TITLES,
    number_text,
)
from bracketseg.evaluation.baselines import baselines

if TYPE_CHECKING:
    from bracketseg.evaluation.metrics import Metrics

COLUMNS = 3
"""Of each pair: the prediction, all foreground, no foreground."""

_ROWS = (*TITLES, *COUNTS)
_NO_PARENT = QModelIndex()
_HEADINGS = ("Value", "All fore-\nground", "No fore-\nground")


class PairTable(QAbstractTableModel):
    """Metrics and counts of one pair of masks, or of the low and the high one beside it.

    Beside each metric stands what constant masks would score. A cell gives its exact value
    under `Qt.ItemDataRole.UserRole`.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: list[Measured] = []
        self._metrics: list[Metrics] = []

    def show(self, measured: Sequence[Measured]) -> None:
        """Show these pairs."""
        same = [found.pair for found in measured] == [found.pair for found in self._shown]
        if not same:
            self.beginResetModel()
        self._shown = list(measured)
        self._metrics = []
        for found in measured:
            self._metrics += [found.metrics, *baselines(found.counts).measured()]
        if not same:
            self.endResetModel()
        elif measured:
            last = self.index(len(_ROWS) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def spans(self) -> list[tuple[int, int]]:
        """List rows and columns of cells that take the room of all columns of their pair.

        A single pair has room enough.
        """
        if len(self._shown) < 2:
            return []
        rows = range(len(TITLES), len(_ROWS))
        return [(row, COLUMNS * pair) for row in rows for pair in range(len(self._shown))]

    def rowCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """One a metric, and one a count."""
        return 0 if parent.isValid() or not self._shown else len(_ROWS)

    def columnCount(self, parent: QModelIndex = _NO_PARENT) -> int:  # noqa: N802 - Qt's name
        """Three a pair."""
        return 0 if parent.isValid() else COLUMNS * len(self._shown)

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Name the metrics, and explain them."""
        if orientation == Qt.Orientation.Vertical:
            name = _ROWS[section]
            if role == Qt.ItemDataRole.DisplayRole:
                return TITLES.get(name) or COUNTS[name]
            return TIPS[name] if role == Qt.ItemDataRole.ToolTipRole else None
        if section >= self.columnCount():
            return None  # a header asks for the columns it had with another model
        pair = self._shown[section // COLUMNS].pair
        kind = section % COLUMNS
        if role == Qt.ItemDataRole.DisplayRole:
            return pair.role.capitalize() if pair.role and kind == 0 else _HEADINGS[kind]
        if role == Qt.ItemDataRole.ToolTipRole:
            names = f"{pair.prediction.name}, held against {pair.reference.name}"
            return (names, ALL_TIP, NONE_TIP)[kind]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what a cell shows."""
        name = _ROWS[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return TIPS[name]
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.UserRole):
            return None
        pair, kind = divmod(index.column(), COLUMNS)
        if name in COUNTS:
            count = getattr(self._shown[pair].counts, name) if kind == 0 else None
            if role == Qt.ItemDataRole.UserRole:
                return count
            return "" if count is None else f"{count:,}"
        value = getattr(self._metrics[index.column()], name)
        if role == Qt.ItemDataRole.UserRole:
            return value
        if name == "roc_auc" and kind == 0 and self._shown[pair].pending:
            return "…"
        return number_text(name, value)
