"""What a container or a batch system lets a process take; this module imports no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Files(NamedTuple):
    """The files of a version of Linux' control groups."""

    limit: str
    usage: str
    cache: str
    """What ``memory.stat`` calls files that were read and can be read again."""


_SECOND = _Files("memory.max", "memory.current", "inactive_file")
_FIRST = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")

_NO_LIMIT = 2**60
"""The first version writes a huge number where there is none."""


def free_in_groups(root: Path = Path("/")) -> int | None:
    """Return the bytes that the control groups of this process let it still take.

    Parameters
    ----------
    root
        Below which ``proc`` and ``sys`` lie.

    Returns
    -------
    int or None
        That of the group which leaves least; None where no group has a limit, and elsewhere
        than on Linux.
    """
    free = [left for group, files in _groups(root) if (left := _left(group, files)) is not None]
    return min(free, default=None)


def _groups(root: Path) -> Iterator[tuple[Path, _Files]]:
    """Give the groups that this process is in, each with those around it."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        _number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            top, files = mounts, _SECOND
        elif "memory" in controllers.split(","):
            top, files = mounts / "memory", _FIRST
        else:
            continue
        # In a container the path may be that of the host, where only the top can be seen.
        inner = Path(path.lstrip("/"))
        yield from ((top / place, files) for place in (inner, *inner.parents))


def _left(group: Path, files: _Files) -> int | None:
    limit, usage = _number(group / files.limit), _number(group / files.usage)
    if limit is None or usage is None or limit >= _NO_LIMIT:
        return None
    return max(0, limit - max(0, usage - _cache(group, files.cache)))


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" is no number, and no limit
        return None


def _cache(group: Path, name: str) -> int:
    try:
        text = (group / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return 0
    found = re.search(rf"^{name} (\d+)$", text, re.MULTILINE)
    return 0 if found is None else int(found[1])
