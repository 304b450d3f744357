"""Measures the dock Predict in a real window, with its process and the package's models.

Run it on a screen, real or virtual, while the machine does nothing else:

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/predict.py

It prints how long each action takes and how long the event loop stood still meanwhile; at
first what napari alone takes for layers of the same size, in a process of its own, since the
first layer of a kind takes longest. With `--where` it also says what held the loop up.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np
from scenes import write_scenes
from window import Bench, print_heading

LARGE = (1060, 1900)
SCENES = 4
MOVES = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--where", action="store_true", help="say what held up the loop")
    parser.add_argument("--napari", action="store_true", help="measure napari alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        # The settings of whoever runs this stay as they are.
        os.environ["NAPARI_CONFIG"] = str(home / "napari.yaml")
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            os.environ[variable] = str(home / variable)
        if options.napari:
            add_layers(Bench(where=options.where))
            return
        print_heading()
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--napari"], check=True)
        predict(Bench(where=options.where), write_scenes(home / "large", SCENES, LARGE, ".jpg"))


def add_layers(bench: Bench) -> None:
    viewer = bench.viewer
    for _ in range(3):
        viewer.add_image(np.zeros((*LARGE, 3), np.uint8))
        bench.spin(1)
    for name in ("pandas", "skimage.color.colorconv"):
        import_module(name)
    # The dock decides itself what is selected, and napari would select what is new.
    for title in ("the first Labels layer", "another Labels layer"):
        with bench.action(f"napari alone: {title}"):
            viewer.add_labels(np.zeros(LARGE, np.uint8))
            bench.spin(1)
    with bench.action("napari alone: select the other"):
        viewer.layers.selection.active = viewer.layers[-2]
        bench.spin(0.5)
    for _ in range(2):
        with bench.action("napari alone: an image of probabilities"):
            viewer.add_image(np.zeros(LARGE, np.float32), colormap="viridis")
            bench.spin(0.5)
    with bench.action("napari alone: another picture in three layers"):
        for layer in viewer.layers[:3]:
            layer.data = np.ones((*LARGE, 3), np.uint8)
        bench.spin(0.5)


def predict(bench: Bench, folder: Path) -> None:
    from bracketseg._napari.session.session import session_of

    session = session_of(bench.viewer)
    with bench.action("open the dock Predict"):
        bench.viewer.window.add_plugin_dock_widget("bracketseg", "Predict")
        bench.application.processEvents()
    session.open_folder(folder)
    bench.until(lambda: len(session.brackets) == SCENES and not session.scanning)
    session.next()
    bench.until(bench.control("predict.run").isEnabled)
    bench.spin(4)
    stop = bench.control("predict.stop")
    for title in ("Run, the first time", "Run, once more"):
        with bench.action(title):
            bench.press("predict.run")
            bench.until(lambda: not stop.isEnabled())
            bench.spin(0.5)
        bench.spin(1)
    threshold, moves = bench.control("predict.threshold"), []
    with bench.action(f"{MOVES} moves of the threshold"):
        for move in range(MOVES):
            start = time.perf_counter()
            threshold.setValue(0.2 + 0.01 * move)
            bench.application.processEvents()
            moves.append(time.perf_counter() - start)
    print(f"    each: median {statistics.median(moves):.3f}, longest {max(moves):.3f}")
    bench.spin(1)
    with bench.action("show the probabilities"):
        bench.control("predict.probability").setChecked(True)
        bench.spin(1)
    with bench.action("the next scene"):
        session.next()
        bench.until(lambda: session.loading is None)
        bench.spin(0.5)
    with bench.action("all scenes"):
        bench.press("predict.run_all")
        bench.until(lambda: not stop.isEnabled())
    print(bench.control("predict.status").text())
    bench.viewer.close()


if __name__ == "__main__":
    main()
