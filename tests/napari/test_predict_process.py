"""The Predict dock with a real process and a real network: what it shows is what is written."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from bracketseg._napari.layers.provenance import find_layer
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import read_mask
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.learning.config import TrainConfig

NAMES = ("attic", "barn", "cave", "dune")


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "config")


@pytest.fixture
def folder(tmp_path, rng):
    """Four scenes, and a network of some hundred weights for each role."""
    from bracketseg.learning.training import train

    folder = tmp_path / "set"
    for name in NAMES:
        coarse = rng.random((4, 5, 3)).astype(np.float32)
        light = np.clip(cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC), 0, 1)
        (folder / name).mkdir(parents=True)
        for role, gain in (("low", 128), ("high", 255)):
            assert cv2.imwrite(str(folder / name / f"{role}.png"), np.uint8(light * gain))
    brackets = find_brackets(folder).brackets
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES)
    labeling = LabelingFolder.create(tmp_path / "masks", info)
    list(label_brackets(brackets, DEFAULT_RANGES, labeling))
    for role in ("low", "high"):
        config = TrainConfig(
            role=role,
            epochs=1,
            batch_size=2,
            image_size=32,
            filters=(4, 8),
            validation=0.3,
            device="cpu",
            precision="float32",
        )
        list(train(brackets, tmp_path / "masks", config, folder / "runs" / role))
    return folder


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    yield viewer
    assert jobs.cancel_all(20)


def test_masks_are_those_that_the_command_writes(window, folder, tmp_path, qtbot):
    session = session_of(window)
    _, dock = window.window.add_plugin_dock_widget("bracketseg", "Predict")

    def find(name):
        return dock.findChild(QWidget, f"predict.{name}")

    def press(name):
        QTest.mouseClick(find(name), Qt.MouseButton.LeftButton)
        assert "Loading PyTorch" in find("status").text()
        qtbot.waitUntil(lambda: not find("stop").isEnabled(), timeout=120_000)
        assert "⚠" not in find("status").text()

    session.open_folder(folder)
    qtbot.waitUntil(lambda: len(session.brackets) == len(NAMES) and not session.scanning)
    session.next()
    qtbot.waitUntil(lambda: find("run").isEnabled())
    threshold = 0.47
    for scale in ("full", "train"):
        find("scale").setCurrentText(scale)
        press("run")
        find("threshold").setValue(threshold)
        written = tmp_path / scale
        models = [f"--{role}-model={folder / 'runs' / role}" for role in ("low", "high")]
        subprocess.run(
            [
                *(sys.executable, "-m", "bracketseg", "predict", folder, *models),
                *("--out", written, "--threshold", str(threshold), "--scale", scale),
            ],
            check=True,
            capture_output=True,
        )
        for role in ("low", "high"):
            layer = find_layer(window.layers, "prediction", "attic", role)
            mask = read_mask(written / f"attic_{role}.png")
            np.testing.assert_array_equal(layer.data != 0, mask)
            assert 0 < mask.mean() < 1
    press("run_all")
    for scene in NAMES:
        for role in ("low", "high"):
            name = f"{scene}_{role}.png"
            made = (folder / "labels" / "network" / name).read_bytes()
            assert made == (tmp_path / "train" / name).read_bytes()
        assert session.labeled[scene]
