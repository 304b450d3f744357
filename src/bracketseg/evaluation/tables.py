"""The columns of tables of metrics, and a table of one row a scene."""

import csv
import io
from collections.abc import Iterable, Sequence

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


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
