"""Looking through a folder of brackets, a few scenes at a time."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from bracketseg._napari.session.labeled_scenes import (
    LabelsRead,
    labelings_beside,
    read_labels,
)
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.grouping import LeftOver
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import BracketSegError, LabelingError

BATCH = 100
"""Scenes handed over at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenesFound:
    """Scenes that a scan found, in their order."""

    brackets: list[Bracket]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEnd:
    """What a scan could not use, and the pictures that are in no bracket."""

    problems: tuple[BracketSegError, ...]
    left_over: tuple[LeftOver, ...] = ()


Scan = Generator[ScenesFound | LabelsRead, None, ScanEnd]


def scan_folder(path: Path, folder: Path) -> Scan:
    """Find the brackets of a folder, and who labelled them.

    Parameters
    ----------
    path : Path
        A folder, or one picture of a bracket.
    folder : Path
        That whose ``labels`` are looked at: the same folder, or the one around the picture.

    Yields
    ------
    LabelsRead or ScenesFound
        At first which scenes are labelled, then the scenes, then what their masks cover.

    Returns
    -------
    ScanEnd

    Raises
    ------
    BracketError
        If there is no bracket at all.
    """
    problems: list[BracketSegError] = []
    waiting: list[Iterator[LabelsRead]] = []
    for labeling in labelings_beside(folder):
        reading = read_labels(labeling)
        try:
            first = next(reading, None)
        except LabelingError as error:
            problems.append(error)
        else:
            if first is not None:
                waiting.append(reading)
                yield first
    found = find_brackets(path)
    for batch in _batches(list(found.brackets)):
        yield ScenesFound(brackets=batch)
    for reading in waiting:
        yield from reading
    return ScanEnd(problems=(*found.problems, *problems), left_over=found.left_over)


def _batches(brackets: list[Bracket]) -> Iterator[list[Bracket]]:
    for start in range(0, len(brackets), BATCH):
        yield brackets[start : start + BATCH]
