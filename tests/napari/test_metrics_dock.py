"""The Metrics dock, driven through its controls."""

import csv
import io
import json
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QTableView, QWidget

from bracketseg._napari.layers.provenance import METADATA_KEY, provenance_of
from bracketseg._napari.metrics import live
from bracketseg._napari.metrics.dock import MetricsDock
from bracketseg._napari.metrics.pair_overlay import PairOverlay
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets.jobs import cancel_all
from bracketseg.brackets.masks import write_mask, write_probability
from bracketseg.evaluation.spreadsheet import HEADER
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord

ROWS = {
    "dice": 0, "jaccard": 1, "sensitivity": 2, "specificity": 3, "auc": 4, "roc": 5, "avg": 6,
    "reference": 7, "prediction": 8, "tp": 9, "fp": 10, "fn": 11, "tn": 12,
}  # fmt: skip
TRUTH = np.array([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], np.uint8)
NETWORK = Network(model="run7", model_sha256="", loss="bce", threshold=0.5, scale="full")
GUESS = np.array([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]], np.uint8)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path)
    yield
    cancel_all()


class Hand:
    """Uses the dock as a person does: by what stands on it."""

    def __init__(self, viewer, qtbot):
        self.viewer = viewer
        self.qtbot = qtbot
        self.session = session_of(viewer)
        self.dock = MetricsDock(viewer)
        self.asked = []
        self.answer = True
        self.dock.ask = self._ask
        qtbot.addWidget(self.dock)
        self.dock.resize(440, 800)
        self.dock.show()

    def _ask(self, question):
        self.asked.append(question)
        return self.answer

    def find(self, name):
        found = self.dock.findChild(QWidget, name)
        assert found is not None, name
        return found

    def text(self, name="metrics.status"):
        return self.find(name).text()

    def says(self, part):
        self.qtbot.waitUntil(lambda: part in self.text(), timeout=10_000)

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def pick(self, name, title):
        combo = self.find(name)
        combo.setCurrentIndex([combo.itemText(i) for i in range(combo.count())].index(title))

    def cell(self, name, column=0):
        row = ROWS[name] if isinstance(name, str) else name
        return self.find("metrics.table").model().index(row, column).data()

    def shows(self, name, value, column=0):
        self.qtbot.waitUntil(lambda: self.cell(name, column) == value, timeout=10_000)

    def scenes(self):
        model = self.find("metrics.table").model()
        rows = range(model.rowCount())
        return [model.index(row, 0).data(Qt.ItemDataRole.UserRole) for row in rows]

    def all_scenes(self):
        self.find("metrics.scope").setCurrentIndex(1)
        self.says("measured:")

    def click_heading(self, column):
        header = self.find("metrics.table").horizontalHeader()
        place = header.viewport().rect().center()
        place.setX(header.sectionViewportPosition(column) + 6)
        QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def click_row(self, row):
        table = self.find("metrics.table")
        place = table.visualRect(table.model().index(row, 1)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    @property
    def overlay(self):
        found = [layer for layer in self.viewer.layers if layer.name.endswith("errors")]
        return found[0] if found else None


@pytest.fixture
def hand(viewer, qtbot):
    return Hand(viewer, qtbot)


def add(viewer, data, kind, role="low", scene="barn", **more):
    ours = {"kind": kind, "scene": scene, "role": role, **more}
    name = f"{scene} {role} {kind}"
    if kind == "probability":
        return viewer.add_image(data, name=name, metadata={METADATA_KEY: ours}, visible=False)
    return viewer.add_labels(data.copy(), name=name, metadata={METADATA_KEY: ours})


@pytest.fixture
def two(hand):
    """A ground truth and a prediction that are open."""
    add(hand.viewer, TRUTH, "ground truth")
    add(hand.viewer, GUESS, "prediction")
    hand.says("held against")
    return hand


# Two layers.


def test_an_empty_window_says_what_to_do_and_offers_nothing(hand):
    assert "No masks yet" in hand.text()
    for name in ("overlay", "copy", "export"):
        assert not hand.find(f"metrics.{name}").isEnabled()
    add(hand.viewer, TRUTH, "ground truth")
    hand.says("only mask that is open")


def test_values_by_hand_beside_what_constant_masks_score(two):
    assert two.find("metrics.reference").currentText() == "barn low ground truth"
    assert two.find("metrics.prediction").currentText() == "barn low prediction"
    shown = {name: two.cell(name) for name in ROWS}
    assert shown == {
        "dice": "0.750", "jaccard": "0.600", "sensitivity": "0.750", "specificity": "0.833",
        "auc": "0.792", "roc": "–", "avg": "0.745", "reference": "40.0%", "prediction": "40.0%",
        "tp": "3", "fp": "1", "fn": "1", "tn": "5",
    }  # fmt: skip
    assert [two.cell("dice", column) for column in (1, 2)] == ["0.571", "0.000"]
    assert [two.cell("prediction", column) for column in (1, 2)] == ["100%", "0%"]


def test_every_row_explains_itself(two):
    model = two.find("metrics.table").model()
    for row in range(model.rowCount()):
        tip = model.headerData(row, Qt.Orientation.Vertical, Qt.ItemDataRole.ToolTipRole)
        assert tip
        if row < 4:
            assert f"eq. {row + 5}" in tip.lower()
            assert "1 where" in tip


def test_painting_is_followed(two):
    (truth,) = [layer for layer in two.viewer.layers if layer.name.endswith("truth")]
    truth.brush_size = 1
    before = two.cell("fn")
    truth.paint((1, 4), 1)
    two.qtbot.waitUntil(lambda: two.cell("fn") != before)
    truth.undo()
    two.shows("fn", "1")
    truth.data = GUESS.copy()
    two.shows("dice", "1.000")


def test_both_roles_stand_beside_each_other_and_the_one_in_work_is_chosen(two):
    high = add(two.viewer, 1 - TRUTH, "ground truth", "high")
    add(two.viewer, 1 - TRUTH, "prediction", "high")
    two.shows("dice", "1.000", 3)
    assert two.cell("dice") == "0.750"
    two.viewer.layers.selection.active = high
    assert two.find("metrics.reference").currentText() == "barn high ground truth"
    two.viewer.layers.selection.active = two.viewer.layers["barn low prediction"]
    assert two.find("metrics.reference").currentText() == "barn low ground truth"


def test_any_two_layers_can_be_chosen_and_the_choice_stays(two):
    other = two.viewer.add_labels(TRUTH.copy(), name="mine")
    two.qtbot.waitUntil(lambda: two.find("metrics.prediction").count() == 3)
    two.pick("metrics.prediction", "mine")
    two.shows("dice", "1.000")
    two.viewer.add_labels(GUESS.copy(), name="another")
    two.qtbot.waitUntil(lambda: two.find("metrics.prediction").count() == 4)
    assert two.find("metrics.prediction").currentText() == "mine"
    two.viewer.layers.remove(other)
    two.shows("dice", "0.750")
    assert two.find("metrics.prediction").currentText() == "barn low prediction"


def test_layers_that_say_nothing_are_guessed_by_their_names(hand):
    hand.viewer.add_labels(GUESS.copy(), name="Otsu result")
    hand.viewer.add_labels(TRUTH.copy(), name="manual")
    hand.says("Otsu result, held against manual.")


def test_of_two_ground_truths_the_one_by_hand_is_the_reference(hand):
    add(hand.viewer, TRUTH, "ground truth", method="manual", annotator="Ana")
    add(hand.viewer, GUESS, "ground truth", method="otsu")
    hand.says("(otsu), held against barn low ground truth (Ana).")


def test_sizes_that_differ_are_refused_with_both_sizes(two):
    layer = two.viewer.layers["barn low prediction"]
    layer.data = np.ones((3, 7), np.uint8)
    two.says("2 x 5 and barn low prediction 3 x 7")
    assert two.find("metrics.table").model().rowCount() == 0
    assert not two.find("metrics.export").isEnabled()
    layer.data = TRUTH.copy()
    two.shows("dice", "1.000")


def test_pixels_of_different_scale_are_refused_and_shifted_layers_are_not(two):
    layer = two.viewer.layers["barn low prediction"]
    layer.translate = (3, 4)
    layer.refresh()
    two.says("pixel by pixel")
    assert two.cell("dice") == "0.750"
    layer.scale = (2, 2)
    layer.refresh()
    two.says("scale")
    assert two.find("metrics.table").model().rowCount() == 0


def test_every_label_but_0_is_foreground_and_that_is_said(two):
    two.viewer.layers["barn low prediction"].data = GUESS * np.array([1, 7, 1, 1, 1], np.uint8)
    two.says("barn low prediction holds several labels; each counts as foreground")
    assert two.cell("dice") == "0.750"


def test_the_reading_of_empty_masks_is_said(two):
    two.viewer.layers["barn low ground truth"].data = np.zeros_like(TRUTH)
    two.says("The reference is empty: sensitivity is 1")
    two.viewer.layers["barn low prediction"].data = np.zeros_like(TRUTH)
    two.says("Both masks are empty")
    assert two.cell("avg") == "1.000"


def test_a_dice_that_is_no_better_than_a_constant_mask_is_named(two):
    nearly_all = np.ones_like(TRUTH)
    nearly_all[0, 0] = 0
    two.viewer.layers["barn low ground truth"].data = nearly_all
    two.says("A mask of all foreground has a Dice index of 0.947")


def test_slices_of_a_stack_are_compared_where_the_slider_stands(hand):
    hand.viewer.add_labels(np.stack([TRUTH, GUESS]), name="truth")
    hand.viewer.add_labels(np.stack([GUESS, GUESS]), name="prediction")
    hand.viewer.dims.set_point(0, 0)
    hand.shows("dice", "0.750")
    hand.viewer.dims.set_point(0, 1)
    hand.shows("dice", "1.000")


# The overlay.


def test_the_overlay_follows_and_leaves_everything_as_it_was(two):
    truth, guess = (
        two.viewer.layers[f"barn low {kind}"] for kind in ("ground truth", "prediction")
    )
    truth.opacity, guess.visible = 0.3, False
    before = [(layer.name, layer.visible, layer.opacity) for layer in two.viewer.layers]
    two.click("metrics.overlay")
    np.testing.assert_array_equal(two.overlay.data, [[3, 3, 1, 2, 4], [3, 4, 4, 4, 4]])
    assert two.find("metrics.legend").isVisible()
    assert "true positive" in two.text("metrics.legend").replace("&nbsp;", " ")
    assert truth.visible
    assert truth.opacity == 0
    truth.paint((1, 4), 1)
    two.qtbot.waitUntil(lambda: two.overlay.data[1, 4] == 1)
    two.click("metrics.overlay")
    assert two.overlay is None
    assert [(layer.name, layer.visible, layer.opacity) for layer in two.viewer.layers] == before
    assert not two.find("metrics.legend").isVisible()


def test_a_probability_does_not_hide_the_frame_below_the_overlay(two):
    shown = add(two.viewer, PROBABILITY, "probability")
    two.click("metrics.overlay")
    two.qtbot.waitUntil(lambda: shown.opacity == 0)
    two.click("metrics.overlay")
    assert shown.opacity == 1


def test_the_overlay_goes_and_comes_with_the_frame_of_its_role(two):
    truth = two.viewer.layers["barn low ground truth"]
    low, high = (
        two.viewer.add_image(
            np.zeros((2, 5)),
            metadata={METADATA_KEY: {"kind": "frame", "scene": "barn", "role": role}},
            visible=role == "low",
        )
        for role in ("low", "high")
    )
    two.click("metrics.overlay")
    assert two.overlay is not None
    low.visible, high.visible = False, True
    two.says("those of the low frame, and are shown over it alone")
    assert two.overlay is None
    assert truth.opacity > 0
    assert two.find("metrics.overlay").isChecked()
    # Painted meanwhile, it is not shown either.
    before = two.cell("fn")
    truth.paint((1, 4), 1)
    two.qtbot.waitUntil(lambda: two.cell("fn") != before)
    assert two.overlay is None
    low.visible, high.visible = True, False
    two.qtbot.waitUntil(lambda: two.overlay is not None)
    assert two.overlay.data[1, 4] == 1
    assert "shown over it alone" not in two.text()
    # Where the other role has masks as well, its errors take their place.
    add(two.viewer, 1 - TRUTH, "ground truth", "high")
    add(two.viewer, 1 - GUESS, "prediction", "high")
    two.says("barn high prediction, held against")
    two.viewer.layers.selection.active = truth
    two.says("barn low prediction, held against")
    # It is chosen by hand now.
    two.pick("metrics.reference", "barn low prediction")
    two.pick("metrics.reference", "barn low ground truth")
    low.visible, high.visible = False, True
    two.session.show_role("high")
    two.qtbot.waitUntil(lambda: two.overlay is not None and "high" in two.overlay.name)
    before = two.overlay.data[0, 0]
    two.viewer.layers["barn high ground truth"].paint((0, 0), 1)
    two.qtbot.waitUntil(lambda: two.overlay is not None and two.overlay.data[0, 0] != before)
    assert two.overlay.name == "barn high errors"
    two.says("barn high prediction, held against")


def test_the_overlay_comes_when_the_frame_of_the_other_role_is_gone(two):
    for role in ("low", "high"):
        ours = {"kind": "frame", "scene": "barn", "role": role}
        layer = two.viewer.add_image(
            np.zeros((2, 5)), metadata={METADATA_KEY: ours}, visible=role == "high"
        )
    two.click("metrics.overlay")
    two.says("shown over it alone")
    assert two.overlay is None
    two.viewer.layers.remove(layer)
    two.qtbot.waitUntil(lambda: two.overlay is not None)
    two.viewer.layers.append(layer)
    two.says("shown over it alone")
    assert two.overlay is None


def test_an_overlay_that_was_closed_looks_at_nothing_more(viewer):
    waiting, told = [], []
    overlay = PairOverlay(viewer, waiting.append)
    overlay.changed.connect(lambda: told.append(1))
    overlay.on = True
    viewer.add_image(np.zeros((2, 5)))
    (look,) = waiting
    overlay.close()
    look()
    assert not told


def test_an_overlay_that_somebody_closed_is_off(two):
    two.click("metrics.overlay")
    two.viewer.layers.remove(two.overlay)
    two.qtbot.waitUntil(lambda: not two.find("metrics.overlay").isChecked())
    assert two.viewer.layers["barn low ground truth"].opacity > 0


def test_closing_the_dock_closes_the_overlay(viewer, qtbot):
    truth = add(viewer, TRUTH, "ground truth")
    add(viewer, GUESS, "prediction")
    opacity = truth.opacity
    dock = MetricsDock(viewer)
    button = dock.findChild(QWidget, "metrics.overlay")
    qtbot.waitUntil(button.isEnabled)
    button.click()
    assert truth.opacity == 0
    with qtbot.waitSignal(dock.destroyed):
        dock.deleteLater()
    assert truth.opacity == opacity
    assert len(viewer.layers) == 2
    # Nobody listens any more.
    truth.paint((0, 0), 0)


# Curves.

PROBABILITY = np.array([[0.9, 0.8, 0.3, 0.6, 0.1], [0.7, 0.1, 0.1, 0.2, 0.1]], np.float32)


def test_curves_of_a_prediction_with_probabilities(two):
    add(two.viewer, PROBABILITY, "probability")
    two.shows("roc", "0.958")
    two.click("metrics.curves")
    two.qtbot.waitUntil(lambda: two.dock.findChild(QWidget, "metrics.roc") is not None)
    # At 0.3 and below 0.6 one pixel too many is foreground, above it one is missed.
    assert "low 0.30 (Dice 0.889" in two.text("metrics.curves_text")
    assert two.find("metrics.plots").isVisible()
    chosen = []
    two.session.threshold_chosen.connect(chosen.append)
    two.click("metrics.take_over")
    assert chosen == [0.3]
    assert "0.30 was handed to the Predict dock" in two.text()


def test_the_threshold_of_the_prediction_is_marked(hand):
    add(hand.viewer, TRUTH, "ground truth")
    add(hand.viewer, GUESS, "prediction", threshold=0.5)
    add(hand.viewer, PROBABILITY, "probability")
    hand.shows("roc", "0.958")
    hand.click("metrics.curves")
    hand.qtbot.waitUntil(lambda: "0.750 at 0.50" in hand.text("metrics.curves_text"))


def test_a_reference_from_elsewhere_has_curves_as_well(hand):
    hand.viewer.add_labels(TRUTH.astype(np.uint8), name="otsu")
    add(hand.viewer, GUESS, "prediction")
    add(hand.viewer, PROBABILITY, "probability")
    hand.qtbot.waitUntil(lambda: hand.find("metrics.prediction").count() == 2)
    hand.pick("metrics.reference", "otsu")
    hand.pick("metrics.prediction", "barn low prediction")
    hand.shows("roc", "0.958")
    hand.click("metrics.curves")
    hand.qtbot.waitUntil(lambda: "0.30 (Dice 0.889" in hand.text("metrics.curves_text"))


def test_without_probabilities_there_is_no_curve_and_that_is_said(hand):
    add(hand.viewer, GUESS, "prediction")
    hand.says("only mask that is open")
    hand.click("metrics.curves")
    assert "what it is held against" in hand.text("metrics.curves_text")
    add(hand.viewer, TRUTH, "ground truth")
    hand.says("held against")
    assert "tick Probability in the Predict dock" in hand.text("metrics.curves_text")
    assert not hand.find("metrics.plots").isVisible()
    assert not hand.find("metrics.take_over").isEnabled()


def test_a_correction_of_the_prediction_is_no_measure_of_it(hand):
    add(hand.viewer, TRUTH, "ground truth", model="run7")
    guess = add(hand.viewer, GUESS, "prediction", model="run7")
    hand.says("the metrics tell how much was corrected")
    guess.metadata[METADATA_KEY]["model"] = "run8"
    guess.events.paint(value=[])
    hand.qtbot.waitUntil(lambda: "how much was corrected" not in hand.text())


def test_a_prediction_of_a_scene_that_was_learned_is_said(hand, folder):
    learned(folder, train=["barn"])
    hand.session.open_folder(folder)
    hand.qtbot.waitUntil(lambda: bool(hand.session.brackets) and not hand.session.scanning)
    add(hand.viewer, TRUTH, "ground truth")
    add(hand.viewer, GUESS, "prediction", model="run7")
    hand.says("was trained on this scene")


def test_probabilities_that_are_none_are_refused(two):
    add(two.viewer, PROBABILITY * 7, "probability")
    two.says("No ROC AUC: probabilities have to lie within 0..1")
    assert two.cell("dice") == "0.750"


# Copy and export.


def test_values_are_copied_with_their_names_and_in_full(two):
    two.click("metrics.copy")
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == list(HEADER)
    values = dict(zip(HEADER, lines[1].split("\t"), strict=True))
    assert (values["scene"], values["role"], values["dice"]) == ("barn", "low", "0.750000")
    assert values["specificity"] == "0.833333"


def test_ctrl_c_copies_what_is_marked(two):
    table = two.find("metrics.table")
    table.setFocus()
    table.selectionModel().clear()
    for row in (0, 3):
        cell = table.model().index(row, 0)
        table.selectionModel().select(cell, table.selectionModel().SelectionFlag.Select)
    QTest.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "0.750000\n0.833333\n"


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_exporting_over_a_file_asks(two, tmp_path):
    path = tmp_path / "found.csv"
    two.dock.choose_file = lambda _proposal: path.with_suffix("")
    two.click("metrics.export")
    assert [row["mask"] for row in read(path)] == ["prediction", "all foreground", "no foreground"]
    assert not two.asked
    path.write_text("mine")
    two.answer = False
    two.click("metrics.export")
    assert path.read_text() == "mine"
    assert str(path) in two.asked[0]
    two.answer = True
    two.click("metrics.export")
    assert float(read(path)[0]["dice"]) == 0.75


def test_a_place_that_cannot_be_written_is_said(two, tmp_path):
    two.dock.choose_file = lambda _proposal: tmp_path / "missing" / "found.csv"
    two.click("metrics.export")
    assert "cannot be written" in two.text()


# All scenes.


@pytest.fixture
def folder(tmp_path, scene):
    """Three scenes, labelled by Ana and by a network; one pair is broken, one mask is alone."""
    frame = (24, 32)
    reference, prediction = (tmp_path / "set" / "labels" / name for name in ("Ana", "network"))
    for path in (reference, prediction):
        path.mkdir(parents=True)
    truth = np.zeros(frame, bool)
    truth[:12] = True
    for name, wrong in (("attic", 0), ("barn", 6), ("cave", 3)):
        scene(f"set/{name}")
        guess = truth.copy()
        guess[:wrong] = False
        for role in ("low", "high"):
            write_mask(reference / f"{name}_{role}.png", truth)
            write_mask(prediction / f"{name}_{role}.png", guess if role == "low" else truth)
        write_probability(prediction / f"{name}_low_probability.png", guess * 0.6 + truth / 3)
    write_mask(prediction / "cave_high.png", np.ones((5, 5), bool))
    write_mask(reference / "door_low.png", truth)
    return tmp_path / "set"


@pytest.fixture
def whole(hand, folder):
    """All scenes of an open folder, measured."""
    hand.session.annotator = "Ana"
    hand.session.open_folder(folder)
    hand.qtbot.waitUntil(lambda: bool(hand.session.brackets) and not hand.session.scanning)
    hand.all_scenes()
    return hand


def test_labellings_beside_the_brackets_are_measured_scene_by_scene(whole):
    assert whole.find("metrics.reference").currentText() == "Ana"
    assert whole.find("metrics.prediction").currentText() == "network"
    assert sorted(whole.scenes()) == [
        "attic high", "attic low", "barn high", "barn low", "cave low",
    ]  # fmt: skip
    means = whole.find("metrics.means").model()
    labels = [means.index(row, 0).data() for row in range(means.rowCount())]
    assert labels == ["low", "all", "none", "high", "all", "none"]
    dice = means.index(0, 1).data(Qt.ItemDataRole.UserRole)
    assert dice == pytest.approx((1 + 2 / 3 + 6 / 7) / 3)
    assert means.index(3, 1).data() == "1.00"


def test_what_is_not_compared_is_listed_with_the_reason(whole):
    assert whole.text("metrics.show_problems") == "Not compared: 2"
    whole.click("metrics.show_problems")
    listed = whole.find("metrics.problems").toPlainText()
    assert "door_low.png has no prediction" in listed
    assert "cave_high.png" in listed
    assert "(5, 5)" in listed


def test_a_click_on_a_heading_puts_the_worst_first(whole):
    whole.click_heading(1)
    assert whole.scenes()[:2] == ["barn low", "cave low"]
    whole.click_heading(0)
    assert whole.scenes()[0].startswith("attic")


def test_a_click_on_a_scene_shows_it_with_its_overlay(whole):
    whole.click_heading(1)
    whole.click_row(0)
    whole.qtbot.waitUntil(lambda: whole.overlay is not None, timeout=10_000)
    assert whole.session.current.scene == "barn"
    assert whole.overlay.name == "barn low errors"
    np.testing.assert_array_equal(whole.overlay.data[:, 0], [1] * 6 + [3] * 6 + [4] * 12)
    shown = [layer for layer in whole.viewer.layers if layer.visible and layer is not whole.overlay]
    assert [provenance_of(layer.metadata)["role"] for layer in shown] == ["low"]
    assert "barn low: Dice 0.667" in whole.text("metrics.detail")
    assert whole.find("metrics.overlay").isChecked()
    whole.click_row(1)
    whole.qtbot.waitUntil(
        lambda: whole.overlay is not None and whole.overlay.name == "cave low errors",
        timeout=10_000,
    )
    whole.session.select("attic")
    whole.qtbot.waitUntil(lambda: whole.session.current.scene == "attic", timeout=10_000)
    assert whole.overlay is None


def test_switching_the_overlay_off_shows_what_was_visible(whole):
    whole.session.select("barn")
    whole.qtbot.waitUntil(lambda: whole.session.current is not None, timeout=10_000)
    before = [layer.visible for layer in whole.viewer.layers]
    whole.click_row(whole.scenes().index("barn low"))
    whole.qtbot.waitUntil(lambda: whole.overlay is not None, timeout=10_000)
    whole.click("metrics.overlay")
    assert [layer.visible for layer in whole.viewer.layers] == before


def test_the_validation_scenes_of_a_run_can_be_looked_at_alone(whole, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    whole.dock.choose_folder = lambda _what: run
    combo = whole.find("metrics.scenes")
    combo.setCurrentIndex(combo.count() - 1)
    whole.says("no split.json that can be read")
    assert len(whole.scenes()) == 5
    (run / "split.json").write_text('{"train": ["attic"], "validation": ["barn"]}')
    combo.setCurrentIndex(combo.count() - 1)
    whole.says("2 masks of the validation scenes of run")
    assert sorted(whole.scenes()) == ["barn high", "barn low"]
    # Barn's foreground has probabilities of one third, where the mask misses it, and more.
    whole.click("metrics.curves")
    whole.qtbot.waitUntil(lambda: "low 0.33 (Dice 1.000" in whole.text("metrics.curves_text"))


def learned(folder, train, network=NETWORK):
    """Say that the predictions are those of a run which learned from some scenes."""
    info = LabelingInfo(method="network", ranges={"low": network, "high": network})
    (folder / "labels" / "network" / "labeling.json").write_text(info.model_dump_json())
    run = folder / "runs" / "run7"
    run.mkdir(parents=True)
    (run / "split.json").write_text(json.dumps({"train": train, "validation": ["cave"]}))


def test_scenes_that_the_network_learned_from_are_said_and_can_be_left_out(whole, folder):
    assert "used in training" not in whole.text()
    learned(folder, train=["attic", "barn"])
    whole.click("metrics.run")
    whole.says("⚠ 2 of 3 scenes were used in training")
    combo = whole.find("metrics.scenes")
    assert [combo.itemText(i) for i in range(combo.count())][:3] == [
        "All of them",
        "Not used in training",
        "Validation of run7",
    ]
    whole.pick("metrics.scenes", "Not used in training")
    whole.says("1 mask of scenes not used in training measured")
    assert "used in training:" not in whole.text()
    assert whole.scenes() == ["cave low"]
    whole.pick("metrics.scenes", "Validation of run7")
    whole.says("1 mask of the validation scenes of run7")
    whole.pick("metrics.scenes", "All of them")
    assert len(whole.scenes()) == 5


def test_a_network_is_held_against_otsu_where_nobody_has_labelled_by_hand(hand, folder):
    labels = folder / "labels"
    (labels / "Ana").rename(labels / "otsu")
    learned(folder, train=[])
    info = LabelingInfo(method="otsu", ranges={"low": Otsu(), "high": Otsu()})
    (labels / "otsu" / "labeling.json").write_text(info.model_dump_json())
    hand.session.open_folder(folder)
    hand.qtbot.waitUntil(lambda: bool(hand.session.brackets) and not hand.session.scanning)
    hand.all_scenes()
    hand.says("network, held against otsu")


def test_a_network_is_held_against_what_somebody_labelled_and_not_against_auto(hand, folder):
    labels = folder / "labels"
    (labels / "network").rename(labels / "auto")
    info = LabelingInfo(method="auto", ranges={"low": Automatic(), "high": Automatic()})
    (labels / "auto" / "labeling.json").write_text(info.model_dump_json())
    hand.session.open_folder(folder)
    hand.qtbot.waitUntil(lambda: bool(hand.session.brackets) and not hand.session.scanning)
    hand.all_scenes()
    hand.says("auto, held against Ana")


# The model of the package has one name in the window, and in files that of its weights.
@pytest.mark.parametrize("known", [{}, {"model": "built-in", "model_sha256": "5a"}])
def test_references_that_began_from_the_predictions_are_counted(whole, folder, known):
    learned(folder, train=[], network=NETWORK.model_copy(update={**known, "model": "run7"}))
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ana")
    (folder / "labels" / "Ana" / "labeling.json").write_text(info.model_dump_json())
    made = MaskRecord(origin=NETWORK.model_copy(update=known), frame="low.png", frame_sha256="")
    record = SceneRecord(scene="barn", masks={"low": made}, time="2026-01-01T10:00:00Z")
    (folder / "labels" / "Ana" / "barn.json").write_text(record.model_dump_json())
    assert LabelingFolder.open(folder / "labels" / "Ana").record("barn") == record
    whole.click("metrics.run")
    whole.says("⚠ 1 reference mask is a correction of these predictions, and flatters them")


def test_masks_that_were_saved_since_are_to_be_measured_again(whole, folder):
    path = folder / "labels" / "Ana" / "barn_low.png"
    whole.session.labeled_changed.emit(frozenset({"barn", "attic"}))
    assert "have changed since" not in whole.text()
    write_mask(path, np.ones((24, 32), bool))
    later = time.time_ns() + 10**9
    os.utime(path, ns=(later, later))
    whole.session.labeled_changed.emit(frozenset({"barn", "attic"}))
    whole.says("⚠ Masks of 1 scene have changed since: press Again to measure them.")
    os.utime(path, ns=(0, 0))
    whole.click("metrics.run")
    whole.qtbot.waitUntil(lambda: "have changed" not in whole.text() and "5 masks" in whole.text())


def test_the_best_mean_threshold_over_all_scenes_is_handed_on(whole):
    chosen = []
    whole.session.threshold_chosen.connect(chosen.append)
    whole.click("metrics.curves")
    whole.qtbot.waitUntil(lambda: whole.find("metrics.take_over").isEnabled())
    whole.click("metrics.take_over")
    assert chosen == [0.33]


def test_the_table_of_all_scenes_is_exported_in_its_order(whole, tmp_path):
    path = tmp_path / "all.csv"
    whole.dock.choose_file = lambda _proposal: path
    whole.click_heading(1)
    whole.click("metrics.export")
    low = [row for row in read(path) if row["role"] == "low"]
    assert [row["scene"] for row in low[:3]] == ["barn", "cave", "attic"]
    assert [row["scene"] for row in low[3:]] == ["mean of 3 scenes"] * 3


def test_another_folder_can_be_chosen_and_measured_again(whole, folder, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    write_mask(other / "attic_low.png", np.ones((24, 32), bool))
    whole.dock.choose_folder = lambda _what: other
    combo = whole.find("metrics.prediction")
    combo.setCurrentIndex(combo.count() - 1)
    whole.qtbot.waitUntil(lambda: whole.scenes() == ["attic low"])
    whole.says("A mask of all foreground has a Dice index of 0.667: this is no better")
    write_mask(other / "barn_low.png", np.ones((24, 32), bool))
    whole.click("metrics.run")
    whole.qtbot.waitUntil(lambda: len(whole.scenes()) == 2)


def test_folders_without_a_common_mask_say_so(whole, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    whole.dock.choose_folder = lambda _what: other
    combo = whole.find("metrics.prediction")
    combo.setCurrentIndex(combo.count() - 1)
    whole.says("no mask has a partner")


def test_without_a_folder_two_can_be_chosen(hand, folder):
    hand.find("metrics.scope").setCurrentIndex(1)
    assert "Choose two folders" in hand.text()
    chosen = {"reference": folder / "labels" / "Ana", "prediction": folder / "labels" / "network"}
    hand.dock.choose_folder = chosen.get
    for name in ("reference", "prediction"):
        combo = hand.find(f"metrics.{name}")
        combo.setCurrentIndex(combo.count() - 1)
    hand.says("measured:")
    hand.click_row(0)
    hand.qtbot.waitUntil(lambda: hand.overlay is not None, timeout=10_000)
    assert "Open the folder of its frames" in hand.text()


def test_the_two_ways_to_compare_do_not_mix(whole):
    add(whole.viewer, TRUTH, "ground truth")
    add(whole.viewer, GUESS, "prediction")
    assert len(whole.scenes()) == 5
    whole.find("metrics.scope").setCurrentIndex(0)
    whole.shows("dice", "0.750")
    assert not whole.find("metrics.means").isVisible()
    whole.find("metrics.scope").setCurrentIndex(1)
    assert len(whole.scenes()) == 5


def test_opening_writes_nothing(whole, folder):
    before = sorted(folder.rglob("*"))
    whole.click_row(0)
    whole.qtbot.waitUntil(lambda: whole.overlay is not None, timeout=10_000)
    assert sorted(folder.rglob("*")) == before


def test_in_a_window_the_plugin_opens_and_follows_a_stroke(plugins, make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    _, dock = viewer.window.add_plugin_dock_widget("bracketseg", "Metrics")
    truth = viewer.add_labels(np.zeros((60, 80), np.uint8), name="truth")
    viewer.add_labels(np.ones((60, 80), np.uint8), name="prediction")
    table = dock.findChild(QTableView, "metrics.table")
    qtbot.waitUntil(lambda: table.model().index(0, 0).data() == "0.000", timeout=10_000)
    dock.findChild(QWidget, "metrics.overlay").click()
    viewer.layers.selection.active = truth
    truth.mode = "paint"
    truth.brush_size = 400
    truth.paint((30, 40), 1)
    qtbot.waitUntil(lambda: table.model().index(0, 0).data() == "1.000", timeout=10_000)
    assert table.horizontalScrollBar().maximum() == 0
    cancel_all()


def test_behind_another_dock_nothing_is_measured(plugins, make_napari_viewer, qtbot, monkeypatch):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    truth = viewer.add_labels(np.zeros((60, 80), np.uint8), name="truth")
    viewer.add_labels(np.ones((60, 80), np.uint8), name="prediction")
    frame, dock = viewer.window.add_plugin_dock_widget("bracketseg", "Metrics")
    table = dock.findChild(QTableView, "metrics.table")

    def dice():
        return table.model().index(0, 0).data()

    qtbot.waitUntil(lambda: dice() == "0.000", timeout=10_000)
    viewer.window.add_plugin_dock_widget("bracketseg", "Train")
    qtbot.waitUntil(lambda: dock.visibleRegion().isEmpty(), timeout=10_000)
    at_once = SimpleNamespace(singleShot=lambda _ms, call: call())
    monkeypatch.setattr(live, "QTimer", at_once)
    started, run_job = [], live.run_job
    monkeypatch.setattr(live, "run_job", lambda *a, **k: started.append(1) or run_job(*a, **k))
    truth.brush_size = 400
    truth.paint((30, 40), 1)
    assert started == []
    frame.raise_()
    qtbot.waitUntil(lambda: dice() == "1.000", timeout=10_000)
    cancel_all()
