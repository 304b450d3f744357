"""Metrics as a file that spreadsheets open as it is."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.folders import mean_baselines, mean_metrics
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.tables import COLUMNS, FOREGROUND_COLUMNS

Cell = str | int | float | None


class Entry(Protocol):
    """What a row is made of, such as a `SceneMetrics`."""

    @property
    def scene(self) -> str:
        """The scene, or whatever else was measured."""

    @property
    def role(self) -> str:
        """Empty where there is none."""

    @property
    def counts(self) -> Confusion:
        """What the metrics come from."""

    @property
    def metrics(self) -> Metrics:
        """The metrics."""


COUNT_COLUMNS = ("tp", "fp", "fn", "tn")
HEADER = ("scene", "role", "mask", *COLUMNS, *FOREGROUND_COLUMNS, *COUNT_COLUMNS)

PREDICTION, ALL, NONE = "prediction", "all foreground", "no foreground"
"""What stands in the column `mask`."""

_FORMULA = ("=", "+", "-", "@")
_CONTROL = re.compile(r"[\x00-\x1f]+")


def metric_rows(scenes: Sequence[Entry]) -> list[list[Cell]]:
    """Put metrics into rows under `HEADER`, each role with what constant masks would score.

    Parameters
    ----------
    scenes : sequence of SceneMetrics, or of what has the same four attributes

    Returns
    -------
    list of list
        Role by role: the scenes, of several their mean, and the means of both constant masks.
        Counts stand where they are those of one scene.
    """
    rows: list[list[Cell]] = []
    for role in dict.fromkeys(scene.role for scene in scenes):
        found = [scene for scene in scenes if scene.role == role]
        rows += [[s.scene, role, *_cells(PREDICTION, s.metrics, s.counts)] for s in found]
        everything, nothing = mean_baselines([scene.counts for scene in found])
        single = len(found) == 1
        name = found[0].scene if single else f"mean of {len(found)} scenes"
        if not single:
            mean = mean_metrics([scene.metrics for scene in found])
            rows.append([name, role, *_cells(PREDICTION, mean, None)])
        first = baselines(found[0].counts)
        rows.append(
            [name, role, *_cells(ALL, everything, first.all_foreground if single else None)]
        )
        rows.append([name, role, *_cells(NONE, nothing, first.no_foreground if single else None)])
    return rows


def spreadsheet_bytes(rows: Iterable[Sequence[Cell]], header: Sequence[str] = HEADER) -> bytes:
    """Write rows as CSV: a header, commas, decimal points, six decimals.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, and text of
    several lines becomes one. Where
    anything is not ASCII the file begins with a byte order mark, without which Excel takes
    UTF-8 for something else; elsewhere nobody needs one.

    Parameters
    ----------
    rows : iterable of sequence of str, int, float or None
        None becomes an empty cell.
    header : sequence of str

    Returns
    -------
    bytes
        Read it with the encoding "utf-8-sig", which takes files with and without the mark.
    """
    text = table_text([header, *rows], separator=",")
    return text.encode("ascii" if text.isascii() else "utf-8-sig")


def table_text(rows: Iterable[Sequence[Cell]], *, separator: str) -> str:
    """Write rows as text, as :func:`spreadsheet_bytes` does; with tabs, to be pasted."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([_written(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cells(mask: str, metrics: Metrics, counts: Confusion | None) -> list[Cell]:
    measured = [getattr(metrics, name) for name in (*COLUMNS, *FOREGROUND_COLUMNS)]
    return [mask, *measured, *(counts and getattr(counts, name) for name in COUNT_COLUMNS)]


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        line = _CONTROL.sub(" ", cell).strip()
        return f"'{line}" if line.startswith(_FORMULA) else line
    return f"{cell:.6f}" if isinstance(cell, float) else str(cell)
