"""A table of metrics on the screen."""

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from bracketseg._napari.metrics.set_table import LABEL_ROLE, TITLE_ROLE

ROW = 21
"""Pixels that a row of one line is high."""


class _LabelDelegate(QStyledItemDelegate):
    """Writes the label alone where the title of the row stands above it."""

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem | None, index: QModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        label = index.data(LABEL_ROLE)
        if option is not None and label is not None:
            option.text = label


class MetricsView(QTableView):
    """Shows the tables of the Metrics dock.

    The title of a row, where it has one, stands above its values.

    Signals
    -------
    copy_wanted()
        The copy keys of the system were pressed.
    """

    copy_wanted = Signal()

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setItemDelegateForColumn(0, _LabelDelegate(self))
        rows = self.verticalHeader()
        if rows is not None:
            rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            rows.setDefaultSectionSize(ROW)

    def keyPressEvent(self, e: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        # A shortcut would not do: the window has one of its own for these keys.
        if e is not None and e.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        else:
            super().keyPressEvent(e)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(super().sizeHint().width(), 200)

    def paintEvent(self, e: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        super().paintEvent(e)
        viewport, model = self.viewport(), self.model()
        first = self.rowAt(0)
        if viewport is None or model is None or first < 0:
            return
        painter = QPainter(viewport)
        painter.setPen(self.palette().text().color())
        width, height = viewport.width() - 8, self.fontMetrics().height()
        for row in range(first, model.rowCount()):
            top = self.rowViewportPosition(row)
            if top > viewport.height():
                break
            title = str(model.index(row, 0).data(TITLE_ROLE) or "")
            shown = self.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, width)
            painter.drawText(QRect(4, top + 2, width, height), Qt.AlignmentFlag.AlignLeft, shown)
        painter.end()
