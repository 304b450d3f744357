"""The plot of a luma histogram with two bounds that a mouse moves."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget

_GREY = "#9a9da1"
_TINT = 110
_TICKS = (0, 64, 128, 192, 255)
_MARGIN = 12
"""Room for half of the last tick's number."""

_AXIS = 18
_HEIGHT = 84


class RangePlot(QWidget):
    """A histogram; what lies within the bounds is tinted.

    A press anywhere in it takes the nearer bound: the lines themselves are a few pixels
    wide, which is hard to hit. `bounds_dragged(lo, hi)` is emitted with whole numbers while
    a bound follows the mouse, `drag_finished()` when the button is released.

    It is drawn without a plotting library: that took longer than the mask of a frame, and
    has to be loaded.
    """

    bounds_dragged = Signal(float, float)
    drag_finished = Signal()

    def __init__(self, name: str, color: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setToolTip(
            "How many pixels have each luma, which is how bright a pixel is: 0 is black, 255 is "
            "white. Those between the two bounds are the mask; drag a bound to move it. (Heights "
            "are square roots.)"
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_HEIGHT)
        self._line = QColor(color)
        self._tint = QColor(color)
        self._tint.setAlpha(_TINT)
        self._bounds = (0.0, 255.0)
        self._heights = np.zeros(256)
        self._locked = False
        self._dragged: int | None = None
        self._drawn = QPixmap()
        self.set_locked(False)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Fit into a dock of ordinary width."""
        return QSize(280, _HEIGHT)

    def show_heights(self, heights: NDArray[np.float64]) -> None:
        """Show another histogram, (256,) float64; a bound that is held was another frame's."""
        self._heights = heights
        self._dragged = None
        self._drawn = QPixmap()
        self.update()

    def show_bounds(self, lo: float, hi: float) -> None:
        """Show other bounds, both of which belong to the range; nothing is emitted."""
        self._bounds = (lo, hi)
        self.update()

    def set_locked(self, locked: bool) -> None:
        """Let the mouse move the bounds, or not."""
        self._locked = locked
        self._dragged = None
        self.setCursor(Qt.CursorShape.ArrowCursor if locked else Qt.CursorShape.SplitHCursor)

    def point_at(self, luma: float) -> QPoint:
        """Give the point half-way up the plot that stands for a luma."""
        return QPoint(round(self._x(luma)), (self.height() - _AXIS) // 2)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Draw the bounds over the bars, which stay as they are while a bound moves.

        A range that does not count, as of a mask that was predicted, has no bounds.
        """
        ratio = self.devicePixelRatioF()
        if self._drawn.size() != self.size() * ratio:
            self._drawn = QPixmap(self.size() * ratio)
            self._drawn.setDevicePixelRatio(ratio)
            self._draw_bars()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        if self._heights.any() and self.isEnabled():
            floor = self.height() - _AXIS
            left, right = (self._x(bound) for bound in self._bounds)
            painter.fillRect(QRectF(left, 0, right - left, floor), self._tint)
            for x in (left, right):
                painter.fillRect(QRectF(x - 1, 0, 2, floor), self._line)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the nearer bound to where the mouse is."""
        if event is None or self._locked or event.button() != Qt.MouseButton.LeftButton:
            return
        luma, (lo, hi) = self._luma(event.position().x()), self._bounds
        self._dragged = 0 if abs(luma - lo) < abs(luma - hi) or luma < lo else 1
        self._drag_to(luma)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Have the bound follow the mouse."""
        if event is not None:
            self._drag_to(self._luma(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let go of the bound."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._drag_to(self._luma(event.position().x()))
            if self._dragged is not None:
                self._dragged = None
                self.drag_finished.emit()

    def _drag_to(self, luma: float) -> None:
        lo, hi = self._bounds
        if self._dragged is None:
            return
        moved = (min(luma, hi), hi) if self._dragged == 0 else (lo, max(luma, lo))
        if moved != self._bounds:
            self.show_bounds(*moved)
            self.bounds_dragged.emit(*moved)

    def _x(self, luma: float) -> float:
        return _MARGIN + luma * (self.width() - 2 * _MARGIN) / 255

    def _luma(self, x: float) -> float:
        luma = (x - _MARGIN) * 255 / max(1, self.width() - 2 * _MARGIN)
        return float(min(max(round(luma), 0), 255))

    def _draw_bars(self) -> None:
        self._drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(self._drawn)
        grey = QColor(_GREY)
        floor = self.height() - _AXIS
        tallest = max(1.0, float(self._heights.max()))
        width = self._x(1) - self._x(0)
        for luma, height in enumerate(self._heights / tallest * (floor - 2)):
            bar = QRectF(self._x(luma) - width / 2, floor - height, width, height)
            painter.fillRect(bar, grey)
        painter.fillRect(QRectF(self._x(0), floor, self._x(255) - self._x(0), 1), grey)
        painter.setPen(grey)
        for tick in _TICKS:
            painter.fillRect(QRectF(self._x(tick), floor, 1, 4), grey)
            room = QRectF(self._x(tick) - 20, floor + 4, 40, _AXIS - 4)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, str(tick))
        painter.end()
