"""Our docks beside each other in a real window."""

import cv2
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QLabel, QTabBar, QWidget

from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.truth import scene_work
from bracketseg._napari.widgets.jobs import cancel_all

SIDES = Qt.DockWidgetArea


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    yield viewer
    cancel_all()


@pytest.fixture
def open_dock(window, qtbot):
    """Open a dock of ours by its name; returns the frame that Qt puts around it."""

    def open_it(name):
        frame, dock = window.window.add_plugin_dock_widget("bracketseg", name)
        status = next(
            text for text in dock.findChildren(QWidget) if text.objectName().endswith(".status")
        )
        qtbot.waitUntil(lambda: status.text() and "Getting" not in status.text(), timeout=20_000)
        return frame

    return open_it


def beside(frame):
    """The docks that share the place of a dock as tabs."""
    return frame.parentWidget().tabifiedDockWidgets(frame)


def in_front(frame):
    return frame.isVisible() and not frame.visibleRegion().isEmpty()


def find(frame, name):
    found = frame.findChild(QWidget, name)
    assert found is not None, name
    return found


def test_a_second_dock_comes_as_a_tab_in_front_of_the_first(open_dock, qtbot):
    first, second = open_dock("Brackets"), open_dock("Ground truth")
    assert beside(second) == [first]
    qtbot.waitUntil(lambda: in_front(second) and not in_front(first))
    first.raise_()
    qtbot.waitUntil(lambda: in_front(first) and not in_front(second))
    bars = first.parentWidget().findChildren(QTabBar)
    titles = {bar.tabText(index) for bar in bars for index in range(bar.count())}
    assert titles >= {"Brackets", "Ground truth"}


def test_docks_that_the_user_keeps_elsewhere_stay_there(open_dock):
    first = open_dock("Brackets")
    first.parentWidget().addDockWidget(SIDES.LeftDockWidgetArea, first)
    second = open_dock("Ground truth")
    assert first.parentWidget().dockWidgetArea(first) == SIDES.LeftDockWidgetArea
    assert first not in beside(second)


def test_a_dock_in_a_window_of_its_own_stays_there(open_dock):
    first = open_dock("Brackets")
    first.setFloating(True)
    second = open_dock("Ground truth")
    assert first.isFloating()
    assert beside(second) == []


def test_docks_of_others_are_left_alone(open_dock, window):
    text = QLabel("somebody else's")
    other = window.window.add_dock_widget(text, name="other", area="right")
    first, second = open_dock("Brackets"), open_dock("Ground truth")
    assert beside(other) == []
    assert beside(first) == [second]


def test_a_widget_that_nobody_put_into_a_window_is_left_alone(window, qtbot):
    from bracketseg._napari.brackets.dock import BracketsDock

    dock = BracketsDock(window)
    qtbot.addWidget(dock)
    QTest.qWait(20)
    assert dock.parentWidget() is None


def test_both_have_room_at_1400_by_900(open_dock, window, scene, tmp_path, qtbot):
    scene("set/attic")
    frames = {"Brackets": open_dock("Brackets"), "Ground truth": open_dock("Ground truth")}
    session = session_of(window)
    session.open_folder(tmp_path / "set")
    qtbot.waitUntil(lambda: session.current is not None, timeout=20_000)
    for frame in frames.values():
        frame.raise_()
        qtbot.waitUntil(lambda frame=frame: in_front(frame))
        assert frame.height() > 700
        for control in frame.widget().findChildren(QAbstractButton):
            if control.isVisible() and control.objectName():
                assert not control.visibleRegion().isEmpty(), control.objectName()
    assert window.window._qt_window.width() <= 1400


def test_labelling_goes_on_while_the_table_is_behind(open_dock, window, scene, tmp_path, qtbot):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    brackets, truth = open_dock("Brackets"), open_dock("Ground truth")
    session, status = session_of(window), find(truth, "gt.status")

    def says(text):
        qtbot.waitUntil(lambda: text in status.text(), timeout=20_000)

    session.open_folder(tmp_path / "set")
    says("attic (scene 1 of 3): drag a bound")
    assert not in_front(brackets)
    field = find(truth, "gt.low.range.hi")
    canvas = window.window._qt_viewer.canvas.native
    for place in (canvas, field, find(truth, "gt.annotator")):
        place.setFocus()
        value = field.value()
        QTest.keyClick(place, Qt.Key.Key_PageDown)
        says("barn (scene 2 of 3)")
        QTest.keyClick(place, Qt.Key.Key_PageUp)
        says("attic (scene 1 of 3)")
        assert field.value() == value
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "201")
    QTest.keyClick(field, Qt.Key.Key_A)
    saved = tmp_path / "set" / "labels" / "me" / "attic_low.png"
    qtbot.waitUntil(saved.exists, timeout=20_000)
    says("barn (scene 2 of 3): drag a bound")
    frame = cv2.imread(str(tmp_path / "set" / "attic" / "low.png"))
    luma = cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)[..., 0]
    mask = cv2.imread(str(saved), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask == 255, (luma >= 120) & (luma <= 201))
    brackets.raise_()
    assert find(brackets, "brackets.scenes").currentIndex().row() == 1


def test_alignment_that_is_switched_moves_the_merged_view_and_is_told(
    open_dock, window, held, qtbot
):
    brackets, truth = open_dock("Brackets"), open_dock("Ground truth")
    session = session_of(window)
    session.open_folder(held.parent)
    qtbot.waitUntil(lambda: "held (scene 1 of 1)" in find(truth, "gt.status").text())
    find(truth, "gt.merged").click()
    before = find(truth, "gt.coverage").text()
    assert "alignment" not in before
    find(brackets, "brackets.align").setCurrentText("Shift")
    qtbot.waitUntil(lambda: bool(session.shifts), timeout=20_000)
    assert window.layers["held merged"].translate.tolist() == [2, -3]
    # What the table of coverages will hold is what the dock says: less is covered, as masks
    # are empty where not all of the aligned frames show something.
    assert not find(truth, "gt.coverage").text().startswith(before)
    assert "without the alignment" in find(truth, "gt.coverage").text()
    find(brackets, "brackets.align").setCurrentText("Off")
    qtbot.waitUntil(lambda: not session.shifts, timeout=20_000)
    assert window.layers["held merged"].translate.tolist() == [0, 0]
    assert find(truth, "gt.coverage").text() == before
