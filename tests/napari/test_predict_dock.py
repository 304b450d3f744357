"""The Predict dock, driven through its controls; a scripted worker stands for the network."""

import gc
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget
from safetensors.numpy import save_file

from bracketseg._napari.layers.provenance import METADATA_KEY, mask_layer_name
from bracketseg._napari.predict import model_choice
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.align_method import valid_of_bracket
from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import write_mask
from bracketseg.errors import FrameError, LabelingError, OutOfMemoryError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord
from bracketseg.learning.config import NetworkConfig, PredictConfig, TrainConfig
from bracketseg.learning.events import Expected, ScenePredicted
from bracketseg.learning.shipped import shipped_model
from bracketseg.worker.requests import (
    DevicesListed,
    FramePredicted,
    ListDevices,
    PredictFolder,
    Ready,
)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A user without settings, and a package without models."""
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(model_choice, "shipped_model", lambda role: tmp_path / "none" / role)


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    yield viewer
    assert jobs.cancel_all(10)


class FakeWorker:
    """Answers as a network would that takes the luma for the probability.

    Frames are answered one by one, as the test lets them go.
    """

    def __init__(self):
        self.requests = []
        self.go = threading.Semaphore(10_000)
        self.error = None
        self.failing = ()
        self.expected = None
        self.stopped = threading.Event()
        self.killed = threading.Event()
        self.closed = threading.Event()

    def hold(self):
        """Answer no frame until the test says so."""
        self.go = threading.Semaphore(0)

    def _wait(self):
        while not self.go.acquire(timeout=0.01):
            if self.killed.is_set() or self.closed.is_set() or self.stopped.is_set():
                return False
        return not self.killed.is_set()

    def ask(self, request):
        self.requests.append(request)
        yield Ready()
        if self.error is not None:
            raise self.error
        if isinstance(request, ListDevices):
            yield DevicesListed(devices=(("cuda:0", "A card"), ("cpu", "A processor")))
        elif isinstance(request, PredictFolder):
            yield from self._folder(request)
        else:
            for role, frame in request.frames.items():
                if not self._wait():
                    return
                probability = luma(frame).astype(np.float32) / np.float32(255)
                made = {"model_sha256": f"{role} digest", "loss": "bce"}
                yield FramePredicted(role=role, probability=probability, seconds=0.1, **made)

    def _folder(self, request):
        scenes = sorted(path.name for path in request.path.iterdir() if (path / "low.png").exists())
        if request.out.is_dir() and not request.overwrite:
            raise LabelingError(f"{request.out}: holds a labelling made in another way.")
        if self.expected is not None:
            yield self.expected
        for index, scene in enumerate(scenes, 1):
            if not self._wait():
                return
            if scene in self.failing:
                error = FrameError(f"{scene}: broken")
                yield SceneFailed(scene=scene, error=error, index=index, total=len(scenes))
                continue
            record = SceneRecord(scene=scene, masks={}, time=datetime.now(UTC))
            yield ScenePredicted(
                scene=scene,
                index=index,
                total=len(scenes),
                seconds=0.1,
                foreground=dict.fromkeys(request.models, 0.5),
                record=record,
            )

    def stop(self):
        self.stopped.set()

    def kill(self):
        self.killed.set()

    def close(self):
        self.closed.set()


class Hand:
    """Uses the dock as a person does: by what stands on it."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot
        self.session = session_of(window)
        self.frame, dock = window.window.add_plugin_dock_widget("bracketseg", "Predict")
        self.dock = dock
        self.worker = FakeWorker()
        self.questions, self.answer = [], False
        dock.make_worker = self._make
        dock.ask = self._asked

    def _make(self):
        if self.worker.killed.is_set() or self.worker.closed.is_set():
            self.worker = FakeWorker()
        return self.worker

    def _asked(self, question):
        self.questions.append(question)
        return self.answer

    def find(self, name):
        found = self.dock.findChild(QWidget, f"predict.{name}")
        assert found is not None, name
        return found

    def text(self, name="status"):
        return self.find(name).text()

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def says(self, part):
        self.qtbot.waitUntil(lambda: part in self.text(), timeout=10_000)

    def run(self):
        self.click("run")
        self.qtbot.waitUntil(lambda: self.find("run").isEnabled(), timeout=10_000)

    def choose(self, name, title):
        box = self.find(name)
        (index,) = [i for i in range(box.count()) if title in box.itemText(i)]
        box.setCurrentIndex(index)
        box.activated.emit(index)

    def wait_layers(self, part, count):
        """Wait until so many layers have a part in their names."""
        named = lambda: sum(part in name for name in self.layers)  # noqa: E731
        self.qtbot.waitUntil(lambda: named() == count, timeout=10_000)

    def layer(self, end):
        (found,) = [layer for layer in self.window.layers if layer.name.endswith(end)]
        return found

    def mask(self, end):
        return self.layer(end).data != 0

    @property
    def layers(self):
        return [layer.name for layer in self.window.layers]

    @property
    def frames(self):
        """What was asked of the network."""
        return [r for r in self.worker.requests if not isinstance(r, ListDevices)]


def make_run(folder, role, *, dice=0.9, day=1, loss="bce", epochs=1):
    """Leave what a training leaves after one epoch, but for weights."""
    folder.mkdir(parents=True)
    config = TrainConfig(role=role, loss=loss, epochs=epochs)
    (folder / "config.json").write_text(config.model_dump_json())
    (folder / "metrics.json").write_text(json.dumps({"epochs": 1}))
    started = f"2026-01-{day:02}T10:00:00+00:00"
    (folder / "environment.json").write_text(json.dumps({"started": started}))
    names = "epoch,train_loss,validation_loss,validation_dice,validation_jaccard,seconds"
    (folder / "history.csv").write_text(f"{names}\n1,0.5,0.5,{dice},0.8,1.0\n")
    card = {
        "role": role,
        "network": NetworkConfig().model_dump(mode="json"),
        "image_size": 64,
        "ground_truth": {"method": "masks"},
        "loss": loss,
        "seed": 0,
        "epoch": 1,
        "metrics": {"dice": dice},
        "versions": {},
    }
    metadata = {"bracketseg": "1", **{name: json.dumps(value) for name, value in card.items()}}
    save_file({"weight": np.zeros(1, np.float32)}, folder / "best.safetensors", metadata)
    return folder


@pytest.fixture
def folder(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    for role in ("low", "high"):
        make_run(tmp_path / "set" / "runs" / f"{role}-bce", role)
    return tmp_path / "set"


@pytest.fixture
def empty(window, qtbot):
    """Somebody at an empty window with the dock open."""
    return Hand(window, qtbot)


@pytest.fixture
def hand(window, qtbot, folder):
    """Somebody at the first of three scenes, who opens the dock."""
    session = session_of(window)
    session.open_folder(folder)
    qtbot.waitUntil(lambda: bool(session.brackets) and not session.scanning)
    session.next()
    qtbot.waitUntil(lambda: session.current is not None)
    hand = Hand(window, qtbot)
    hand.says("press Run")
    return hand


def probability(folder, scene, role):
    return luma(read_image(folder / scene / f"{role}.png")).astype(np.float32) / np.float32(255)


def images(hand, tmp_path, *layers):
    """Open images and models for both roles."""
    for role in ("low", "high"):
        path = make_run(tmp_path / "models" / role, role)
        hand.dock.choose_model = lambda _role, path=path: path / "best.safetensors"
        hand.choose(f"{role}_model", "Choose")
    for data, options in layers:
        hand.window.add_image(data, **options)
    hand.says("press Run")


def test_an_empty_window_says_what_to_do(empty):
    assert "Open a folder in the Brackets dock" in empty.text()
    for name in ("run", "run_all", "stop"):
        assert not empty.find(name).isEnabled()
        assert empty.find(name).toolTip()


def test_without_a_model_it_says_where_to_get_one(empty, rng):
    empty.window.add_image(rng.random((8, 8)), name="dark low")
    empty.says("No model yet")
    assert not empty.find("run").isEnabled()


def test_two_actions_from_a_loaded_bracket_to_masks(hand, folder):
    hand.run()
    for role in ("low", "high"):
        expected = probability(folder, "attic", role) >= 0.5
        np.testing.assert_array_equal(hand.mask(f"attic {role} prediction"), expected)
    assert hand.window.layers.selection.active.name == "attic low prediction"
    assert hand.layer("low prediction").visible
    assert hand.layer("attic low").visible
    assert not hand.layer("high prediction").visible
    assert "Predicted in" in hand.text()


def test_a_layer_says_where_it_comes_from(hand, folder):
    hand.run()
    ours = hand.layer("attic high prediction").metadata[METADATA_KEY]
    assert ours == {
        "kind": "prediction",
        "scene": "attic",
        "role": "high",
        "method": "network",
        "model": "high-bce",
        "model_sha256": "high digest",
        "loss": "bce",
        "frame": str(folder / "attic" / "high.png"),
        "threshold": 0.5,
        "scale": "full",
    }


def test_the_network_gets_the_frame_as_it_is_on_the_disk(hand, folder):
    hand.run()
    (request,) = hand.frames
    for role, frame in request.frames.items():
        np.testing.assert_array_equal(frame, read_image(folder / "attic" / f"{role}.png"))
    assert request.models == {r: folder / "runs" / f"{r}-bce" for r in ("low", "high")}
    assert request.config == PredictConfig()


def test_it_says_that_torch_is_loaded_and_then_which_frame_it_is_at(hand, monkeypatch):
    hand.worker.hold()
    hand.click("run")
    assert "Loading PyTorch" in hand.text()
    hand.says("Predicting attic low (1 of 2)")
    assert not hand.find("run").isEnabled()
    assert not hand.find("run_all").isEnabled()
    hand.worker.go.release()
    hand.says("Predicting attic high (2 of 2)")
    hand.worker.go.release()
    hand.says("Predicted in")


def test_stop_ends_the_process_at_once_and_says_so(hand, qtbot):
    worker = hand.worker
    worker.hold()
    hand.click("run")
    worker.go.release()
    hand.says("2 of 2")
    hand.click("stop")
    assert worker.killed.is_set()
    assert "Stopped. 1 of 2 frames predicted." in hand.text()
    assert "attic low prediction" in hand.layers
    hand.run()
    assert "Predicted in" in hand.text()


def test_the_threshold_is_live_and_asks_no_network(hand, folder):
    hand.run()
    values = probability(folder, "attic", "low")
    tie = float(round(float(values[12, 16]), 2))
    for threshold in (0.11, tie, 0.9, 1.0, 0.0):
        hand.find("threshold").setValue(threshold)
        expected = values >= np.float32(threshold)
        np.testing.assert_array_equal(hand.mask("low prediction"), expected)
    assert hand.find("threshold_slider").value() == 0
    hand.find("threshold_slider").setValue(25)
    assert hand.find("threshold").value() == 0.25
    np.testing.assert_array_equal(hand.mask("low prediction"), values >= np.float32(0.25))
    assert len(hand.frames) == 1


def test_a_threshold_that_was_chosen_elsewhere_is_taken_over(hand, folder):
    hand.run()
    hand.session.choose_threshold(0.37)
    assert hand.find("threshold").value() == 0.37
    expected = probability(folder, "attic", "low") >= np.float32(0.37)
    np.testing.assert_array_equal(hand.mask("low prediction"), expected)


def test_a_pixel_at_the_threshold_is_foreground(empty, tmp_path):
    frame = np.full((6, 6, 3), 102, np.uint8)
    images(empty, tmp_path, (frame, {"name": "night low", "rgb": True}))
    empty.find("threshold").setValue(0.4)
    empty.run()
    assert empty.mask("night low prediction").all()
    empty.find("threshold").setValue(0.41)
    assert not empty.mask("night low prediction").any()


def test_what_is_predicted_is_counted_and_held_against_the_ground_truth(hand, folder):
    hand.find("threshold").setValue(0.12)
    hand.run()
    mask = probability(folder, "attic", "low") >= np.float32(0.12)
    assert f"Low: {mask.mean():.1%} foreground" in hand.text("low_score")
    assert "Dice" not in hand.text("low_score")
    truth = np.zeros((24, 32), np.uint8)
    truth[:, :16] = 1
    layer = hand.window.add_labels(
        truth,
        name=mask_layer_name("attic", "low", "ground truth"),
        metadata={METADATA_KEY: {"kind": "ground truth", "scene": "attic", "role": "low"}},
    )
    dice = 2 * mask[:, :16].sum() / (mask.sum() + truth.sum())
    assert f"Dice {dice:.3f} against the open ground truth" in hand.text("low_score")
    assert f"{2 * 0.5 / 1.5:.3f}" in hand.text("low_score")
    hand.find("threshold").setValue(0.0)
    assert "no better than all foreground" in hand.text("low_score")
    np.testing.assert_array_equal(layer.data, truth)
    ours = layer.metadata[METADATA_KEY]
    # A rule gave it, and nobody has looked at it so far.
    layer.metadata = {METADATA_KEY: {**ours, "made": False}}
    assert "Dice" not in hand.text("low_score")
    layer.metadata = {METADATA_KEY: {**ours, "made": True}}
    assert "against the open ground truth" in hand.text("low_score")
    layer.data[:] = 1
    layer.events.paint(value=[])
    assert "Dice 1.000" in hand.text("low_score")
    layer.data[:] = 0
    layer.events.paint(value=[])
    assert "No Dice: the open ground truth has no foreground." in hand.text("low_score")


def test_a_layer_that_becomes_ground_truth_is_followed_until_the_dock_closes(hand):
    hand.run()
    layer = hand.window.add_labels(
        np.zeros((24, 32), np.uint8), metadata={METADATA_KEY: {"kind": "spare"}}
    )
    assert "Dice" not in hand.text("low_score")
    truth = {METADATA_KEY: {"kind": "ground truth", "scene": "attic", "role": "low"}}
    layer.name = mask_layer_name("attic", "low", "ground truth")
    layer.metadata = truth
    hand.qtbot.waitUntil(lambda: "the open ground truth" in hand.text("low_score"))
    layer.metadata = {METADATA_KEY: {"kind": "spare"}}
    with hand.qtbot.waitSignal(hand.dock.destroyed):
        hand.window.window.remove_dock_widget(hand.frame)
        hand.frame.deleteLater()
    layer.metadata = truth


def test_saved_ground_truth_is_found_and_a_prediction_is_none(hand, folder, qtbot):
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ana")
    LabelingFolder.create(folder / "labels" / "Ana", info)
    write_mask(folder / "labels" / "Ana" / "attic_low.png", np.ones((24, 32), bool))
    network = info.model_copy(update={"method": "network", "annotator": "other"})
    LabelingFolder.create(folder / "labels" / "AA", network)
    write_mask(folder / "labels" / "AA" / "attic_low.png", np.zeros((24, 32), bool))
    hand.session.open_folder(folder)
    hand.says("No picture yet")
    qtbot.waitUntil(lambda: not hand.session.scanning)
    hand.session.next()
    hand.says("attic: press Run")
    hand.run()
    hand.find("threshold").setValue(0.0)
    qtbot.waitUntil(lambda: "Dice 1.000 against Ana" in hand.text("low_score"))


def test_saved_ground_truth_that_is_a_correction_of_the_prediction_is_no_measure(
    hand, folder, qtbot
):
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ana")
    labeling = LabelingFolder.create(folder / "labels" / "Ana", info)
    origin = Network(model="low-bce", model_sha256="", loss="", threshold=0.5, scale="full")
    made = MaskRecord(origin=origin, frame="low.png", frame_sha256="")
    record = SceneRecord(scene="attic", masks={"low": made}, time=datetime.now(UTC))
    labeling.save_scene({"low": np.ones((24, 32), bool)}, record)
    hand.session.open_folder(folder)
    hand.says("No picture yet")
    qtbot.waitUntil(lambda: not hand.session.scanning)
    hand.session.next()
    hand.says("attic: press Run")
    hand.run()
    qtbot.waitUntil(lambda: "No Dice: Ana is a correction of this" in hand.text("low_score"))


def test_ground_truth_is_left_alone(hand):
    truth = np.ones((24, 32), np.uint8)
    metadata = {METADATA_KEY: {"kind": "ground truth", "scene": "attic", "role": "low"}}
    layer = hand.window.add_labels(truth, name="attic low prediction", metadata=metadata)
    hand.run()
    assert layer in hand.window.layers
    assert layer.data.all()


def test_a_second_run_updates_the_layer_in_place(hand, folder):
    hand.run()
    layer = hand.layer("attic low prediction")
    hand.find("threshold").setValue(0.2)
    hand.run()
    assert hand.layer("attic low prediction") is layer
    assert hand.questions == []
    expected = probability(folder, "attic", "low") >= np.float32(0.2)
    np.testing.assert_array_equal(layer.data != 0, expected)


def test_strokes_are_not_written_over_without_asking(hand, folder):
    hand.run()
    layer = hand.layer("attic low prediction")
    layer.data_setitem((np.arange(5), np.arange(5)), 1)
    painted = layer.data.copy()
    hand.find("threshold").setValue(0.1)
    np.testing.assert_array_equal(layer.data, painted)
    hand.click("run")
    (question,) = hand.questions
    assert "attic low prediction" in question
    assert "high" not in question
    assert len(hand.frames) == 1
    hand.answer = True
    hand.run()
    expected = probability(folder, "attic", "low") >= np.float32(0.1)
    np.testing.assert_array_equal(layer.data != 0, expected)


def test_strokes_made_while_the_network_works_are_kept(hand):
    hand.run()
    hand.worker.hold()
    hand.click("run")
    hand.says("1 of 2")
    layer = hand.layer("attic low prediction")
    layer.data_setitem((np.arange(5), np.arange(5)), 1)
    painted = layer.data.copy()
    hand.worker.go.release(2)
    hand.says("painted on while")
    np.testing.assert_array_equal(layer.data, painted)


def test_a_prediction_that_somebody_else_opened_is_asked_about(hand):
    metadata = {METADATA_KEY: {"kind": "prediction", "scene": "attic", "role": "low"}}
    other = np.eye(24, 32, dtype=np.uint8)
    layer = hand.window.add_labels(other.copy(), name="mine", metadata=metadata)
    hand.click("run")
    assert len(hand.questions) == 1
    np.testing.assert_array_equal(layer.data, other)
    hand.answer = True
    hand.run()
    assert [type(kept) for kept in hand.window.layers].count(Labels) == 2
    assert not np.array_equal(layer.data, other)


def test_a_mask_that_was_removed_comes_back_with_the_next_run(hand):
    hand.run()
    hand.window.layers.remove("attic low prediction")
    hand.find("threshold").setValue(0.3)
    assert "attic low prediction" not in hand.layers
    hand.run()
    assert "attic low prediction" in hand.layers


def test_the_probability_is_shown_on_wish(hand, folder):
    hand.run()
    assert "attic low probability" not in hand.layers
    hand.find("probability").setChecked(True)
    # One in each turn of the event loop.
    assert not any("probability" in name for name in hand.layers)
    hand.wait_layers("probability", 2)
    layer = hand.layer("attic low probability")
    np.testing.assert_array_equal(layer.data, probability(folder, "attic", "low"))
    assert layer.metadata[METADATA_KEY]["kind"] == "probability"
    assert hand.window.layers.index(layer) < hand.window.layers.index("attic low prediction")
    assert hand.window.layers.selection.active.name == "attic low prediction"
    assert len(hand.frames) == 1
    hand.find("probability").setChecked(False)
    hand.wait_layers("probability", 0)
    hand.find("probability").setChecked(True)
    hand.run()
    hand.wait_layers("probability", 2)
    assert hand.layers.count("attic high probability") == 1
    assert hand.frames[-1].config.probability


def test_low_and_high_are_shown_in_turn(hand):
    hand.run()
    hand.click("high")
    assert hand.layer("attic high").visible
    assert hand.layer("high prediction").visible
    assert not hand.layer("low prediction").visible
    assert hand.window.layers.selection.active.name == "attic high prediction"
    hand.window.layers.selection.active = hand.layer("low prediction")
    assert hand.layer("attic low").visible
    assert hand.find("low").isChecked()


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((8, 10, 4), 130, np.uint8),
        np.full((8, 10), 33410, np.uint16),
        np.full((8, 10, 3), 0.51, np.float32),
        np.eye(8, 10, dtype=bool),
    ],
    ids=["rgba", "grey 16", "float rgb", "bool"],
)
def test_any_picture_is_taken_with_its_place(empty, tmp_path, pixels):
    options = {"name": "moon", "scale": (2, 3), "translate": (5, 7), "rgb": pixels.ndim == 3}
    images(empty, tmp_path, (pixels, options))
    empty.run()
    layer = empty.layer("moon low prediction")
    assert layer.data.shape == (8, 10)
    assert tuple(layer.scale) == (2, 3)
    assert tuple(layer.translate) == (5, 7)
    expected = pixels if pixels.dtype == bool else np.ones((8, 10), bool)
    np.testing.assert_array_equal(layer.data != 0, expected)


def test_two_open_images_of_the_same_size_are_one_bracket(empty, tmp_path):
    dark, bright = np.full((8, 8), 90, np.uint8), np.full((8, 8), 200, np.uint8)
    images(empty, tmp_path, (bright, {"name": "a"}), (dark, {"name": "b"}))
    assert empty.find("low_image").currentText() == "b"
    empty.run()
    request = empty.frames[-1]
    np.testing.assert_array_equal(request.frames["low"], dark)
    np.testing.assert_array_equal(request.frames["high"], bright)
    empty.choose("low_image", "(none)")
    empty.run()
    assert list(empty.frames[-1].frames) == ["high"]


def test_pictures_that_cannot_be_used_are_said(empty):
    empty.window.add_image(np.zeros((8, 8), np.uint8), name="x low")
    empty.window.add_image(np.zeros((9, 8), np.uint8), name="x high")
    empty.says("Choose two pictures of one size")
    assert not empty.find("run").isEnabled()


def test_a_stack_is_predicted_slice_by_slice_the_shown_one_first(empty, tmp_path, rng):
    stack = rng.integers(0, 256, (4, 8, 10, 3), dtype=np.uint8)
    images(empty, tmp_path, (stack, {"name": "trip", "rgb": True}))
    empty.window.dims.set_point(0, 2)
    assert "all 4 slices" in empty.text()
    empty.worker.hold()
    empty.click("run")
    empty.worker.go.release()
    empty.says("(2 of 4)")
    layer = empty.layer("trip low prediction")
    assert layer.data.shape == (4, 8, 10)
    assert layer.data[2].any()
    assert not layer.data[[0, 1, 3]].any()
    empty.worker.go.release(3)
    empty.says("Predicted in")
    values = np.stack([luma(plane) for plane in stack]).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(layer.data != 0, values >= 0.5)
    empty.find("threshold").setValue(0.7)
    np.testing.assert_array_equal(layer.data[2] != 0, values[2] >= np.float32(0.7))
    empty.qtbot.waitUntil(
        lambda: np.array_equal(layer.data != 0, values >= np.float32(0.7)), timeout=5000
    )


def test_moving_through_a_stack_does_not_stop_the_run(empty, tmp_path, rng):
    stack = rng.integers(0, 256, (3, 8, 10), dtype=np.uint8)
    images(empty, tmp_path, (stack, {"name": "trip"}))
    empty.worker.hold()
    empty.click("run")
    empty.says("(1 of 3)")
    empty.window.dims.set_point(0, 1)
    empty.worker.go.release(3)
    empty.says("Predicted in")
    share = (stack[1] >= 128).mean()
    assert f"Low: {share:.1%} foreground" in empty.text("low_score")


def test_strokes_on_a_slice_not_predicted_yet_are_kept(empty, tmp_path, rng):
    stack = np.zeros((2, 8, 10), np.uint8)
    images(empty, tmp_path, (stack, {"name": "trip"}))
    empty.worker.hold()
    empty.click("run")
    empty.worker.go.release()
    empty.says("(2 of 2)")
    layer = empty.layer("trip low prediction")
    layer.data[1, 3, 3] = 1
    empty.worker.go.release()
    empty.says("painted on while")
    assert layer.data[1].sum() == 1


def test_a_run_that_was_stopped_is_offered_and_not_taken_by_itself(hand, folder):
    stopped = make_run(folder / "runs" / "stopped", "low", dice=0.4, day=28, epochs=20)
    hand.session.note_run(stopped)
    box = hand.find("low_model")
    hand.qtbot.waitUntil(lambda: box.findText("1 of 20 epochs", Qt.MatchFlag.MatchContains) >= 0)
    assert "Dice 0.900" in box.currentText()


def test_the_newest_run_is_taken_and_told_by_role_loss_dice_and_date(hand, folder):
    newer = make_run(folder / "runs" / "newer", "low", dice=0.756, day=20, loss="focal")
    make_run(folder / "runs" / "older", "low", day=3)
    (folder / "runs" / "unfinished").mkdir()
    hand.session.note_run(newer)
    box = hand.find("low_model")
    hand.qtbot.waitUntil(lambda: box.count() == 5)
    assert "low focal" in box.currentText()
    assert "Dice 0.756" in box.currentText()
    assert "20 Jan" in box.currentText()
    titles = [box.itemText(i) for i in range(box.count())]
    assert [t.split(" · ")[-1][:6] for t in titles[:3]] == ["20 Jan", "03 Jan", "01 Jan"]
    assert titles[3:] == ["(leave out)", "Choose…"]


def test_a_run_of_this_session_is_offered_wherever_it_lies(empty, tmp_path):
    run = make_run(tmp_path / "elsewhere" / "run", "high", dice=0.5)
    empty.session.note_run(run)
    box = empty.find("high_model")
    empty.qtbot.waitUntil(lambda: "Dice 0.500" in box.currentText())


def test_the_built_in_models_say_what_they_learned(monkeypatch):
    monkeypatch.setattr(model_choice, "shipped_model", shipped_model)
    titles = [model.title for model in model_choice.built_in_models()]
    assert [title.split()[0] for title in titles] == ["low", "high"]
    assert all(title.endswith("· built-in (manual ranges)") for title in titles)


def test_the_built_in_model_is_offered_behind_the_runs(
    window, folder, tmp_path, monkeypatch, qtbot
):
    file = make_run(tmp_path / "package", "low", dice=0.987) / "best.safetensors"
    shipped = file.rename(tmp_path / "low.safetensors")
    monkeypatch.setattr(model_choice, "shipped_model", lambda role: shipped.with_stem(role))
    session_of(window).open_folder(folder)
    hand = Hand(window, qtbot)
    box = hand.find("low_model")
    assert "low bce · Dice 0.987 · built-in" in [box.itemText(i) for i in range(box.count())]
    qtbot.waitUntil(lambda: box.count() == 4)
    assert "built-in" not in box.currentText()
    hand.session.next()
    hand.says("attic: press Run")
    hand.choose("low_model", "built-in")
    hand.run()
    assert hand.frames[0].models["low"] == shipped


def test_a_model_of_the_other_role_is_refused(hand, folder):
    hand.dock.choose_model = lambda _role: folder / "runs" / "high-bce" / "best.safetensors"
    before = hand.find("low_model").currentText()
    hand.choose("low_model", "Choose")
    assert "high-bce was trained for the high exposure" in hand.text()
    assert hand.find("low_model").currentText() == before
    hand.dock.choose_model = lambda _role: folder / "attic" / "low.png"
    hand.choose("low_model", "Choose")
    assert "choose another model" in hand.text()
    hand.dock.choose_model = lambda _role: None
    hand.choose("low_model", "Choose")
    assert hand.find("low_model").currentText() == before


def test_a_role_can_be_left_out(hand):
    hand.choose("low_model", "(leave out)")
    hand.run()
    assert list(hand.frames[0].frames) == ["high"]
    assert "attic low prediction" not in hand.layers
    assert hand.window.layers.selection.active.name == "attic high prediction"
    hand.choose("high_model", "(leave out)")
    assert not hand.find("run").isEnabled()
    assert not hand.find("run_all").isEnabled()


def test_another_model_is_said_until_it_has_run(hand, folder):
    hand.run()
    make_run(folder / "runs" / "other", "low", day=9)
    hand.session.note_run(folder / "runs" / "other")
    hand.qtbot.waitUntil(lambda: hand.find("low_model").count() == 4)
    assert "by low-bce" in hand.text("low_score")
    assert "press Run to predict" in hand.text()
    hand.run()
    assert "by low-bce" not in hand.text("low_score")


def test_an_error_of_the_worker_is_said_and_the_window_goes_on(hand):
    hand.worker.error = OutOfMemoryError("cuda:0 has too little memory; choose device cpu")
    hand.run()
    assert "⚠ cuda:0 has too little memory" in hand.text()
    hand.worker.error = None
    hand.run()
    assert "⚠" not in hand.text()


def test_another_scene_hides_the_masks_and_stops_the_run(hand):
    hand.run()
    hand.find("probability").setChecked(True)
    hand.wait_layers("probability", 2)
    hand.session.next()
    hand.says("barn: press Run")
    assert not hand.layer("low prediction").visible
    assert not hand.layer("low probability").visible
    assert not hand.find("low_score").isVisible()
    assert hand.window.layers.selection.active.name == "barn low"
    worker = hand.worker
    worker.hold()
    hand.click("run")
    hand.says("Predicting barn")
    hand.session.next()
    hand.says("cave: press Run")
    assert worker.killed.is_set()


def test_the_masks_of_a_scene_are_there_when_one_comes_back_to_it(hand, folder):
    hand.run()
    hand.session.next()
    hand.says("barn: press Run")
    hand.session.previous()
    hand.says("attic: move the threshold")
    assert hand.layer("attic low prediction").visible
    hand.find("threshold").setValue(0.13)
    expected = probability(folder, "attic", "low") >= np.float32(0.13)
    np.testing.assert_array_equal(hand.mask("low prediction"), expected)
    assert len(hand.frames) == 1


def test_what_was_predicted_of_another_frame_is_not_shown_as_of_this_one(hand, folder):
    hand.run()
    attic = hand.session.current
    low, medium, high = attic.frames
    hand.session.choose_roles(medium, high)
    hand.qtbot.waitUntil(lambda: not hand.find("low_score").isVisible())
    assert not hand.layer("low prediction").visible
    assert hand.find("high_score").isVisible()
    hand.find("threshold").setValue(0.13)
    expected = probability(folder, "attic", "low") >= np.float32(0.5)
    np.testing.assert_array_equal(hand.mask("low prediction"), expected)
    hand.click("correct")
    status = hand.window.window._qt_window.findChild(QWidget, "gt.status").text
    hand.qtbot.waitUntil(lambda: "was made on low.png, but medium.png is the low" in status())
    hand.session.choose_roles(low, high)
    hand.qtbot.waitUntil(lambda: not hand.find("low_score").isHidden())
    hand.session.choose_roles(medium, high)
    hand.qtbot.waitUntil(lambda: hand.find("low_score").isHidden())
    hand.run()
    assert hand.questions == []
    expected = probability(folder, "attic", "medium") >= np.float32(0.13)
    np.testing.assert_array_equal(hand.mask("low prediction"), expected)
    hand.qtbot.waitUntil(lambda: hand.layer("low prediction").visible)


def test_the_next_run_takes_the_layers_of_the_scene_before(hand, folder):
    hand.find("probability").setChecked(True)
    hand.run()
    hand.wait_layers("probability", 2)
    before = [hand.layer(f"low {kind}") for kind in ("prediction", "probability")]
    hand.session.next()
    hand.says("barn: press Run")
    hand.find("threshold").setValue(0.3)
    hand.run()
    hand.wait_layers("attic", 0)
    mask, values = (hand.layer(f"barn low {kind}") for kind in ("prediction", "probability"))
    assert [mask, values] == before
    assert mask.metadata[METADATA_KEY]["scene"] == "barn"
    assert values.metadata[METADATA_KEY]["scene"] == "barn"
    assert mask.visible
    np.testing.assert_array_equal(values.data, probability(folder, "barn", "low"))
    np.testing.assert_array_equal(mask.data != 0, values.data >= np.float32(0.3))
    hand.session.open_folder(folder)
    hand.says("No picture yet")
    hand.wait_layers("prediction", 0)
    hand.wait_layers("probability", 0)


def test_probabilities_do_not_lie_over_what_is_corrected(hand, folder):
    hand.find("probability").setChecked(True)
    hand.run()
    hand.wait_layers("probability", 2)
    assert hand.layer("low probability").visible
    hand.click("correct")
    assert not any(
        hand.layer(f"{role} {kind}").visible
        for role in ("low", "high")
        for kind in ("prediction", "probability")
    )


def test_choosing_another_image_stops_the_run(empty, tmp_path):
    frame = np.full((8, 8), 90, np.uint8)
    images(empty, tmp_path, (frame, {"name": "a low"}), (frame.copy(), {"name": "b"}))
    worker = empty.worker
    worker.hold()
    empty.click("run")
    empty.says("Predicting a low")
    empty.choose("low_image", "b")
    assert worker.killed.is_set()
    assert empty.find("run").isEnabled()


def test_a_mask_that_was_painted_on_outlives_its_scene(hand):
    hand.run()
    layer = hand.layer("attic low prediction")
    layer.data_setitem((np.arange(5), np.arange(5)), 1)
    hand.session.next()
    hand.says("barn: press Run")
    hand.run()
    assert layer in hand.window.layers
    assert not layer.visible
    assert layer.name == "attic low prediction"
    assert layer.data[:5, :5].trace() == 5
    assert "attic high prediction" not in hand.layers
    assert "barn low prediction" in hand.layers


def test_all_scenes_are_predicted_and_the_table_hears_of_each(hand, folder):
    told = []
    hand.session.labeled_changed.connect(told.append)
    hand.find("threshold").setValue(0.3)
    hand.find("scale").setCurrentText("train")
    hand.worker.hold()
    hand.click("run_all")
    assert "Loading PyTorch" in hand.text()
    hand.says("Scene 1 of 3")
    hand.worker.go.release()
    hand.says("Scene 2 of 3, about")
    assert "left" in hand.text()
    hand.worker.go.release(2)
    hand.says("3 of 3 scenes predicted. Saved in labels/network.")
    (request,) = hand.frames
    assert request.path == folder
    assert request.out == folder / "labels" / "network"
    assert request.models == {r: folder / "runs" / f"{r}-bce" for r in ("low", "high")}
    assert request.config == PredictConfig(threshold=0.3, scale="train")
    assert told == [{"attic"}, {"barn"}, {"cave"}]
    (labels,) = hand.session.labeled["barn"]
    assert (labels.annotator, labels.method) == ("network", "network")


def test_how_long_all_scenes_take_is_told_before_the_first(hand):
    hand.worker.expected = Expected(frames=6, seconds=200.0, memory_bytes=None)
    hand.worker.hold()
    hand.click("run_all")
    hand.says("Scene 1 of 3, about 3 min for all …")
    hand.worker.go.release(3)
    hand.says("3 of 3 scenes predicted")
    hand.worker.expected = None
    hand.click("run_all")
    hand.says("Scene 1 of 3 …")
    hand.worker.go.release(3)
    hand.says("3 of 3 scenes predicted")


def test_scenes_that_fail_are_listed_and_stop_nothing(hand):
    hand.worker.failing = ("barn",)
    hand.click("run_all")
    hand.says("2 of 3 scenes predicted, 1 could not be")
    assert hand.text("show_problems") == "1 scene failed"
    hand.click("show_problems")
    assert hand.find("problems").isVisible()
    assert "barn: broken" in hand.find("problems").toPlainText()
    assert "barn" not in hand.session.labeled


def test_stopping_all_scenes_keeps_those_that_are_done(hand):
    hand.worker.hold()
    hand.click("run_all")
    hand.worker.go.release()
    hand.says("Scene 2 of 3")
    hand.click("stop")
    hand.says("Stopped: 1 of 3 scenes predicted")
    assert hand.worker.stopped.is_set()
    assert not hand.worker.killed.is_set()


def test_masks_made_in_another_way_are_replaced_only_after_asking(hand, folder):
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ana")
    LabelingFolder.create(folder / "labels" / "network", info)
    write_mask(folder / "labels" / "network" / "attic_low.png", np.ones((24, 32), bool))
    hand.click("run_all")
    hand.says("Nothing was changed")
    (question,) = hand.questions
    assert "labels/network holds masks made by hand by Ana" in question
    assert [request.overwrite for request in hand.frames] == [False]
    hand.answer = True
    hand.click("run_all")
    hand.says("3 of 3 scenes predicted")
    assert [request.overwrite for request in hand.frames] == [False, False, True]


def test_another_folder_for_all_scenes(hand, tmp_path):
    hand.dock.choose_folder = lambda: tmp_path / "mine"
    hand.click("folder")
    hand.click("run_all")
    hand.says(f"Saved in {tmp_path / 'mine'}")
    assert hand.frames[0].out == tmp_path / "mine"


def test_devices_are_listed_when_somebody_looks_for_them(hand):
    assert hand.worker.requests == []
    box = hand.find("device")
    assert [box.itemText(i) for i in range(box.count())] == ["auto", "cpu"]
    QTest.mouseClick(box, Qt.MouseButton.LeftButton)
    hand.qtbot.waitUntil(lambda: box.findData("cuda:0") >= 0)
    box.hidePopup()
    box.setCurrentText("cuda:0: A card")
    hand.run()
    assert hand.frames[-1].config.device == "cuda:0"


@pytest.mark.parametrize("button", ["run", "run_all"])
def test_a_dock_that_is_closed_ends_its_work(hand, window, qtbot, button):
    hand.worker.hold()
    hand.click(button)
    hand.says("1 of")
    worker, frame = hand.worker, hand.frame
    hand.dock = hand.frame = None
    window.window.remove_dock_widget(frame)
    del frame

    def ended():
        gc.collect()
        return worker.closed.is_set()

    qtbot.waitUntil(ended, timeout=20_000)
    assert worker.killed.is_set() == (button == "run")
    qtbot.waitUntil(lambda: not jobs.running_jobs(), timeout=20_000)
    window.layers.clear()


def test_opening_starts_nothing_and_writes_nothing(hand, folder, tmp_path):
    assert hand.worker.requests == []
    assert not (folder / "labels").exists()
    assert not (tmp_path / "config").exists()


def test_opening_all_docks_loads_no_torch():
    code = (
        "import sys, bracketseg._napari.predict.dock, bracketseg._napari.truth.dock, "
        "bracketseg._napari.brackets.dock; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_word_fits_into_a_dock_of_330_pixels(hand, qtbot):
    hand.run()
    hand.dock.setFixedSize(330, 700)
    qtbot.wait(50)
    assert hand.dock.minimumSizeHint().width() <= 330
    for widget in hand.dock.findChildren((QLabel, QAbstractButton, QComboBox)):
        if not widget.isVisible() or widget.window() is not hand.dock.window():
            continue
        edge = widget.mapTo(hand.dock, widget.rect().topRight()).x()
        assert edge <= hand.dock.width(), widget.objectName()
        if isinstance(widget, QAbstractButton):
            assert widget.width() >= widget.minimumSizeHint().width(), widget.objectName()
    status = hand.find("status")
    assert status.mapTo(hand.dock, status.rect().bottomLeft()).y() < 700


def test_the_dock_stands_in_the_menu_for_segmentation(plugins):
    items = [item.command for item in plugins.menus()["napari/layers/segment"]]
    assert "bracketseg.predict_dock" in items


def test_a_prediction_goes_to_ground_truth_at_a_click(hand, folder):
    assert not hand.find("correct").isEnabled()
    assert "Predict" in hand.find("correct").toolTip()
    hand.choose("high_model", "(leave out)")
    hand.run()
    assert hand.find("correct").isEnabled()
    hand.click("correct")
    truth = hand.window.window._qt_window.findChild(QWidget, "gt.low.method")
    assert truth is not None
    hand.qtbot.waitUntil(lambda: truth.currentText() == "Prediction", timeout=10_000)
    hand.qtbot.waitUntil(truth.isVisible)
    high = hand.window.window._qt_window.findChild(QWidget, "gt.high.method")
    assert high.currentText() == "Manual"
    wanted = probability(folder, "attic", "low") >= np.float32(0.5)
    np.testing.assert_array_equal(hand.mask("attic low ground truth"), wanted)
    assert hand.window.layers.selection.active is hand.layer("attic low ground truth")
    assert not hand.layer("attic low prediction").visible
    # It says nothing of the prediction, as long as it is one with it.
    assert "No Dice: the open ground truth is a correction of this" in hand.text("low_score")
    # The dock is there now, and another word from here reaches it as well.
    truth.setCurrentText("Otsu")
    assert "against the open ground truth;" in hand.text("low_score")
    hand.click("correct")
    assert truth.currentText() == "Prediction"
    hand.window.window._qt_window.findChild(QWidget, "gt.accept").click()
    record = folder / "labels" / "me" / "attic.json"
    hand.qtbot.waitUntil(record.exists, timeout=10_000)
    made = LabelingFolder.open(record.parent).record("attic").masks["low"].origin
    assert made == Network(
        model="low-bce", model_sha256="low digest", loss="bce", threshold=0.5, scale="full"
    )


class BothHands(Hand):
    """Somebody who has the dock Ground truth open, too, and looks at probabilities."""

    def truth(self, name):
        return self.window.window._qt_window.findChild(QWidget, f"gt.{name}")

    def go(self, scene):
        self.session.select(scene)
        self.qtbot.waitUntil(lambda: scene in self.truth("status").text())
        for role in ("low", "high"):
            self.wait_layers(f"{scene} {role} ground truth", 1)

    def shows(self, *names):
        def shown():
            assert {layer.name for layer in self.window.layers if layer.visible} == set(names)

        self.qtbot.waitUntil(shown, timeout=10_000)


@pytest.fixture
def both(window, qtbot, folder):
    """At the first of three scenes, of which cave is larger."""
    for path in (folder / "cave").iterdir():
        assert cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (320, 240)))
    session = session_of(window)
    session.open_folder(folder)
    qtbot.waitUntil(lambda: bool(session.brackets) and not session.scanning)
    window.window.add_plugin_dock_widget("bracketseg", "Ground truth")
    hand = BothHands(window, qtbot)
    hand.find("probability").setChecked(True)
    hand.go("attic")
    return hand


def predict(hand, scene):
    hand.run()
    hand.wait_layers(f"{scene} low probability", 1)
    hand.wait_layers(f"{scene} high probability", 1)


def test_one_mask_is_shown_at_a_time_with_both_docks_open(both):
    both.shows("attic low", "attic low ground truth")
    predict(both, "attic")
    both.shows("attic low", "attic low prediction", "attic low probability")
    both.go("barn")
    both.shows("barn low", "barn low ground truth")
    both.go("attic")
    both.shows("attic low", "attic low ground truth")
    both.click("low")
    both.shows("attic low", "attic low prediction", "attic low probability")
    QTest.mouseClick(both.truth("low.focus"), Qt.MouseButton.LeftButton)
    both.shows("attic low", "attic low ground truth")


def test_both_docks_turn_to_the_other_role_together(both):
    predict(both, "attic")
    QTest.mouseClick(both.truth("high.focus"), Qt.MouseButton.LeftButton)
    both.shows("attic high", "attic high ground truth")
    assert both.find("high").isChecked()
    assert not both.find("low").isChecked()
    both.go("barn")
    both.shows("barn high", "barn high ground truth")
    assert both.find("high").isChecked()
    # Nothing is predicted here: the ground truth goes along.
    both.click("low")
    both.shows("barn low", "barn low ground truth")
    assert both.truth("low.focus").isChecked()
    assert both.window.layers.selection.active.name == "barn low ground truth"
    both.go("attic")
    both.click("high")
    both.shows("attic high", "attic high prediction", "attic high probability")
    assert both.truth("high.focus").isChecked()


def test_the_view_fits_the_next_scene_and_not_the_predictions_before(both):
    both.go("cave")
    predict(both, "cave")
    both.go("attic")
    camera = getattr(both.window, "scene", both.window).camera
    assert camera.center[1:] == (11.5, 15.5)


def test_ground_truth_offers_the_prediction_whose_layer_was_that_of_another_scene(hand):
    hand.choose("high_model", "(leave out)")
    hand.window.window.add_plugin_dock_widget("bracketseg", "Ground truth")
    method = hand.window.window._qt_window.findChild(QWidget, "gt.low.method")
    offered = method.model().item(method.findData("prediction")).isEnabled
    title = hand.window.window._qt_window.findChild(QWidget, "gt.status").text
    hand.run()
    hand.qtbot.waitUntil(offered, timeout=10_000)
    layer = hand.layer("low prediction")
    hand.session.next()
    hand.says("barn: press Run")
    hand.qtbot.waitUntil(lambda: "barn" in title() and not offered(), timeout=10_000)
    hand.run()
    assert hand.layer("barn low prediction") is layer
    assert offered()


def test_the_run_that_was_chosen_in_the_train_dock_is_taken(hand, folder, tmp_path):
    make_run(folder / "runs" / "old", "low", dice=0.1, day=1)
    hand.session.choose_model(folder / "runs" / "old")
    assert "Dice 0.100" in hand.find("low_model").currentText()
    assert "high bce" in hand.find("high_model").currentText()
    # Once it is found in the folder, too, it stands there once.
    hand.session.note_run(folder / "runs" / "old")
    model = hand.find("low_model")
    hand.qtbot.waitUntil(
        lambda: "01 Jan" in model.currentText() and "Dice 0.100" in model.currentText()
    )
    titles = [model.itemText(place) for place in range(model.count())]
    assert sum("Dice 0.100" in title for title in titles) == 1
    hand.session.choose_model(tmp_path)
    hand.says("⚠")


def test_a_notice_is_a_warning_only_where_something_went_wrong(
    hand, folder, tmp_path, picture, monkeypatch
):
    (folder / "cave" / "high.png").write_bytes(b"no picture any more")
    hand.session.select("cave")
    hand.says("⚠")
    assert str(folder / "cave" / "high.png") in hand.text()
    hand.session.select("barn")
    hand.says("barn: press Run")
    assert "⚠" not in hand.text()
    for number in range(4):
        picture(f"disc/dome/{number}.png", 0.2 * 2**number)
    disc = tmp_path / "disc"
    own = tmp_path / "home" / "bracketseg-labels"
    monkeypatch.setattr(Path, "home", lambda: own.parent)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    hand.session.open_folder(disc)
    hand.qtbot.waitUntil(lambda: bool(hand.session.brackets) and not hand.session.scanning)
    hand.session.next()
    hand.qtbot.waitUntil(lambda: hand.session.current is not None)
    first, *_, last = hand.session.current.frames
    hand.session.choose_roles(first, last)
    hand.says("Chosen frames are kept in ~/bracketseg-labels/")
    hand.qtbot.waitUntil(lambda: hand.session.current.frame("high") == last)
    assert "Chosen frames are kept" in hand.text()
    assert "⚠" not in hand.text()
    assert f"into {own}{os.sep}" in hand.find("run_all").toolTip()


@pytest.fixture
def askew(window, qtbot, held):
    """Somebody at a scene whose frames were taken by hand."""
    for role in ("low", "high"):
        make_run(held.parent / "runs" / f"{role}-bce", role)
    session = session_of(window)
    session.open_folder(held.parent)
    qtbot.waitUntil(lambda: bool(session.brackets) and not session.scanning)
    session.next()
    hand = Hand(window, qtbot)
    hand.says("held: press Run")
    return hand


def test_masks_are_empty_where_the_aligned_frames_have_nothing_in_common(askew):
    bracket = askew.session.current
    valid = valid_of_bracket(bracket, "shift")
    regions = {f"{role} prediction": valid[bracket.frame(role)] for role in ("low", "high")}
    askew.find("threshold").setValue(0.1)
    askew.run()
    whole = {name: askew.mask(name) for name in regions}
    assert all((whole[name] & ~region).any() for name, region in regions.items())

    def masks_are(masks):
        are = lambda: all((askew.mask(name) == mask).all() for name, mask in masks.items())  # noqa: E731
        askew.qtbot.waitUntil(are, timeout=10_000)

    askew.session.align = "shift"
    masks_are({name: whole[name] & region for name, region in regions.items()})
    # Of a threshold of 0 as well, and of a network that is asked again.
    askew.find("threshold").setValue(0)
    masks_are(regions)
    askew.run()
    masks_are(regions)
    assert askew.questions == []
    askew.click("run_all")
    askew.qtbot.waitUntil(lambda: askew.find("run_all").isEnabled(), timeout=10_000)
    assert askew.frames[-1].align == "shift"
    askew.session.align = "off"
    askew.find("threshold").setValue(0.1)
    masks_are(whole)
