"""Runs all benchmarks of speed, and prints one table, then what the window does.

    pip install "bracketseg[bench]"
    python tests/benchmarks/speed.py

Run it while the machine does nothing else; it takes about a quarter of an hour. The window's need
a screen, real or virtual (`xvfb-run -a -s "-screen 0 1600x1000x24" python ...`).
"""

import os
import subprocess
import sys
from pathlib import Path

from table import NO_HEAD, print_head

TABLE = ("inference", "steps", "ground_truth")
ON_A_SCREEN = ("start",)
WINDOW = ("window", "predict", "training", "metrics")

if __name__ == "__main__":
    print_head()
    environment = {**os.environ, NO_HEAD: "1"}
    screen = sys.platform != "linux" or "DISPLAY" in os.environ
    for name in (*TABLE, *((*ON_A_SCREEN, *WINDOW) if screen else ())):
        if name in WINDOW:
            print(f"\n{name}\n", flush=True)
        script = Path(__file__).with_name(f"{name}.py")
        subprocess.run([sys.executable, script], env=environment, check=True)
    if not screen:
        print("\nThere is no screen: what the window does was not measured.")
