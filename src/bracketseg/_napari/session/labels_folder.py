"""Where the labellings of a folder of pictures lie: beside them, if that can be."""

import hashlib
import os
from importlib.resources import files
from pathlib import Path

LABELS_FOLDER = "labels"
"""The folder beside the brackets that holds a labelling of each annotator."""

OWN_FOLDER = "bracketseg-labels"


def labels_folder(folder: Path) -> Path:
    """Give the folder that holds a labelling of each annotator.

    Parameters
    ----------
    folder : Path
        Of brackets, or of a picture.

    Returns
    -------
    Path
        ``<folder>/labels``. Where nobody may write there, and for the samples that come with
        bracketseg, a folder of the user's own, ``~/bracketseg-labels/<name>``.
    """
    beside = folder / LABELS_FOLDER
    if _is_installed(folder):
        return own_labels() / folder.name
    # One that has vanished, as with a drive that was unplugged, is not replaced.
    if folder.is_dir() and not os.access(beside if beside.is_dir() else folder, os.W_OK):
        digest = hashlib.sha256(str(folder.absolute()).encode(errors="surrogateescape"))
        return own_labels() / f"{folder.name}-{digest.hexdigest()[:6]}"
    return beside


def own_labels() -> Path:
    """Give the folder of the user's own for pictures that nothing can be saved beside."""
    return Path.home() / OWN_FOLDER


def is_own(labeling: Path) -> bool:
    """Whether a labelling lies in the folder of the user's own."""
    return labeling.is_relative_to(own_labels())


def short_path(path: Path, folder: Path | None) -> str:
    """Write a path as a person knows it: from the open folder, or from their own.

    Examples
    --------
    >>> short_path(Path("/pictures/trip/labels/me"), Path("/pictures/trip"))
    'trip/labels/me'
    """
    if folder is not None and path.is_relative_to(folder):
        return path.relative_to(folder.parent).as_posix()
    home = Path.home()
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def root_of(labeling: Path, folder: Path) -> Path:
    """Give the folder that has to be there before anything is written to a labelling.

    Parameters
    ----------
    labeling : Path
    folder : Path
        Of the brackets, or of the picture.
    """
    if labeling.is_relative_to(folder):
        return folder
    return own_labels().parent if is_own(labeling) else labeling.parent


def _is_installed(folder: Path) -> bool:
    """Whether a folder belongs to the installed package, which updates replace."""
    return folder.absolute().is_relative_to(Path(str(files("bracketseg"))).absolute())
