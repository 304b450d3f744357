"""Where the trainings on a folder of brackets lie: beside them, if that can be."""

from pathlib import Path

from bracketseg.brackets.own_folder import own_runs, place_of

RUNS_FOLDER = "runs"
"""The folder beside the brackets that holds their trainings."""


def runs_folder(folder: Path) -> Path:
    """Give the folder that new trainings go to.

    Parameters
    ----------
    folder : Path
        Of brackets.

    Returns
    -------
    Path
        ``<folder>/runs``. Where nobody may write there, and for the samples that come with
        bracketseg, a folder of the user's own, ``~/bracketseg-runs/<name>``.
    """
    return place_of(folder, RUNS_FOLDER, own_runs())


def runs_folders(folder: Path) -> tuple[Path, ...]:
    """Give the folders in which trainings can lie, whether they are there or not."""
    return tuple(dict.fromkeys((runs_folder(folder), folder / RUNS_FOLDER)))


def own_trainings(folder: Path | None) -> tuple[Path, ...]:
    """List the trainings on a folder that lie in the folder of the user's own."""
    runs = None if folder is None else runs_folder(folder)
    return tuple(runs.iterdir()) if runs is not None and is_own(runs) and runs.is_dir() else ()


def is_own(run: Path) -> bool:
    """Whether a training lies in the folder of the user's own."""
    return run.is_relative_to(own_runs())
