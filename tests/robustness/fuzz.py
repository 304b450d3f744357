"""Reads thousands of damaged and hostile files.

    python -m tests.robustness.fuzz --cases 2000 --seed 1 [--real FOLDER]

The cases are read in child processes: one that crashes, computes for 10 seconds, stands still for
a minute or takes 2 GB costs only itself, and is told. Every case is made of the seed and its number
alone, so that `--first N --cases 1` makes it again.
"""

import argparse
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST = 10.0
"""Seconds of a processor that a case may take: others may use the machine as well."""

STANDS_STILL = 60.0
"""Seconds after which one is not going to end."""

MEMORY = 2 << 30
"""Bytes that a case may take, beside the program itself."""

_STARTING = 120.0


@dataclass(slots=True)
class Report:
    """What came of the cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    largest: int = 0
    longest: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.outcomes.values()) + len(self.faults)


def fuzz(cases: int, *, seed: int = 0, first: int = 0, real: Path | None = None) -> Report:
    """Read `cases` cases from number `first` on."""
    report, end = Report(), first + cases
    while first < end:
        first = _batch(report, seed, first, end, real)
    return report


def _batch(report: Report, seed: int, first: int, end: int, real: Path | None) -> int:
    """Read cases in one child until it ends; returns the number to go on with."""
    command = [sys.executable, "-m", "tests.robustness.fuzz", "--child"]
    command += ["--seed", str(seed), "--first", str(first), "--cases", str(end - first)]
    command += ["--real", str(real)] if real is not None else []
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL, text=True
        ) as child,
    ):
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_hand_on, args=(child.stdout, lines), daemon=True).start()
        patience, number, what = _STARTING, first, "it did not start"
        while number < end:
            try:
                line = lines.get(timeout=patience)
            except queue.Empty:
                report.faults.append(f"case {number} ({what}): takes more than {patience:g} s")
                child.kill()
                return number + 1
            if line is None:
                status = child.wait()
                complaints.seek(0)
                last = complaints.read()[-2000:]
                report.faults.append(f"case {number} ({what}): died with {status}\n{last}")
                return number + 1
            told: dict[str, Any] = json.loads(line)
            if "begins" in told:
                patience, what = STANDS_STILL, told["begins"]
                continue
            if "fault" in told:
                report.faults.append(f"case {number} ({what}): {told['fault']}")
            else:
                report.outcomes[told["outcome"]] += 1
            report.largest = max(report.largest, told["memory"])
            report.longest = max(report.longest, told["seconds"])
            if told["seconds"] > LONGEST:
                report.faults.append(f"case {number} ({what}): took {told['seconds']:.1f} s")
            number += 1
            if told["memory"] > MEMORY:
                report.faults.append(f"case {number - 1} ({what}): took {told['memory'] >> 20} MiB")
                child.kill()
                break
    return number


def _hand_on(stream: Any, lines: "queue.SimpleQueue[str | None]") -> None:
    with contextlib.suppress(ValueError):  # closed, as nobody listens any more
        for line in stream:
            lines.put(line)
    lines.put(None)


def _child(seed: int, first: int, cases: int, real: Path | None) -> None:
    """Read cases and tell of each, one line of JSON as it begins and one as it ends."""
    from tests.robustness.cases import make_case
    from tests.robustness.examine import examine
    from tests.robustness.memory import limit_memory, peak_memory
    from tests.robustness.seeds import real_pictures

    pictures = real_pictures(real) if real is not None else ()
    # Libraries in C print where they like; what is told to the parent goes past that.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    before = peak_memory()
    limit_memory(MEMORY)
    for number in range(first, first + cases):
        place = Path(tempfile.mkdtemp(prefix="bracketseg-fuzz-"))
        begin = 0.0
        try:
            what = make_case(place / "case", seed, number, pictures)
            _tell(out, begins=what)
            begin = time.process_time()
            outcome = {"outcome": examine(place / "case")}
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            outcome = {"fault": traceback.format_exc(limit=-8)}
        finally:
            seconds = time.process_time() - begin if begin else 0.0
            shutil.rmtree(place, ignore_errors=True)
        _tell(out, memory=peak_memory() - before, seconds=seconds, **outcome)


def _tell(out: Any, **told: object) -> None:
    print(json.dumps(told), file=out, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--real", type=Path, help="a folder of pictures to damage, too")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.seed, given.first, given.cases, given.real)
        return
    report = fuzz(given.cases, seed=given.seed, first=given.first, real=given.real)
    for outcome, count in report.outcomes.most_common():
        print(f"{count:6}  {outcome}")
    for fault in report.faults:
        print(f"FAULT  {fault}")
    print(
        f"{report.cases} cases, {len(report.faults)} faults, most memory "
        f"{report.largest >> 20} MiB, longest {report.longest:.1f} s of a processor"
    )
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
