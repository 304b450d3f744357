"""Writing a file so that no reader ever meets half of it."""

import errno
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ABANDONED = 600.0
"""Seconds without a change after which nobody writes to a temporary file any more."""

_TEMPORARY = re.compile(
    r"\..+\.[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}(\.[^.]*)?", re.DOTALL
)  # as random UUIDs are, and hardly a name that a person gives

_SCRATCH = ".scratch."

_being_written: set[str] = set()  # names, each of which holds a UUID


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` once everything went well.

    The temporary file lies in the same folder, so that the last step is one
    rename; it is hidden, so that no scan of the folder takes it for a picture;
    and it keeps the suffix, because many writers choose their format by it.

    Parameters
    ----------
    path : Path
        Where the file is to be in the end. What is there already stays until
        the new file is complete and on the disk.

    Yields
    ------
    Path
        The path to write to. It does not exist yet.

    Raises
    ------
    OSError
        If the folder is missing or cannot be written to, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic_write(path) as temporary:
    ...     _ = temporary.write_text("done", encoding="utf-8")
    >>> path.read_text(encoding="utf-8")
    'done'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    _being_written.add(temporary.name)
    try:
        yield temporary
        # Windows syncs only what is open for writing.
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        # A full disk does not say of which file, and nobody knows the temporary one. An error
        # without a number would forget what it says: it is told as number and file.
        if (
            isinstance(error, OSError)
            and error.errno is not None
            and error.filename in (None, str(temporary), temporary)
        ):
            error.filename = str(path)
        raise
    finally:
        _being_written.discard(temporary.name)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """Give a hidden folder within another one, which is removed with all that is in it.

    Where the process was killed before, :func:`sweep` does that.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    folder = parent / f"{_SCRATCH}{uuid.uuid4().hex}"
    _being_written.add(folder.name)
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _being_written.discard(folder.name)


def sweep(folder: Path, *, idle: float = ABANDONED) -> None:
    """Remove what writing left over in a folder whose process was killed.

    That is what :func:`atomic_write` and :func:`temporary_folder` make, and of that nothing in
    which this process writes. What cannot be removed is in the way of nothing.

    Parameters
    ----------
    folder : Path
    idle : float
        Seconds that it was left alone at least; 0 where no other process writes here.
    """
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name)]:
            with suppress(OSError):
                left_alone = time.time() - path.lstat().st_mtime >= idle
                if not left_alone or path.name in _being_written:
                    continue
                if path.name.startswith(_SCRATCH) and path.is_dir():
                    shutil.rmtree(path)  # refuses links
                elif path.is_file():
                    path.unlink()


def cannot_write(path: Path, error: OSError) -> str:
    """Say in words that a file cannot be written, why, and what to do about it.

    >>> cannot_write(Path("a/b.png"), OSError(errno.ENOSPC, "No space left on device"))
    'a/b.png: cannot be written (No space left on device). Make room on that disk.'
    """
    advice = _ADVICE.get(error.errno or 0, "Check that the folder is there and is a folder.")
    return f"{path}: cannot be written ({error.strerror or error}). {advice}"


_FORBIDDEN = "Allow writing there, or save to another folder."
_ADVICE = {
    errno.ENOSPC: "Make room on that disk.",
    errno.EDQUOT: "Make room on that disk.",
    errno.EROFS: _FORBIDDEN,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
}


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` by :func:`atomic_write`."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, lines ending in a line feed, by :func:`atomic_write`."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` to `path` as indented JSON, by :func:`atomic_write`.

    Raises
    ------
    ValueError
        If `value` holds a number that is not finite: JSON has no such number.
    TypeError
        If `value` holds something that JSON cannot express.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
