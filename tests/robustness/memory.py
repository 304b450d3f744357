"""How much memory this process has taken, and a limit to it, where the system knows of one."""

import sys
from pathlib import Path


def limit_memory(more: int) -> None:
    """Let this process have so many bytes more than it has now."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def peak_memory() -> int:
    """Most bytes that this process has had at a time; 0 where nobody counts them."""
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
