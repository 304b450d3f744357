import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDoubleSpinBox, QWidget

from bracketseg._napari.widgets.histogram import RangeHistogram

COUNTS = np.arange(256)


@pytest.fixture
def log():
    return []


@pytest.fixture
def histogram(qtbot, log):
    """One of a dock's size on the screen."""
    widget = RangeHistogram("range", "#e69f00")
    qtbot.addWidget(widget)
    widget.show_histogram(COUNTS)
    widget.show_range(120, 255)
    widget.range_changed.connect(lambda lo, hi: log.append((lo, hi)))
    widget.range_settled.connect(lambda lo, hi: log.append(f"settled {lo:g} {hi:g}"))
    widget.resize(300, 160)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def field(histogram, end):
    return histogram.findChild(QDoubleSpinBox, f"range.{end}")


def plot_of(histogram):
    return histogram.findChild(QWidget, "range.plot")


def drag(histogram, start, *stops):
    plot = plot_of(histogram)
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(start))
    for stop in stops:
        QTest.mouseMove(plot, plot.point_at(stop))
    QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(stops[-1]))


def colors(histogram, luma):
    """How many colours there are in the column of a luma, above the axis."""
    plot = plot_of(histogram)
    picture = plot.grab().toImage()
    x = round(plot.point_at(luma).x() * picture.devicePixelRatio())
    column = range(round((plot.height() - 20) * picture.devicePixelRatio()))
    return {picture.pixelColor(x, y).getRgb()[:3] for y in column}


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
    plot = plot_of(histogram)
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(64))
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


def test_the_digits_of_a_number_do_not_take_the_other_bound_along(histogram, log):
    histogram.show_range(120, 255)
    hi = field(histogram, "hi")
    hi.selectAll()
    QTest.keyClicks(hi, "201")
    assert histogram.value() == (120, 201)
    hi.selectAll()
    QTest.keyClicks(hi, "20")
    assert histogram.value() == (120, 201)
    QTest.keyClick(hi, Qt.Key.Key_Return)
    assert histogram.value() == (20, 20)
    assert log[-1] == "settled 20 20"


def test_a_letter_ends_the_typing_and_is_left_to_the_window(histogram, log, qtbot):
    seen = []
    histogram.keyPressEvent = lambda event: seen.append(event.key())
    lo = field(histogram, "lo")
    lo.selectAll()
    QTest.keyClicks(lo, "90")
    for key in (Qt.Key.Key_A, Qt.Key.Key_PageDown):
        QTest.keyClick(lo, key)
    assert seen == [Qt.Key.Key_A, Qt.Key.Key_PageDown]
    assert histogram.value() == (90, 255)
    assert "settled 90 255" in log


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


def test_bars_are_drawn_where_there_are_pixels(histogram):
    counts = np.zeros(256, int)
    counts[40:61] = 9
    histogram.show_histogram(counts)
    histogram.show_range(200, 255)
    assert len(colors(histogram, 50)) == 2
    assert len(colors(histogram, 100)) == 1


def test_the_tint_lies_between_the_bounds(histogram):
    histogram.show_histogram(np.full(256, 7))
    outside, inside = colors(histogram, 60), colors(histogram, 200)
    assert outside.isdisjoint(inside)
    histogram.show_range(40, 80)
    assert (colors(histogram, 60), colors(histogram, 200)) == (inside, outside)


def test_nothing_is_tinted_where_there_is_no_frame(histogram):
    histogram.show_histogram(None)
    assert colors(histogram, 60) == colors(histogram, 200)


def test_a_range_that_does_not_count_is_not_tinted(histogram):
    histogram.show_histogram(np.full(256, 7))
    histogram.setEnabled(False)
    assert colors(histogram, 60) == colors(histogram, 200)
    histogram.setEnabled(True)
    assert colors(histogram, 60) != colors(histogram, 200)


def test_the_whole_plot_is_drawn_when_it_grows(histogram):
    histogram.resize(500, 300)
    drag(histogram, 120, 250)
    assert histogram.value() == (250, 255)
    assert len(colors(histogram, 254)) > 1
