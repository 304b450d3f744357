"""The report on the disk: one HTML file, and its tables as CSV, Markdown and JSON beside it."""

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.files import cannot_write, sweep, write_bytes, write_json, write_text
from bracketseg.errors import ReportError
from bracketseg.evaluation.spreadsheet import Cell, spreadsheet_bytes
from bracketseg.evaluation.tables import TABLE_NUMBERS
from bracketseg.labeling.agreement import COLUMNS as COVERAGE_COLUMNS
from bracketseg.labeling.agreement import agreement_row
from bracketseg.report.content import ReportContent
from bracketseg.report.events import ReportEvent, ReportWritten
from bracketseg.report.experiment import choose_runs
from bracketseg.report.measuring import Measuring
from bracketseg.report.page import page
from bracketseg.report.tables import (
    SCENES_HEADER,
    TABLE_HEADER,
    TESTS_HEADER,
    as_json,
    markdown,
    paired_cells,
    scene_cells,
    table_cells,
)

PAGE = "report.html"
TABLES_MARKDOWN = "tables.md"
TABLES_JSON = "tables.json"

_WRITTEN = (
    *(PAGE, TABLES_MARKDOWN, TABLES_JSON),
    *("tests.csv", "coverage.csv", "table*.csv", "scenes_*.csv"),
)


def tables_in(folder: Path) -> list[str]:
    """Name the files in a folder that a report might replace."""
    return sorted({path.name for name in _WRITTEN for path in folder.glob(name)})


def write_report(
    brackets: Sequence[Bracket],
    runs: Iterable[Path],
    out: Path,
    *,
    masks: Path | None = None,
    left_out: Sequence[str] = (),
) -> Generator[ReportEvent, None, None]:
    """Report on finished runs whose validation scenes have been predicted.

    ``report.html`` needs no other file. Beside it come ``tables.md``, ``tables.json``,
    ``table1_low.csv`` and ``table2_high.csv``, ``scenes_<role>_<loss>.csv``, ``tests.csv`` with
    the paired tests and ``coverage.csv``. Nothing is written before everything is measured,
    each file appears whole, and the page is the last.

    Parameters
    ----------
    brackets : sequence of Bracket
        The set that the runs were trained on.
    runs : iterable of Path
        Run folders. Those that are not finished or belong to another experiment are named in
        the report as left out.
    out : Path
        A folder; it need not exist.
    masks : Path, optional
        The ground truth; by default what the runs say.
    left_out : sequence of str
        What else the report is to name as left out.

    Yields
    ------
    ReportStep or ReportStepFailed, at last ReportWritten

    Raises
    ------
    ReportError
        If no run can be reported on, or a file cannot be written.
    LabelingError
        If the ground truth is not there.
    """
    experiment = choose_runs(runs, masks)
    measuring = Measuring(experiment, brackets, left_out)
    yield from measuring.steps()
    content = measuring.content()
    if not content.roles:
        raise ReportError(
            f"no run could be measured, so there is nothing to report: {content.left_out[0]}"
        )
    try:
        path = _write(content, out)
    except OSError as error:
        raise ReportError(cannot_write(Path(error.filename or out), error)) from error
    index, total = measuring.written
    yield ReportWritten(
        page=path,
        runs=len(experiment.runs),
        left_out=content.left_out,
        index=index,
        total=total,
    )


def _write(content: ReportContent, out: Path) -> Path:
    text = page(content)
    out.mkdir(parents=True, exist_ok=True)
    sweep(out)
    for role in content.roles:
        name = f"table{TABLE_NUMBERS[role.role]}_{role.role}.csv"
        write_bytes(out / name, spreadsheet_bytes(table_cells(role), TABLE_HEADER))
        for loss in role.measured:
            cells = spreadsheet_bytes(scene_cells(role, loss), SCENES_HEADER)
            write_bytes(out / f"scenes_{role.role}_{loss}.csv", cells)
    tests = spreadsheet_bytes(paired_cells(content.roles), TESTS_HEADER)
    write_bytes(out / "tests.csv", tests)
    covered: list[list[Cell]] = [
        [scene.scene, *agreement_row(scene.agreement).values()] for scene in content.coverage.scenes
    ]
    write_bytes(out / "coverage.csv", spreadsheet_bytes(covered, COVERAGE_COLUMNS))
    write_json(out / TABLES_JSON, as_json(content))
    write_text(out / TABLES_MARKDOWN, markdown(content))
    write_text(out / PAGE, text)
    return out / PAGE
