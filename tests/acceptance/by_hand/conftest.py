"""Somebody who labels by hand, at both docks in a real window."""

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pyqtgraph
import pytest
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QWidget

from bracketseg._napari.session import annotator_name
from bracketseg._napari.truth import scene_work
from bracketseg._napari.widgets.jobs import cancel_all
from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma

WAIT = 20_000
"""Milliseconds after which something that was waited for is not going to happen."""


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")
    monkeypatch.setitem(pyqtgraph.CONFIG_OPTIONS, "mouseRateLimit", -1)
    return path


@pytest.fixture
def window(npe2pm, make_napari_viewer):
    for package, name in (("napari_builtins", "builtins.yaml"), ("bracketseg", "napari.yaml")):
        npe2pm.register(PluginManifest.from_file(str(files(package) / name)))
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    yield viewer
    assert cancel_all(10)


@pytest.fixture
def make_set(tmp_path, rng):
    """Make a folder of scenes `s000`, `s001`, ...: noise on a ramp of its own slope, grey."""

    def make(count, *, shape=(60, 80), name="set"):
        folder = tmp_path / name
        rows, columns = np.indices(shape)
        for number in range(count):
            scene = folder / f"s{number:03}"
            scene.mkdir(parents=True)
            ramp = rows * (30 + number) / shape[0] + columns * 120 / shape[1]
            ramp = ramp + rng.integers(0, 20, shape)
            for role, gain in (("low", 0.7), ("medium", 1.0), ("high", 1.4)):
                frame = np.clip(ramp * gain, 0, 255).astype(np.uint8)
                assert cv2.imwrite(str(scene / f"{role}.png"), frame)
        return folder

    return make


class Annotator:
    """Works at the docks Brackets and Ground truth, by what stands on them."""

    def __init__(self, window, qtbot, name="Ana"):
        self.window, self.qtbot = window, qtbot
        self.docks = [
            window.window.add_plugin_dock_widget("bracketseg", dock)[1]
            for dock in ("Brackets", "Ground truth")
        ]
        self.wait(lambda: "Getting" not in self.text("gt.status"))
        self.questions = []
        self.docks[1].ask = self.questions.append
        self.sign(name)

    def find(self, name):
        (found,) = [
            widget for dock in self.docks if (widget := dock.findChild(QWidget, name)) is not None
        ]
        return found

    def text(self, name):
        return self.find(name).text()

    def wait(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT)

    def says(self, part):
        def said():
            assert part in self.text("gt.status")

        self.qtbot.waitUntil(said, timeout=WAIT)

    def close_dock(self):
        """Press the button that closes the Ground truth dock."""
        around = self.docks[1]
        while not isinstance(around, QDockWidget):
            around = around.parentWidget()
        around.title.close_button.click()

    def sign(self, name):
        field = self.find("gt.annotator")
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, name)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def answer(self, answer):
        def ask(question):
            self.questions.append(question)
            return answer

        self.docks[1].ask = ask

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def open(self, folder):
        self.find("brackets.folder").setText(str(folder))
        self.click("brackets.open")
        table = self.find("brackets.scenes").model()
        self.wait(lambda: table.rowCount() and self.shown)

    def go_to(self, scene):
        """Choose a scene in the table."""
        table = self.find("brackets.scenes")
        model = table.model()
        rows = [model.index(row, 0) for row in range(model.rowCount())]
        (row,) = [row for row in rows if row.data().partition("\n")[0] == scene]
        table.scrollTo(row)
        place = table.visualRect(row).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        self.wait(lambda: self.shown == scene)

    @property
    def shown(self):
        """The scene whose masks are on the screen; empty without any."""
        end = " low ground truth"
        names = [layer.name for layer in self.window.layers if layer.name.endswith(end)]
        return names[0].removesuffix(end) if names else ""

    def layer(self, role):
        def named():
            end = f"{role} ground truth"
            return [layer for layer in self.window.layers if layer.name.endswith(end)]

        # napari gets one in each turn of the event loop.
        self.wait(lambda: len(named()) == 1)
        return named()[0]

    def mask(self, role):
        return np.asarray(self.layer(role).data) != 0

    def type_bound(self, role, bound, value):
        field = self.find(f"gt.{role}.range.{bound}")
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, f"{value:g}")
        QTest.keyClick(field, Qt.Key.Key_Return)

    def paint(self, role, *spots, label=1, size=5):
        layer = self.layer(role)
        layer.brush_size = size
        with layer.block_history():
            for spot in spots:
                layer.paint(spot, label)


@pytest.fixture
def annotator(window, qtbot):
    return Annotator(window, qtbot)


@pytest.fixture
def newcomer(make_napari_viewer, window, qtbot):
    """Open a viewer of its own for somebody else."""

    def start(name):
        viewer = make_napari_viewer(show=True)
        return Annotator(viewer, qtbot, name)

    return start


def files_of(folder):
    """Every file below a folder with its bytes."""
    folder = Path(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def snapshot():
    return files_of


@pytest.fixture
def selected():
    """What a range selects of a frame."""

    def mask(folder, scene, role, lo, hi):
        values = luma(read_image(folder / scene / f"{role}.png"))
        return (values >= lo) & (values <= hi)

    return mask
