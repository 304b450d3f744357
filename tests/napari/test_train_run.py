"""The Train dock with the real process on scenes of 48 x 64 pixels."""

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs

SECONDS = 120_000


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "config")


@pytest.fixture
def folder(tmp_path):
    """Six scenes that differ, and masks of their brighter half."""
    folder = tmp_path / "scenes"
    labels = folder / "labels" / "me"
    labels.mkdir(parents=True)
    for seed in range(6):
        coarse = np.random.default_rng(seed).random((4, 5, 3)).astype(np.float32)
        image = np.clip(cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC), 0, 1)
        (folder / f"s{seed}").mkdir()
        for name, gain in (("low", 128), ("high", 255)):
            assert cv2.imwrite(str(folder / f"s{seed}" / f"{name}.png"), np.uint8(image * gain))
            mask = np.uint8(255 * (image[..., 1] > 0.5))
            assert cv2.imwrite(str(labels / f"s{seed}_{name}.png"), mask)
    return folder


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    yield viewer
    assert jobs.cancel_all(30)


class Dock:
    def __init__(self, viewer, qtbot, folder):
        self.qtbot = qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget("bracketseg", "Train")
        session_of(viewer).open_folder(folder)
        self.wait(lambda: self.start.isEnabled())
        self.image_size.setValue(32)
        self.batch_size.setValue(2)
        self.device.setCurrentIndex(self.device.findData("cpu"))
        self.precision.setCurrentText("float32")
        self.out.setText(str(folder.parent / "run"))

    def __getattr__(self, name):
        found = self.widget.findChild(QWidget, f"train.{name}")
        assert found is not None, name
        return found

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=SECONDS)


@pytest.fixture
def dock(window, qtbot, folder):
    dock = Dock(window, qtbot, folder)
    yield dock
    dock.widget.ask = lambda _: True
    dock.frame.destroyOnClose()


def workers():
    found = psutil.Process().children(recursive=True)
    return [p for p in found if "bracketseg.worker" in " ".join(p.cmdline())]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_that_is_stopped_and_resumed_is_that_of_the_command(dock, folder, tmp_path):
    dock.epochs.setValue(3)
    dock.start.click()
    dock.wait(lambda: "Epoch 1" in dock.status.text() or "Epoch 2" in dock.status.text())
    dock.stop.click()
    dock.wait(lambda: dock.resume.isEnabled())
    assert "Stopped after " in dock.status.text()
    dock.resume.click()
    dock.wait(lambda: "of 3 is the best, with Dice 0." in dock.status.text())
    command = [sys.executable, "-m", "bracketseg", "train", str(folder), "--masks"]
    command += [str(folder / "labels" / "me"), "--role", "low", "--loss", "bce"]
    command += ["--epochs", "3", "--image-size", "32", "--batch-size", "2", "--device", "cpu"]
    command += ["--precision", "float32", "--out", str(tmp_path / "command")]
    subprocess.run(command, check=True, capture_output=True)
    mine, others = tmp_path / "run", tmp_path / "command"
    assert {path.name for path in mine.iterdir()} == {path.name for path in others.iterdir()}
    assert sha256(mine / "best.safetensors") == sha256(others / "best.safetensors")


def test_closing_the_dock_ends_the_process_with_a_run_that_can_be_resumed(dock, folder, tmp_path):
    dock.epochs.setValue(1000)
    dock.start.click()
    dock.wait(lambda: "Epoch " in dock.status.text())
    assert len(workers()) == 1
    dock.widget.ask = lambda _: True
    dock.frame.destroyOnClose()
    assert jobs.cancel_all(60)
    assert workers() == []
    assert (Path(tmp_path) / "run" / "last.pt").exists()


def test_what_the_process_says_of_a_broken_scene_is_seen(dock, folder):
    (folder / "labels" / "me" / "s3_low.png").write_bytes(b"no picture")
    dock.epochs.setValue(1)
    dock.start.click()
    dock.wait(lambda: "is the best" in dock.status.text())
    assert dock.show_details.text() == "⚠ 1 scene cannot be used"
    assert "s3" in dock.details.toPlainText()


def test_an_error_of_the_process_is_one_line_of_the_status(dock, folder, notices):
    for seed in range(1, 6):
        for name in ("low", "high"):
            (folder / f"s{seed}" / f"{name}.png").write_bytes(
                (folder / "s0" / f"{name}.png").read_bytes()
            )
    dock.start.click()
    dock.wait(lambda: dock.start.isEnabled())
    assert "⚠ low, bce: 6 usable scenes that all show the same" in dock.status.text()
    assert notices == []


def test_the_curves_of_a_run_stay_when_it_is_over(dock, folder):
    dock.epochs.setValue(2)
    dock.start.click()
    dock.wait(lambda: "is the best" in dock.status.text() and dock.runs.count() == 1)
    item = dock.runs.item(0)
    assert item.checkState() == Qt.CheckState.Checked
    assert "2 epochs" in item.text()
