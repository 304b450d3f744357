"""The Train dock, with a worker that says what the test wants."""

import csv
import gc
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import weakref
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import npe2
import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget
from safetensors.numpy import save_file

from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.train import dock as train_dock
from bracketseg._napari.train import view as train_view
from bracketseg._napari.train.material import Masks
from bracketseg._napari.train.plan import Choice, plan_runs
from bracketseg._napari.widgets import jobs
from bracketseg.errors import OutOfMemoryError, TrainingError, WorkerError
from bracketseg.evaluation.metrics import Metrics
from bracketseg.labeling.records import LabelingInfo
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.events import (
    Cached,
    EpochDone,
    Estimated,
    ExamplesSeen,
    Finished,
    MicroBatch,
    Planned,
    SceneCached,
    ScenesSkipped,
    SkippedScene,
    StepDone,
    Stopped,
)
from bracketseg.learning.runs import find_runs
from bracketseg.worker.requests import Ready

PLANNED = Planned(
    scenes=3,
    cache_bytes=1,
    memory_bytes=1,
    device="cpu",
    device_name="two cores",
    precision="float32",
    parameters=1,
)
METRICS = Metrics(
    dice=0.9,
    jaccard=0.8,
    sensitivity=0.9,
    specificity=0.9,
    auc_eq9=0.9,
    roc_auc=None,
    reference_foreground=0.25,
    prediction_foreground=0.31,
)
CACHED = Cached(train=("attic", "barn"), validation=("cave",), bytes=1, rethresholded=0)
END = object()


class FakeWorker:
    """Answers what the test puts into `answers`."""

    def __init__(self):
        self.answers = queue.SimpleQueue()
        self.requests = []
        self.stops = self.kills = 0
        self.busy = self.closed = False

    def ask(self, request):
        self.busy, self.closed = True, False
        self.requests.append(request)
        try:
            while (answer := self.answers.get()) is not END:
                if isinstance(answer, Exception):
                    raise answer
                yield answer
        finally:
            self.busy = False

    def say(self, *answers):
        for answer in answers:
            self.answers.put(answer)

    def stop(self):
        self.stops += 1

    def kill(self):
        self.kills += 1
        self.answers.put(END)

    def close(self):
        self.closed = True
        if self.busy:
            self.answers.put(END)


class Dock:
    """The dock as a person sees it: controls by their names."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget("bracketseg", "Train")
        self.session = session_of(viewer)

    def __getattr__(self, name):
        found = self.widget.findChild(QWidget, f"train.{name}")
        assert found is not None, name
        return found

    @property
    def text(self):
        return self.status.text()

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=30_000)

    def wait_text(self, words):
        self.wait(lambda: words in self.text)

    def open(self, folder):
        self.session.open_folder(folder)
        self.wait(lambda: not self.session.scanning and self.text.startswith(("Ready", "⚠", "No")))

    def begin(self, worker):
        count = len(worker.requests)
        self.start.click()
        self.wait(lambda: len(worker.requests) > count)
        return worker.requests[-1]

    @property
    def listed(self):
        return [self.runs.item(row).text() for row in range(self.runs.count())]

    @property
    def curves(self):
        """What each plot shows: of the lines with points, their y values."""
        plots = [w for w in self.plot.findChildren(QWidget) if hasattr(w, "plotItem")]
        lines = [[item.getData() for item in plot.plotItem.listDataItems()] for plot in plots]
        return [[list(y) for x, y in drawn if x is not None and len(x)] for drawn in lines]


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "config")


@pytest.fixture
def worker(monkeypatch):
    made = FakeWorker()
    monkeypatch.setattr(train_dock, "Worker", lambda: made)
    return made


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    yield viewer
    assert jobs.cancel_all(10)


@pytest.fixture
def dock(worker, window, qtbot):
    dock = Dock(window, qtbot)
    dock.widget.ask = lambda _: True
    yield dock
    worker.close()


@pytest.fixture
def label(tmp_path):
    def label(scenes, roles=("low", "high"), name="me", foreground=0.25):
        labels = tmp_path / "set" / "labels" / name
        labels.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((24, 32), np.uint8)
        mask[:, : round(32 * foreground)] = 255
        for scene in scenes:
            for role in roles:
                assert cv2.imwrite(str(labels / f"{scene}_{role}.png"), mask)
        return labels

    return label


@pytest.fixture
def folder(tmp_path, scene, label):
    names = ("attic", "barn", "cave")
    for name in names:
        scene(f"set/{name}")
    label(names)
    return tmp_path / "set"


def epoch(number, dice=0.5, epochs=50, **others):
    values = {
        "train_loss": 0.5,
        "validation_loss": 0.4,
        "validation_dice": dice,
        "validation_jaccard": dice / (2 - dice),
        "seconds": 60.0,
        "best": True,
        "validation_foreground": 0.31,
    }
    return EpochDone(epoch=number, epochs=epochs, **{**values, **others})


def step(epoch=1, step=1, epochs=50):
    return StepDone(epoch=epoch, epochs=epochs, step=step, steps=2, loss=0.7, images_per_second=3.2)


def examples(epoch=1):
    masks = np.zeros((1, 16, 16), bool)
    masks[:, :, :4] = True
    return ExamplesSeen(
        epoch=epoch,
        scenes=("cave",),
        images=np.zeros((1, 16, 16, 3), np.uint8),
        masks=masks,
        probabilities=np.where(masks, 200, 20).astype(np.uint8),
    )


def stopped(run, epoch=1, step=1, resumable=True):
    return Stopped(run=run, epoch=epoch, step=step, resumable=resumable)


def write_run(path, done=3, epochs=5, finished=False, masks=None, **config):
    """What a training leaves, as far as the dock reads it; with masks also its model."""
    from bracketseg.learning.progress import EpochRecord

    path.mkdir(parents=True)
    (path / "config.json").write_text(TrainConfig(epochs=epochs, **config).model_dump_json())
    (path / "last.pt").touch()
    with (path / "history.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(EpochRecord.columns())
        rows.writerows([(n, 0.5, 0.4, n / 10, n / 20, 1.0, 0.31) for n in range(1, done + 1)])
    if finished:
        (path / "metrics.json").write_text(f'{{"epochs": {epochs}}}')
    if masks is not None:
        (path / "environment.json").write_text(json.dumps({"masks": str(masks)}))
        (path / "split.json").write_text('{"train": ["attic", "barn"], "validation": ["cave"]}')
        settings = TrainConfig(**config)
        card = {
            "role": settings.role,
            "network": settings.network.model_dump(mode="json"),
            "image_size": settings.image_size,
            "ground_truth": {"method": "masks"},
            "loss": settings.loss,
            "seed": settings.seed,
            "epoch": done,
            "metrics": {"dice": done / 10},
            "versions": {},
        }
        metadata = {"bracketseg": "1", **{name: json.dumps(value) for name, value in card.items()}}
        save_file({"weight": np.zeros(1, np.float32)}, path / "best.safetensors", metadata)
    return path.resolve()


# Before the start.


def test_the_dock_needs_no_torch():
    code = "import sys, bracketseg._napari.train.dock; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_asks_no_worker_writes_nothing_and_says_what_to_do(dock, worker, tmp_path):
    assert dock.text == "Choose a folder of brackets here, or open one in the Brackets dock."
    assert not any(button.isEnabled() for button in (dock.start, dock.stop, dock.resume))
    assert worker.requests == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_cut_off_in_a_window_of_1400_by_900(dock, folder):
    dock.open(folder)
    dock.expert.click()
    assert dock.widget.width() >= dock.widget.minimumSizeHint().width()
    assert dock.widget.width() < 500
    names = ("epochs", "batch_size", "learning_rate", "image_size", "role", "loss", "masks", "seed")
    for name in names:
        control = getattr(dock, name)
        right = control.mapTo(dock.widget, control.rect().topRight()).x()
        assert right < dock.widget.width(), name
    assert dock.start.isVisible()


def test_the_folder_and_the_masks_of_the_session_are_ready(dock, folder):
    dock.open(folder)
    assert dock.folder.text() == str(folder)
    assert dock.masks.currentText() == "me: 3 low, 3 high"
    assert dock.text.startswith("Ready: 3 scenes with low masks in me; 50 epochs. Needs about ")
    assert dock.start.isEnabled()


def test_masks_that_are_saved_meanwhile_are_counted(dock, folder, label):
    (folder / "labels" / "me" / "cave_low.png").unlink()
    dock.open(folder)
    assert dock.masks.currentText() == "me: 2 low, 3 high"
    label(["cave"])
    dock.session.labeled_changed.emit(frozenset({"cave"}))
    dock.wait(lambda: dock.masks.currentText() == "me: 3 low, 3 high")


def test_all_labellings_are_offered_and_one_elsewhere(dock, folder, label, tmp_path):
    label(["attic", "barn"], roles=("high",), name="otsu")
    dock.open(folder)
    offered = [dock.masks.itemText(place) for place in range(dock.masks.count())]
    assert offered == ["me: 3 low, 3 high", "otsu: 0 low, 2 high"]
    dock.masks.setCurrentIndex(1)
    dock.masks.activated.emit(1)
    dock.wait_text("otsu: no scene has a low mask")
    assert not dock.start.isEnabled()
    dock.role.setCurrentText("high")
    assert dock.text.startswith("Ready: 2 scenes with high masks in otsu")
    elsewhere = tmp_path / "elsewhere"
    (folder / "labels" / "me").rename(elsewhere)
    dock.widget.choose_folder = lambda _title, _start: elsewhere
    dock.browse_masks.click()
    dock.wait(lambda: dock.masks.currentText() == "elsewhere: 3 low, 3 high")


def test_predictions_of_a_network_are_learned_only_where_somebody_wants_it(dock, folder, label):
    labels = label(["attic", "barn", "cave"], name="a network")
    (labels / "labeling.json").write_text(
        LabelingInfo(method="network", ranges={}).model_dump_json()
    )
    # Not the session's folder: there the labelling that is being written goes before all.
    dock.folder.setText(str(folder))
    dock.folder.editingFinished.emit()
    dock.wait_text("Ready: 3 scenes")
    assert dock.masks.currentText() == "me: 3 low, 3 high"
    assert "predictions of a network" not in dock.text
    place = dock.masks.findText("a network: 3 low, 3 high")
    dock.masks.setCurrentIndex(place)
    dock.masks.activated.emit(place)
    dock.wait_text("⚠ a network holds predictions of a network.")


def test_another_folder_is_typed(dock, folder):
    dock.folder.setText(str(folder))
    dock.folder.editingFinished.emit()
    dock.wait_text("Ready: 3 scenes")
    assert dock.session.folder is None


def test_a_folder_without_brackets_says_so(dock, tmp_path):
    dock.folder.setText(str(tmp_path / "nowhere"))
    dock.folder.editingFinished.emit()
    dock.wait_text("⚠")
    assert "nowhere" in dock.text
    assert not dock.start.isEnabled()


@pytest.mark.parametrize(
    ("labelled", "words"),
    [([], "No masks of these brackets yet"), (["attic"], "me: only 1 scene has a low mask")],
)
def test_too_few_masks_are_told_before_a_start(dock, folder, labelled, words):
    for mask in (folder / "labels" / "me").iterdir():
        if mask.name.partition("_")[0] not in labelled:
            mask.unlink()
    dock.open(folder)
    dock.wait_text(words)
    assert not dock.start.isEnabled()


def test_a_setting_that_cannot_be_is_told(dock, folder):
    dock.open(folder)
    dock.image_size.setValue(100)
    assert dock.text == "⚠ Image size is 100, but should be a multiple of 16."
    assert not dock.start.isEnabled()
    dock.image_size.setValue(112)
    assert dock.start.isEnabled()


def test_the_need_for_memory_follows_the_settings(dock, folder, monkeypatch):
    monkeypatch.setattr("bracketseg._napari.train.text.free_memory", lambda: 10 * 10**9)
    dock.open(folder)
    dock.batch_size.setValue(4096)
    dock.image_size.setValue(4096)
    assert "are free: batches will be learned in parts" in dock.text
    dock.batch_size.setValue(1)
    dock.image_size.setValue(64)
    assert dock.text.endswith("(10 GB free).")


def test_a_run_folder_that_holds_a_run_is_not_taken(dock, folder):
    run = write_run(folder / "mine")
    dock.open(folder)
    dock.out.setText(str(run))
    assert "holds a run already" in dock.text
    assert not dock.start.isEnabled()


def test_runs_on_a_folder_that_cannot_be_written_go_to_one_of_the_user(
    dock, folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    dock.open(folder)
    assert "Runs go to ~/bracketseg-runs/set-" in dock.text
    assert "as nothing can be saved beside the pictures." in dock.text
    dock.out.setText(str(tmp_path / "elsewhere"))
    assert "bracketseg-runs" not in dock.text


def test_a_second_run_of_the_same_second_has_a_folder_of_its_own(tmp_path):
    masks = Masks(path=tmp_path / "me", scenes={"low": 3, "high": 3})
    choice = Choice(folder=tmp_path, masks=masks, roles=("low",), losses=("bce",), out=None)
    now = datetime(2024, 5, 6, 7, 8, 9)
    (first,) = plan_runs(choice, TrainConfig(), now)
    assert first.out.name == "low-bce-20240506-070809"
    first.out.mkdir(parents=True)
    (second,) = plan_runs(choice, TrainConfig(), now)
    assert second.out.name == "low-bce-20240506-070809-2"


def test_a_reset_shows_the_settings_of_the_paper(dock, folder):
    dock.open(folder)
    dock.epochs.setValue(3)
    dock.role.setCurrentText("both")
    dock.seed.setValue(4)
    dock.reset.click()
    assert (dock.epochs.value(), dock.role.currentText(), dock.seed.value()) == (50, "low", 0)


# A run.


def test_a_start_is_the_run_of_the_command_with_the_same_config(dock, worker, folder):
    dock.open(folder)
    request = dock.begin(worker)
    assert request.config == TrainConfig()
    assert (request.path, request.masks) == (folder, folder / "labels" / "me")
    assert request.out.parent == (folder / "runs").resolve()
    assert request.out.name.startswith("low-bce-2")
    assert not request.resume
    assert not (folder / "runs").exists()


def test_a_run_goes_from_loading_to_finished(dock, worker, folder):
    dock.open(folder)
    request = dock.begin(worker)
    dock.wait_text("low, bce: Loading PyTorch …")
    assert not dock.epochs.isEnabled()
    assert not dock.start.isEnabled()
    worker.say(Ready(), PLANNED, SceneCached(scene="attic", done=1, total=3))
    dock.wait_text("Reading the scenes: 1 of 3 …")
    worker.say(CACHED)
    dock.wait_text("Training on 2 scenes, 1 kept back, on two cores …")
    worker.say(Estimated(seconds=7500.0))
    dock.wait_text("Training on 2 scenes, 1 kept back, on two cores, about 2 h 05 min …")
    worker.say(step(), step(step=2), epoch(1, 0.6), step(2))
    dock.wait_text("Epoch 2 of 50, step 1 of 2 · 3.2 images/s · 48 min left · Dice 0.600")
    dock.wait_text("(all foreground: 0.400) · foreground 31%")
    worker.say(epoch(2, 0.9), Finished(run=request.out, best_epoch=2, metrics=METRICS), END)
    dock.wait_text("Finished: epoch 2 of 50 is the best, with Dice 0.900 (all foreground: 0.400)")
    assert dock.text.endswith(
        "Foreground: network 31%, ground truth 25%. Predict makes masks with it."
    )
    assert dock.epochs.isEnabled()
    assert dock.start.isEnabled()
    assert not dock.stop.isEnabled()
    assert worker.closed


def test_a_result_no_better_than_a_constant_mask_is_not_called_good(dock, worker, folder, label):
    label(["attic", "barn", "cave"], foreground=1.0)
    dock.open(folder)
    request = dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1, 0.9))
    dock.wait_text("(all foreground: 1.000)")
    worker.say(Finished(run=request.out, best_epoch=1, metrics=METRICS), END)
    dock.wait_text("no better than calling everything foreground")
    assert dock.text.startswith("low, bce: ⚠")


def test_a_score_on_masks_that_are_all_background_is_none(dock, worker, folder):
    dock.open(folder)
    request = dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1, 1.0))
    empty = replace(METRICS, dice=1.0, reference_foreground=0.0)
    worker.say(Finished(run=request.out, best_epoch=1, metrics=empty), END)
    dock.wait_text("nothing but background, so that says nothing: check how they were made")
    assert dock.text.startswith("low, bce: ⚠")


def test_curves_are_drawn_while_it_runs(dock, worker, folder):
    dock.open(folder)
    dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step(), step(step=2), epoch(1, 0.2), epoch(2, 0.6))
    dock.wait(lambda: dock.curves and len(dock.curves[1]) == 3)
    losses, scores = dock.curves
    assert [0.7, 0.7] in losses
    assert [0.5, 0.5] in losses
    assert [0.4, 0.4] in losses
    assert [0.2, 0.6] in scores
    assert [0.6] in scores  # the best epoch


def test_examples_are_shown_and_become_layers_on_demand(dock, worker, folder):
    dock.open(folder)
    before = len(dock.viewer.layers)
    dock.begin(worker)
    dock.tabs.setCurrentIndex(1)
    assert not getattr(dock, "examples.as_layers").isEnabled()
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1), examples(1))
    text = getattr(dock, "examples.text")
    dock.wait(lambda: text.text().startswith("low, bce, after epoch 1."))
    assert "network 25%, ground truth 25%" in text.text()
    getattr(dock, "examples.as_layers").click()
    assert len(dock.viewer.layers) == before  # one in each turn of the event loop
    dock.wait(lambda: len(dock.viewer.layers) == before + 3)
    shown = dock.viewer.layers["training examples network"]
    worker.say(replace(examples(2), probabilities=np.full((1, 16, 16), 7, np.uint8)))
    dock.wait(lambda: (shown.data == 7).all())
    assert len(dock.viewer.layers) == before + 3


def test_losses_and_roles_are_trained_one_after_another(dock, worker, folder):
    dock.open(folder)
    dock.role.setCurrentText("both")
    dock.loss.setCurrentText("all three")
    assert "6 runs one after another, 50 epochs each" in dock.text
    dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, Estimated(seconds=600.0))
    dock.wait_text("on two cores, about 10 min, 60 min with the 5 behind it …")
    worker.say(step(), epoch(1))
    # An epoch takes a minute here.
    dock.wait_text("49 min left of this run, 4 h 59 min with the 5 behind it")
    worker.say(Stopped(run=worker.requests[0].out, epoch=1, step=0, resumable=False), END)
    dock.wait(lambda: dock.resume.isEnabled())
    dock.resume.click()
    dock.wait(lambda: len(worker.requests) == 2)
    del worker.requests[0]
    for number in range(1, 7):
        dock.wait(lambda number=number: len(worker.requests) == number)
        request = worker.requests[-1]
        assert f"Run {number} of 6, {request.config.role}, {request.config.loss}" in dock.text
        finished = Finished(run=request.out, best_epoch=1, metrics=METRICS)
        worker.say(Ready(), PLANNED, CACHED, step(), epoch(1), finished, END)
    dock.wait(lambda: dock.start.isEnabled())
    assert dock.text.count("Dice 0.900") == 6
    assert dock.text.count("; foreground: network 31%, ground truth 25%.") == 6
    assert (
        dock.text.count("Predict opens the dock that makes masks with the run that is selected")
        == 1
    )
    made = [(request.config.role, request.config.loss) for request in worker.requests]
    losses = ("bce", "focal", "dice-bce")
    assert made == [(role, loss) for role in ("low", "high") for loss in losses]


def test_a_chosen_run_folder_is_that_of_one_run_and_around_those_of_several(dock, worker, folder):
    dock.open(folder)
    dock.out.setText(str(folder / "mine"))
    request = dock.begin(worker)
    assert request.out == (folder / "mine").resolve()
    worker.say(END)
    dock.wait(lambda: dock.start.isEnabled())
    dock.role.setCurrentText("both")
    request = dock.begin(worker)
    assert request.out == (folder / "mine").resolve() / "low-bce"


# Stop, resume, close.


def test_a_stop_is_said_at_once_and_resume_goes_on(dock, worker, folder):
    dock.open(folder)
    dock.loss.setCurrentText("all three")
    request = dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1, 0.1), step(2))
    dock.wait_text("Epoch 2")
    dock.stop.click()
    assert "Stopping after this step …" in dock.text
    assert not dock.stop.isEnabled()
    assert (worker.stops, worker.kills) == (1, 0)
    write_run(request.out, done=1)
    worker.say(stopped(request.out), END)
    dock.wait_text("Stopped after 1 of 50 epochs and 1 step of the next. Resume goes on from")
    dock.wait(lambda: dock.resume.isEnabled())
    assert dock.resume.toolTip().endswith("and then with the 2 behind it")
    dock.resume.click()
    dock.wait(lambda: len(worker.requests) == 2)
    assert worker.requests[1] == replace(request, resume=True)
    worker.say(Ready(), PLANNED, CACHED, step(2), epoch(2, 0.6))
    dock.wait_text("Dice 0.600")
    dock.wait(lambda: bool(dock.curves))
    assert [0.1, 0.6] in dock.curves[1]
    worker.say(Finished(run=request.out, best_epoch=2, metrics=METRICS), END)
    dock.wait(lambda: len(worker.requests) == 3)
    assert worker.requests[2].config.loss == "focal"


def test_a_resume_before_the_runs_are_read_anew_goes_on_with_the_curves(
    dock, worker, folder, monkeypatch
):
    dock.open(folder)
    request = dock.begin(worker)
    read = threading.Event()

    def find_later(folders):
        assert read.wait(30)
        return find_runs(folders)

    monkeypatch.setattr(train_view, "find_runs", find_later)
    try:
        worker.say(Ready(), PLANNED, CACHED, step(), epoch(1, 0.3), step(2))
        worker.say(stopped(request.out), END)
        dock.wait(lambda: dock.resume.isEnabled())
        dock.resume.click()
        dock.wait(lambda: len(worker.requests) == 2)
        assert dock.listed == []
        worker.say(Ready(), PLANNED, CACHED, step(2), epoch(2, 0.6))
        dock.wait_text("Dice 0.600")
        dock.wait(lambda: bool(dock.curves))
        assert [0.3, 0.6] in dock.curves[1]
    finally:
        read.set()


def test_a_stop_while_torch_is_loaded_does_not_wait_for_it(dock, worker, folder):
    dock.open(folder)
    request = dock.begin(worker)
    dock.stop.click()
    assert worker.kills == 1
    dock.wait_text("Stopped before its first step")
    dock.resume.click()
    dock.wait(lambda: len(worker.requests) == 2)
    assert worker.requests[1] == request


def test_runs_of_the_folder_are_listed_overlaid_and_resumed(dock, worker, folder):
    first = write_run(folder / "runs" / "one", finished=True, done=5)
    second = write_run(folder / "runs" / "two", loss="focal", seed=3)
    (folder / "runs" / "bad").mkdir()
    (folder / "runs" / "bad" / "config.json").write_text("{")
    dock.open(folder)
    dock.wait(lambda: len(dock.listed) == 3)
    assert "focal" in " ".join(dock.listed)
    assert "3 of 5 epochs" in " ".join(dock.listed)
    assert dock.listed[2] == "⚠ bad cannot be read"
    rows = {
        dock.runs.item(row).toolTip().partition("\n")[0]: dock.runs.item(row) for row in range(2)
    }
    for item in rows.values():
        item.setCheckState(Qt.CheckState.Checked)
    dock.wait(lambda: bool(dock.curves) and len(dock.curves[1]) == 6)
    rows[str(first)].setCheckState(Qt.CheckState.Unchecked)
    assert len(dock.curves[1]) == 3
    dock.runs.setCurrentItem(rows[str(first)])
    assert not dock.resume.isEnabled()
    dock.runs.setCurrentItem(rows[str(second)])
    assert dock.resume.toolTip() == "Go on with two"
    dock.resume.click()
    dock.wait(lambda: len(worker.requests) == 1)
    request = worker.requests[0]
    assert (request.out, request.resume) == (second, True)
    assert request.config == TrainConfig(epochs=5, loss="focal", seed=3)


def test_the_list_stays_in_hand_while_it_is_read_anew(dock, folder):
    one = write_run(folder / "runs" / "one", finished=True, done=5)
    gone = write_run(folder / "runs" / "gone", finished=True, done=5)
    dock.open(folder)
    dock.wait(lambda: len(dock.listed) == 2)
    rows = {dock.runs.item(row).toolTip().partition("\n")[0]: row for row in range(2)}
    item = dock.runs.item(rows[str(one)])
    dock.runs.setCurrentRow(rows[str(gone)])
    shutil.rmtree(gone)
    newest = write_run(folder / "runs" / "two")
    os.utime(newest / "config.json", (2e9, 2e9))
    dock.session.labeled_changed.emit(frozenset({"cave"}))
    dock.wait(lambda: ["3 of 5" in title for title in dock.listed] == [True, False])
    assert dock.runs.item(1) is item
    assert dock.runs.currentItem() is None  # no other one than was chosen is taken by Predict
    oldest = write_run(folder / "runs" / "three", finished=True, done=5)
    os.utime(oldest / "config.json", (1e9, 1e9))
    dock.session.labeled_changed.emit(frozenset({"cave"}))
    dock.wait(lambda: len(dock.listed) == 3)
    assert dock.runs.currentItem() is None
    item.setCheckState(Qt.CheckState.Checked)
    dock.wait(lambda: bool(dock.curves) and len(dock.curves[1]) == 3)


def test_what_a_run_has_to_beat_stands_beside_its_dice(dock, folder):
    masks = folder / "labels" / "me"
    good = write_run(folder / "runs" / "good", done=5, finished=True, masks=masks)
    bad = write_run(folder / "runs" / "bad", done=3, finished=True, masks=masks)
    write_run(folder / "runs" / "old", masks=folder / "gone")
    dock.open(folder)
    dock.wait(lambda: sum("all fg. 0.400" in title for title in dock.listed) == 2)
    rows = {dock.runs.item(row).text(): dock.runs.item(row) for row in range(3)}
    titles = {item.toolTip().partition("\n")[0]: title for title, item in rows.items()}
    assert titles[str(good)].startswith("low bce · Dice 0.500 (all fg. 0.400) · ")
    assert titles[str(bad)].startswith("low bce · ⚠ Dice 0.300 (all fg. 0.400) · ")
    assert "all fg." not in titles[str(folder / "runs" / "old")]
    assert "this is no better" in rows[titles[str(bad)]].toolTip()
    assert "It calls 31% foreground." in rows[titles[str(bad)]].toolTip()


def test_a_run_is_taken_to_the_predict_dock(dock, folder):
    run = write_run(folder / "runs" / "one", finished=True, masks=folder / "labels" / "me")
    # The newest is taken where nobody has chosen.
    newest = write_run(
        folder / "runs" / "two", done=4, finished=True, masks=folder / "labels" / "me"
    )
    os.utime(newest / "config.json", (2e9, 2e9))
    write_run(folder / "runs" / "three")
    dock.open(folder)
    dock.wait(lambda: len(dock.listed) == 3)
    assert not dock.predict.isEnabled()
    (item,) = [i for i in map(dock.runs.item, range(3)) if i.toolTip().startswith(str(run))]
    dock.runs.setCurrentItem(item)
    assert dock.predict.isEnabled()
    assert dock.predict.toolTip() == "Open the Predict dock with one"
    dock.predict.click()
    model = dock.viewer.window._qt_window.findChild(QWidget, "predict.low_model")
    dock.wait(lambda: "Dice 0.300" in model.currentText())


def test_closing_the_dock_asks_first_and_then_lets_the_training_save_its_state(
    dock, worker, folder
):
    dock.open(folder)
    dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step())
    dock.wait_text("Epoch 1")
    asked = []
    dock.widget.ask = lambda question: bool(asked.append(question))
    dock.frame.destroyOnClose()
    assert len(asked) == 1
    assert "Stop it and close?" in asked[0]
    assert dock.text.count("Epoch 1")
    dock.widget.ask = lambda _: True
    dock.frame.destroyOnClose()
    assert worker.closed


def test_closing_the_window_asks_first(dock, worker, folder):
    dock.open(folder)
    dock.begin(worker)
    window = dock.widget.window()
    asked = []
    dock.widget.ask = lambda question: bool(asked.append(question))
    assert not window.close()
    assert window.isVisible()
    assert len(asked) == 1
    worker.say(END)
    dock.wait(lambda: dock.start.isEnabled())
    dock.frame.destroyOnClose()
    assert len(asked) == 1


def test_the_question_is_a_box_with_yes_and_no(worker, window, qtbot, folder, monkeypatch):
    dock = Dock(window, qtbot)
    dock.open(folder)
    dock.begin(worker)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *words: asked.append(words[2]))
    dock.frame.destroyOnClose()
    assert "A training is running" in asked[0]
    worker.say(END)
    dock.wait(lambda: dock.start.isEnabled())


# What goes wrong.


def test_a_lack_of_memory_that_was_dealt_with_is_a_sentence(dock, worker, folder):
    dock.open(folder)
    dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, MicroBatch(images=4, batch_size=32), step())
    dock.wait(lambda: dock.show_details.text() == "1 note")
    dock.show_details.click()
    assert dock.details.isVisible()
    assert "each batch is now learned in parts of 4" in dock.details.toPlainText()


def test_scenes_that_are_left_out_are_counted_and_listed(dock, worker, folder):
    dock.open(folder)
    dock.begin(worker)
    skipped = (
        SkippedScene(scene="barn", reason="its mask is 3 x 3; label it again", broken=True),
        SkippedScene(scene="dome", reason="no dome_low.png", broken=False),
    )
    worker.say(Ready(), PLANNED, ScenesSkipped(scenes=skipped), CACHED, step())
    words = "⚠ 1 scene cannot be used · 1 scene without a mask"
    dock.wait(lambda: dock.show_details.text() == words)
    assert "barn: its mask is 3 x 3; label it again" in dock.details.toPlainText()


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("one image does not fit: choose a smaller image size"),
        WorkerError("The system ended the process; choose a smaller batch"),
    ],
)
def test_an_end_for_lack_of_memory_offers_resume_and_begins_no_other_run(
    dock, worker, folder, notices, error
):
    dock.open(folder)
    dock.loss.setCurrentText("all three")
    request = dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1))
    dock.wait_text("Dice 0.5")
    write_run(request.out, done=1)
    worker.say(error)
    dock.wait_text(f"⚠ Run 1 of 3, low, bce: {error} Resume goes on with it.")
    assert notices == []
    assert dock.start.isEnabled()
    dock.resume.click()
    dock.wait(lambda: len(worker.requests) == 2)
    assert worker.requests[1] == replace(request, resume=True)


def test_after_a_loss_that_is_not_finite_the_other_runs_go_on(dock, worker, folder, notices):
    dock.open(folder)
    dock.role.setCurrentText("both")
    dock.begin(worker)
    worker.say(Ready(), TrainingError("the loss is not finite; choose a smaller learning rate"))
    dock.wait(lambda: len(worker.requests) == 2)
    assert worker.requests[1].config.role == "high"
    finished = Finished(run=worker.requests[1].out, best_epoch=1, metrics=METRICS)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1), finished, END)
    dock.wait(lambda: dock.start.isEnabled())
    first, second, _next = dock.text.splitlines()
    assert first.startswith("⚠ Run 1 of 2, low, bce: the loss is not finite")
    assert second.startswith("Run 2 of 2, high, bce: Dice 0.900")
    assert notices == []


def test_a_flood_of_steps_does_not_lag(dock, worker, folder):
    dock.open(folder)
    dock.begin(worker)
    worker.say(Ready(), PLANNED, CACHED)
    for number in range(1, 5001):
        worker.say(step(epoch=number, epochs=5001), epoch(number, epochs=5001))
    worker.say(step(epoch=5001, epochs=5001))
    dock.wait_text("Epoch 5001 of 5001")
    dock.wait(lambda: bool(dock.curves))
    assert len(dock.curves[1][0]) == 5000


# What others see.


def test_the_session_hears_of_a_run_that_left_a_model(dock, worker, folder):
    dock.open(folder)
    request = dock.begin(worker)
    request.out.mkdir(parents=True)
    (request.out / "best.safetensors").touch()
    told = []
    dock.session.run_saved.connect(told.append)
    worker.say(Ready(), PLANNED, CACHED, step(), epoch(1))
    worker.say(Finished(run=request.out, best_epoch=1, metrics=METRICS), END)
    dock.wait_text("Finished")
    assert told == [request.out]


def test_a_dock_that_was_closed_is_gone_and_its_work_with_it(dock, worker, folder, qtbot):
    dock.open(folder)
    dock.begin(worker)
    gone = weakref.ref(dock.widget)
    dock.viewer.window.remove_dock_widget(dock.frame)
    dock.widget = dock.frame = None

    def collected():
        gc.collect()
        return gone() is None

    qtbot.waitUntil(collected, timeout=30_000)
    qtbot.waitUntil(lambda: jobs.running_jobs() == (), timeout=30_000)
    assert worker.closed


def test_the_dock_stands_in_the_menu_for_segmentation(plugins):
    manifest = npe2.PluginManager.instance().get_manifest("bracketseg")
    titles = {widget.command: widget.display_name for widget in manifest.contributions.widgets}
    entries = manifest.contributions.menus["napari/layers/segment"]
    assert "Train" in [titles.get(entry.command) for entry in entries]


def test_another_folder_of_the_session_leaves_a_running_training_alone(dock, worker, folder, scene):
    dock.open(folder)
    dock.begin(worker)
    other = scene("other/dome").parent
    dock.session.open_folder(other)
    dock.wait(lambda: not dock.session.scanning)
    assert dock.folder.text() == str(folder)
    worker.say(END)
    dock.wait_text("Stopped")


def test_devices_are_asked_for_when_the_list_is_opened(dock, monkeypatch):
    from bracketseg._napari.widgets import device_choice
    from bracketseg.worker.requests import DevicesListed

    asked = []

    class Lister(FakeWorker):
        def ask(self, request):
            asked.append(request)
            yield Ready()
            yield DevicesListed(devices=(("cuda:0", "Big GPU"), ("cpu", "two cores")))

    box = dock.device
    choice = box.findChild(device_choice.DeviceChoice)
    choice.make_worker = Lister
    assert [box.itemText(place) for place in range(box.count())] == ["auto", "cpu"]
    place = QPointF(5, 5)
    left = Qt.MouseButton.LeftButton
    for _ in range(2):
        press = QMouseEvent(
            QEvent.Type.MouseButtonPress, place, place, left, left, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(box, press)
        box.hidePopup()
    dock.wait(lambda: box.count() == 3 and box.itemText(2).startswith("cuda"))
    assert [box.itemText(n) for n in range(3)] == ["auto", "cpu: two cores", "cuda:0: Big GPU"]
    assert len(asked) == 1
    box.setCurrentIndex(2)
    assert box.currentData() == "cuda:0"
