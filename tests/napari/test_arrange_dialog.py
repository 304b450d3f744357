"""Brackets rearranged by hand, from the Brackets dock to the file beside the pictures."""

import json

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QLabel, QPushButton
from tests.photographs import Card

from bracketseg._napari.brackets.arrange_dialog import ArrangeDialog
from bracketseg._napari.brackets.arrange_tree import ArrangeTree, exposure_text
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.decisions import DECISION_NAME
from bracketseg.brackets.exposure import Exposure


@pytest.fixture
def day(tmp_path):
    """Two brackets of three and a single photograph."""
    card = Card(tmp_path / "day")
    card.take(0, -2, 2)
    card.rest(100)
    card.take(0, -2, 2)
    card.rest(500)
    card.take(0)
    return card.folder


class Arranging:
    """The window as a person sees it: controls by their names."""

    def __init__(self, viewer, qtbot):
        _, self.dock = viewer.window.add_plugin_dock_widget("bracketseg", "Brackets")
        self.session = session_of(viewer)
        self.qtbot = qtbot
        self.answer = True
        self.questions = []

    def open(self, folder):
        self.session.open_folder(folder)
        self.wait(lambda: self.session.current is not None and not self.session.scanning)
        self.button("brackets.arrange", self.dock).click()
        self.dialog = self.dock.findChild(ArrangeDialog)
        self.dialog.ask = self.ask
        self.tree = self.dialog.findChild(ArrangeTree, "arrange.tree")
        self.wait(lambda: self.tree.topLevelItemCount() > 0)

    def ask(self, question):
        self.questions.append(question)
        return self.answer

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=20_000)

    def button(self, name, parent=None):
        return (parent or self.dialog).findChild(QPushButton, name)

    def press(self, name):
        button = self.button(f"arrange.{name}")
        assert button.isEnabled()
        button.click()

    def can(self, name):
        return self.button(f"arrange.{name}").isEnabled()

    @property
    def status(self):
        return self.dialog.findChild(QLabel, "arrange.status").text()

    @property
    def rows(self):
        tops = [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]
        return {
            top.text(0): [top.child(at).text(0) for at in range(top.childCount())] for top in tops
        }

    def item(self, text):
        flag = Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchRecursive
        return self.tree.findItems(text, flag)[0]

    def select(self, *texts):
        self.tree.clearSelection()
        for text in texts:
            self.item(text).setSelected(True)

    def drawn(self, text):
        """Whether the middle of its thumbnail is as the photograph, an even grey."""
        image = self.item(text).icon(0).pixmap(40, 40).toImage()
        return image.pixelColor(20, 20).getRgb() == (100, 100, 100, 255)

    def drop(self, *texts, on):
        self.select(*texts)
        self.tree.scrollToItem(self.item(on))
        spot = QPointF(self.tree.visualItemRect(self.item(on)).center())
        no_buttons, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        self.data = QMimeData()
        event = QDropEvent(spot, Qt.DropAction.MoveAction, self.data, no_buttons, no_keys)
        self.tree.dropEvent(event)

    def save(self):
        self.press("save")
        self.wait(lambda: self.dock.findChild(ArrangeDialog) is None)
        self.wait(lambda: not self.session.scanning)

    @property
    def scenes(self):
        return {
            bracket.scene: [frame.path.name for frame in bracket.frames]
            for bracket in self.session.brackets
        }


@pytest.fixture
def arranging(plugins, make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    yield Arranging(viewer, qtbot)
    assert jobs.cancel_all(10)


def photographs(*numbers):
    return [f"IMG_{number:04}.jpg" for number in numbers]


def test_what_is_shown(arranging, day):
    arranging.open(day)
    assert arranging.rows == {
        "IMG_0001  (3)": photographs(2, 1, 3),
        "IMG_0004  (3)": photographs(5, 4, 6),
        "In no bracket (1)": photographs(7),
    }
    assert arranging.status == "2 brackets, 1 photograph in none."
    row = arranging.item("IMG_0003.jpg")
    assert [row.text(column) for column in range(1, 4)] == [
        "+4.0",
        "1/16 s, f/8, ISO 100",
        "1970-01-01 02:46:41",
    ]
    assert "none was taken within 30 s" in arranging.item("IMG_0007.jpg").text(4)
    assert not arranging.can("save")
    arranging.wait(lambda: arranging.drawn("IMG_0007.jpg"))


def test_merged_left_out_and_taken_in(arranging, day):
    arranging.open(day)
    arranging.select("IMG_0001  ", "IMG_0004  ")
    arranging.press("merge")
    arranging.select("IMG_0004.jpg", "IMG_0005.jpg", "IMG_0006.jpg")
    arranging.press("leave_out")
    assert arranging.item("IMG_0005.jpg").text(4) == "left out by hand"
    arranging.drop("IMG_0007.jpg", on="IMG_0001.jpg")
    arranging.save()
    # The last two have the same exposure, and come in the order of their names.
    assert arranging.scenes == {"IMG_0001": photographs(2, 1, 7, 3)}
    arranging.wait(lambda: arranging.session.current is not None)
    assert arranging.session.current.scene == "IMG_0001"
    assert [left.reason for left in arranging.session.left_over] == ["was left out by hand"] * 3


def test_split_and_in_another_order(arranging, day):
    arranging.open(day)
    arranging.select("IMG_0002.jpg")
    arranging.press("split")
    assert arranging.status.startswith("⚠ IMG_0002: a bracket has 2 to 15 photographs")
    assert not arranging.can("save")
    arranging.drop("IMG_0007.jpg", on="IMG_0002.jpg")
    arranging.select("IMG_0002.jpg")
    assert not arranging.can("darker")
    arranging.press("brighter")
    arranging.save()
    assert arranging.scenes == {
        "IMG_0001": photographs(1, 3),
        "IMG_0002": photographs(7, 2),
        "IMG_0004": photographs(5, 4, 6),
    }


def test_another_bracket_beside_all(arranging, day):
    arranging.open(day)
    arranging.drop("IMG_0001.jpg", on="In no bracket")
    assert "IMG_0001.jpg" in arranging.rows["In no bracket (2)"]
    arranging.select("IMG_0001.jpg", "IMG_0007.jpg")
    arranging.press("split")
    assert "IMG_0001-2  (2)" in arranging.rows


def test_undo_and_by_itself(arranging, day):
    arranging.open(day)
    before = arranging.rows
    arranging.select("IMG_0001  ", "IMG_0004  ")
    arranging.press("merge")
    arranging.press("undo")
    assert arranging.rows == before
    assert not arranging.can("undo")
    arranging.select("IMG_0001  ")
    arranging.press("leave_out")
    arranging.save()
    assert list(arranging.scenes) == ["IMG_0004"]
    decided = json.loads((day / DECISION_NAME).read_text())
    assert decided["left_out"] == photographs(1, 2, 3)
    arranging.open(day)
    arranging.press("by_itself")
    arranging.wait(lambda: arranging.rows == before)
    arranging.save()
    assert list(arranging.scenes) == ["IMG_0001", "IMG_0004"]
    assert not (day / DECISION_NAME).exists()


def test_nothing_is_lost_or_written_without_asking(arranging, day):
    arranging.open(day)
    arranging.select("IMG_0001  ")
    arranging.press("leave_out")
    arranging.answer = False
    arranging.press("cancel")
    assert arranging.dialog.isVisible()
    arranging.answer = True
    arranging.press("cancel")
    assert arranging.questions == ["Close without saving what you changed?"] * 2
    assert not (day / DECISION_NAME).exists()


def test_what_cannot_be_written_is_said_and_stays(arranging, day, monkeypatch):
    arranging.open(day)
    arranging.select("IMG_0001  ")
    arranging.press("leave_out")
    (day / DECISION_NAME).mkdir()
    arranging.press("save")
    arranging.wait(lambda: arranging.status.startswith("⚠"))
    assert DECISION_NAME in arranging.status
    assert "IMG_0001  (3)" not in arranging.rows


def test_scenes_told_by_names_say_so(arranging, tmp_path, scene):
    scene("set/attic")
    arranging.session.open_folder(tmp_path / "set")
    arranging.wait(lambda: arranging.session.current is not None)
    arranging.button("brackets.arrange", arranging.dock).click()
    arranging.dialog = arranging.dock.findChild(ArrangeDialog)
    arranging.wait(lambda: "names of its files tell" in arranging.status)


def test_the_dock_lists_what_is_in_no_bracket(arranging, day):
    arranging.session.open_folder(day)
    button = arranging.button("brackets.show_problems", arranging.dock)
    arranging.wait(lambda: button.text() == "1 unused picture")
    assert "IMG_0007.jpg: a single photograph" in button.toolTip()


@pytest.mark.parametrize(
    ("exposure", "text"),
    [
        (Exposure(time=0.5), "0.5 s"),
        (Exposure(time=1 / 250, f_number=5.6, iso=400), "1/250 s, f/5.6, ISO 400"),
        (Exposure(time=30.0), "30 s"),
        (Exposure(), ""),
    ],
)
def test_exposure_in_words(exposure, text):
    assert exposure_text(exposure) == text
