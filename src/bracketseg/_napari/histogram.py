"""A range of luma, set on the frame's histogram or by two numbers."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from bracketseg._napari.range_plot import RangePlot

WHITE = 255
SETTLE_MS = 400
"""Quiet time after which a number that was typed or stepped counts as chosen."""

PLOT_HEIGHT = 84


class LumaBox(QDoubleSpinBox):
    """A number field for a bound: 0..255 in steps of 1; means may have a decimal."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setRange(0, WHITE)
        self.setDecimals(1)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def textFromValue(self, v: float) -> str:  # noqa: N802 - Qt's name
        """Write whole numbers without a decimal point."""
        return f"{v:.0f}" if v == int(v) else super().textFromValue(v)


class RangeHistogram(QWidget):
    """The histogram of a frame's luma with two bounds that can be dragged or typed.

    Both bounds belong to the range. What a person does is told by `valueChanged` and
    `range_changed` while it moves, and once by `range_settled` when it has come to rest;
    :meth:`show_range` and :meth:`show_histogram` tell nothing.

    The plotting library is loaded at the first sight of the widget, not when it is made.
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
        self._color = color
        self._range = (0.0, float(WHITE))
        self._counts = np.zeros(WHITE + 1)
        self._locked = False
        self._moving = False
        self._plot: RangePlot | None = None
        self._lo = LumaBox(f"{name}.lo", "Smallest luma of the mask; it belongs to it", self)
        self._hi = LumaBox(f"{name}.hi", "Largest luma of the mask; it belongs to it", self)
        self._hi.setValue(WHITE)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._tell_settled)

        self._room = QWidget(self)
        self._room.setMinimumHeight(PLOT_HEIGHT)
        self._room.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        QVBoxLayout(self._room).setContentsMargins(0, 0, 0, 0)
        self._fields = QHBoxLayout()
        self._fields.setContentsMargins(0, 0, 0, 0)
        self._fields.addWidget(self._lo)
        self._fields.addWidget(QLabel("to", self))
        self._fields.addWidget(self._hi)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._room, 1)
        layout.addLayout(self._fields)
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
        self._counts = np.zeros(WHITE + 1) if counts is None else np.sqrt(counts.astype(float))
        self._show()

    def set_locked(self, locked: bool) -> None:
        """Show the range but let nobody move it, as where Otsu has found it."""
        self._locked = locked
        self._lo.setEnabled(not locked)
        self._hi.setEnabled(not locked)
        self._show()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Fit into a dock of ordinary width."""
        return QSize(280, PLOT_HEIGHT + 30)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Plan the plot; the rest of the window is painted first."""
        super().showEvent(event)
        if self._plot is None:
            QTimer.singleShot(0, self._make_plot)

    def _make_plot(self) -> None:
        if self._plot is not None:
            return
        # A fifth of a second that the opening of a dock need not wait for.
        from bracketseg._napari.range_plot import RangePlot

        plot = RangePlot(f"{self.objectName()}.plot", self._color, self._room)
        plot.bounds_dragged.connect(self.move_to)
        plot.drag_finished.connect(self.settle)
        self._plot = plot
        layout = self._room.layout()
        if layout is not None:
            layout.addWidget(plot)
        self._show()

    def _show(self) -> None:
        lo, hi = self._range
        for box, value in ((self._lo, lo), (self._hi, hi)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        if self._plot is not None:
            self._plot.show_state(self._counts, lo, hi, locked=self._locked)

    def _typed(self) -> None:
        lo, hi = self._lo.value(), self._hi.value()
        # A bound that is typed beyond the other one takes it along.
        if lo > hi:
            lo, hi = (lo, lo) if self.sender() is self._lo else (hi, hi)
        self.move_to(lo, hi)
        self._settle.start()

    def _typing_done(self) -> None:
        if self._settle.isActive():
            self._settle.stop()
            self.settle()

    def _tell_settled(self) -> None:
        self._moving = False
        self.range_settled.emit(*self._range)
