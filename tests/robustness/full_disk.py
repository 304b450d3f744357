"""A disk that is full at the first, second, third ... file.

python -m tests.robustness.full_disk
"""

import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.robustness import crashes

from bracketseg.errors import BracketSegError


class FullDisk:
    """Takes so many files, and then none any more."""

    def __init__(self, room: int) -> None:
        self.room, self.refused = room, 0

    def fsync(self, descriptor: int) -> None:
        """Stand for the moment at which a system tells that there is no room."""
        if self.room == 0:
            self.refused += 1
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1


@contextmanager
def full_after(files: int) -> Iterator[FullDisk]:
    disk = FullDisk(files)
    with patch("bracketseg.brackets.files.os.fsync", disk.fsync):
        yield disk


def at_each_step(work: Callable[[Path], object], place: Path, stride: int = 1) -> int:
    """Do work on a disk that is full after 0, `stride`, 2 `stride` ... files, until it has room.

    What is told names the disk's file; what is there is whole; and with room, the work goes on
    to its end.
    """
    work(place / "whole")
    wanted = crashes.result(place / "whole")
    for files in range(0, 999, stride):
        out = place / f"out{files}"
        with full_after(files) as disk:
            told = ""
            try:
                work(out)
            except BracketSegError as error:
                told = str(error)
            except SystemExit as end:
                told = f"exit status {end.code}"
        if not disk.refused:
            assert crashes.result(out) == wanted
            return files
        assert "exit status 1" in told or (str(out) in told and "room" in told), told
        if out.exists():
            crashes.look(out)
            assert not [path for path in out.rglob(".*") if path.is_file()]
        work(out)
        assert crashes.result(out) == wanted
    raise AssertionError("it never ends")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stderr(sys.stdout):
        place = Path(name)
        data = place / "data"
        crashes.make_set(data)
        crashes.make_models(place / "models")
        crashes.label(data, place / "masks")
        for kind, work in crashes.WORK.items():
            with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
                steps = at_each_step(lambda out, work=work: work(data, out), place / kind)
            print(f"{kind}: full at each of {steps} files, and every time told, whole and gone on")


if __name__ == "__main__":
    main()
