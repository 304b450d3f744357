"""Somebody who labels in the docks, quickly and without aim, until the process is killed."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

ANNOTATOR = "Ana"
STEP_MS = 25
ROLES = ("low", "high")


def work(folder: Path, journal: Path, said: Path, seed: int) -> None:
    """Label, and write down after each step which masks are on the screen, and when.

    What is printed goes to `said`. A viewer without a canvas is enough, and is there at once.
    """
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    home = journal.parent / "home"
    os.environ |= {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
    from napari._qt.qt_event_loop import get_qapp
    from napari.components import ViewerModel
    from qtpy.QtCore import QTimer

    from bracketseg._napari.brackets.dock import BracketsDock
    from bracketseg._napari.truth.dock import GroundTruthDock

    application = get_qapp()
    viewer = ViewerModel()
    docks = [BracketsDock(viewer), GroundTruthDock(viewer)]
    for dock in docks:
        dock.show()
    docks[1].ask = lambda _: True
    lines = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    steps = _steps(viewer, docks, folder, lambda line: os.write(lines, line.encode()), seed)
    timer = QTimer()
    timer.timeout.connect(lambda: next(steps))
    timer.start(STEP_MS)
    application.exec()


def _steps(
    viewer: Any, docks: list[Any], folder: Path, note: Callable[[str], object], seed: int
) -> Iterator[None]:
    from qtpy.QtWidgets import QWidget

    def find(name: str) -> Any:
        return next(found for dock in docks if (found := dock.findChild(QWidget, name)))

    def shown() -> str:
        end = " ground truth"
        names = [layer.name for layer in viewer.layers if layer.name.endswith(end)]
        scenes = {name.removesuffix(end).rpartition(" ")[0] for name in names}
        return scenes.pop() if len(names) == 2 and len(scenes) == 1 else ""

    def layer(role: str) -> Any:
        return viewer.layers[f"{shown()} {role} ground truth"]

    while "Getting" in find("gt.status").text():
        yield
    find("gt.annotator").setText(ANNOTATOR)
    find("gt.annotator").editingFinished.emit()
    find("brackets.folder").setText(str(folder))
    find("brackets.open").click()
    while not shown():
        yield
    rng = np.random.default_rng(seed)
    while True:
        while not (shown() and find("gt.low.range").isEnabled()):
            yield
        _note(note, shown(), layer)
        # To leave a scene writes what was done to it: that is to be the exception.
        match rng.integers(200):
            case 0:
                find("gt.accept").click()
            case 1:
                find("brackets.next").click()
            case 2:
                find("brackets.previous").click()
            case turn if turn < 30:
                lo, hi = sorted(rng.integers(0, 256, 2).tolist())
                find(f"gt.{ROLES[rng.integers(2)]}.range").setValue((lo, hi))
            case _:
                painted = layer(ROLES[rng.integers(2)])
                painted.brush_size = 9
                spot = rng.uniform(0, painted.data.shape)
                with suppress(IndexError):
                    painted.paint(tuple(spot), int(rng.integers(2)))
        yield
        if shown():
            _note(note, shown(), layer)


def _note(note: Callable[[str], object], scene: str, layer: Callable[[str], Any]) -> None:
    masks = (np.packbits(np.asarray(layer(role).data) != 0) for role in ROLES)
    written = " ".join(mask.tobytes().hex() for mask in masks)
    note(f"{time.monotonic()} {scene} {written}\n")
