"""A window with a table and a plot that fill up while the work goes on."""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from bracketseg.brackets.files import write_text
from bracketseg.wording import counted

TURN = 0.010
"""Seconds of rows after which the window gets its turn to draw and to listen."""


class ReportWindow(QDialog):
    """Shows rows as they come; it stays beside the picture, and closing it stops the work.

    Signals
    -------
    stop_wanted()
        The user pressed Stop or closed the window.
    export_wanted(Path)
        Write the table to this file.
    """

    stop_wanted = Signal()
    export_wanted = Signal(object)

    def __init__(
        self, name: str, title: str, columns: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 560)
        self._heading = QLabel(self)
        self._heading.setObjectName(f"{name}.heading")
        self._heading.setWordWrap(True)
        self.table = QTableWidget(0, len(columns), self)
        self.table.setObjectName(f"{name}.table")
        self.table.setHorizontalHeaderLabels(list(columns))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        rows, header = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and header is not None:
            rows.hide()
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            # By the rows in sight: left to itself Qt measures a thousand for each new one.
            header.setResizeContentsPrecision(0)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._waiting: deque[Sequence[str]] = deque()
        self._ending: str | None = None
        self._adding = QTimer(self)
        self._adding.setSingleShot(True)
        self._adding.setInterval(0)
        self._adding.timeout.connect(self._add_waiting)
        self._progress = QLabel(self)
        self._progress.setObjectName(f"{name}.progress")
        self.stop = QPushButton("Stop", self)
        self.stop.setObjectName(f"{name}.stop")
        self.export = QPushButton("Save table…", self)
        self.export.setObjectName(f"{name}.export")
        self.export.setEnabled(False)
        self.stop.clicked.connect(self.stop_wanted)
        self.export.clicked.connect(self._ask_file)
        buttons = QHBoxLayout()
        buttons.addWidget(self._progress, 1)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.export)
        self._layout = QVBoxLayout(self)
        self._layout.addWidget(self._heading)
        self._layout.addWidget(self.table, 3)
        self._layout.addLayout(buttons)

    def add_plot(self, plot: QWidget) -> None:
        """Put a plot below the table."""
        self._layout.insertWidget(2, plot, 2)

    def set_heading(self, text: str) -> None:
        """Say what the numbers are."""
        self._heading.setText(text)

    def set_progress(self, text: str) -> None:
        """Say how far the work is."""
        self._progress.setText(text)

    def add_row(self, cells: Sequence[str]) -> None:
        """Add a row at the end; of many at once, some in each turn of the event loop."""
        self._waiting.append(cells)
        self._adding.start()

    def end(self, text: str) -> None:
        """Say how the work has ended, and let the table be saved, when all rows are there."""
        self._ending = text
        self._adding.start()

    def write(self, path: Path, text: str) -> None:
        """Write the table to a file, and say so."""
        try:
            write_text(path, text)
        except OSError as error:
            self.set_progress(f"{path}: cannot be written ({error.strerror or error}).")
        else:
            self.set_progress(f"Saved {path.name}.")

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Stop the work."""
        self.stop_wanted.emit()
        if event is not None:
            super().closeEvent(event)

    def _add_waiting(self) -> None:
        end = time.perf_counter() + TURN
        while self._waiting:
            self._insert(self._waiting.popleft())
            if time.perf_counter() >= end:
                break
        if self._waiting:
            self._adding.start()
        elif self._ending is not None:
            self.set_progress(self._ending)
            self._ending = None
            self.stop.setEnabled(False)
            self.export.setEnabled(self.table.rowCount() > 0)

    def _insert(self, cells: Sequence[str]) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)

    def _ask_file(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save table", "", "Table (*.csv)")
        if name:
            path = Path(name)
            self.export_wanted.emit(path if path.suffix else path.with_suffix(".csv"))


def done_text(done: int, failures: int) -> str:
    """Say how many scenes were done.

    >>> done_text(1, 0), done_text(12, 2)
    ('1 scene.', '12 scenes, 2 could not be read.')
    """
    failed = f", {failures} could not be read" if failures else ""
    return f"{counted(done, 'scene')}{failed}."
