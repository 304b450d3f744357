"""The controls of one role: its image, its method, its range."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.layers.provenance import mask_colormap
from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg._napari.widgets.histogram import RangeHistogram
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import Bounds
from bracketseg.labeling.rules import is_threshold

Method = Literal["manual", "otsu", "auto", "prediction"]

_TITLES: dict[MaskRole, str] = {"low": "Low", "high": "High"}
_FRAMES: dict[MaskRole, str] = {"low": "the dark frame", "high": "the bright frame"}
_METHODS: tuple[tuple[str, Method], ...] = (
    ("Manual", "manual"),
    ("Otsu", "otsu"),
    ("Automatic", "auto"),
    ("Prediction", "prediction"),
)
# What the command can make, and this only shows.
_OTHERS = {
    "division": "Histogram division",
    "mixture": "Gaussian mixture",
    "valley": "Histogram valley",
}
_NONE = "(none)"


def _color(role: MaskRole) -> str:
    red, green, blue = (round(255 * part) for part in mask_colormap(role).color_dict[None][:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def _method_of(rule: Basis | None) -> str:
    if isinstance(rule, Prediction):
        return "prediction"
    return rule.method if rule is not None else "manual"


class RolePanel(QFrame):
    """Shows one role and tells what a person asks for; it changes nothing itself.

    Signals
    -------
    image_chosen(Image or None)
    method_chosen(str)
        "manual", "otsu", "auto" or "prediction".
    range_moved(lo, hi)
        While a bound moves, at most once in each turn of the event loop.
    range_settled(lo, hi)
    pick_wanted(bool)
        Whether clicks into the picture shall move a bound.
    touched()
        The user turned to this role.
    """

    image_chosen = Signal(object)
    method_chosen = Signal(str)
    range_moved = Signal(float, float)
    range_settled = Signal(float, float)
    pick_wanted = Signal(bool)
    touched = Signal()

    def __init__(self, role: MaskRole, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[Image] = []
        self._latest: tuple[float, float] | None = None
        self.setObjectName(f"gt.{role}")
        self.title = QPushButton(self)
        self.title.setObjectName(f"gt.{role}.focus")
        self.title.setText(_TITLES[role])
        self.title.setCheckable(True)
        self.title.setToolTip(f"Show {_FRAMES[role]} and paint on its mask")
        self.image = ElidedCombo(self)
        self.image.setObjectName(f"gt.{role}.image")
        self._image_tip = f"The open image that is {_FRAMES[role]}"
        self.image.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.image.setMinimumContentsLength(6)
        self.image.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.method = QComboBox(self)
        self.method.setObjectName(f"gt.{role}.method")
        self.method.setToolTip(
            "How the mask begins: a range of brightness (luma) that you choose, Otsu's threshold, "
            "which parts dark from bright by itself, a range that is found from where the frames "
            "of the bracket clip, or what a network predicted"
        )
        for title, method in _METHODS:
            self.method.addItem(title, method)
        # napari draws a tool button that is down as one that is up.
        self.pick = QPushButton(self)
        self.pick.setObjectName(f"gt.{role}.pick")
        self.pick.setText("Pick")
        self.pick.setCheckable(True)
        self.pick.setToolTip("Click into the picture: the nearer bound moves to the luma there")
        # A list that has the focus takes letters for names in it, and here they are keys.
        for control in (self.title, self.image, self.method, self.pick):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.range = RangeHistogram(f"gt.{role}.range", _color(role), self)
        self.found = QLabel(self)
        self.found.setObjectName(f"gt.{role}.threshold")
        self.why = QLabel(self)
        self.why.setObjectName(f"gt.{role}.why")
        self.why.setWordWrap(True)
        self.why.hide()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._build()
        self._connect()

    def _build(self) -> None:
        first = QHBoxLayout()
        first.addWidget(self.title)
        first.addWidget(self.image, 1)
        first.addWidget(self.method)
        self.range.add_to_fields(self.found, 1)
        self.range.add_to_fields(self.pick)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(3)
        layout.addLayout(first)
        layout.addWidget(self.range, 1)
        layout.addWidget(self.why)

    def _connect(self) -> None:
        self.title.clicked.connect(self._title_clicked)
        self.image.currentIndexChanged.connect(self._image_picked)
        self.method.currentIndexChanged.connect(self._method_picked)
        self.range.range_changed.connect(self._moved)
        self.range.range_settled.connect(self._settled)
        self.pick.toggled.connect(self.pick_wanted)
        self._later.timeout.connect(self._tell_moved)

    def show_images(self, images: Sequence[Image], chosen: Image | None) -> None:
        """List the images that can be chosen, the topmost first."""
        self._images = list(reversed(images))
        self.image.blockSignals(True)
        self.image.clear()
        self.image.addItems([*(image.name for image in self._images), _NONE])
        here = [i for i, image in enumerate(self._images) if image is chosen]
        self.image.setCurrentIndex(here[0] if here else len(self._images))
        self.image.setEnabled(bool(self._images))
        self.image.setToolTip(f"{self._image_tip}: {chosen.name}" if chosen else self._image_tip)
        self.image.blockSignals(False)

    def show_counts(self, counts: NDArray[np.intp] | None) -> None:
        """Show the histogram of a frame; None where there is none to label."""
        self.range.show_histogram(counts)
        for control in (self.title, self.method, self.range, self.pick):
            control.setEnabled(counts is not None)

    def show_predicted(self, *, there: bool) -> None:
        """Offer to begin from a prediction, where there is one."""
        items = self.method.model()
        place = self.method.findData("prediction")
        item = items.item(place) if isinstance(items, QStandardItemModel) else None
        if item is not None:
            item.setEnabled(there)
            item.setToolTip("" if there else "Predict this scene first, in the Predict dock")

    def show_rule(self, rule: Basis | None, bounds: Bounds | None) -> None:
        """Show how the mask is made."""
        predicted = isinstance(rule, Prediction)
        threshold = is_threshold(rule)
        self._show_method(_method_of(rule))
        self.range.set_locked(threshold)
        self.range.setEnabled(rule is not None and not predicted)
        self.found.setVisible(threshold or predicted)
        self.pick.setVisible(not (threshold or predicted))
        why = rule.found.why if isinstance(rule, Automatic) and rule.found else ""
        self.why.setText(f"{why[:1].upper()}{why[1:]}." if why else "")
        self.why.setVisible(bool(why))
        if isinstance(rule, Prediction):
            self.found.setText("as predicted")
            made = rule.origin
            self.found.setToolTip(f"By {made.model}, at the threshold {made.threshold:g}")
        if bounds is None:
            return
        lo, hi = min(bounds.lo, 255.0), max(bounds.hi, 0.0)
        if (lo, hi) != self.range.value():
            self.range.show_range(lo, hi)
        if threshold:
            luma = hi if bounds.lo == 0 else bounds.lo - 1
            self.found.setText(f"t = {luma:g}")
            self.found.setToolTip(f"{self.method.currentText()}: the threshold is {luma:g}")

    def show_finding(self) -> None:
        """Show that an automatic range is being found."""
        self._show_method("auto")

    def _show_method(self, method: str) -> None:
        self.method.blockSignals(True)
        for place in range(self.method.count() - 1, len(_METHODS) - 1, -1):
            self.method.removeItem(place)
        if method in _OTHERS:
            self.method.addItem(_OTHERS[method], method)
        self.method.setCurrentIndex(self.method.findData(method))
        self.method.blockSignals(False)

    def show_focus(self, *, focused: bool) -> None:
        """Show whether this is the role that is being worked on."""
        self.title.setChecked(focused)

    def show_picking(self, *, picking: bool) -> None:
        """Show whether clicks into the picture move a bound."""
        self.pick.blockSignals(True)
        self.pick.setChecked(picking)
        self.pick.blockSignals(False)

    def _title_clicked(self) -> None:
        self.title.setChecked(True)
        self.touched.emit()

    def _image_picked(self, index: int) -> None:
        self.image_chosen.emit(self._images[index] if index < len(self._images) else None)

    def _method_picked(self, index: int) -> None:
        self.method_chosen.emit(self.method.itemData(index))

    def _moved(self, lo: float, hi: float) -> None:
        # Moves that arrive before the window had its turn to draw are one move. The first
        # is told at once, so that plot and picture are drawn in the same turn.
        if self._later.isActive():
            self._latest = (lo, hi)
        else:
            self._later.start()
            self.range_moved.emit(lo, hi)

    def _tell_moved(self) -> None:
        if self._latest is not None:
            latest, self._latest = self._latest, None
            self._moved(*latest)

    def _settled(self, lo: float, hi: float) -> None:
        self._later.stop()
        self._latest = None
        self.range_settled.emit(lo, hi)
