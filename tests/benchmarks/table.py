"""The one table that the benchmarks of speed fill."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

HEAD = "| work | way | time | times that of bracketseg | |\n|---|---|---:|---:|---|"
NO_HEAD = "BRACKETSEG_TABLE_GOES_ON"
"""`speed.py` sets it for what it runs."""

_PACKAGES = (
    *("torch", "openvino", "onnxruntime", "keras", "tensorflow-cpu", "tensorflow"),
    *("opencv-python-headless", "scikit-image", "scikit-learn", "numpy", "napari"),
)


def print_head() -> None:
    """Say what machine this is, and begin the table; not again within `speed.py`."""
    if NO_HEAD in os.environ:
        return
    found = ", ".join(f"{name} {known}" for name in _PACKAGES if (known := _installed(name)))
    print(
        f"Python {platform.python_version()}, {found}; {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; medians of rounds in which the ways take turns\n\n{HEAD}",
        flush=True,
    )


def print_rows(
    work: str, medians: Mapping[str, float], notes: Mapping[str, str] | None = None
) -> None:
    """Print the seconds of each way to do some work; the first is that of bracketseg."""
    first = next(iter(medians.values()))
    for way, seconds in medians.items():
        took = f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
        note = (notes or {}).get(way, "")
        print(f"| {work} | {way} | {took} | {seconds / first:.2f} | {note} |", flush=True)


def in_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Give the median seconds of each way, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for counts in (False, *[True] * rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if counts:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _installed(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return ""
