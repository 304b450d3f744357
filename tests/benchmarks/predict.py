"""Measures the dock Predict in a real window, with its process and the package's models.

Run it on a screen, real or virtual, while the machine does nothing else:

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/predict.py

It prints how long each action takes and how long the event loop stood still meanwhile.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from event_loop import BLOCKED, EventLoopProbe
from scenes import write_scenes

LARGE = (1060, 1900)
SCENES = 4
MOVES = 60
WAIT = 300.0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        folder = write_scenes(home / "large", SCENES, LARGE, ".jpg")
        print(f"{'':40}{'seconds':>9}{'longest gap':>13}{'over 0.1 s':>12}")
        Bench(folder).run()


class Bench:
    """Works at the dock by its controls, and prints a row for each action."""

    def __init__(self, folder: Path) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.folder = folder
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1400, 900)
        self.application = QApplication.instance()
        self.probe = EventLoopProbe()
        self.spin(1)

    def run(self) -> None:
        from bracketseg._napari.session.session import session_of

        session = session_of(self.viewer)
        with self.action("open the dock"):
            self.dock = self.viewer.window.add_plugin_dock_widget("bracketseg", "Predict")[1]
            self.application.processEvents()
        session.open_folder(self.folder)
        self.until(lambda: len(session.brackets) == SCENES and not session.scanning)
        session.next()
        self.until(lambda: self.control("run").isEnabled())
        self.spin(4)
        for title in ("Run, the first time", "Run, once more"):
            with self.action(title):
                self.press("run")
                self.until(lambda: not self.control("stop").isEnabled())
            self.spin(1)
        threshold, moves = self.control("threshold"), []
        with self.action(f"{MOVES} moves of the threshold"):
            for move in range(MOVES):
                start = time.perf_counter()
                threshold.setValue(0.2 + 0.01 * move)
                self.application.processEvents()
                moves.append(time.perf_counter() - start)
        print(f"  each: median {statistics.median(moves):.3f}, longest {max(moves):.3f}")
        self.spin(1)
        with self.action("show the probabilities"):
            self.control("probability").setChecked(True)
            self.spin(0.5)
        with self.action("the next scene"):
            session.next()
            self.until(lambda: session.loading is None)
            self.spin(0.5)
        with self.action("all scenes"):
            self.press("run_all")
            self.until(lambda: not self.control("stop").isEnabled())
        print(self.control("status").text())
        self.viewer.close()

    def control(self, name: str):
        from qtpy.QtWidgets import QWidget

        return self.dock.findChild(QWidget, f"predict.{name}")

    def press(self, name: str) -> None:
        self.control(name).click()

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(self.control("status").text())
            self.application.processEvents()
            time.sleep(0.001)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    @contextmanager
    def action(self, title: str) -> Iterator[None]:
        self.probe.start()
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        gaps = self.probe.stop()
        over = sum(gap.seconds > BLOCKED for gap in gaps)
        print(f"{title:40}{seconds:9.2f}{gaps[0].seconds:13.3f}{over:12}")
        for gap in gaps[:3]:
            if gap.where:
                print("    " + "\n    ".join(gap.where[-4:]))


if __name__ == "__main__":
    main()
