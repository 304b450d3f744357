"""The curves of a training, and of earlier ones beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import pyqtgraph
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QColor, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from bracketseg._napari.widgets.plain_plot import PlainPlot
from bracketseg.learning.progress import EpochRecord

_LEAST = 64
_AXIS = 40
"""Pixels of the numbers and the title of the epochs."""

_FEW = 12
"""Epochs up to which each is a dot, too: a line needs two."""

_SOLID, _DASHED = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine
_LINES = {
    "train_loss": (0, _DASHED),
    "validation_loss": (0, _SOLID),
    "validation_dice": (1, _SOLID),
    "validation_jaccard": (1, _DASHED),
}
_TITLES = (
    "Loss: ━ validation  ┅ training",
    "Validation: ━ Dice  ┅ Jaccard  ★ best  ··· all foreground",
)


@dataclass(frozen=True, kw_only=True)
class Curves:
    """What is drawn of one run.

    Attributes
    ----------
    run : Path
    color : str
    records : sequence of EpochRecord
    steps : sequence of (float, float)
        Epochs done and the loss of a batch: drawn faintly, so that the first epoch shows
        something, too.
    baseline : float or None
        The Dice of a mask that is all foreground.
    """

    run: Path
    color: str
    records: Sequence[EpochRecord]
    steps: Sequence[tuple[float, float]] = ()
    baseline: float | None = None


class _EpochAxis(pyqtgraph.AxisItem):  # type: ignore[misc] # it has no types
    """Has ticks at whole epochs only."""

    def tickSpacing(self, *place: float) -> list[tuple[float, float]]:  # noqa: N802 - its name
        spacing = super().tickSpacing(*place)
        return [(step, start) for step, start in spacing if step >= 1] or [(1, 0)]


class TrainPlot(QWidget):
    """Loss above, Dice and Jaccard below, over the same epochs; a colour for each run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._curves: Sequence[Curves] = ()
        self._drawn: dict[Path, _Drawing] = {}
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.timeout.connect(lambda: self.setUpdatesEnabled(True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._plots = []
        for title in _TITLES:
            layout.addWidget(QLabel(title, self))
            axes = {"bottom": _EpochAxis("bottom")}
            plot = PlainPlot(self, axes=axes)
            plot.getAxis("left").setWidth(38)
            layout.addWidget(plot, 1)
            self._plots.append(plot)
        losses, scores = self._plots
        losses.getAxis("bottom").setStyle(showValues=False)
        losses.getAxis("bottom").setHeight(6)
        losses.setXLink(scores)
        losses.setLimits(yMin=0)
        scores.setLimits(xMin=0, minXRange=2)
        scores.setYRange(0, 1, padding=0.04)
        scores.set_titles("epoch")
        losses.setMinimumHeight(_LEAST)
        scores.setMinimumHeight(_LEAST + _AXIS)

    def show_curves(self, curves: Sequence[Curves]) -> None:
        """Draw these runs and no others, at once or when the plot comes in sight."""
        self._curves = curves
        if self.isVisible():
            self._draw()

    def showEvent(self, a0: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        super().showEvent(a0)
        self._draw()

    def _draw(self) -> None:
        # One after another the lines and axes find out that they have to be drawn, and each
        # time the whole window would be.
        self.setUpdatesEnabled(False)
        self._drawing.start()
        shown = {drawn.run: drawn for drawn in self._curves}
        for gone in self._drawn.keys() - shown.keys():
            self._drawn.pop(gone).remove()
        for run, drawn in shown.items():
            if run not in self._drawn:
                self._drawn[run] = _Drawing(self._plots)
            self._drawn[run].show(drawn)
        self._set_ranges()

    def _set_ranges(self) -> None:
        """Show all epochs, and of the losses those of epochs: that of a first step is huge."""
        losses, scores = self._plots
        records = [record for drawn in self._curves for record in drawn.records]
        steps = [step for drawn in self._curves for step in drawn.steps]
        ends = [record.epoch for record in records] + [x for x, _ in steps[-1:]]
        scores.setXRange(0, max([2, *ends]), padding=0.02)
        tops = [top for record in records for top in (record.train_loss, record.validation_loss)]
        top = max(filter(isfinite, tops or [loss for _, loss in steps]), default=1.0)
        losses.setYRange(0, 1.05 * top or 1.0, padding=0)


class _Drawing:
    """The lines of one run."""

    def __init__(self, plots: Sequence[PlainPlot]) -> None:
        losses, scores = self._plots = plots
        self._epochs: object = None
        self._stepped = False
        self._steps = losses.plot()
        self._lines = {name: plots[place].plot() for name, (place, _) in _LINES.items()}
        self._best = scores.plot(pen=None, symbol="star", symbolSize=13)
        self._baseline = pyqtgraph.InfiniteLine(angle=0)
        self._baseline.hide()
        scores.addItem(self._baseline)

    def show(self, curves: Curves) -> None:
        color = pyqtgraph.mkColor(curves.color)
        # Nearly all that is new, many times a second, are steps.
        epochs = (curves.color, len(curves.records), curves.records[-1:], curves.baseline)
        if epochs != self._epochs:
            self._epochs = epochs
            self._show_epochs(curves, color)
        if curves.steps or self._stepped:
            self._stepped = bool(curves.steps)
            self._steps.setPen(pyqtgraph.mkPen(_faint(color), width=1))
            self._steps.setData([x for x, _ in curves.steps], [loss for _, loss in curves.steps])

    def _show_epochs(self, curves: Curves, color: QColor) -> None:
        records = curves.records
        epochs = [record.epoch for record in records]
        dots = "o" if len(epochs) <= _FEW else None
        for name, (_, style) in _LINES.items():
            self._lines[name].setData(
                epochs,
                [getattr(record, name) for record in records],
                pen=pyqtgraph.mkPen(color, width=2 if style == _SOLID else 1.5, style=style),
                symbol=dots,
                symbolSize=5,
                symbolBrush=color if style == _SOLID else None,
                symbolPen=color,
            )
        best = max(records, key=lambda r: (r.validation_dice, -r.epoch), default=None)
        self._best.setData(
            [] if best is None else [best.epoch],
            [] if best is None else [best.validation_dice],
            symbolBrush=color,
            symbolPen="k",
        )
        dotted = pyqtgraph.mkPen(color, width=1.5, style=Qt.PenStyle.DotLine)
        self._baseline.setPen(dotted)
        self._baseline.setVisible(curves.baseline is not None)
        self._baseline.setValue(curves.baseline or 0.0)

    def remove(self) -> None:
        losses, scores = self._plots
        scores.removeItem(self._baseline)
        losses.removeItem(self._steps)
        scores.removeItem(self._best)
        for name, (place, _) in _LINES.items():
            self._plots[place].removeItem(self._lines[name])


def _faint(color: QColor) -> QColor:
    faint = QColor(color)
    faint.setAlpha(90)
    return faint
