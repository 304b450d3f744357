"""Measures the Train dock in a real window, with a real training on the sample data.

Run it on a screen, real or virtual, while the machine does nothing else:

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/training.py

It prints how long each action takes, and how long the event loop stood still meanwhile. With
`--where` it also says what held the loop up.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from window import Bench, label, print_heading


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--where", action="store_true", help="say what held up the loop")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--size", type=int, default=128, help="of the images, pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        with as_file(files("bracketseg") / "sample_data" / "brackets") as brackets:
            shutil.copytree(brackets, home / "brackets")
        label(home / "brackets", "ana", "120")
        bench = Bench(where=options.where)
        bench.wait = 500
        print_heading()
        with bench.action("the first layer of this napari"):
            bench.viewer.add_image(np.zeros((64, 64), np.uint8))
            bench.application.processEvents()
        with bench.action("napari alone: three images of several slices"):
            add_images(bench, options.size)
        with bench.action("open the dock Train"):
            bench.viewer.window.add_plugin_dock_widget("bracketseg", "Train")
            bench.application.processEvents()
        assert "torch" not in sys.modules
        with bench.action("get ready to plot"):
            bench.spin(2)
        train(bench, home / "brackets", options)


def add_images(bench: Bench, size: int) -> None:
    """What the examples as layers cost napari itself, one in each turn of the event loop."""
    for shape in ((4, size, size, 3), (4, size, size), (4, size, size)):
        bench.viewer.add_image(np.zeros(shape, np.uint8), opacity=0.5)
        bench.spin(0.3)
    bench.viewer.layers.clear()
    bench.spin(0.5)


def train(bench: Bench, folder: Path, options: argparse.Namespace) -> None:
    status = bench.control("train.status").text
    with bench.action("find the brackets and their masks"):
        line = bench.control("train.folder")
        line.setText(str(folder))
        line.editingFinished.emit()
        bench.until(lambda: status().startswith("Ready"))
    for name, value in (("epochs", options.epochs), ("image_size", options.size)):
        bench.control(f"train.{name}").setValue(value)
    bench.control("train.batch_size").setValue(4)
    bench.control("train.loss").setCurrentText("all three")
    with bench.action("start, until the first step is done"):
        bench.press("train.start")
        bench.until(lambda: "step" in status())
    with bench.action(f"train {options.epochs} epochs, curves in sight"):
        bench.until(lambda: "Run 2 of 3" in status())
    tabs = bench.control("train.tabs")
    tabs.setCurrentIndex(1)
    with bench.action("until the first examples of the next run"):
        bench.until(lambda: "epoch 1." in bench.control("train.examples.text").text())
    with bench.action("make layers of them"):
        bench.press("train.examples.as_layers")
        bench.spin(1)
    with bench.action("train with these layers, in and out of sight"):
        end = time.perf_counter() + 20
        while time.perf_counter() < end and "Run 2 of 3" in status():
            tabs.setCurrentIndex(1 - tabs.currentIndex())
            bench.spin(0.5)
    with bench.action("stop"):
        bench.press("train.stop")
        bench.until(bench.control("train.resume").isEnabled)
    with bench.action("resume, until the next step is done"):
        bench.press("train.resume")
        bench.until(lambda: "step" in status())
    with bench.action("stop"):
        bench.press("train.stop")
        bench.until(bench.control("train.resume").isEnabled)


if __name__ == "__main__":
    main()
