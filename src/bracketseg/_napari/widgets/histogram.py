"""A range of luma, set on the frame's histogram or by two numbers."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from bracketseg._napari.widgets.range_plot import RangePlot

WHITE = 255
SETTLE_MS = 400
"""Quiet time after which a number that was typed or stepped counts as chosen."""

CROSSING_MS = 2000
"""The same for one that is typed beyond the other bound, which it then takes along."""


class LumaBox(QDoubleSpinBox):
    """A number field for a bound: 0..255 in steps of 1; means may have a decimal."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setRange(0, WHITE)
        self.setDecimals(1)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave letters and the keys that page through scenes to the window.

        Neither is of use in a number: Qt would swallow the ones and take ten steps for the
        others, and who has typed a bound goes on with Accept or to the next scene.
        """
        pages = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if event is not None and (event.key() in pages or event.text().isalpha()):
            self.editingFinished.emit()
            event.ignore()
            return
        super().keyPressEvent(event)

    def textFromValue(self, v: float) -> str:  # noqa: N802 - Qt's name
        """Write whole numbers without a decimal point."""
        return f"{v:.0f}" if v == int(v) else super().textFromValue(v)


class RangeHistogram(QWidget):
    """The histogram of a frame's luma with two bounds that can be dragged or typed.

    Both bounds belong to the range. What a person does is told by `valueChanged` and
    `range_changed` while it moves, and once by `range_settled` when it has come to rest;
    :meth:`show_range` and :meth:`show_histogram` tell nothing.
    """

    valueChanged = Signal(tuple)  # noqa: N815 - as Qt's own controls have it
    range_changed = Signal(float, float)
    range_settled = Signal(float, float)

    def __init__(self, name: str, color: str, parent: QWidget | None = None) -> None:
        """Make it with the object name `name`; its fields are `<name>.lo` and `<name>.hi`.

        Parameters
        ----------
        name : str
        color : str
            Of the part of the histogram that lies in the range, as "#e69f00".
        """
        super().__init__(parent)
        self.setObjectName(name)
        self._range = (0.0, float(WHITE))
        self._locked = False
        self._moving = False
        self._plot = RangePlot(f"{name}.plot", color, self)
        self._lo = LumaBox(f"{name}.lo", "Smallest luma of the mask; it belongs to it", self)
        self._hi = LumaBox(f"{name}.hi", "Largest luma of the mask; it belongs to it", self)
        self._hi.setValue(WHITE)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._rested)
        self._crossing: LumaBox | None = None

        self._fields = QHBoxLayout()
        self._fields.setContentsMargins(0, 0, 0, 0)
        self._fields.addWidget(self._lo)
        self._fields.addWidget(QLabel("to", self))
        self._fields.addWidget(self._hi)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._plot, 1)
        layout.addLayout(self._fields)
        self._plot.bounds_dragged.connect(self.move_to)
        self._plot.drag_finished.connect(self.settle)
        for box in (self._lo, self._hi):
            box.valueChanged.connect(self._typed)
            box.editingFinished.connect(self._typing_done)
            # After Enter the keys belong to the picture again.
            box.editingFinished.connect(box.clearFocus)

    def add_to_fields(self, widget: QWidget, stretch: int = 0) -> None:
        """Put a control of the owner at the end of the row of number fields."""
        self._fields.addWidget(widget, stretch)

    def value(self) -> tuple[float, float]:
        """Give the range: lo, hi."""
        return self._range

    def setValue(self, value: tuple[float, float]) -> None:  # noqa: N802 - Qt's name
        """Move both bounds as a person would: it is told, and settles at once."""
        self.move_to(*value)
        self.settle()

    def move_to(self, lo: float, hi: float) -> None:
        """Move the bounds as a drag does; :meth:`settle` is its end."""
        moved = (min(max(lo, 0.0), WHITE), min(max(hi, 0.0), WHITE))
        if self._locked or moved == self._range or moved[0] > moved[1]:
            return
        self._range = moved
        self._moving = True
        self._settle.stop()
        self._show()
        self.valueChanged.emit(moved)
        self.range_changed.emit(*moved)

    def settle(self) -> None:
        """Say that the bounds have come to rest, where they had moved."""
        if self._moving:
            self._tell_settled()

    def show_range(self, lo: float, hi: float) -> None:
        """Show another range without telling anybody."""
        self._settle.stop()
        self._moving = False
        self._range = (lo, hi)
        self._show()

    def show_histogram(self, counts: NDArray[np.integer] | None) -> None:
        """Show the histogram of another frame.

        Parameters
        ----------
        counts : (256,) array of int, or None
            Pixels of each luma; None where there is no frame.
        """
        # Roots, because clipped and black areas would leave the rest of the plot flat.
        self._plot.show_heights(
            np.zeros(WHITE + 1) if counts is None else np.sqrt(counts.astype(float))
        )

    def set_locked(self, locked: bool) -> None:
        """Show the range but let nobody move it, as where Otsu has found it."""
        if locked == self._locked:
            return
        self._locked = locked
        self._lo.setEnabled(not locked)
        self._hi.setEnabled(not locked)
        self._plot.set_locked(locked)

    def _show(self) -> None:
        lo, hi = self._range
        for box, value in ((self._lo, lo), (self._hi, hi)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self._plot.show_bounds(lo, hi)

    def _typed(self) -> None:
        box = self._lo if self.sender() is self._lo else self._hi
        text = box.lineEdit()
        if self._lo.value() > self._hi.value() and text is not None and text.isModified():
            # Half a number, it may be: of 201 the 2 is not yet meant.
            self._crossing = box
            self._settle.start(CROSSING_MS)
            return
        self._take(box)
        self._settle.start(SETTLE_MS)

    def _take(self, box: LumaBox) -> None:
        """Take the number in a field; beyond the other bound it takes that along."""
        self._crossing = None
        lo, hi = self._lo.value(), self._hi.value()
        self.move_to(*((box.value(),) * 2 if lo > hi else (lo, hi)))

    def _typing_done(self) -> None:
        if self._settle.isActive():
            self._settle.stop()
            if self._crossing is not None:
                self._take(self._crossing)
            self.settle()

    def _rested(self) -> None:
        if self._crossing is not None:
            self._take(self._crossing)
        self._tell_settled()

    def _tell_settled(self) -> None:
        self._moving = False
        self.range_settled.emit(*self._range)
