"""The brackets that come with bracketseg, as a folder of the user's own to work in."""

import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from bracketseg.brackets.files import cannot_write
from bracketseg.errors import BracketError

SAMPLES_FOLDER = "bracketseg-samples"


def samples_folder() -> Path:
    """Give the folder that the samples are copied to: one of the user's own."""
    return Path.home() / SAMPLES_FOLDER


def copy_samples() -> Path:
    """Copy the sample brackets into :func:`samples_folder`, unless they are there.

    The folder appears when it is whole. One that is there stays as it is, with the labels and
    the runs that were made in it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BracketError
        If nothing can be written there.
    """
    folder = samples_folder()
    if folder.exists():
        return folder
    source = Path(str(files("bracketseg") / "sample_data" / "brackets"))
    try:
        with tempfile.TemporaryDirectory(prefix=f".{SAMPLES_FOLDER}-", dir=folder.parent) as name:
            shutil.copytree(source, Path(name) / "whole").rename(folder)
    except OSError as error:
        raise BracketError(cannot_write(folder, error)) from error
    return folder
