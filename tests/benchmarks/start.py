"""How long napari takes to start with the plugin, and without it.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/start.py

Each start is a process of its own, up to the window that is shown; they take turns. Without the
plugin, napari is told that it is disabled. Prints Markdown rows.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from table import print_head, print_rows

ROUNDS = 7
START = """
import time
start = time.perf_counter()
import napari
viewer = napari.Viewer()
from qtpy.QtWidgets import QApplication
QApplication.processEvents()
print(time.perf_counter() - start)
from npe2 import PluginManager
manager = PluginManager.instance()
print("bracketseg" in manager, manager.is_disabled("bracketseg"))
viewer.close()
"""


def main() -> None:
    print_head()
    seconds: dict[str, list[float]] = {"with bracketseg": [], "without it": []}
    with tempfile.TemporaryDirectory() as name:
        settings = {way: Path(name) / f"{number}.yaml" for number, way in enumerate(seconds)}
        settings["without it"].write_text(
            "plugins:\n  disabled_plugins:\n  - bracketseg\n", encoding="utf-8"
        )
        for counts in (False, *[True] * ROUNDS):
            for way, times in seconds.items():
                took = start(settings[way], disabled=way == "without it")
                if counts:
                    times.append(took)
    print_rows("start napari", {way: statistics.median(times) for way, times in seconds.items()})


def start(settings: Path, *, disabled: bool) -> float:
    environment = {**os.environ, "NAPARI_CONFIG": str(settings)}
    command = [sys.executable, "-c", START]
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    took, state = said.stdout.splitlines()[-2:]
    if state != f"True {disabled}":
        sys.exit(f"the plugin is not as it was to be: {state}")
    return float(took)


if __name__ == "__main__":
    main()
