import numpy as np
import pytest
from pyqtgraph import BarGraphItem, ScatterPlotItem

from bracketseg._napari.widgets.coverage_plot import CoveragePlot
from bracketseg.labeling.agreement import compare_masks


@pytest.fixture
def plot(qtbot):
    made = CoveragePlot("plot")
    qtbot.addWidget(made)
    return made


def parts(plot, kind):
    return [item for item in plot.plotItem.items if isinstance(item, kind)]


def scene(low, high):
    """Masks that cover so many of four pixels; Otsu's cover nothing."""
    masks = {role: np.arange(4).reshape(2, 2) < n for role, n in (("low", low), ("high", high))}
    none = {role: np.zeros((2, 2), bool) for role in masks}
    return compare_masks(masks, none)


def test_bars_are_means_and_each_scene_is_a_dot(plot, qtbot):
    manual, otsu = parts(plot, ScatterPlotItem)
    plot.add(scene(4, 0))
    qtbot.waitUntil(lambda: len(manual.points()) == 4)
    plot.add(scene(2, 0))
    plot.add(scene(0, 2))
    qtbot.waitUntil(lambda: len(manual.points()) == 12)
    bars, others = parts(plot, BarGraphItem)
    assert np.allclose(bars.opts["height"], [0.5, 1 / 6, 2 / 3, 1 / 3])
    assert np.allclose(others.opts["height"], [0, 0, 0, 1])
    assert len(otsu.points()) == 12
