"""How the C library hands memory back, for a process that is ours alone."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


def keep_freed_memory() -> bool:
    """Let glibc keep freed memory for the next allocation of this process.

    A training step frees and takes the same large blocks over and over. glibc gives each of
    them back to the system, which then clears every page anew; on a CPU this can cost half of
    the time. It is a setting for the whole process, so only the command makes it, before torch
    allocates anything.

    Returns
    -------
    bool
        Whether the C library took the settings; False where it is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 256 * 2**20, _ARENA_MAX: 1}
    taken = [mallopt(name, value) == 1 for name, value in settings.items()]
    return all(taken)
