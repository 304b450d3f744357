"""The plot of what manual and Otsu's masks cover (sec. 3.3, fig. 3)."""

import numpy as np
import pyqtgraph
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from bracketseg._napari.widgets.plain_plot import PlainPlot
from bracketseg.labeling.agreement import Agreement

_NAMES = ("low", "high", "union", "remainder")
_COLORS = {"manual": "#f0e442", "otsu": "#56b4e9"}
_WIDTH = 0.34
_LEGEND = 0.7
"""Room for the legend, as a part of that of two bars."""

_DRAW_MS = 250
"""How often scenes that have come are drawn: drawing takes longer with each of them."""


class CoveragePlot(PlainPlot):
    """Mean coverage as bars, manual beside Otsu, with a dot for each scene."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, name)
        self._new: dict[str, list[list[float]]] = {way: [] for way in _COLORS}
        self._sums = {way: np.zeros(len(_NAMES)) for way in _COLORS}
        self._scenes = 0
        self._drawing = QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.setInterval(_DRAW_MS)
        self._drawing.timeout.connect(self._draw)
        self.setYRange(0, 1, padding=0.06)
        # The legend stands beside the last bars: any of them can be as high as the plot.
        self.setXRange(-0.5, len(_NAMES) - 0.5 + _LEGEND, padding=0)
        self.set_titles("", "fraction of the frame")
        self.getAxis("bottom").setTicks([list(enumerate(_NAMES))])
        self.addLegend(offset=(-1, 8))
        self._bars, self._dots = {}, {}
        for way, color in _COLORS.items():
            title = "yours" if way == "manual" else "Otsu"
            self._bars[way] = pyqtgraph.BarGraphItem(
                x=self._places(way), height=np.zeros(len(_NAMES)), width=_WIDTH, brush=color,
                name=title,
            )  # fmt: skip
            # Seen on the bars and on the dark ground above them.
            self._dots[way] = pyqtgraph.ScatterPlotItem(
                size=5, pen=pyqtgraph.mkPen("#ffffff", width=0.7), brush="#000000b0"
            )
            self.addItem(self._bars[way])
            self.addItem(self._dots[way])

    def add(self, agreement: Agreement) -> None:
        """Add a scene; one of a single role has no coverage to show."""
        if agreement.manual is None or agreement.otsu is None:
            return
        for way, covered in (("manual", agreement.manual), ("otsu", agreement.otsu)):
            self._new[way].append([getattr(covered, name) for name in _NAMES])
        if not self._drawing.isActive():
            self._drawing.start()

    def _draw(self) -> None:
        self._scenes += len(self._new["manual"])
        for way, rows in self._new.items():
            values = np.array(rows)
            self._sums[way] += values.sum(axis=0)
            self._bars[way].setOpts(height=self._sums[way] / self._scenes)
            places = np.broadcast_to(self._places(way), values.shape)
            self._dots[way].addPoints(places.ravel(), values.ravel())
            rows.clear()

    @staticmethod
    def _places(way: str) -> np.ndarray:
        return np.arange(len(_NAMES)) + (-_WIDTH / 2 if way == "manual" else _WIDTH / 2)
