"""The name of the person who labels, kept between starts."""

import json
import re
from pathlib import Path

from platformdirs import user_config_path

from bracketseg.brackets.files import write_json
from bracketseg.errors import LabelingError

NAMELESS = "me"
"""The folder of somebody who gave no name."""

MAX_LENGTH = 100

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
# Windows keeps these names for devices, in any case and with any suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def read_annotator() -> str:
    """Read the name that was kept; empty where there is none, or it cannot be read."""
    try:
        kept = json.loads(_path().read_text(encoding="utf-8"))
        name = kept["annotator"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return name.strip()[:MAX_LENGTH] if isinstance(name, str) else ""


def keep_annotator(name: str) -> None:
    """Keep a name for the next start.

    Raises
    ------
    LabelingError
        If it cannot be written.
    """
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"annotator": name})
    except OSError as error:
        raise LabelingError(
            f"{path}: your name cannot be kept for the next start ({error.strerror or error}). "
            "It holds until napari is closed."
        ) from error


def annotator_folder(name: str) -> str:
    """Make a name that a folder can have on every system.

    Examples
    --------
    >>> annotator_folder("Ana / B."), annotator_folder("  "), annotator_folder("con")
    ('Ana _ B', 'me', '_con')
    """
    safe = _UNSAFE.sub("_", name).strip(". ")[:MAX_LENGTH].rstrip(". ")
    return f"_{safe}" if _DEVICES.fullmatch(safe) else safe or NAMELESS


def _path() -> Path:
    return user_config_path("bracketseg", appauthor=False) / "annotator.json"
