"""Where lies what belongs to a folder of pictures: beside them, if that can be."""

import hashlib
import os
from importlib.resources import files
from pathlib import Path


def own_labels() -> Path:
    """Give the folder of the user's own for masks, and choices, of pictures elsewhere."""
    return Path.home() / "bracketseg-labels"


def own_runs() -> Path:
    """Give the folder of the user's own for trainings on pictures elsewhere."""
    return Path.home() / "bracketseg-runs"


def place_of(folder: Path, name: str, own: Path) -> Path:
    """Give the folder that holds what is kept beside pictures.

    Parameters
    ----------
    folder : Path
        Of brackets, or of a picture.
    name : str
        Of the folder beside them; empty for what lies among them.
    own : Path
        The user's own folder.

    Returns
    -------
    Path
        ``<folder>/<name>``. Where nobody may write there, and for the samples that come with
        bracketseg, a folder of its own in `own`.
    """
    beside = folder / name
    if _is_installed(folder):
        return own / folder.name
    # One that has vanished, as with a drive that was unplugged, is not replaced.
    if folder.is_dir() and not os.access(beside if beside.is_dir() else folder, os.W_OK):
        digest = hashlib.sha256(str(folder.absolute()).encode(errors="surrogateescape"))
        return own / f"{folder.name}-{digest.hexdigest()[:6]}"
    return beside


def _is_installed(folder: Path) -> bool:
    """Whether a folder belongs to the installed package, which updates replace."""
    return folder.absolute().is_relative_to(Path(str(files("bracketseg"))).absolute())
