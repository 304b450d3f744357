"""Our docks in small windows: none makes them larger, and nothing of theirs is out of reach."""

import queue

import cv2
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)

from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.train import dock as train_dock
from bracketseg._napari.truth import scene_work
from bracketseg._napari.widgets.jobs import cancel_all
from bracketseg.errors import TrainingError
from bracketseg.learning.events import (
    Cached,
    EpochDone,
    Planned,
    ScenesSkipped,
    SkippedScene,
    StepDone,
)
from bracketseg.worker.requests import Ready

DOCKS = {
    "Brackets": "brackets.next_unlabelled",
    "Ground truth": "gt.accept",
    "Train": "train.start",
    "Predict": "predict.run",
    "Metrics": "metrics.export",
    "Fusion": "fusion.fuse",
}
"""The docks, and what has to stay in sight in each."""

LONG = "a scene with a name that is longer than anybody would give it, number one"
WORDS = "Something went wrong in a folder of a long name, and this says what to do next. " * 3


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")


class Script:
    """Stands for the worker of a training: says what the test tells it."""

    def __init__(self):
        self.answers = queue.SimpleQueue()

    def ask(self, _request):
        while (answer := self.answers.get()) is not None:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def say(self, *answers):
        for answer in answers:
            self.answers.put(answer)

    def stop(self):
        self.answers.put(None)

    kill = close = stop


@pytest.fixture
def script(monkeypatch):
    script = Script()
    monkeypatch.setattr(train_dock, "Worker", lambda: script)
    yield script
    script.stop()


class Room:
    """A window of a size, with all our docks."""

    def __init__(self, viewer, size, qtbot):
        self.viewer, self.size, self.qtbot = viewer, size, qtbot
        self.window.resize(*size)
        self.qtbot.waitUntil(lambda: self.now == size)
        self.frames, self.docks = {}, {}
        for name in DOCKS:
            frame, dock = viewer.window.add_plugin_dock_widget("bracketseg", name)
            self.frames[name], self.docks[name] = frame, dock
            dock.ask = lambda _: True
            status = self.find(f"{DOCKS[name].partition('.')[0]}.status")
            self.wait(lambda status=status: status.text() and "Getting" not in status.text())
            self.look(name, "empty")

    @property
    def window(self):
        # Whoever keeps it keeps all of napari's window.
        return self.viewer.window._qt_window

    @property
    def now(self):
        return self.window.width(), self.window.height()

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=20_000)

    def find(self, name):
        found = [dock.findChild(QWidget, name) for dock in self.docks.values()]
        return next(widget for widget in found if widget is not None)

    def look(self, name, state):
        """Hold a dock against what is wanted of it."""
        frame, dock = self.frames[name], self.docks[name]
        frame.raise_()
        self.wait(lambda: not dock.visibleRegion().isEmpty())

        def all_is_well():
            assert not self.wrong(name), f"{name}, {state}"

        # Qt gives everything its place in several turns.
        self.qtbot.waitUntil(all_is_well, timeout=3000)

    def wrong(self, name):
        """Say what is wrong with a dock now."""
        dock, main = self.docks[name], self.find(DOCKS[name])
        found = [] if self.now == self.size else [f"the window is {self.now}"]
        if main.visibleRegion().boundingRect().size() != main.size():
            found.append(f"{main.objectName()} is out of sight")
        found += [
            f"{area.objectName() or 'the dock'} scrolls sideways"
            for area in dock.findChildren(QScrollArea)
            if area.isVisible() and area.widget().width() > area.viewport().width()
        ]
        named = (*dock.findChildren(QPushButton), *dock.findChildren(QLabel))
        return [*found, *(f"cut off: {it.text()}" for it in named if is_cut_off(it))]


def is_cut_off(widget):
    if not widget.isVisible():
        return False
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.height() < widget.heightForWidth(widget.width())
    return widget.width() < widget.fontMetrics().horizontalAdvance(widget.text())


@pytest.fixture(params=[(1280, 720), (1400, 900)], ids=lambda size: "x".join(map(str, size)))
def room(request, plugins, make_napari_viewer, script, qtbot):
    viewer = make_napari_viewer(show=True)
    yield Room(viewer, request.param, qtbot)
    script.stop()
    assert cancel_all(10)


@pytest.fixture
def folder(tmp_path, scene):
    """Six scenes with masks of two annotators."""
    mask = np.zeros((24, 32), np.uint8)
    mask[:, :16] = 255
    for name in (LONG, "barn", "cave", "dome", "eaves", "fort"):
        scene(f"set/{name}")
        for who in ("me", "network"):
            labels = tmp_path / "set" / "labels" / who
            labels.mkdir(parents=True, exist_ok=True)
            for role in ("low", "high"):
                assert cv2.imwrite(str(labels / f"{name}_{role}.png"), mask)
    return tmp_path / "set"


def epoch(number, dice):
    return EpochDone(
        epoch=number, epochs=50, train_loss=0.5, validation_loss=0.4, validation_dice=dice,
        validation_jaccard=dice / 2, seconds=1, best=True,
    )  # fmt: skip


TRAINING = [
    Planned(
        scenes=6, cache_bytes=1, memory_bytes=1, device="cpu", device_name="two cores",
        precision="float32", parameters=1,
    ),
    Ready(),
    ScenesSkipped(scenes=(SkippedScene(scene="fort", reason=WORDS, broken=True),)),
    Cached(train=("barn", "cave", "dome"), validation=("eaves",), bytes=1, rethresholded=0),
    StepDone(epoch=1, epochs=50, step=1, steps=2, loss=0.7, images_per_second=3),
    epoch(1, 0.5),
    epoch(2, 0.6),
    StepDone(epoch=3, epochs=50, step=1, steps=2, loss=0.3, images_per_second=3),
]  # fmt: skip


def test_no_dock_makes_the_window_larger_and_each_keeps_its_button_in_sight(room, folder, script):
    session = session_of(room.viewer)
    session.open_folder(folder)
    room.wait(lambda: session.current is not None and not session.scanning)
    session.select(LONG)
    room.wait(lambda: session.current.scene == LONG)
    room.wait(lambda: room.find("train.start").isEnabled())
    for name in DOCKS:
        room.look(name, "loaded")

    script.say(*TRAINING)
    room.find("train.expert").click()
    room.look("Train", "all settings")
    room.find("train.start").click()
    room.wait(lambda: "step 1 of 2" in room.find("train.status").text())
    room.find("train.show_details").click()
    room.look("Train", "training")
    script.say(TrainingError(WORDS))
    room.wait(lambda: room.find("train.status").text().startswith("⚠"))
    room.find("train.tabs").setCurrentIndex(1)
    room.look("Train", "after a training")

    session.notice.emit(WORDS)
    for name in DOCKS:
        room.look(name, "a message of three lines")
    room.find("metrics.scope").setCurrentIndex(1)
    room.wait(lambda: "measured" in room.find("metrics.status").text())
    room.find("metrics.curves").click()
    room.look("Metrics", "all scenes, with curves")
    room.find("gt.merged").click()
    room.look("Ground truth", "merged")


def test_what_does_not_fit_scrolls_to_where_things_happen(room, folder, script):
    session = session_of(room.viewer)
    session.open_folder(folder)
    room.wait(lambda: room.find("train.start").isEnabled())
    room.frames["Train"].raise_()
    room.find("train.expert").click()
    script.say(*TRAINING)
    room.find("train.start").click()
    tabs = room.find("train.tabs")
    room.wait(lambda: tabs.visibleRegion().boundingRect().bottom() >= tabs.height() - 1)


def test_the_wheel_scrolls_and_changes_no_number_on_the_way(room):
    room.frames["Train"].raise_()
    number = room.find("train.epochs")
    room.wait(lambda: not number.visibleRegion().isEmpty())

    def turn():
        middle = number.rect().center()
        event = QWheelEvent(
            middle.toPointF(), number.mapToGlobal(middle).toPointF(), QPoint(), QPoint(0, 120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(number, event)

    turn()
    assert number.value() == 50
    # Whoever has clicked into it means it.
    room.window.activateWindow()
    number.setFocus()
    room.wait(number.hasFocus)
    turn()
    assert number.value() == 51
