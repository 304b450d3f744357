"""A plot to look at, not to drag about."""

import pyqtgraph
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

_NUDGE = 6
"""pyqtgraph draws the titles of axes by so many pixels beyond its own bounds."""


class PlainPlot(pyqtgraph.PlotWidget):  # type: ignore[misc] # it has no types
    """Leaves mouse and keys alone, has no menu, and room for the titles of its axes.

    Parameters
    ----------
    parent : QWidget, optional
    name : str
        Object name.
    axes : dict of str to AxisItem, optional
        In place of the usual ones.
    """

    def __init__(
        self,
        parent: QWidget | None = None,
        name: str = "",
        axes: dict[str, pyqtgraph.AxisItem] | None = None,
    ) -> None:
        super().__init__(parent, background=None, axisItems=axes)
        self.setObjectName(name)
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def set_titles(self, below: str, left: str = "") -> None:
        """Name the axes."""
        self.setLabel("bottom", below)
        if left:
            self.setLabel("left", left)
        layout = self.getPlotItem().layout
        layout.setContentsMargins(_NUDGE if left else 1, 1, 1, _NUDGE)
