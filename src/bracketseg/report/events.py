"""What the making of a report tells on its way."""

from dataclasses import dataclass
from pathlib import Path

from bracketseg.errors import BracketSegError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStep:
    """A step is done.

    Attributes
    ----------
    doing : str
        What it was, for a person to read.
    index, total : int
        Number of the step, from 1, and of how many.
    """

    doing: str
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStepFailed:
    """A step could not be done; the report goes on without it, and says so.

    Attributes
    ----------
    doing : str
    error : BracketSegError
    index, total : int
    """

    doing: str
    error: BracketSegError
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWritten:
    """All files of the report are on the disk.

    Attributes
    ----------
    page : Path
        The HTML file; the tables lie beside it.
    runs : int
        Runs that the report is about.
    left_out : tuple of str
        What it is not about, and why.
    index, total : int
    """

    page: Path
    runs: int
    left_out: tuple[str, ...]
    index: int
    total: int


ReportEvent = ReportStep | ReportStepFailed | ReportWritten
