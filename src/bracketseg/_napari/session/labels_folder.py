"""Where the labellings of a folder of pictures lie: beside them, if that can be."""

from pathlib import Path

from bracketseg.brackets.own_folder import own_labels, place_of

LABELS_FOLDER = "labels"
"""The folder beside the brackets that holds a labelling of each annotator."""


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
    return place_of(folder, LABELS_FOLDER, own_labels())


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
