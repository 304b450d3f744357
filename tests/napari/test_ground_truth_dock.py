"""The Ground truth dock, driven through its controls in a real window."""

import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget

from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.truth import scene_work
from bracketseg._napari.truth.dock import AUTOSAVE_MS, GroundTruthDock
from bracketseg._napari.widgets.jobs import cancel_all
from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import read_mask
from bracketseg.labeling import mask_store
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange
from bracketseg.labeling.records import LabelingInfo, Network
from bracketseg.labeling.rules import FOUND_RULES
from bracketseg.labeling.saved_scene import save_annotation


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")
    return path


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    yield viewer
    cancel_all()


class Hand:
    """Uses the dock as a person does: by what stands on it."""

    def __init__(self, window, qtbot):
        self.window = window
        self.qtbot = qtbot
        self.session = session_of(window)
        self.dock = GroundTruthDock(window)
        self.asked = []
        window.window.add_dock_widget(self.dock, name="Ground truth", area="right")
        qtbot.waitUntil(lambda: "Getting" not in self.text("gt.status"))

    def find(self, name):
        found = self.dock.findChild(QWidget, name)
        assert found is not None, name
        return found

    def text(self, name):
        return self.find(name).text()

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def press(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.window.window._qt_window, key, modifier)

    def says(self, part):
        self.qtbot.waitUntil(lambda: part in self.text("gt.status"), timeout=10_000)

    def masks(self):
        """Wait for the layers to paint on: napari gets one in each turn of the event loop."""
        ends = ("low ground truth", "high ground truth")
        self.qtbot.waitUntil(
            lambda: sum(layer.name.endswith(ends) for layer in self.window.layers) == 2
        )

    def layer(self, end):
        (found,) = [layer for layer in self.window.layers if layer.name.endswith(end)]
        return found

    def drag(self, role, *lumas):
        plot = self.find(f"gt.{role}.range.plot")
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(lumas[0]))
        for value in lumas[1:]:
            QTest.mouseMove(plot, plot.point_at(value))
        QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(lumas[-1]))


@pytest.fixture
def hand(window, qtbot):
    return Hand(window, qtbot)


@pytest.fixture
def folder(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return tmp_path / "set"


@pytest.fixture
def labeller(window, qtbot, folder):
    """Somebody at the first of three scenes, with the dock open."""
    session = session_of(window)
    session.annotator = "Ana"
    session.open_folder(folder)
    qtbot.waitUntil(lambda: bool(session.brackets) and not session.scanning)
    session.next()
    qtbot.waitUntil(lambda: session.current is not None)
    person = Hand(window, qtbot)
    person.masks()
    return person


def test_a_notice_is_forgotten_with_its_scene(labeller):
    labeller.session.notice.emit("Undo brings them back.")
    labeller.says("Undo brings them back.")
    labeller.session.choose_roles(*labeller.session.current.frames[1:])
    labeller.qtbot.waitUntil(
        lambda: labeller.session.current.frame("low").path.name == "medium.png"
    )
    labeller.says("Undo brings them back.")
    labeller.click("gt.skip")
    labeller.says("barn (")
    assert "Undo" not in labeller.text("gt.status")


def mask_of(folder, scene, role, lo, hi):
    values = luma(read_image(folder / scene / f"{role}.png"))
    return (values >= lo) & (values <= hi)


def save_as(path, folder, *, lo, low="low.png", high=DEFAULT_RANGES["high"]):
    """Label the first scene, as somebody else did."""
    rules = {"low": ManualRange(lo=lo, hi=255), "high": high}
    files = {"low": folder / "attic" / low, "high": folder / "attic" / "high.png"}
    lumas = {role: luma(read_image(file)) for role, file in files.items()}
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator=path.name)
    annotation = SceneAnnotation("attic", lumas, rules)
    save_annotation(LabelingFolder.create(path, info), annotation, files)


def test_an_empty_window_says_what_to_do(hand):
    assert "Open a folder" in hand.text("gt.status")
    assert not hand.find("gt.accept").isEnabled()
    assert not hand.find("gt.low.range").isEnabled()


def test_two_actions_from_an_open_bracket_to_saved_masks(labeller, folder, qtbot):
    labels = folder / "labels" / "Ana"
    assert not labels.exists()
    labeller.click("gt.accept")
    qtbot.waitUntil(lambda: (labels / "attic.json").exists())
    stored = cv2.imread(str(labels / "attic_low.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored == 255, mask_of(folder, "attic", "low", 120, 255))
    qtbot.waitUntil(lambda: labeller.session.current.scene == "barn")
    labeller.says("barn (scene 2 of 3): drag a bound")
    assert labeller.window.layers.selection.active.name == "barn low ground truth"
    assert labeller.window.layers.selection.active.mode == "paint"


def test_saved_masks_are_read_beside_the_window(labeller, folder, qtbot, monkeypatch):
    info = LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES), annotator="Ana")
    made = LabelingFolder.create(folder / "labels" / "Ana", info)
    list(label_brackets(labeller.session.brackets, DEFAULT_RANGES, made))
    beside, here = [], []

    def read(path):
        held_up = threading.current_thread() is threading.main_thread()
        (here if held_up else beside).append(path.name)
        return read_mask(path)

    monkeypatch.setattr(mask_store, "read_mask", read)
    labeller.session.open_folder(folder)
    qtbot.waitUntil(lambda: len(labeller.session.brackets) == 3)
    labeller.session.next()
    labeller.says("attic (scene 1 of 3): saved")
    qtbot.waitUntil(lambda: "barn_high.png" in beside)
    labeller.session.next()
    labeller.says("barn (scene 2 of 3): saved")
    labeller.drag("low", 120, 64)
    labeller.says("changed")
    labeller.click("gt.accept")
    labeller.says("barn (scene 2 of 3): saved")
    labeller.session.previous()
    labeller.says("attic (scene 1 of 3): saved")
    labeller.session.next()
    labeller.says("barn (scene 2 of 3): saved")
    np.testing.assert_array_equal(
        labeller.layer("low ground truth").data != 0, mask_of(folder, "barn", "low", 64, 255)
    )
    assert here == []


def test_dragging_a_bound_moves_mask_numbers_and_coverage(labeller, folder, qtbot):
    before = labeller.text("gt.coverage")
    labeller.drag("low", 120, 100, 80, 64)
    assert labeller.find("gt.low.range").value() == (64, 255)
    wanted = mask_of(folder, "attic", "low", 64, 255)
    qtbot.waitUntil(lambda: (labeller.layer("low ground truth").data != 0).sum() == wanted.sum())
    np.testing.assert_array_equal(labeller.layer("low ground truth").data != 0, wanted)
    assert labeller.text("gt.coverage") != before
    assert f"low {wanted.mean():.1%}" in labeller.text("gt.coverage")
    assert "piece" in labeller.text("gt.coverage")


def test_otsu_shows_the_threshold_it_found(labeller):
    labeller.find("gt.high.method").setCurrentText("Otsu")
    bounds = labeller.find("gt.high.range").value()
    assert labeller.text("gt.high.threshold") == f"t = {bounds[1]:g}"
    assert labeller.find("gt.high.threshold").isVisible()
    assert not labeller.find("gt.high.range.hi").isEnabled()
    assert labeller.window.layers.selection.active.name == "attic high ground truth"
    labeller.find("gt.high.method").setCurrentText("Manual")
    assert labeller.find("gt.high.range").value() == (0, 200)
    assert not labeller.find("gt.high.threshold").isVisible()


def test_an_automatic_range_says_why_and_can_be_moved(labeller, qtbot):
    labeller.find("gt.high.method").setCurrentText("Automatic")
    why = labeller.find("gt.high.why")
    qtbot.waitUntil(why.isVisible)
    assert labeller.find("gt.high.method").currentText() == "Automatic"
    lo, hi = labeller.find("gt.high.range").value()
    assert why.text() == f"High up to {hi:g}: above it, the high frame clips."
    assert labeller.find("gt.high.pick").isVisible()
    labeller.drag("high", hi, hi - 10, hi - 20)
    assert labeller.find("gt.high.range").value() == (lo, hi - 20)
    assert labeller.find("gt.high.method").currentText() == "Manual"
    assert not why.isVisible()


def test_what_only_the_command_makes_is_shown_by_its_name(labeller, qtbot, folder, tmp_path):
    rules = {"low": FOUND_RULES["valley"], "high": FOUND_RULES["mixture"]}
    info = LabelingInfo(method="valley", ranges=rules)
    brackets = [it for it in labeller.session.brackets if it.scene == "attic"]
    list(label_brackets(brackets, rules, LabelingFolder.create(tmp_path / "out", info)))
    labeller.session.labeling_path = tmp_path / "out"
    labeller.says("saved")
    low, high = (labeller.find(f"gt.{role}.method") for role in ("low", "high"))
    assert (low.currentText(), high.currentText()) == ("Histogram valley", "Gaussian mixture")
    record = LabelingFolder.open(tmp_path / "out").record("attic")
    assert labeller.text("gt.low.threshold") == f"t = {record.masks['low'].threshold}"
    assert not labeller.find("gt.low.range.lo").isEnabled()
    low.setCurrentText("Manual")
    assert low.findText("Histogram valley") == -1
    labeller.click("gt.undo")
    assert low.currentText() == "Histogram valley"


def test_the_next_scene_says_that_the_one_before_was_saved(labeller, qtbot):
    labeller.click("gt.accept")
    labeller.says("barn (")
    labeller.says("attic saved.\n")
    labeller.drag("low", 140, 100)
    assert "attic saved" not in labeller.text("gt.status")
    labeller.click("gt.accept")
    labeller.says("barn saved.\n")
    labeller.session.select("attic")
    labeller.says("attic (")
    assert "barn saved" not in labeller.text("gt.status")


def test_picking_in_the_picture(labeller):
    labeller.click("gt.high.pick")
    assert labeller.find("gt.high.pick").isChecked()
    assert "Click into the picture" in labeller.text("gt.status")
    assert labeller.window.layers.selection.active.name == "attic high ground truth"
    labeller.click("gt.low.pick")
    assert not labeller.find("gt.high.pick").isChecked()
    labeller.press(Qt.Key.Key_Q)
    assert not labeller.find("gt.low.pick").isChecked()
    assert labeller.window.layers.selection.active.mode == "paint"


def color_of(button):
    """What a button is filled with, beside its words."""
    return button.grab().toImage().pixelColor(button.width() // 2, 4).name()


def test_who_picks_sees_it(labeller):
    pick = labeller.find("gt.low.pick")
    off = color_of(pick)
    labeller.click("gt.low.pick")
    assert color_of(pick) == color_of(labeller.find("gt.low.focus")) != off


def test_picking_ends_with_its_scene(labeller):
    labeller.click("gt.low.pick")
    labeller.click("gt.skip")
    labeller.says("barn (scene 2 of 3): drag a bound")
    assert not labeller.find("gt.low.pick").isChecked()
    assert labeller.layer("low ground truth").mode == "paint"


def test_what_is_accepted_is_said_though_a_bound_was_picked(labeller):
    for _ in range(2):
        scene = labeller.session.current.scene
        labeller.click("gt.accept")
        labeller.qtbot.waitUntil(lambda was=scene: labeller.session.current.scene != was)
        labeller.masks()
    labeller.says("cave (")
    labeller.click("gt.low.pick")
    labeller.click("gt.accept")
    labeller.says("saved")
    assert not labeller.find("gt.low.pick").isChecked()


def test_picking_ends_when_somebody_turns_to_the_other_role(labeller):
    low, high = (labeller.layer(f"{role} ground truth") for role in ("low", "high"))
    for turn in (
        lambda: labeller.click("gt.high.focus"),
        lambda: labeller.press(Qt.Key.Key_D),
        lambda: setattr(labeller.window.layers.selection, "active", high),
        lambda: labeller.session.show_role("high"),
    ):
        labeller.click("gt.low.pick")
        assert low.mode == "pan_zoom"
        turn()
        assert labeller.window.layers.selection.active is high
        assert not any(labeller.find(f"gt.{role}.pick").isChecked() for role in ("low", "high"))
        assert high.mode == "paint"
        labeller.window.layers.selection.active = low
        assert low.mode == "paint"
        assert "Click into" not in labeller.text("gt.status")


def test_bounds_are_picked_while_both_masks_are_seen(labeller):
    labeller.click("gt.merged")
    labeller.press(Qt.Key.Key_Q)
    for lo, hi in ((10, 20), (30, 40)):
        labeller.drag("low", lo, hi)
        assert labeller.find("gt.low.pick").isChecked()
    assert labeller.layer("low ground truth").mode == "pan_zoom"
    labeller.click("gt.merged")
    assert labeller.layer("low ground truth").mode == "pan_zoom"


def test_picking_ends_when_another_tool_is_taken_up(labeller):
    layer = labeller.layer("low ground truth")
    callbacks = list(labeller.window.mouse_drag_callbacks)
    for tool in ("erase", "pick", "transform"):
        labeller.click("gt.low.pick")
        assert labeller.window.mouse_drag_callbacks != callbacks
        layer.mode = tool
        assert not labeller.find("gt.low.pick").isChecked()
        assert "Click into" not in labeller.text("gt.status")
        assert layer.mode == tool
        assert labeller.window.mouse_drag_callbacks == callbacks


def test_strokes_can_be_undone_by_button_and_key_and_cleared(labeller):
    layer = labeller.layer("low ground truth")
    assert not labeller.find("gt.clear_corrections").isEnabled()
    for spot in ((1, 1), (20, 1)):
        layer.paint(spot, 1)
    assert "changed" in labeller.text("gt.status")
    labeller.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not layer.data[20, 1]
    assert layer.data[1, 1]
    labeller.press(
        Qt.Key.Key_Z,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert layer.data[20, 1]
    labeller.click("gt.clear_corrections")
    assert not layer.data[1, 1]
    labeller.click("gt.undo")
    assert layer.data[1, 1]


def test_undo_works_with_whatever_layer_selected(labeller):
    labeller.find("gt.low.range").setValue((10, 20))
    labeller.window.layers.selection.active = labeller.layer("attic low")
    labeller.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert labeller.find("gt.low.range").value() == (120, 255)


def test_keys_accept_skip_and_turn(labeller, qtbot, folder):
    labeller.press(Qt.Key.Key_S)
    qtbot.waitUntil(lambda: labeller.session.current.scene == "barn")
    labeller.press(Qt.Key.Key_D)
    assert labeller.find("gt.high.focus").isChecked()
    labeller.press(Qt.Key.Key_A)
    qtbot.waitUntil(lambda: (folder / "labels/Ana/barn.json").exists())
    qtbot.waitUntil(lambda: labeller.session.current.scene == "cave")
    assert not (folder / "labels/Ana/attic.json").exists()


def test_the_help_lists_every_key_that_is_bound(labeller):
    labeller.click("gt.keys")
    panel = labeller.find("gt.keys.panel")
    assert panel.isVisible()
    text = labeller.text("gt.keys.text")
    for key, title in labeller.session.shortcuts.table():
        assert key in text
        assert title in text
    panel.close()


def test_a_key_typed_into_a_name_is_a_letter(labeller, folder):
    field = labeller.find("gt.annotator")
    field.setFocus()
    field.clear()
    QTest.keyClicks(field, "Sada")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert labeller.session.annotator == "Sada"
    assert labeller.session.current.scene == "attic"
    assert not (folder / "labels").exists()


def test_the_keys_stay_with_the_picture_whatever_is_clicked(labeller):
    main = labeller.window.window._qt_window
    labeller.window.window._qt_viewer.canvas.native.setFocus()
    labeller.drag("low", 120, 100, 80)
    for name in ("gt.high.focus", "gt.merged", "gt.merged", "gt.undo"):
        labeller.click(name)
        wanted = not labeller.find("gt.high.focus").isChecked()
        QTest.keyClick(main.focusWidget(), Qt.Key.Key_D)
        assert labeller.find("gt.high.focus").isChecked() is wanted
    field = labeller.find("gt.low.range.lo")
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not field.hasFocus()


def test_merged_and_compared_views(labeller):
    labeller.click("gt.merged")
    assert "neither" in labeller.text("gt.legend")
    assert labeller.layer("merged").visible
    assert not labeller.layer("low ground truth").visible
    labeller.click("gt.compare")
    assert not labeller.find("gt.merged").isChecked()
    assert "Dice with Otsu: low" in labeller.text("gt.legend")
    assert labeller.layer("compared with Otsu").name == "attic low compared with Otsu"
    labeller.click("gt.high.focus")
    assert labeller.layer("compared with Otsu").name == "attic high compared with Otsu"
    before = labeller.layer("compared with Otsu").data.copy()
    labeller.find("gt.high.range").setValue((0, 30))
    assert (labeller.layer("compared with Otsu").data != before).any()
    labeller.click("gt.compare")
    assert not [layer for layer in labeller.window.layers if "Otsu" in layer.name]
    assert labeller.layer("high ground truth").visible
    assert labeller.window.layers.selection.active.mode == "paint"


def test_a_view_goes_along_to_the_next_scene(labeller, qtbot):
    labeller.click("gt.merged")
    labeller.press(Qt.Key.Key_S)
    qtbot.waitUntil(lambda: labeller.session.current.scene == "barn")
    assert labeller.layer("merged").name == "barn merged"


def test_the_whole_set_is_compared_in_a_table_and_a_plot(labeller, qtbot):
    labeller.click("gt.compare_set")
    qtbot.waitUntil(lambda: not labeller.find("gt.agreement.stop").isEnabled())
    table = labeller.find("gt.agreement.table")
    rows = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert rows == ["attic", "barn", "cave", "Mean"]
    columns = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount())]
    assert columns[3:5] == ["Union, yours", "Union, Otsu"]
    assert 0 <= float(table.item(0, 1).text()) <= 1
    qtbot.waitUntil(labeller.find("gt.agreement").isVisible)
    qtbot.waitUntil(lambda: labeller.dock.findChild(QWidget, "gt.agreement.plot") is not None)
    qtbot.waitUntil(labeller.find("gt.agreement.plot").isVisible)
    labeller.find("gt.agreement").close()


def test_annotators_are_averaged(labeller, qtbot, folder):
    for name, lo in (("Ana", 100), ("Bo", 130)):
        labeller.session.annotator = name
        labeller.session.select("attic")
        qtbot.waitUntil(lambda: labeller.session.current.scene == "attic")
        labeller.find("gt.low.range").setValue((lo, 255))
        labeller.click("gt.accept")
        qtbot.waitUntil(lambda n=name: (folder / "labels" / n / "attic.json").exists())
    labeller.click("gt.average")
    qtbot.waitUntil(lambda: not labeller.find("gt.consensus.stop").isEnabled())
    heading = labeller.text("gt.consensus.heading")
    assert "Ana, Bo" in heading
    assert "mean range [115.0, 255.0]; they are 30.0 apart in lo" in heading
    record = LabelingFolder.open(folder / "labels" / "consensus").record("attic")
    assert record.masks["low"].lo == 115
    assert labeller.find("gt.consensus.table").item(0, 5).text() == "30.0 (sd 15.0)"
    labeller.find("gt.consensus").close()


def test_what_is_not_written_yet_is_averaged_too(labeller, qtbot, folder):
    save_as(folder / "labels" / "Bo", folder, lo=90)
    labeller.find("gt.low.range").setValue((90, 255))
    labeller.click("gt.accept")
    labeller.click("gt.average")
    qtbot.waitUntil(lambda: labeller.dock.findChild(QWidget, "gt.consensus").isVisible())
    qtbot.waitUntil(lambda: not labeller.find("gt.consensus.stop").isEnabled())
    assert "mean range [90.0, 255.0]" in labeller.text("gt.consensus.heading")
    assert LabelingFolder.open(folder / "labels/consensus").record("attic").masks["low"].lo == 90
    labeller.find("gt.consensus").close()


def test_averaging_nothing_is_said_until_another_scene_is_shown(labeller):
    labeller.click("gt.average")
    labeller.says("nobody has saved masks")
    labeller.click("gt.skip")
    labeller.says("barn (scene 2 of 3)")
    assert "nobody has saved masks" not in labeller.text("gt.status")


def test_where_otsu_goes_along_nobody_is_told_to_drag_a_bound(labeller):
    for role in ("low", "high"):
        labeller.find(f"gt.{role}.method").setCurrentText("Otsu")
    labeller.click("gt.skip")
    labeller.says("barn (scene 2 of 3): by Otsu's threshold.")


def test_one_annotator_alone_is_no_average_and_nothing_is_written(labeller, qtbot, folder):
    labeller.click("gt.accept")
    qtbot.waitUntil((folder / "labels" / "Ana" / "attic.json").exists)
    labeller.click("gt.average")
    labeller.says("Only Ana has saved masks here, and an average takes two annotators")
    assert not (folder / "labels" / "consensus").exists()


def test_what_is_in_no_mean_is_named(labeller, qtbot, folder):
    network = Network(model="run", model_sha256="", loss="", threshold=0.5, scale="train")
    high = Prediction(origin=network, mask=np.eye(24, 32, dtype=bool))
    save_as(folder / "labels" / "Bo", folder, lo=130, low="medium.png", high=high)
    labeller.find("gt.low.range").setValue((100, 255))
    labeller.click("gt.accept")
    qtbot.waitUntil((folder / "labels" / "Ana" / "attic.json").exists)
    labeller.click("gt.average")
    qtbot.waitUntil(lambda: not labeller.find("gt.consensus.stop").isEnabled())
    heading = labeller.text("gt.consensus.heading")
    assert "chosen on other frames: attic low by Bo on medium.png." in heading
    assert "mean range [100.0, 255.0]; no scene was labelled by two" in heading
    table = labeller.find("gt.consensus.table")
    cells = {
        tuple(table.item(row, column).text() for column in (1, 5))
        for row in range(table.rowCount())
    }
    assert cells == {("low", "–"), ("high", "–")}
    assert "began from a prediction and have no range: attic high by Bo." in heading
    labeller.find("gt.consensus").close()


def test_a_mask_by_otsu_is_not_called_manual_where_it_is_compared(labeller):
    labeller.find("gt.low.method").setCurrentText("Otsu")
    labeller.click("gt.compare")
    legend = labeller.text("gt.legend")
    assert "Dice with Otsu: low 1.000" in legend
    assert "anual" not in legend
    assert "Yours: low" in legend


def test_the_role_whose_frame_is_picked_is_shown(labeller, qtbot):
    labeller.click("gt.high.focus")
    assert not labeller.layer("low ground truth").visible
    box = labeller.find("gt.low.image")
    box.setCurrentIndex(box.findText("attic medium"))
    qtbot.waitUntil(lambda: labeller.session.current.frame("low").path.name == "medium.png")
    qtbot.waitUntil(lambda: labeller.layer("low ground truth").visible, timeout=10_000)
    assert labeller.layer("attic low").visible
    assert not labeller.layer("attic high").visible
    assert labeller.find("gt.low.focus").isChecked()


def test_what_was_done_reaches_the_disk_by_itself(labeller, qtbot, folder):
    labeller.layer("low ground truth").paint((1, 1), 1)
    draft = folder / "labels/Ana/drafts/attic.json"
    assert AUTOSAVE_MS < 2000
    qtbot.waitUntil(draft.exists, timeout=10_000)


def test_a_folder_that_vanished_is_said_until_it_is_back(labeller, qtbot, folder):
    gone = folder.with_name("gone")
    folder.rename(gone)
    labeller.find("gt.low.range").setValue((10, 20))
    labeller.says("Not saved")
    assert "no longer there" in labeller.text("gt.status")
    gone.rename(folder)
    qtbot.waitUntil(lambda: "Not saved" not in labeller.text("gt.status"), timeout=10_000)
    assert (folder / "labels/Ana/drafts/attic.json").exists()


def test_the_question_before_replacing_can_be_answered(labeller, qtbot, folder):
    labeller.click("gt.accept")
    qtbot.waitUntil(lambda: labeller.session.is_labeled("attic"))
    labeller.session.annotator = "Bo"
    labeller.session.labeling_path = folder / "labels" / "Ana"
    asked = []
    labeller.dock.ask = lambda question: asked.append(question)
    labeller.click("gt.accept")
    assert len(asked) == 1
    assert "Ana" in asked[0]


def test_images_are_chosen_from_lists_that_follow_the_layers(hand):
    ramp = np.tile(np.arange(40, dtype=np.uint8) * 6, (30, 1))
    hand.window.add_image(ramp, name="bright")
    hand.window.add_image(ramp // 2, name="dim")
    low, high = (hand.find(f"gt.{role}.image") for role in ("low", "high"))
    hand.qtbot.waitUntil(lambda: (low.currentText(), high.currentText()) == ("dim", "bright"))
    hand.window.layers["dim"].name = "dusk"
    assert low.currentText() == "dusk"
    low.setCurrentText("bright")
    hand.masks()
    assert hand.layer("low ground truth").name == "bright low ground truth"
    high.setCurrentText("(none)")
    hand.qtbot.waitUntil(lambda: not any("high" in layer.name for layer in hand.window.layers))
    assert not hand.find("gt.high.range").isEnabled()
    assert not hand.find("gt.merged").isEnabled()


def test_all_layers_can_be_removed_at_once(labeller, qtbot):
    labeller.window.layers.clear()
    labeller.says("No picture yet")
    qtbot.waitUntil(lambda: len(labeller.window.layers) == 0)
    assert not labeller.find("gt.accept").isEnabled()


def test_every_word_fits_into_a_dock_of_330_pixels(labeller):
    for role in ("low", "high"):
        labeller.find(f"gt.{role}.method").setCurrentText("Automatic")
    labeller.qtbot.waitUntil(labeller.find("gt.high.why").isVisible)
    labeller.click("gt.compare")
    labeller.dock.setFixedSize(330, 850)
    labeller.qtbot.wait(50)
    assert labeller.dock.minimumSizeHint().width() <= 330
    right = labeller.dock.width()
    for widget in labeller.dock.findChildren((QLabel, QAbstractButton, QComboBox)):
        if not widget.isVisible() or not widget.objectName().startswith("gt."):
            continue
        if widget.window() is not labeller.dock.window():
            continue
        edge = widget.mapTo(labeller.dock, widget.rect().topRight()).x()
        assert edge <= right, widget.objectName()
        if isinstance(widget, QAbstractButton):
            assert widget.width() >= widget.minimumSizeHint().width(), widget.objectName()
    accept = labeller.find("gt.accept")
    assert accept.mapTo(labeller.dock, accept.rect().bottomLeft()).y() < 850


def test_a_low_dock_keeps_the_main_button_in_sight(labeller):
    labeller.dock.setFixedSize(330, 300)
    labeller.qtbot.wait(50)
    for name in ("gt.accept", "gt.status"):
        widget = labeller.find(name)
        assert widget.mapTo(labeller.dock, widget.rect().bottomLeft()).y() <= 300


def test_a_closed_dock_leaves_the_layers_and_can_be_opened_again(labeller, window, qtbot):
    labeller.find("gt.low.range").setValue((10, 20))
    window.window.remove_dock_widget(labeller.dock)
    labeller.dock.deleteLater()
    qtbot.waitUntil(lambda: "accept" not in {key.name for key in labeller.session.shortcuts})
    assert isinstance(labeller.layer("low ground truth"), Labels)
    again = Hand(window, qtbot)
    again.says("attic")
    assert again.find("gt.low.range").value() == (10, 20)


def test_opening_loads_no_torch_and_no_plot():
    code = (
        "import sys, bracketseg._napari.truth.dock as d; "
        "sys.exit(any(n.split('.')[0] in ('torch', 'pyqtgraph') for n in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
