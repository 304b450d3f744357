"""The plot of a luma histogram with two bounds that a mouse moves."""

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent, MouseDragEvent
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtWidgets import QGraphicsItem, QWidget

_BARS = "#9a9da1"
_TINT = 110
_TICKS = (0, 64, 128, 192, 255)


class _BoundsViewBox(pyqtgraph.ViewBox):  # type: ignore[misc] # it has no types
    """Takes a drag or click anywhere in the plot as one of the nearer bound.

    The lines themselves are a few pixels wide, which is hard to hit.
    """

    moved = Signal(float, bool, bool)

    def mouseDragEvent(self, ev: MouseDragEvent, axis: int | None = None) -> None:  # noqa: ARG002, N802
        if ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            position: QPointF = self.mapToView(ev.buttonDownPos() if ev.isStart() else ev.pos())
            self.moved.emit(position.x(), ev.isStart(), ev.isFinish())

    def mouseClickEvent(self, ev: MouseClickEvent) -> None:  # noqa: N802 - pyqtgraph's name
        if ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            self.moved.emit(self.mapToView(ev.pos()).x(), True, True)


class RangePlot(pyqtgraph.PlotWidget):  # type: ignore[misc] # it has no types
    """A histogram; what lies within the bounds is tinted.

    `bounds_dragged(lo, hi)` is emitted with whole numbers while a bound follows the
    mouse, `drag_finished()` when the button is released.
    """

    bounds_dragged = Signal(float, float)
    drag_finished = Signal()

    def __init__(self, name: str, color: str, parent: QWidget | None = None) -> None:
        box = _BoundsViewBox(enableMenu=False)
        super().__init__(parent, background=None, viewBox=box)
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setToolTip("Luma of the frame (heights are square roots). Drag a bound.")
        # The keys stay with the picture.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._bounds = (0.0, 255.0)
        self._grabbed = 0
        self._locked = False
        box.setMouseEnabled(x=False, y=False)
        box.moved.connect(self._mouse_at)
        self.hideButtons()
        self.hideAxis("left")
        axis = self.getAxis("bottom")
        axis.setTicks([[(tick, str(tick)) for tick in _TICKS]])
        axis.setHeight(18)
        # Room for half of the last tick's number.
        self.setXRange(-6, 269, padding=0)
        bars = {"stepMode": "center", "fillLevel": 0, "pen": None}
        self._edges = np.arange(257) - 0.5
        self._heights = np.zeros(256)
        self._bars = self.plot(self._edges, self._heights, brush=_BARS, **bars)
        # Drawn once and then copied, while the bounds move over it.
        self._bars.curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._region = pyqtgraph.LinearRegionItem(
            self._bounds,
            brush=(*pyqtgraph.mkColor(color).getRgb()[:3], _TINT),
            pen=pyqtgraph.mkPen(color, width=2),
            movable=False,
        )
        self.addItem(self._region)

    def show_state(
        self, heights: NDArray[np.float64], lo: float, hi: float, *, locked: bool
    ) -> None:
        """Show a histogram and the bounds on it; nothing is emitted.

        Parameters
        ----------
        heights : (256,) float64
        lo, hi : float
            Both belong to the range.
        locked : bool
            Whether the mouse moves nothing.
        """
        self._bounds, self._locked = (lo, hi), locked
        self.setCursor(Qt.CursorShape.ArrowCursor if locked else Qt.CursorShape.SplitHCursor)
        # The bars stay as they are while the tint moves over them, for it moves often.
        if heights is not self._heights:
            self._heights = heights
            self._bars.setData(self._edges, heights)
        self._region.setRegion((lo, hi))
        self._region.setVisible(bool(heights.any()))

    def _mouse_at(self, x: float, start: bool, finish: bool) -> None:
        if self._locked:
            return
        if start:
            lo, hi = self._bounds
            self._grabbed = 0 if abs(x - lo) < abs(x - hi) or x < lo else 1
        luma = float(min(max(round(x), 0), 255))
        lo, hi = self._bounds
        moved = (min(luma, hi), hi) if self._grabbed == 0 else (lo, max(luma, lo))
        if moved != self._bounds:
            self._bounds = moved
            self.bounds_dragged.emit(*moved)
        if finish:
            self.drag_finished.emit()
