"""How much main memory is left; this module imports no torch."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bracketseg.learning.control_groups import free_in_groups

if TYPE_CHECKING:
    from collections.abc import Callable


def _linux_report() -> str:
    return Path("/proc/meminfo").read_text(encoding="ascii")


def _posix_figure(name: str) -> int:
    return os.sysconf(name) if hasattr(os, "sysconf") else -1


def free_memory(
    report: Callable[[], str] = _linux_report,
    system: Callable[[str], int] = _posix_figure,
    groups: Callable[[], int | None] = free_in_groups,
) -> int | None:
    """Return the bytes that a process may still take without pushing others out.

    Where a container or a batch system allows less than the machine has, that counts.

    Parameters
    ----------
    report
        Gives the text of Linux' ``/proc/meminfo``; raises OSError where there is none.
    system
        Gives a figure of the POSIX system by its name; asked where there is no report.
    groups
        Gives what the control groups of the process leave; None without a limit.

    Returns
    -------
    int or None
        None where the system does not say.

    Examples
    --------
    >>> free_memory(lambda: "MemAvailable:    2048 kB", groups=lambda: 1_000_000)
    1000000
    """
    known = [free for free in (_of_machine(report, system), groups()) if free is not None]
    return min(known, default=None)


def _of_machine(report: Callable[[], str], system: Callable[[str], int]) -> int | None:
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB", report(), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) * 1024
    try:
        pages, size = system("SC_AVPHYS_PAGES"), system("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    return pages * size if pages > 0 and size > 0 else None
