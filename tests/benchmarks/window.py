"""Measures the docks Brackets, Ground truth and Fusion in a real window.

Run it on a screen, real or virtual, while the machine does nothing else:

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/window.py

It prints how long each action takes, how long the event loop stood still meanwhile, and how
long the main thread worked in that time, which is less than it where others had the processors;
how many of these gaps are as long without the time that Python collected garbage in;
then how long it takes until another mask is on the screen, beside napari's own
`labels.data = mask` and a bare redraw of the canvas in the same run. With `--where` it also
says what held the loop up. At last come the times of napari alone to add and remove a layer:
what adds or removes one holds up the loop for as long, and nothing else should for over 0.1 s.
Last of all: how long it takes until the fused picture follows a stroke (`strokes.py`).
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from event_loop import BLOCKED, EventLoopProbe
from scenes import write_scenes
from strokes import paint_fused

LARGE = (1060, 1900)
SMALL = (160, 240)
LARGE_SCENES = 12
WAIT = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, default=1500, help="in the folder of many")
    parser.add_argument("--where", action="store_true", help="say what held up the loop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        large = write_scenes(home / "large", LARGE_SCENES, LARGE, ".jpg")
        many = write_scenes(home / "many", options.scenes, SMALL, ".jpg")
        label(many, "ana", "120")
        label(many, "ben", "140")
        bench = Bench(where=options.where)
        print_heading()
        bench.open_docks()
        bench.work_on_large(large)
        bench.work_on_many(many, options.scenes)
        bench.open_again(large)
        bench.show_masks()
        bench.add_bare_layers()
        paint_fused(bench)


class Bench:
    """Works at the docks by their controls, and prints a row for each action."""

    def __init__(self, *, where: bool) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.where = where
        self.wait = WAIT
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1400, 900)
        self.application = QApplication.instance()
        self.probe = EventLoopProbe()
        self.docks: dict[str, object] = {}
        self.spin(1)

    def open_docks(self) -> None:
        for name in ("Brackets", "Ground truth"):
            with self.action(f"open the dock {name}"):
                self.docks[name] = self.viewer.window.add_plugin_dock_widget("bracketseg", name)[1]
                self.application.processEvents()
            self.spin(1)

    def work_on_large(self, folder: Path) -> None:
        with self.action("the first layers of this napari"):
            self.open(folder)
            self.until(lambda: self.shown(0))
        self.spin(4)
        for number in range(1, 6):
            with self.action("next scene of 1900x1060, loaded ahead"):
                self.press("brackets.next")
                self.until(lambda number=number: self.shown(number))
            self.spin(2)
        with self.action("hold down next, then previous"):
            for name in ["next"] * 6 + ["previous"] * 11:
                self.press(f"brackets.{name}")
                self.spin(0.1)
            self.until(lambda: self.shown(0))
        self.spin(2)
        with self.action("drag a bound to and fro"):
            self.drag(100)
        for number in range(1, 4):
            with self.action("accept, and the next scene"):
                self.press("gt.accept")
                self.until(lambda number=number: self.shown(number))
            with self.action("the masks are written meanwhile"):
                self.spin(1.5)

    def work_on_many(self, folder: Path, count: int) -> None:
        rows = self.control("brackets.scenes").model().rowCount
        with self.action(f"open {count} scenes: the first rows"):
            self.open(folder)
            self.until(lambda: rows() > 0)
        with self.action("all rows, and the first scene"):
            self.until(lambda: rows() == count and self.shown(0))
        with self.action("what their masks cover"):
            self.spin(3)
        bar = self.control("brackets.scenes").verticalScrollBar()
        with self.action("scroll through them, with thumbnails"):
            for step in range(100):
                bar.setValue(step * bar.maximum() // 99)
                self.spin(0.03)
        for button, report in (("compare_set", "agreement"), ("average", "consensus")):
            with self.action(f"{button}: its window"):
                self.press(f"gt.{button}")
                self.application.processEvents()
            with self.action(f"{button}: {count} scenes"):
                self.until(self.control(f"gt.{report}.export").isEnabled)
            self.control(f"gt.{report}").close()

    def open_again(self, folder: Path) -> None:
        with self.action("open another folder"):
            self.open(folder)
            self.until(lambda: self.shown(3))
        self.spin(3)

    def show_masks(self) -> None:
        from qtpy.QtOpenGLWidgets import QOpenGLWidget
        from qtpy.QtWidgets import QApplication

        (canvas,) = [
            found
            for window in QApplication.topLevelWidgets()
            for found in window.findChildren(QOpenGLWidget)
            if found.isVisible()
        ]
        # After it, what was drawn is on the screen.
        drawn: list[int] = []
        canvas.frameSwapped.connect(lambda: drawn.append(1))
        layer = next(
            layer
            for layer in self.viewer.layers
            if layer.visible and layer.name.endswith("low ground truth")
        )
        values = self.viewer.layers[0].data[..., 1]
        bounds = self.control("gt.low.range")
        ways: dict[str, Callable[[int], object]] = {
            "a bare redraw of the canvas": lambda _: canvas.update(),
            "move of a bound": lambda luma: bounds.move_to(luma, 255),
            "labels.data = mask": lambda luma: setattr(
                layer, "data", (values >= luma).astype("uint8")
            ),
        }
        print(f"\n{'on the screen, 1900x1060':48}{'ms':>9}{'to a redraw':>13}{'cpu ms':>12}")
        taken: dict[str, list[tuple[float, float]]] = {title: [] for title in ways}
        for turn in range(5):
            for title, act in ways.items():
                for luma in range(60 + turn, 140 + turn, 8):
                    drawn.clear()
                    start, cpu = time.perf_counter(), time.process_time()
                    act(luma)
                    while not drawn:
                        self.application.processEvents()
                    taken[title].append((time.perf_counter() - start, time.process_time() - cpu))
                bounds.settle()
                self.spin(0.5)
        medians = {
            title: [1000 * statistics.median(column) for column in zip(*rows, strict=True)]
            for title, rows in taken.items()
        }
        bare = medians["a bare redraw of the canvas"][0]
        for title, (wall, cpu) in medians.items():
            print(f"{title:48}{wall:9.1f}{wall / bare:13.2f}{cpu:12.1f}")

    def add_bare_layers(self) -> None:
        """Time napari alone with layers of the same size: what ours cannot undercut."""
        import numpy as np

        print()
        pixels, mask = np.zeros((*LARGE, 3), np.uint8), np.zeros(LARGE, np.uint8)
        for _ in range(3):
            with self.action("napari alone: add_image"):
                image = self.viewer.add_image(pixels, rgb=True)
                self.application.processEvents()
            with self.action("napari alone: add_labels"):
                labels = self.viewer.add_labels(mask)
                self.application.processEvents()
            for layer in (labels, image):
                with self.action("napari alone: remove a layer"):
                    self.viewer.layers.remove(layer)
                    self.application.processEvents()

    # Tools.

    @contextmanager
    def action(self, title: str) -> Iterator[None]:
        """Print what an action takes."""
        start = time.perf_counter()
        self.probe.start()
        yield
        seconds = time.perf_counter() - start
        gaps = self.probe.stop()
        long = [gap for gap in gaps if gap.seconds > BLOCKED]
        worst = f"{gaps[0].seconds:13.3f}{gaps[0].cpu:9.3f}"
        ours = sum(gap.seconds - gap.garbage > BLOCKED for gap in long)
        print(f"{title:48}{seconds:9.2f}{worst}{len(long):12}{ours:18}", flush=True)
        for gap in long if self.where else []:
            where = " < ".join(reversed(gap.where[-9:]))
            print(
                f"    {gap.seconds:.3f} s, {gap.cpu:.3f} of cpu, {gap.garbage:.3f} of collecting "
                f"garbage, at {where}"
            )

    def control(self, name: str):
        from qtpy.QtWidgets import QApplication, QWidget

        windows = QApplication.topLevelWidgets()
        found = (window.findChild(QWidget, name) for window in windows)
        named = (window for window in windows if window.objectName() == name)
        return next(control for control in (*named, *found) if control is not None)

    def press(self, name: str) -> None:
        self.control(name).click()

    def open(self, folder: Path) -> None:
        self.control("brackets.folder").setText(str(folder))
        self.press("brackets.open")

    def drag(self, steps: int) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        plot = self.control("gt.low.range.plot")
        QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(120))
        for step in range(steps):
            QTest.mouseMove(plot, plot.point_at(70 + abs(step % 120 - 60)))
            self.application.processEvents()
        QTest.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=plot.point_at(90))

    def shown(self, number: int) -> bool:
        """Whether a scene can be worked on."""
        text = self.control("gt.status").text().rpartition("\n")[2]
        return text.startswith((f"{number:04}:", f"{number:04} "))

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something, and for it to be drawn."""
        end = time.perf_counter() + self.wait
        while not condition():
            if time.perf_counter() > end:
                raise TimeoutError
            self.application.processEvents()
            time.sleep(0.001)
        self.application.processEvents()

    def spin(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.application.processEvents()
            time.sleep(0.001)


def print_heading() -> None:
    """Print what stands above the numbers of the actions."""
    titles = f"{'seconds':>9}{'longest gap':>13}{'its cpu':>9}{'over 0.1 s':>12}"
    print(f"{'':48}{titles}{'without garbage':>18}", flush=True)


def label(folder: Path, annotator: str, low: str) -> None:
    command = [sys.executable, "-m", "bracketseg", "label", str(folder), "--method", "manual"]
    out = folder / "labels" / annotator
    ranges = ["--low", low, "255", "--high", "0", "200"]
    subprocess.run([*command, *ranges, "--out", str(out)], check=True, capture_output=True)


if __name__ == "__main__":
    main()
