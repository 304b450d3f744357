"""Runs the benchmarks of inference, ground truth and evaluation, and prints their tables.

    pip install "bracketseg[bench]"
    python tests/benchmarks/speed.py

Run it while the machine does nothing else.
"""

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    for name in ("inference.py", "ground_truth.py"):
        subprocess.run([sys.executable, Path(__file__).with_name(name)], check=True)
