"""What the Predict dock looks like."""

from typing import cast

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.predict.role import PredictRole
from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.forms import ConfigForm
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.learning.config import PredictConfig

_MAIN_HEIGHT = 34
_MIN_WIDTH = 320
"""Pixels at which the role, loss, Dice and date of a model have room."""

_STEPS = 100
"""Of the slider; the field beside it takes the same two decimals."""

# Setting, row, column and columns that it takes.
_PLACES = (
    ("scale", 0, 0, 3),
    ("device", 1, 0, 3),
    ("precision", 2, 0, 1),
    ("probability", 2, 2, 1),
    ("engine", 3, 0, 3),
)


class PredictControls:
    """Makes the controls and lays them out in a widget; what they do is said elsewhere.

    What is run and the status line stay in sight; the rest scrolls, up and down only, where
    the dock is low.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    """

    def __init__(self, dock: QWidget) -> None:
        self.roles = {role: PredictRole(role, dock) for role in MASK_ROLES}
        self.form = ConfigForm(PredictConfig(), "predict", choices={"device": ("auto", "cpu")})
        self.run = _button(dock, "predict.run", "Run")
        self.run.setMinimumHeight(_MAIN_HEIGHT)
        self.stop = _button(dock, "predict.stop", "Stop")
        self.stop.setMinimumHeight(_MAIN_HEIGHT)
        self.device = cast("QComboBox", self.form.native("device"))
        self.threshold = cast("QDoubleSpinBox", self.form.native("threshold"))
        self.threshold.setSingleStep(1 / _STEPS)
        self.slider = QSlider(Qt.Orientation.Horizontal, dock)
        self.slider.setObjectName("predict.threshold_slider")
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(self.threshold.toolTip())
        self.slider.setValue(round(self.threshold.value() * _STEPS))
        self.slider.valueChanged.connect(self._slider_moved)
        self.threshold.valueChanged.connect(self._threshold_typed)
        self.scores = {role: StillText(dock, f"predict.{role}_score") for role in MASK_ROLES}
        self.correct = _button(dock, "predict.correct", "Correct in Ground truth")
        self.run_all = _button(dock, "predict.run_all", "All scenes")
        self.folder = QToolButton(dock)
        self.folder.setObjectName("predict.folder")
        self.folder.setText("Save to…")
        self.status = StillText(dock, "predict.status", lines=4)
        self.show_problems = _button(dock, "predict.show_problems", "")
        self.show_problems.setFlat(True)
        self.problems = QPlainTextEdit(dock)
        self.problems.setObjectName("predict.problems")
        self.problems.setReadOnly(True)
        self.problems.setFixedHeight(110)
        self.problems.hide()
        self.show_problems.hide()
        self.show_problems.clicked.connect(
            lambda: self.problems.setVisible(self.problems.isHidden())
        )
        self._lay_out(dock)

    def _slider_moved(self, place: int) -> None:
        if place != round(self.threshold.value() * _STEPS):
            self.threshold.setValue(place / _STEPS)

    def _threshold_typed(self, value: float) -> None:
        self.slider.setValue(round(value * _STEPS))

    def _lay_out(self, dock: QWidget) -> None:
        dock.setMinimumWidth(_MIN_WIDTH)
        scrolled = QWidget(dock)
        layout = QVBoxLayout(scrolled)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        width = max(role.title.sizeHint().width() for role in self.roles.values())
        for role in self.roles.values():
            role.title.setFixedWidth(width)
            layout.addWidget(role)
        grid = QGridLayout()
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        for name, row, column, span in _PLACES:
            grid.addWidget(QLabel(self.form.title(name)), row, column)
            grid.addWidget(self.form.native(name), row, column + 1, 1, span)
        layout.addLayout(grid)
        layout.addLayout(
            _row(QLabel("Threshold"), self.slider, self.threshold, stretched=0, wide=self.slider)
        )
        for score in self.scores.values():
            layout.addWidget(score)
        layout.addWidget(self.correct)
        fill_dock(
            dock,
            scrolled,
            _row(self.run, self.stop, stretched=1),
            _row(self.run_all, self.folder, stretched=1),
            self.status,
            self.show_problems,
            self.problems,
        )


def _button(parent: QWidget, name: str, title: str) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName(name)
    # The keys belong to the picture: a button must not take them with the focus.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _row(*widgets: QWidget, stretched: int, wide: QWidget | None = None) -> QHBoxLayout:
    """Put widgets beside each other; the first `stretched` ones, or `wide`, get the room."""
    row = QHBoxLayout()
    row.setSpacing(4)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place < stretched or widget is wide else 0)
    return row
