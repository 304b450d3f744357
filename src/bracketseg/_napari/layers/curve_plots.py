"""The ROC curve, and Dice over the threshold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyqtgraph
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QWidget

from bracketseg._napari.layers.provenance import mask_colormap
from bracketseg._napari.widgets.plain_plot import PlainPlot
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.evaluation.curves import THRESHOLDS, BestThreshold, Curves, dice_at

_PLAIN = "#cccccc"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """What is drawn of one role.

    Attributes
    ----------
    curves : Curves
    best : BestThreshold
    """

    curves: Curves
    best: BestThreshold


class CurvePlots(QWidget):
    """Two plots beside each other; low in the colour of low masks, high in that of high ones.

    A circle marks the threshold that the masks were made at, a star the best one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metrics.plots")
        self.roc = _plot("metrics.roc", "1 - specificity", "sensitivity")
        self.dice = _plot("metrics.dice", "threshold", "Dice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.roc)
        layout.addWidget(self.dice)
        self.setFixedHeight(205)

    def show_lines(self, lines: Mapping[MaskRole | None, Line], threshold: float | None) -> None:
        """Draw the curves.

        Parameters
        ----------
        lines : mapping of role to Line
        threshold : float or None
            At which the masks were made, where that is known.
        """
        for plot in (self.roc, self.dice):
            plot.clear()
        self.roc.plot([0, 1], [0, 1], pen=pyqtgraph.mkPen("#888888", style=Qt.PenStyle.DashLine))
        for role, line in lines.items():
            color = _color(role)
            pen = pyqtgraph.mkPen(color, width=2)
            curves = line.curves
            self.dice.plot(THRESHOLDS, curves.dice, pen=pen)
            _mark(self.dice, line.best.threshold, line.best.dice, color, "star")
            if threshold is not None:
                _mark(self.dice, threshold, dice_at(curves, threshold), color, "o")
            rates, hits = curves.false_positive_rate, curves.sensitivity
            if rates is None or hits is None:
                continue
            # Above all probabilities nothing is foreground.
            self.roc.plot(np.append(rates, 0), np.append(hits, 0), pen=pen)
            for at, symbol in ((line.best.threshold, "star"), (threshold, "o")):
                if at is not None:
                    place = int(np.argmin(np.abs(THRESHOLDS - at)))
                    _mark(self.roc, rates[place], hits[place], color, symbol)


def _plot(name: str, below: str, left: str) -> PlainPlot:
    plot = PlainPlot(name=name)
    plot.setXRange(0, 1, padding=0.04)
    plot.setYRange(0, 1, padding=0.04)
    plot.set_titles(below, left)
    plot.setMinimumWidth(120)
    return plot


def _mark(plot: PlainPlot, x: float, y: float, color: str, symbol: str) -> None:
    plot.addItem(
        pyqtgraph.ScatterPlotItem(
            [x],
            [y],
            symbol=symbol,
            size=15 if symbol == "star" else 9,
            pen=pyqtgraph.mkPen("w"),
            brush=color,
        )
    )


def _color(role: MaskRole | None) -> str:
    if role not in MASK_ROLES:
        return _PLAIN
    red, green, blue = (round(255 * part) for part in mask_colormap(role).color_dict[None][:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
