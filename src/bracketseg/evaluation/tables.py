"""Metrics as tables: one row a scene, and Tables 1 and 2 in the paper's form."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from bracketseg.brackets.bracket import MaskRole
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.pairs import SceneMetrics

COLUMNS = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc_eq9": "AUC (eq. 9)",
    "roc_auc": "ROC AUC",
    "avg": "AVG",
}
"""Attribute of Metrics to the heading of its column."""

FOREGROUND_COLUMNS = ("reference_foreground", "prediction_foreground")

TABLE_NUMBERS: dict[MaskRole, int] = {"low": 1, "high": 2}
"""Table 1 of the paper is about the low exposure, Table 2 about the high one."""


def metrics_dict(metrics: Metrics) -> dict[str, float | None]:
    """Every metric under its name, AVG among them, as JSON has it."""
    return {name: getattr(metrics, name) for name in (*COLUMNS, *FOREGROUND_COLUMNS)}


def scenes_csv(scenes: Iterable[SceneMetrics]) -> str:
    """One row per scene and role: `scene, role`, then each metric and both foreground fractions.

    Returns
    -------
    str
        CSV with a header; empty cells where a metric does not exist.
    """
    names = (*COLUMNS, *FOREGROUND_COLUMNS)
    rows = ([s.scene, s.role, *(_cell(getattr(s.metrics, name)) for name in names)] for s in scenes)
    return _csv(["scene", "role", *names], rows)


def table_csv(rows: Mapping[str, Metrics]) -> str:
    """Table 1 or 2 as CSV: a row per loss function, a column per metric."""
    return _csv(
        ["loss", *COLUMNS],
        ([label, *(_cell(getattr(m, name)) for name in COLUMNS)] for label, m in rows.items()),
    )


def table_markdown(role: MaskRole, rows: Mapping[str, Metrics], notes: Sequence[str]) -> str:
    """Table 1 or 2 as Markdown.

    Parameters
    ----------
    role : {"low", "high"}
        Decides the table's number.
    rows : mapping of str to Metrics
        What stands in the first column, and the means of that row.
    notes : sequence of str
        What the table was measured on; a line each below it.
    """
    lines = [
        f"### Table {TABLE_NUMBERS[role]}. {role.capitalize()}-exposure segmentation",
        "",
        "| Loss function | " + " | ".join(COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for label, metrics in rows.items():
        cells = (getattr(metrics, name) for name in COLUMNS)
        shown = ("–" if cell is None else f"{cell:.3f}" for cell in cells)
        lines.append(f"| {label} | " + " | ".join(shown) + " |")
    return "\n".join([*lines, "", *notes, ""])


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
