"""Uses the five docks without any sense, and looks at what the program says to it.

    xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.robustness.monkey --seconds 300 --seed 1

It opens and closes docks, presses, turns and types into whatever can be, goes to other scenes while
they load, paints, and answers questions at random. Nothing may come to the log, and at the end no
thread and no process is left.
"""

import argparse
import gc
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

DOCKS = ("Brackets", "Ground truth", "Train", "Predict", "Metrics", "Fusion")

_LEFT = 30.0
"""Seconds in which threads and processes have to be gone after the end."""


class Monkey:
    """One viewer, and what is done to it.

    Parameters
    ----------
    folder : Path
        For pictures, masks and settings; all of the answers lead there.
    seed : int
    """

    def __init__(self, folder: Path, seed: int) -> None:
        import napari

        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.done: Counter[str] = Counter()
        self.last: list[str] = []
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(1400, 900)
        self.docks: dict[str, Any] = {}
        self._actions: tuple[tuple[Callable[[], object], float], ...] = (
            (self.use_control, 10),
            (self.open_dock, 1.5),
            (self.close_dock, 0.4),
            (self.paint, 1),
            (self.press_key, 1),
            (self.open_folder, 0.5),
            (self.close_window, 0.5),
            (self.remove_layer, 0.2),
        )

    def step(self) -> None:
        """Do one thing, and let the program get on for a moment or none."""
        from qtpy.QtWidgets import QApplication

        weights = np.array([weight for _, weight in self._actions])
        action = self._actions[int(self.rng.choice(len(weights), p=weights / weights.sum()))][0]
        self.done[action.__name__] += 1
        self._note(action.__name__)
        action()
        for _ in range(int(self.rng.integers(0, 8))):
            QApplication.processEvents()

    def _note(self, what: str) -> None:
        self.last = [*self.last[-14:], what]

    def _pick(self, things: Any) -> Any:
        things = list(things)
        return things[int(self.rng.integers(len(things)))] if things else None

    def open_dock(self) -> None:
        name = self._pick(DOCKS)
        if name not in self.docks:
            self.docks[name] = self.viewer.window.add_plugin_dock_widget("bracketseg", name)

    def close_dock(self) -> None:
        name = self._pick(self.docks)
        if name is None:
            return
        dock, _ = self.docks.pop(name)
        if self.rng.random() < 0.5:
            dock.title.close_button.click()
        else:
            self.viewer.window.remove_dock_widget(dock)

    def use_control(self) -> None:
        """Press, turn or type into something of a dock."""
        from qtpy import QtWidgets

        name = self._pick(self.docks)
        if name is None:
            return
        widget = self._pick(
            found
            for found in self.docks[name][1].findChildren(QtWidgets.QWidget)
            if found.objectName().partition(".")[2] and found.isEnabled() and found.isVisible()
        )
        if widget is None:
            return
        self._note(widget.objectName())
        self._use(widget)

    def _use(self, widget: Any) -> None:
        from qtpy import QtWidgets
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if isinstance(widget, QtWidgets.QAbstractButton):
            widget.click()
        elif isinstance(widget, QtWidgets.QComboBox) and widget.count():
            widget.setCurrentIndex(int(self.rng.integers(widget.count())))
            widget.activated.emit(widget.currentIndex())
        elif isinstance(widget, QtWidgets.QSpinBox):
            # The largest would train for a day.
            top = min(widget.maximum(), widget.minimum() + 40)
            widget.setValue(int(self.rng.integers(widget.minimum(), top + 1)))
        elif isinstance(widget, QtWidgets.QDoubleSpinBox):
            widget.setValue(float(self.rng.uniform(widget.minimum(), widget.maximum())))
        elif isinstance(widget, QtWidgets.QLineEdit):
            odd = ("", "Ana", "Ben/../x", "\U0001f4f7", str(self.folder / "data"), "/nowhere", "..")
            widget.setText(self._pick((*odd, str(self.folder / "labels"))))
            widget.editingFinished.emit()
        elif isinstance(widget, QtWidgets.QAbstractItemView):
            model = widget.model()
            if model is not None and model.rowCount():
                index = model.index(int(self.rng.integers(model.rowCount())), 0)
                place = widget.visualRect(index).center()
                QTest.mouseClick(widget.viewport(), Qt.MouseButton.LeftButton, pos=place)
        elif isinstance(widget, QtWidgets.QAbstractSlider):
            widget.setValue(int(self.rng.integers(widget.minimum(), widget.maximum() + 1)))
        else:
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def open_folder(self) -> None:
        from qtpy.QtWidgets import QWidget

        if "Brackets" in self.docks:
            dock = self.docks["Brackets"][1]
            dock.findChild(QWidget, "brackets.folder").setText(str(self.folder / "data"))
            dock.findChild(QWidget, "brackets.open").click()

    def paint(self) -> None:
        """Draw a stroke on a layer of labels, as its brush does."""
        from napari.layers import Labels

        layer = self._pick(one for one in self.viewer.layers if isinstance(one, Labels))
        if layer is None or not layer.editable or layer.data.ndim != 2:
            return
        with layer.block_history():
            for _ in range(int(self.rng.integers(1, 5))):
                spot = self.rng.uniform((0, 0), layer.data.shape)
                layer.paint(tuple(spot.astype(int)), int(self.rng.integers(0, 2)))

    def press_key(self) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        keys = (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_Return, Qt.Key.Key_Delete)
        control = Qt.KeyboardModifier.ControlModifier
        canvas = self.viewer.window._qt_viewer.canvas.native
        if self.rng.random() < 0.4:
            # Not Y: in three dimensions napari 0.9 itself fails to add a layer that is not visible.
            QTest.keyClick(canvas, Qt.Key.Key_Z, control)
        else:
            QTest.keyClick(canvas, self._pick(keys[:3]))

    def remove_layer(self) -> None:
        layer = self._pick(self.viewer.layers)
        if layer is not None:
            self.viewer.layers.remove(layer)

    def close_window(self) -> None:
        """Close, or use, a dialog or another window that a dock opened."""
        from qtpy import QtWidgets

        main = self.viewer.window._qt_window
        others = [
            window
            for window in QtWidgets.QApplication.topLevelWidgets()
            if window.isVisible() and window is not main and not isinstance(window, QtWidgets.QMenu)
        ]
        window = self._pick(others)
        if window is None:
            return
        controls = [
            found
            for found in window.findChildren(QtWidgets.QWidget)
            if found.objectName().partition(".")[2] and found.isEnabled() and found.isVisible()
        ]
        if controls and self.rng.random() < 0.6:
            widget = self._pick(controls)
            self._note(widget.objectName())
            self._use(widget)
        elif isinstance(window, QtWidgets.QDialog):
            window.reject()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer whatever asks, at random."""
        from qtpy import QtWidgets

        def path(*_: object, **__: object) -> str:
            return str(self._pick(("", self.folder / "data", self.folder / "labels", "/nowhere")))

        def file(*_: object, **__: object) -> tuple[str, str]:
            return str(self._pick(("", self.folder / "out" / "a.csv", self.folder / "b.csv"))), ""

        def answer(*_: object, **__: object) -> Any:
            buttons = QtWidgets.QMessageBox.StandardButton
            return self._pick((buttons.Yes, buttons.No, buttons.Cancel))

        def ends(dialog: Any) -> int:
            return int(self.rng.integers(0, 2))

        with ExitStack() as patched:
            for name in ("question", "information", "warning", "critical"):
                patched.enter_context(patch.object(QtWidgets.QMessageBox, name, answer))
            patched.enter_context(patch.object(QtWidgets.QFileDialog, "getExistingDirectory", path))
            for name in ("getOpenFileName", "getSaveFileName"):
                patched.enter_context(patch.object(QtWidgets.QFileDialog, name, file))
            patched.enter_context(patch.object(QtWidgets.QDialog, "exec", ends))
            patched.enter_context(patch.object(QtWidgets.QMenu, "exec", lambda *_: None))
            yield

    def leave(self) -> None:
        """Close the viewer, whatever is still under way."""
        from qtpy.QtWidgets import QApplication

        self.viewer.close()
        for _ in range(20):
            QApplication.processEvents()


class Listener(logging.Handler):
    """Everything that the program says of faults, wherever it says it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.faults: list[str] = []
        self.where: Callable[[], str] = str

    def emit(self, record: logging.LogRecord) -> None:
        self._add(f"log: {record.name}: {self.format(record)}")

    def _add(self, text: str) -> None:
        if not self.faults:
            # The first is often what the others come from; should all end here, it is known.
            print(f"{text}\n  after {self.where()}", file=sys.stderr, flush=True)
        self.faults.append(f"{text}\n  after {self.where()}")

    def raised(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self._add("".join(traceback.format_exception(kind, error, trace)))

    @contextmanager
    def listening(self) -> Iterator[None]:
        from napari.utils.notifications import notification_manager
        from qtpy.QtCore import qInstallMessageHandler

        def notified(notification: Any) -> None:
            error = getattr(notification, "exception", None)
            if error is not None:
                self.raised(type(error), error, error.__traceback__)

        def said(kind: Any, _context: Any, message: str | None) -> None:
            # A virtual screen has no more than the most needed.
            known = ("propagateSizeHints", "xcb", "QStandardPaths", "OpenGL")
            if message and not any(word in message for word in known):
                self._add(f"Qt: {message}")

        logging.getLogger().addHandler(self)
        notification_manager.notification_ready.connect(notified)
        before = qInstallMessageHandler(said)
        hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self.raised
        threading.excepthook = lambda said: self.raised(
            said.exc_type, said.exc_value or said.exc_type(), said.exc_traceback
        )
        sys.unraisablehook = lambda said: self.raised(
            said.exc_type, said.exc_value or said.exc_type(), said.exc_traceback
        )
        try:
            yield
            gc.collect()
        finally:
            sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
            qInstallMessageHandler(before)
            notification_manager.notification_ready.disconnect(notified)
            logging.getLogger().removeHandler(self)


def children() -> set[int]:
    """The processes that this one started and that still run."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(child) for child in path.read_text().split()} if path.exists() else set()


def play(folder: Path, *, seed: int, steps: int = 0, seconds: float = 0.0) -> list[str]:
    """Let the monkey do so many steps, or go on for so long; returns the faults."""
    from qtpy.QtWidgets import QApplication
    from tests.robustness.crashes import make_set

    make_set(folder / "data")
    processes, threads = children(), set(threading.enumerate())
    listener = Listener()
    monkey = Monkey(folder, seed)
    listener.where = lambda: ", ".join(monkey.last)
    with listener.listening(), monkey.answering():
        end = time.monotonic() + seconds
        number = 0
        while number < steps or time.monotonic() < end:
            try:
                monkey.step()
            except Exception as error:  # noqa: BLE001 - as Qt would, it is told and life goes on
                listener.raised(type(error), error, error.__traceback__)
            number += 1
        try:
            monkey.leave()
        except Exception as error:  # noqa: BLE001 - as above
            listener.raised(type(error), error, error.__traceback__)
        limit = time.monotonic() + _LEFT
        while time.monotonic() < limit and (children() - processes or _ours(threads)):
            QApplication.processEvents()
            time.sleep(0.02)
    faults = listener.faults
    faults += [f"a process is left: {child}" for child in children() - processes]
    faults += [f"a thread is left: {thread.name}" for thread in _ours(threads)]
    print(f"{number} steps: {dict(monkey.done)}", file=sys.stderr)
    return faults


def _ours(before: set[threading.Thread]) -> list[threading.Thread]:
    """Threads that began since, but for those of libraries that live as long as the program."""
    return [
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.is_alive() and not thread.daemon
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        faults = play(home, seed=given.seed, steps=given.steps, seconds=given.seconds)
    kinds = Counter(faults)
    for fault, count in kinds.most_common():
        print(f"FAULT ({count})  {fault}")
    print(f"{len(faults)} faults")
    sys.stdout.flush()
    os._exit(1 if faults else 0)  # what is still there may hold it up; it is told above


if __name__ == "__main__":
    main()
