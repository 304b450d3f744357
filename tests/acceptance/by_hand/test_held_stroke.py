"""What is begun with the mouse on one scene, and ends when another was asked for already."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton


@pytest.fixture
def canvas(annotator, make_set):
    """The picture of the first of two scenes, which is large enough to paint on."""
    annotator.folder = make_set(2)
    annotator.open(annotator.folder)
    layer = annotator.layer("low")
    layer.brush_size = 5
    annotator.wait(lambda: annotator.window.layers.selection.active is layer)
    return annotator.window.window._qt_viewer.canvas.native


def spot(canvas, right, down=0):
    """A point of the picture, in pixels of the screen from its middle."""
    return canvas.rect().center() + QPoint(right, down)


def move(annotator, canvas, right, down, button=LEFT):
    """Move the mouse until the picture hears of it, which leaves out what comes in a hurry."""
    place = QPointF(spot(canvas, right, down))
    kind, everywhere = QEvent.Type.MouseMove, QPointF(canvas.mapToGlobal(place))
    heard = []
    canvas._vispy_canvas.events.mouse_move.connect(heard.append)

    def moved():
        still = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, place, everywhere, NONE, button, still)
        QApplication.sendEvent(canvas, event)
        return heard

    annotator.wait(moved)
    canvas._vispy_canvas.events.mouse_move.disconnect(heard.append)


def page_down(annotator):
    QTest.keyClick(annotator.window.window._qt_window, Qt.Key.Key_PageDown)


def bare(annotator, selected, scene):
    return selected(annotator.folder, scene, "low", 120, 255)


def painted(annotator, selected, scene):
    return np.argwhere(annotator.mask("low") != bare(annotator, selected, scene))


def test_the_next_scene_waits_for_its_end(annotator, canvas, selected):
    QTest.mousePress(canvas, LEFT, pos=spot(canvas, 60, 60))
    move(annotator, canvas, 90, 90)
    page_down(annotator)
    annotator.wait(lambda: "Reading s001" in annotator.text("gt.status"))
    assert annotator.shown == "s000"
    before = len(painted(annotator, selected, "s000"))
    assert before > 0

    def paints_on():
        move(annotator, canvas, 200, 120)
        return len(painted(annotator, selected, "s000")) > before

    annotator.wait(paints_on)
    assert annotator.shown == "s000"
    QTest.mouseRelease(canvas, LEFT, pos=spot(canvas, 200, 120))
    annotator.wait(lambda: annotator.shown == "s001")
    assert not len(painted(annotator, selected, "s001"))
    annotator.go_to("s000")
    assert len(painted(annotator, selected, "s000")) > before
    annotator.click("gt.undo")
    assert not len(painted(annotator, selected, "s000"))


def test_a_stroke_is_not_left_out_of_what_is_accepted(annotator, canvas, selected, snapshot):
    QTest.mousePress(canvas, LEFT, pos=spot(canvas, 60, 60))
    annotator.click("gt.accept")
    annotator.says("Let go of the mouse first")
    assert not [name for name in snapshot(annotator.folder) if name.endswith("_low.png")]
    QTest.mouseRelease(canvas, LEFT, pos=spot(canvas, 60, 60))
    annotator.click("gt.accept")
    annotator.wait(lambda: annotator.shown == "s001")
    annotator.go_to("s000")
    assert len(painted(annotator, selected, "s000"))


def test_an_outline_that_is_half_drawn_is_not_finished_on_the_next_scene(
    annotator, canvas, selected
):
    annotator.layer("low").mode = "polygon"
    for place in (spot(canvas, -150, -150), spot(canvas, 150, -150)):
        QTest.mouseClick(canvas, LEFT, pos=place)
    page_down(annotator)
    annotator.wait(lambda: annotator.shown == "s001")
    for place in (spot(canvas, 150, 150), spot(canvas, 120, 150), spot(canvas, 120, 120)):
        QTest.mouseClick(canvas, LEFT, pos=place)
    QTest.mouseDClick(canvas, LEFT, pos=spot(canvas, 120, 120))
    found = painted(annotator, selected, "s001")
    rows, columns = bare(annotator, selected, "s001").shape
    assert len(found) < rows * columns // 20
    annotator.go_to("s000")
    assert not len(painted(annotator, selected, "s000"))


def test_an_encircling_stroke_that_is_not_closed_stays_with_its_scene(annotator, canvas, selected):
    QTest.mouseClick(canvas, RIGHT, pos=spot(canvas, 60, 60))
    for step in range(60, 200, 10):
        move(annotator, canvas, step, 60, NONE)
    page_down(annotator)
    annotator.wait(lambda: annotator.shown == "s001")
    move(annotator, canvas, 100, 150, NONE)
    assert not len(painted(annotator, selected, "s001"))
    annotator.go_to("s000")
    assert len(painted(annotator, selected, "s000"))


def test_a_bound_that_is_held_does_not_move_that_of_the_next_scene(annotator, canvas, selected):
    plot = annotator.find("gt.low.range.plot")
    QTest.mousePress(plot, LEFT, pos=plot.point_at(90))
    page_down(annotator)
    annotator.wait(lambda: annotator.shown == "s001")
    QTest.mouseMove(plot, plot.point_at(40))
    QTest.mouseRelease(plot, LEFT, pos=plot.point_at(40))
    assert not len(painted(annotator, selected, "s001"))
    assert annotator.find("gt.low.range").value() == (120, 255)
    annotator.go_to("s000")
    assert annotator.find("gt.low.range").value() == (90, 255)
