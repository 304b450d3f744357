"""What the Metrics dock looks like."""

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.metrics.view import ROW, MetricsView
from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg._napari.widgets.still_text import StillText

MIN_WIDTH = 430
"""Pixels at which the tables have room for all columns."""

_LEAST = 8
"""Rows of the table that are always seen."""


class MetricsControls:
    """Makes the controls and lays them out in a widget; what they do is said elsewhere.

    The buttons and the status line stay in sight; the rest scrolls, up and down only, where
    the dock is low.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    """

    def __init__(self, dock: QWidget) -> None:
        self.scope = QComboBox(dock)
        self.scope.setObjectName("metrics.scope")
        self.scope.addItems(["These layers", "All scenes"])
        self.scope.setToolTip("Compare two open layers, or two folders of masks scene by scene")
        self.subset = ElidedCombo(dock)
        self.subset.setObjectName("metrics.scenes")
        self.subset.setToolTip("The scenes that the table, the means and the curves are about")
        self.subset.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.subset.setMinimumContentsLength(10)
        self.reference = _combo(dock, "metrics.reference")
        self.prediction = _combo(dock, "metrics.prediction")
        self.table = MetricsView(dock, "metrics.table")
        self.means = MetricsView(dock, "metrics.means")
        self.means_text = _text(dock, "metrics.means_text")
        self.means_text.setText("Means, and those of masks of all foreground and of none:")
        self.detail = _text(dock, "metrics.detail")
        self.legend = _text(dock, "metrics.legend")
        self.overlay = _button(
            dock, "metrics.overlay", "Overlay", "True and false positives and negatives in colour"
        )
        self.curves = _button(
            dock, "metrics.curves", "Curves", "ROC curve, and Dice over the threshold"
        )
        for button in (self.overlay, self.curves):
            button.setCheckable(True)
        self.copy = _button(
            dock, "metrics.copy", "Copy", "Copy the whole table; Ctrl+C in it copies what is marked"
        )
        self.export = _button(dock, "metrics.export", "Export…", "Save the table as CSV")
        self.report = _button(
            dock, "metrics.report", "Report…", "Tables 1 and 2 and more of finished trainings"
        )
        self.curves_text = _text(dock, "metrics.curves_text")
        self.take_over = _button(
            dock, "metrics.take_over", "Take over", "Hand the best threshold to the Predict dock"
        )
        self.progress = QProgressBar(dock)
        self.progress.setObjectName("metrics.progress")
        self.run = _button(dock, "metrics.run", "Again", "Read both folders again")
        self.stop = _button(dock, "metrics.stop", "Stop", "Stop; what was measured stays")
        self.show_problems = _button(dock, "metrics.show_problems", "", "What is not compared")
        self.show_problems.setFlat(True)
        self.problems = QPlainTextEdit(dock)
        self.problems.setObjectName("metrics.problems")
        self.problems.setReadOnly(True)
        self.problems.setFixedHeight(90)
        self.status = StillText(dock, "metrics.status", lines=2)
        self.curves_box = QWidget(dock)
        self._lay_out(dock)
        self.show_scope(everything=False)

    def _lay_out(self, dock: QWidget) -> None:
        choices = QGridLayout()
        choices.setHorizontalSpacing(6)
        choices.setVerticalSpacing(4)
        rows = (("Compare", self.scope), ("Reference", self.reference))
        for row, (title, control) in enumerate((*rows, ("Prediction", self.prediction))):
            choices.addWidget(QLabel(title, dock), row, 0)
            choices.addWidget(control, row, 1, 1, 1 if row == 0 else 2)
        choices.addWidget(self.subset, 0, 2)
        choices.setColumnStretch(1, 2)
        choices.setColumnStretch(2, 3)
        box = QVBoxLayout(self.curves_box)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(_row(self.curves_text, self.take_over, stretched=1))
        self.curves_box.hide()
        scrolled = QWidget(dock)
        inner = QVBoxLayout(scrolled)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(choices)
        inner.addWidget(self.table, 1)
        inner.addWidget(self.means_text)
        inner.addWidget(self.means)
        inner.addWidget(self.detail)
        inner.addWidget(self.legend)
        inner.addWidget(self.curves_box)
        inner.addWidget(self.show_problems)
        inner.addWidget(self.problems)
        buttons = (self.overlay, self.curves, self.copy, self.export, self.run, self.report)
        progress = _row(self.progress, self.stop, stretched=1)
        self._area = fill_dock(dock, scrolled, progress, _row(*buttons, stretched=6), self.status)
        for widget in (self.legend, self.problems, self.detail):
            widget.hide()
        self.table.setMinimumHeight(_LEAST * ROW)
        dock.setMinimumWidth(MIN_WIDTH)

    def add_plots(self, plots: QWidget) -> None:
        """Put the plots above what is said of them."""
        layout = self.curves_box.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(0, plots)

    def show_curves(self, *, on: bool) -> None:
        """Show or hide the curves, and scroll to them where the dock is too low."""
        self.curves_box.setVisible(on)
        if on:
            self._area.reveal(self.curves_box)

    def show_scope(self, *, everything: bool) -> None:
        """Show what belongs to two layers, or to all scenes."""
        for widget in (self.subset, self.means, self.means_text, self.run):
            widget.setVisible(everything)
        self.stop.hide()
        self.progress.hide()
        header = self.table.verticalHeader()
        if header is not None:
            header.setVisible(not everything)
            header.setDefaultSectionSize(2 * ROW - 4 if everything else ROW)
        behavior = QAbstractItemView.SelectionBehavior
        self.table.setSelectionBehavior(behavior.SelectRows if everything else behavior.SelectItems)
        self.table.setSortingEnabled(False)
        self.table.clearSpans()

    def set_columns(self, *, everything: bool) -> None:
        """Give the columns their widths, once the table has a model."""
        for view in (self.table, self.means):
            header = view.horizontalHeader()
            if header is None or not header.count():
                continue
            header.setMinimumSectionSize(20)
            header.setHighlightSections(False)
            if everything:
                header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
                for column in range(header.count()):
                    header.resizeSection(column, self._width(column))
            else:
                header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
            # The two tables keep their columns below each other, whatever room there is.
            header.setStretchLastSection(everything)
        header = self.table.horizontalHeader()
        if header is not None:
            header.setSectionsClickable(everything)
            header.setMinimumHeight(2 * self.table.fontMetrics().lineSpacing() + 8)

    def fit_means(self, rows: int) -> None:
        """Make the table of means as high as its rows."""
        self.means.setFixedHeight(rows * ROW + 4)
        for widget in (self.means, self.means_text):
            widget.setVisible(rows > 0)

    def _width(self, column: int) -> int:
        model = self.table.model()
        if model is None:
            return 0
        metrics = self.table.fontMetrics()
        heading = str(model.headerData(column, Qt.Orientation.Horizontal))
        widest = max(metrics.horizontalAdvance(part) for part in (*heading.split("\n"), "100.0%"))
        return widest + 7


def fill(combo: QComboBox, titles: Sequence[str], chosen: int) -> None:
    """Give a list other entries without telling anybody; -1 chooses none."""
    with QSignalBlocker(combo):
        combo.clear()
        combo.addItems(list(titles))
        combo.setCurrentIndex(chosen)
    combo.setToolTip(combo.currentText())


def _combo(parent: QWidget, name: str) -> ElidedCombo:
    combo = ElidedCombo(parent)
    combo.setObjectName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(10)
    combo.setPlaceholderText("(choose)")
    # A list that has the focus takes letters for names in it, and elsewhere they are keys.
    combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return combo


def _text(parent: QWidget, name: str) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setWordWrap(True)
    # Long words, such as paths, may break, and never make the dock wider.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def _button(parent: QWidget, name: str, title: str, tip: str) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _row(*widgets: QWidget, stretched: int) -> QHBoxLayout:
    """Put widgets beside each other; the first `stretched` ones share the room."""
    row = QHBoxLayout()
    row.setSpacing(4)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place < stretched else 0)
    return row
