"""Labels, predicts and measures ever more small scenes, and tells time and memory.

Run it while the machine does nothing else:

    python tests/benchmarks/many_scenes.py --scenes 1250 2500 5000 10000 --workers 2

Each command runs in a process of its own, which starts its workers. The peak of the command's own
memory and that of its largest worker are read from the system while it runs (on Linux only).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scenes import write_scenes

SHAPE = (32, 48)
_EVERY = 0.05
"""Seconds between two looks at the memory; each process tells its own peak."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scenes", type=int, nargs="+", default=[1250, 2500, 5000, 10000])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print("| scenes | command | seconds | ms a scene | command, MiB | largest worker, MiB |")
    print("|---:|---|---:|---:|---:|---:|")
    for count in options.scenes:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            brackets = write_scenes(home / "brackets", count, SHAPE, ".png")
            for title, arguments in commands(brackets, home):
                seconds, own, worker = measure([*arguments, "--workers", str(options.workers)])
                print(
                    f"| {count} | {title} | {seconds:.1f} | {1000 * seconds / count:.1f} | "
                    f"{own / 2**20:.0f} | {worker / 2**20:.0f} |",
                    flush=True,
                )


def commands(brackets: Path, home: Path) -> list[tuple[str, list[str]]]:
    masks, predicted = str(home / "masks"), str(home / "predicted")
    return [
        ("label", ["label", str(brackets), "--method", "otsu", "--out", masks]),
        ("predict", ["predict", str(brackets), "--out", predicted, "--device", "cpu"]),
        ("evaluate", ["evaluate", "--reference", masks, "--prediction", predicted]),
    ]


def measure(arguments: list[str]) -> tuple[float, int, int]:
    """Run a command; give its seconds, and the most bytes of it and of its largest worker."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "bracketseg", *arguments]
    # What a command says goes to a file: a pipe that nobody empties would stop it.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        own = worker = 0
        while process.poll() is None:
            own = max(own, peak(process.pid))
            worker = max([worker, *map(peak, descendants(process.pid))])
            time.sleep(_EVERY)
        seconds = time.perf_counter() - start
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode())
    return seconds, own, worker


def peak(process: int) -> int:
    """The most bytes of memory that a process has taken so far; 0 where nobody tells."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def descendants(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
        # Workers are started by a thread of the command, whose children are listed there.
        threads = Path(f"/proc/{process}/task").glob("*/children")
        text = " ".join(path.read_text(encoding="ascii") for path in threads)
    except OSError:
        return []
    children = [int(child) for child in text.split()]
    return children + [below for child in children for below in descendants(child)]


if __name__ == "__main__":
    main()
