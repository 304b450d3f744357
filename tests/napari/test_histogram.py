import sys

import numpy as np
import pyqtgraph
import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

from bracketseg._napari.histogram import RangeHistogram

COUNTS = np.arange(256)


@pytest.fixture
def log():
    return []


@pytest.fixture
def histogram(qtbot, log, monkeypatch):
    """One of a dock's size on the screen, with its plot."""
    # It drops moves that come faster than a hand's.
    monkeypatch.setitem(pyqtgraph.CONFIG_OPTIONS, "mouseRateLimit", -1)
    widget = RangeHistogram("range", "#e69f00")
    qtbot.addWidget(widget)
    widget.show_histogram(COUNTS)
    widget.show_range(120, 255)
    widget.range_changed.connect(lambda lo, hi: log.append((lo, hi)))
    widget.range_settled.connect(lambda lo, hi: log.append(f"settled {lo:g} {hi:g}"))
    widget.resize(300, 160)
    widget.show()
    qtbot.waitUntil(lambda: widget.findChild(QWidget, "range.plot") is not None)
    qtbot.waitExposed(widget)
    return widget


def field(histogram, end):
    return histogram.findChild(QDoubleSpinBox, f"range.{end}")


def at(histogram, luma):
    """The point in the plot's viewport that stands for a luma."""
    plot = histogram.findChild(QWidget, "range.plot")
    return plot.viewport(), plot.mapFromScene(plot.plotItem.vb.mapViewToScene(QPointF(luma, 1)))


def drag(histogram, start, *stops):
    viewport, point = at(histogram, start)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=point)
    for stop in stops:
        _, point = at(histogram, stop)
        QTest.mouseMove(viewport, point)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=point)


def test_showing_a_range_tells_nobody(histogram, log):
    histogram.show_range(30, 40)
    assert histogram.value() == (30, 40)
    assert (field(histogram, "lo").value(), field(histogram, "hi").value()) == (30, 40)
    assert log == []


def test_a_bound_that_is_dragged_is_told_as_it_moves_and_settles_once(histogram, log):
    drag(histogram, 120, 110, 90, 64)
    assert [entry for entry in log if isinstance(entry, str)] == ["settled 64 255"]
    assert log[-1] == "settled 64 255"
    assert log[-2] == (64, 255)
    assert histogram.value() == (64, 255)
    assert field(histogram, "lo").value() == 64


def test_anywhere_in_the_plot_takes_the_nearer_bound(histogram, log):
    drag(histogram, 230, 220, 200)
    assert histogram.value() == (120, 200)


def test_a_click_brings_the_nearer_bound(histogram, log):
    viewport, point = at(histogram, 64)
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=point)
    assert histogram.value() == (64, 255)
    assert log[-1] == "settled 64 255"


def test_a_bound_stops_at_the_other_one(histogram):
    histogram.show_range(100, 150)
    drag(histogram, 100, 140, 200)
    assert histogram.value() == (150, 150)


def test_bounds_that_lie_on_each_other_come_apart_on_both_sides(histogram):
    histogram.show_range(150, 150)
    drag(histogram, 148, 140, 100)
    assert histogram.value() == (100, 150)
    histogram.show_range(150, 150)
    drag(histogram, 152, 160, 200)
    assert histogram.value() == (150, 200)


def test_numbers_can_be_typed(histogram, log):
    field(histogram, "lo").setValue(90)
    assert log == [(90, 255)]
    field(histogram, "lo").editingFinished.emit()
    assert log == [(90, 255), "settled 90 255"]


def test_a_number_settles_by_itself_when_no_other_follows(histogram, log, qtbot):
    with qtbot.waitSignal(histogram.range_settled):
        field(histogram, "hi").stepDown()
    assert log == [(120, 254), "settled 120 254"]


def test_a_number_beyond_the_other_takes_it_along(histogram):
    histogram.show_range(100, 150)
    field(histogram, "lo").setValue(180)
    assert histogram.value() == (180, 180)
    field(histogram, "hi").setValue(20)
    assert histogram.value() == (20, 20)


def test_means_are_shown_with_a_decimal_and_whole_numbers_without(histogram):
    histogram.show_range(120.5, 255)
    assert field(histogram, "lo").text() in ("120.5", "120,5")
    assert field(histogram, "hi").text() == "255"


def test_a_locked_range_cannot_be_moved(histogram, log):
    histogram.set_locked(True)
    drag(histogram, 120, 90)
    histogram.setValue((1, 2))
    assert not field(histogram, "lo").isEnabled()
    assert histogram.value() == (120, 255)
    assert log == []
    histogram.set_locked(False)
    drag(histogram, 120, 100, 90)
    assert histogram.value() == (90, 255)


def test_a_range_can_be_set_as_a_person_would(histogram, log):
    histogram.setValue((10, 20))
    assert log == [(10, 20), "settled 10 20"]
    histogram.setValue((-5, 300))
    assert histogram.value() == (0, 255)


def test_the_plot_is_loaded_at_first_sight_only(qtbot, monkeypatch):
    for name in [name for name in sys.modules if name.endswith("range_plot")]:
        monkeypatch.delitem(sys.modules, name)
    widget = RangeHistogram("later", "#e69f00")
    qtbot.addWidget(widget)
    assert widget.findChild(QWidget, "later.plot") is None
    assert "bracketseg._napari.range_plot" not in sys.modules
    widget.show()
    qtbot.waitUntil(lambda: widget.findChild(QWidget, "later.plot") is not None)
