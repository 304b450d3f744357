"""The table of scenes on the screen, which asks for the thumbnails of the rows in sight."""

from qtpy.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QScrollBar, QTableView, QWidget

from bracketseg._napari.brackets.scene_table import SceneTable
from bracketseg._napari.brackets.thumbnails import SIZE, Thumbnails

ROW_HEIGHT = 56
PATIENCE = 40
"""Milliseconds that rows have to stay in sight before their thumbnails are read."""


class SceneView(QTableView):
    """Shows a :class:`SceneTable`.

    Attributes
    ----------
    hint : str
        What is shown in place of rows where there is none.

    Signals
    -------
    scene_chosen(str)
        The user went to another row.
    """

    scene_chosen = Signal(str)

    def __init__(
        self, table: SceneTable, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._table = table
        self._thumbnails = thumbnails
        self.hint = ""
        self._following = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE)
        self._patience.timeout.connect(self._ask_for_thumbnails)
        self.setModel(table)
        # Also the row that is current already: to try again what could not be read.
        self.clicked.connect(self._choose)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setIconSize(QSize(SIZE, ROW_HEIGHT - 4))
        self.setTabKeyNavigation(False)
        rows = QHeaderView(Qt.Orientation.Vertical, self)
        rows.hide()
        # One height for all: measuring 1,500 rows would hold up the window.
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        self.setVerticalHeader(rows)
        columns = QHeaderView(Qt.Orientation.Horizontal, self)
        columns.hide()
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.setHorizontalHeader(columns)
        bar = QScrollBar(self)
        self.setVerticalScrollBar(bar)
        bar.valueChanged.connect(self._look_again)
        table.rowsInserted.connect(self._look_again)
        table.modelReset.connect(self._look_again)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave letters and pages to the keys of the window: Qt would search, or leap, by them."""
        if event is not None and (
            event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
            or (event.text().isprintable() and event.text().strip())
        ):
            event.ignore()
            return
        super().keyPressEvent(event)

    def show_current(self, scene: str) -> None:
        """Mark the row of a scene and bring it into sight, without choosing it again."""
        row = self._table.row_of(scene)
        if row is None or row == self.currentIndex().row():
            return
        self._following = True
        try:
            self.setCurrentIndex(self._table.index(row, 0))
        finally:
            self._following = False

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802
        """Tell which scene the user went to."""
        super().currentChanged(current, previous)
        if not self._following and current.isValid() and current.row() != previous.row():
            self._choose(current)

    def _choose(self, cell: QModelIndex) -> None:
        self.scene_chosen.emit(self._table.bracket(cell.row()).scene)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look which rows are in sight."""
        super().resizeEvent(event)
        self._look_again()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Where there is no row yet, say how to get some."""
        super().paintEvent(event)
        viewport = self.viewport()
        if viewport is not None and self._table.rowCount() == 0:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter = QPainter(viewport)
            painter.setOpacity(0.6)
            painter.drawText(viewport.rect().adjusted(12, 12, -12, -12), int(flags), self.hint)
            painter.end()

    def _look_again(self) -> None:
        if not self._patience.isActive():
            self._patience.start()

    def _ask_for_thumbnails(self) -> None:
        viewport = self.viewport()
        first = self.rowAt(0)
        if viewport is None or first < 0:
            return
        last = self.rowAt(viewport.height() - 1)
        last = self._table.rowCount() - 1 if last < 0 else last
        # A page more, for whoever scrolls on.
        page = last - first + 1
        rows = [*range(first, min(last + page, self._table.rowCount() - 1) + 1)]
        self._thumbnails.ask([self._table.bracket(row) for row in rows])
