"""Takes the README's pictures of the window: labels, trains, predicts, measures and fuses.

Run it on a screen, real or virtual:

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_pictures.py

It works on a copy of `sample_data/brackets`, by the controls that a person uses, and writes
`docs/pictures/*.png`.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
BRACKETS = HERE.parent / "sample_data" / "brackets"
SHOWN = "garden_gate"
SIZE = (1400, 900)
PATIENCE = 600.0
EPOCHS = 12


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        folder = home / "my_brackets"
        shutil.copytree(BRACKETS, folder)
        window = Window()
        label(window, folder)
        train(window)
        predict(window)
        measure(window)
        fuse(window)
        window.close()


class Window:
    """A viewer whose controls are found by their names."""

    def __init__(self) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.viewer = napari.Viewer()
        self._app = QApplication.instance()
        self._main = self.viewer.window._qt_window
        self._main.resize(*SIZE)
        self.wait(1.0)

    def dock(self, name: str) -> None:
        self.viewer.window.add_plugin_dock_widget("bracketseg", name)
        self.wait(1.0)

    def find(self, name: str):
        from qtpy.QtWidgets import QWidget

        found = self._main.findChild(QWidget, name)
        assert found is not None, name
        return found

    def press(self, name: str) -> None:
        button = self.find(name)
        self.until(button.isEnabled)
        button.click()

    def type(self, name: str, text: str) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self.find(name).setText(text)
        QTest.keyClick(self.find(name), Qt.Key.Key_Return)

    def choose(self, name: str, text: str) -> None:
        combo = self.find(name)
        index = next(i for i in range(combo.count()) if text in combo.itemText(i))
        combo.setCurrentIndex(index)
        combo.activated.emit(index)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.005)

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end
            self.wait(0.05)

    def picture(self, name: str) -> None:
        """Write what the window shows, with few enough colours for a page to load fast."""
        self.wait(1.0)
        path = HERE / "pictures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        self.viewer.screenshot(str(path), canvas_only=False, flash=False)
        shown = Image.open(path).convert("RGB")
        few = shown.quantize(256, method=Image.Quantize.MAXCOVERAGE)
        # Without dithering a sky has borders that no dock has made.
        shown.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)

    def hide_masks(self) -> None:
        for layer in self.viewer.layers:
            if type(layer).__name__ == "Labels":
                layer.visible = False

    def close(self) -> None:
        self.viewer.close()


def label(window: Window, folder: Path) -> None:
    from bracketseg._napari.session.session import session_of

    window.dock("Brackets")
    window.type("brackets.folder", str(folder))
    session = session_of(window.viewer)
    window.until(lambda: bool(session.brackets) and not session.scanning)
    window.dock("Ground truth")
    window.type("gt.annotator", "Ana")
    window.until(lambda: session.current is not None and session.loading is None)
    for scene in [bracket.scene for bracket in session.brackets]:
        session.select(scene)
        window.until(lambda scene=scene: session.current.scene == scene)
        window.wait(0.3)
        if scene == SHOWN:
            window.press("gt.high.focus")
            window.picture("label")
        window.press("gt.accept")
        window.until(lambda scene=scene: scene in session.labeled)


def train(window: Window) -> None:
    window.dock("Train")
    window.wait(1.0)
    window.choose("train.masks", "Ana")
    window.choose("train.role", "both")
    for name, value in (("epochs", EPOCHS), ("batch_size", 2), ("image_size", 128)):
        window.find(f"train.{name}").setValue(value)
    start = window.find("train.start")
    window.press("train.start")
    window.until(lambda: not start.isEnabled())
    window.until(start.isEnabled)
    window.picture("train")


def predict(window: Window) -> None:
    from bracketseg._napari.session.session import session_of

    window.dock("Predict")
    session = session_of(window.viewer)
    session.select(SHOWN)
    window.until(lambda: session.current.scene == SHOWN)
    run = window.find("predict.run")
    window.press("predict.run")
    window.until(lambda: not run.isEnabled())
    window.until(run.isEnabled)
    window.picture("predict")


def measure(window: Window) -> None:
    window.dock("Metrics")
    window.find("metrics.overlay").setChecked(True)
    window.picture("measure")


def fuse(window: Window) -> None:
    window.find("metrics.overlay").setChecked(False)
    window.dock("Fusion")
    window.press("fusion.fuse")
    status = window.find("fusion.status")
    window.until(lambda: f"{SHOWN} fused," in status.text())
    window.hide_masks()
    window.picture("fuse")


if __name__ == "__main__":
    main()
