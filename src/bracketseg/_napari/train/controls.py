"""What the Train dock looks like."""

from typing import cast

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QIcon
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg._napari.widgets.forms import ConfigForm
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.learning.config import LOSSES, TrainConfig

_MAIN_HEIGHT = 34
_MIN_WIDTH = 100
_NUMBER_WIDTH = 124
"""Shows a learning rate whole, between its two buttons."""
_LINES = 4
_PAIRS = (("epochs", "batch_size"), ("learning_rate", "image_size"))
_EXPERT = (("validation", "dropout"), ("seed", "precision"), ("augment", None))


class TrainControls:
    """Makes the controls and lays them out in a widget; what they do is said elsewhere.

    The settings and the curves scroll, up and down only, where the dock is low; Start and the
    status line below them stay in sight. The curves get what room is left.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    """

    def __init__(self, dock: QWidget) -> None:
        self.form = ConfigForm(
            TrainConfig(),
            "train",
            leave_out=("role", "loss", "filters"),
            choices={"device": ("auto", "cpu")},
        )
        self.device = cast("QComboBox", self.form.native("device"))
        self.settings = QWidget(dock)
        self.folder, self.browse_folder = _path(
            self.settings, "train.folder", "Folder of brackets", "Whose scenes are learned"
        )
        self.masks = ElidedCombo(self.settings)
        self.masks.setObjectName("train.masks")
        self.masks.setToolTip("The ground truth: a labelling of these brackets")
        _narrow(self.masks)
        self.browse_masks = QToolButton(self.settings)
        self.browse_masks.setObjectName("train.browse_masks")
        self.browse_masks.setText("…")
        self.browse_masks.setToolTip("Choose another folder of masks")
        fields = TrainConfig.model_fields
        self.role = _choice(self.settings, "train.role", fields["role"].description or "")
        for role in MASK_ROLES:
            self.role.addItem(role, (role,))
        self.role.addItem("both", MASK_ROLES)
        self.loss = _choice(self.settings, "train.loss", fields["loss"].description or "")
        for loss in LOSSES:
            self.loss.addItem(loss, (loss,))
        self.loss.addItem("all three", LOSSES)
        self.out, self.browse_out = _path(
            self.settings,
            "train.out",
            "A new one in runs, beside the brackets",
            "Where the run is kept; of several runs each gets a folder in it. Left empty, it is "
            "a new folder in runs, beside the brackets.",
        )
        self.expert = QToolButton(self.settings)
        self.expert.setObjectName("train.expert")
        self.expert.setText("More settings")
        self.expert.setCheckable(True)
        self.expert.setAutoRaise(True)
        self.expert.setArrowType(Qt.ArrowType.RightArrow)
        self.expert.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.reset = QPushButton("Defaults", self.settings)
        self.reset.setObjectName("train.reset")
        self.reset.setToolTip("Set everything back to what the paper trains with")
        self._further: list[QWidget] = []
        self.expert.toggled.connect(self._unfold)
        self.start = _button(dock, "train.start", "Start", "Train with these settings")
        self.stop = _button(
            dock, "train.stop", "Stop", "End after the step in hand; Resume goes on from there"
        )
        self.resume = _button(dock, "train.resume", "Resume", "")
        self.predict = _button(dock, "train.predict", "Predict", "")
        self.status = StillText(dock, "train.status", lines=_LINES)
        self.details_button = QPushButton(dock)
        self.details_button.setObjectName("train.show_details")
        self.details_button.setFlat(True)
        self.details_button.hide()
        self.details = QPlainTextEdit(dock)
        self.details.setObjectName("train.details")
        self.details.setReadOnly(True)
        self.details.setFixedHeight(90)
        self.details.hide()
        self.plot = QWidget(dock)
        self.plot.setObjectName("train.plot")
        # The curves themselves are made later: see the dock.
        self.plot_hint = QLabel("No curves: start a training, or tick a run.", self.plot)
        self.plot_hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        holder = QVBoxLayout(self.plot)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addWidget(self.plot_hint)
        self.runs = QListWidget(dock)
        self.runs.setObjectName("train.runs")
        self.runs.setToolTip(
            "The runs of this folder. A tick shows the curves; Resume goes on with the one that "
            "is selected, if it is not finished."
        )
        self.runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.runs.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.runs.hide()
        self.tabs = QTabWidget(dock)
        self.tabs.setObjectName("train.tabs")
        self._lay_out_settings()
        self._lay_out(dock)

    def _unfold(self, on: bool) -> None:
        self.expert.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        for widget in self._further:
            widget.setVisible(on)

    def _lay_out_settings(self) -> None:
        grid = QGridLayout(self.settings)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        grid.setColumnMinimumWidth(1, _NUMBER_WIDTH)
        masks = QHBoxLayout()
        masks.addWidget(self.masks, 1)
        masks.addWidget(self.browse_masks)
        grid.addWidget(QLabel("Brackets"), 0, 0)
        grid.addWidget(self.folder, 0, 1, 1, 3)
        grid.addWidget(QLabel("Masks"), 1, 0)
        grid.addLayout(masks, 1, 1, 1, 3)
        for column, (title, box) in enumerate((("Role", self.role), ("Loss", self.loss))):
            grid.addWidget(QLabel(title), 2, 2 * column)
            grid.addWidget(box, 2, 2 * column + 1)
        self._place(grid, 3, _PAIRS)
        grid.addWidget(QLabel(self.form.title("device")), 5, 0)
        grid.addWidget(self.device, 5, 1, 1, 3)
        grid.addWidget(QLabel("Run folder"), 6, 0)
        grid.addWidget(self.out, 6, 1, 1, 3)
        fold = QHBoxLayout()
        fold.addWidget(self.expert)
        fold.addStretch(1)
        fold.addWidget(self.reset)
        grid.addLayout(fold, 7, 0, 1, 4)
        self._further = self._place(grid, 8, _EXPERT)
        self._unfold(False)

    def _place(
        self, grid: QGridLayout, first: int, names: tuple[tuple[str, str | None], ...]
    ) -> list[QWidget]:
        placed: list[QWidget] = []
        for row, pair in enumerate(names, first):
            for column, name in enumerate(pair):
                if name is not None:
                    label, control = QLabel(self.form.title(name)), self.form.native(name)
                    grid.addWidget(label, row, 2 * column)
                    grid.addWidget(control, row, 2 * column + 1)
                    placed += [label, control]
        return placed

    def _lay_out(self, dock: QWidget) -> None:
        curves = QWidget(self.tabs)
        inner = QVBoxLayout(curves)
        inner.setContentsMargins(0, 4, 0, 0)
        inner.addWidget(self.plot, 1)
        inner.addWidget(self.runs)
        self.tabs.addTab(curves, "Curves")
        scrolled = QWidget(dock)
        column = QVBoxLayout(scrolled)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.settings)
        column.addWidget(self.tabs, 1)
        buttons = QHBoxLayout()
        for button in (self.start, self.stop, self.resume, self.predict):
            buttons.addWidget(button, 1)
        self._area = fill_dock(
            dock, scrolled, buttons, self.status, self.details_button, self.details
        )

    def show_results(self) -> None:
        """Scroll to the curves and examples, where the dock is too low for everything."""
        self._area.reveal(self.tabs)


def _path(parent: QWidget, name: str, hint: str, tip: str) -> tuple[QLineEdit, QAction]:
    """Make a line for a path, and the action at its end that lets choose one."""
    line = QLineEdit(parent)
    line.setObjectName(name)
    line.setPlaceholderText(hint)
    line.setToolTip(tip)
    style = parent.style()
    icon = QStyle.StandardPixmap.SP_DirOpenIcon
    browse = QAction(QIcon() if style is None else style.standardIcon(icon), "Browse", line)
    browse.setToolTip("Choose a folder")
    line.addAction(browse, QLineEdit.ActionPosition.TrailingPosition)
    return line, browse


def _choice(parent: QWidget, name: str, tip: str) -> QComboBox:
    box = QComboBox(parent)
    box.setObjectName(name)
    box.setToolTip(tip)
    _narrow(box)
    return box


def _narrow(box: QComboBox) -> None:
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumWidth(_MIN_WIDTH)


def _button(parent: QWidget, name: str, title: str, tip: str) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setMinimumHeight(_MAIN_HEIGHT)
    button.setEnabled(False)
    return button
