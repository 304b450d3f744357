"""What the Ground truth dock looks like."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.truth.keys import ACCEPT, COMPARE, MERGED, SKIP, UNDO
from bracketseg._napari.truth.role_panel import RolePanel
from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.key_help import KeyHelp
from bracketseg._napari.widgets.shortcuts import Shortcut, Shortcuts
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.bracket import MASK_ROLES

_MAIN_HEIGHT = 34


class TruthControls:
    """Makes the controls and lays them out in a widget; what they do is said elsewhere.

    The main buttons and the status line stay in sight; the rest scrolls, up and down
    only, where the dock is low.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    shortcuts : Shortcuts
        The keys that the help panel lists.
    """

    def __init__(self, dock: QWidget, shortcuts: Shortcuts) -> None:
        self.annotator = QLineEdit(dock)
        self.annotator.setObjectName("gt.annotator")
        self.annotator.setPlaceholderText("Your name")
        self.annotator.setToolTip("Who labels. Each annotator has a folder of their own.")
        self.folder = _tool(dock, "gt.folder", "Save to…", "")
        self.panels = {role: RolePanel(role, dock) for role in MASK_ROLES}
        self.from_prediction = QCheckBox("Start from the prediction, if any", dock)
        self.from_prediction.setObjectName("gt.from_prediction")
        self.from_prediction.setToolTip(
            "Scenes without masks begin as the network predicted them, instead of as a range"
        )
        self.from_prediction.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.coverage = _text(dock, "gt.coverage")
        self.coverage.setToolTip(
            "Parts of the picture that each mask covers, and both together (union). The remainder "
            "is in neither: too dark in the one frame and too bright in the other. Pieces are its "
            "separate areas."
        )
        self.merged = _button(
            dock, "gt.merged", "Merged", "Low, high, both and neither in four colours", MERGED
        )
        self.compare = _button(
            dock, "gt.compare", "Compare", "Your mask and Otsu's at once, in two colours", COMPARE
        )
        self.compare_set = _button(
            dock, "gt.compare_set", "Whole set…", "Your masks and Otsu's for every scene"
        )
        self.average = _button(
            dock, "gt.average", "Average…", "Mean ranges of all annotators, and their spread"
        )
        self.merged.setCheckable(True)
        self.compare.setCheckable(True)
        self.legend = _text(dock, "gt.legend")
        self.undo = _button(dock, "gt.undo", "Undo", "Take back a stroke or a range", UNDO)
        self.clear = _button(
            dock, "gt.clear_corrections", "Clear corrections", "Take all strokes off both masks"
        )
        self.accept = _button(
            dock, "gt.accept", "Accept", "Save the masks and go to the next scene", ACCEPT
        )
        self.accept.setMinimumHeight(_MAIN_HEIGHT)
        self.skip = _button(
            dock, "gt.skip", "Skip", "Go to the next scene without saving masks", SKIP
        )
        self.skip.setMinimumHeight(_MAIN_HEIGHT)
        self.keys = KeyHelp(shortcuts, "gt.keys", dock)
        self.status = StillText(dock, "gt.status", lines=2)

        self._lay_out(dock)

    def _lay_out(self, dock: QWidget) -> None:
        scrolled = QWidget(dock)
        inner = QVBoxLayout(scrolled)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(_row(self.annotator, self.folder, self.keys, stretched=1))
        for panel in self.panels.values():
            inner.addWidget(panel, 1)
        inner.addWidget(self.from_prediction)
        inner.addWidget(self.coverage)
        inner.addLayout(_row(self.undo, self.clear, stretched=2))
        inner.addLayout(_row(self.merged, self.compare, stretched=2))
        inner.addWidget(self.legend)
        inner.addLayout(_row(self.compare_set, self.average, stretched=2))
        fill_dock(dock, scrolled, _row(self.accept, self.skip, stretched=1), self.status)


def _text(parent: QWidget, name: str) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setWordWrap(True)
    return label


def _button(
    parent: QWidget, name: str, title: str, tip: str, shortcut: Shortcut | None = None
) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName(name)
    button.setToolTip(f"{tip} ({shortcut.text})" if shortcut is not None else tip)
    # The keys belong to the picture: a button must not take them with the focus.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _tool(parent: QWidget, name: str, title: str, tip: str) -> QToolButton:
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setText(title)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget, stretched: int) -> QHBoxLayout:
    """Put widgets beside each other; the first `stretched` ones share the room."""
    row = QHBoxLayout()
    row.setSpacing(4)
    for place, widget in enumerate(widgets):
        row.addWidget(widget, 1 if place < stretched else 0)
    return row
