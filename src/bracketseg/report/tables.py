"""The tables of a report: Tables 1 and 2 in the paper's form, as rows, CSV, Markdown and JSON."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bracketseg.evaluation.printed import PRINTED, impossible
from bracketseg.evaluation.spread import NAMES, Spread, Summary
from bracketseg.evaluation.spreadsheet import Cell
from bracketseg.evaluation.tables import COLUMNS, FOREGROUND_COLUMNS, TABLE_NUMBERS
from bracketseg.labeling.agreement import COVERAGE_NAMES
from bracketseg.report.content import LOSS_LABELS, CoverageContent, ReportContent, RoleContent
from bracketseg.report.words import (
    DEFINITIONS,
    OPTIMISTIC,
    READING,
    constant_warnings,
    coverage_words,
    how_tested,
    measured_on,
    printed_notes,
    verdict,
)
from bracketseg.wording import counted

_SPREADS = "After ± stands the one over seeds, in brackets the one over scenes."

Source = Literal["measured", "baseline", "printed"]

TABLE_HEADER = (
    "loss",
    *COLUMNS,
    *(f"{name}_sd_seeds" for name in COLUMNS),
    *(f"{name}_sd_scenes" for name in COLUMNS),
    "source",
)
SCENES_HEADER = ("scene", "role", *COLUMNS, *FOREGROUND_COLUMNS, "seed")
TESTS_HEADER = (
    *("role", "first", "second", "scenes", "differing", "mean_difference", "median_difference"),
    *("p", "p_holm", "better"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of Table 1 or 2.

    Attributes
    ----------
    label : str
    source : {"measured", "baseline", "printed"}
        A loss of this experiment, a mask without a network, or the paper's own row.
    values : dict of str to Spread or None
        By the names of `COLUMNS`.
    wrong : dict of str to str
        Metrics that cannot be what is printed, and why.
    """

    label: str
    source: Source
    values: dict[str, Spread | None]
    wrong: dict[str, str]


def table_rows(content: RoleContent) -> list[TableRow]:
    """Give the rows of Table 1 or 2: the losses, the masks without a network, the paper's rows."""
    results = content.results
    rows = [_row(LOSS_LABELS[loss], "measured", results.summary(loss)) for loss in results.losses]
    rows += [_row(found.label, "baseline", found.summary) for found in content.baselines]
    for loss, label in LOSS_LABELS.items():
        printed = PRINTED[content.role][loss]
        values = {
            name: Spread(mean=printed[name], over_seeds=None, over_scenes=None)
            if name in printed
            else None
            for name in COLUMNS
        }
        rows.append(
            TableRow(label=label, source="printed", values=values, wrong=impossible(printed))
        )
    return rows


def table_cells(content: RoleContent) -> list[list[Cell]]:
    """Put Table 1 or 2 under `TABLE_HEADER`."""
    rows: list[list[Cell]] = []
    for row in table_rows(content):
        found = [row.values[name] for name in COLUMNS]
        means = [None if value is None else value.mean for value in found]
        seeds = [None if value is None else value.over_seeds for value in found]
        scenes = [None if value is None else value.over_scenes for value in found]
        rows.append([row.label, *means, *seeds, *scenes, row.source])
    return rows


def scene_cells(content: RoleContent, loss: str) -> list[list[Cell]]:
    """Put all that was measured of a loss under `SCENES_HEADER`."""
    return [
        [found.scene, found.role, *(getattr(found.metrics, name) for name in NAMES), seed]
        for name_of_loss, measured in content.measured.items()
        if name_of_loss == loss
        for seed, found in measured
    ]


def paired_cells(contents: Sequence[RoleContent]) -> list[list[Cell]]:
    """Put the paired tests under `TESTS_HEADER`."""
    return [
        [content.role, *(getattr(test, name) for name in TESTS_HEADER[1:])]
        for content in contents
        for test in content.tests
    ]


def markdown(content: ReportContent) -> str:
    """Write the tables as Markdown, with what they mean below."""
    parts = ["## Comparison of loss functions", ""]
    for role in content.roles:
        parts += [
            f"### {title(role)}",
            "",
            "| Loss function | " + " | ".join(COLUMNS.values()) + " |",
            "|---|" + "---:|" * len(COLUMNS),
        ]
        for row in table_rows(role):
            label = f"{row.label} (printed)" if row.source == "printed" else row.label
            shown = (
                _shown(row.values[name]) + (" †" if name in row.wrong else "") for name in COLUMNS
            )
            parts.append(f"| {label} | " + " | ".join(shown) + " |")
        scenes = ", ".join(code(scene) for scene in role.results.scenes)
        parts += ["", *_paragraphs(notes(role)), f"Scenes: {scenes}.", ""]
    parts += [
        *_paragraphs([f"{READING} {_SPREADS}", OPTIMISTIC, how_tested(), DEFINITIONS]),
        *_paragraphs([configuration(content)]),
        *coverage_markdown(content.coverage),
        "### Left out",
        "",
        *([f"- {code(line)}" for line in content.left_out] or ["Nothing was left out."]),
        "",
    ]
    return "\n".join(parts)


def notes(content: RoleContent) -> list[str]:
    """Give what stands below Table 1 or 2."""
    return [
        measured_on(content),
        *verdict(content),
        *constant_warnings(content),
        *printed_notes(content),
    ]


def coverage_markdown(coverage: CoverageContent) -> list[str]:
    """Write what manual masks and Otsu's cover as lines of Markdown."""
    columns = coverage.columns()
    if not columns:
        return []
    lines = [
        "### Coverage",
        "",
        "| | " + " | ".join(COVERAGE_NAMES) + " |",
        "|---|" + "---:|" * len(COVERAGE_NAMES),
    ]
    for label, prefix in ((coverage.manual, "manual"), ("Otsu", "otsu")):
        cells = []
        for name in COVERAGE_NAMES:
            found = columns.get(f"{prefix}_{name}")
            digits = 0 if name == "pieces" else 3
            cells.append("–" if found is None else f"{found.mean:.{digits}f}")
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    mean_over = (
        f"Mean over {counted(len(coverage.scenes), 'scene')} of the fraction of the picture."
    )
    return [*lines, "", mean_over, coverage_words(coverage), ""]


def as_json(content: ReportContent) -> dict[str, Any]:
    """Give the tables as data."""
    first = content.experiment.runs[0].config
    data: dict[str, Any] = {
        "config": first.model_dump(mode="json", exclude={"role", "loss", "seed"}),
        "ground_truth": content.experiment.method,
        "seeds": list(content.seeds),
    }
    for role in content.roles:
        name, results = role.role, role.results
        summaries = {loss: results.summary(loss) for loss in results.losses}
        data[name] = {loss: _means(found) for loss, found in summaries.items()}
        data[f"{name}_spread"] = {loss: _spreads(found) for loss, found in summaries.items()}
        data[f"{name}_baselines"] = {row.label: _means(row.summary) for row in role.baselines}
        data[f"{name}_tests"] = [
            {key: getattr(test, key) for key in TESTS_HEADER[1:]} for test in role.tests
        ]
        data[f"{name}_scenes"] = list(results.scenes)
        data[f"{name}_notes"] = notes(role)
    data["coverage"] = {
        name: {"mean": found.mean, "sd_scenes": found.over_scenes}
        for name, found in content.coverage.columns().items()
    }
    data["left_out"] = list(content.left_out)
    return data


def title(content: RoleContent) -> str:
    """Name Table 1 or 2."""
    return f"Table {TABLE_NUMBERS[content.role]}. {content.role.capitalize()}-exposure segmentation"


def configuration(content: ReportContent) -> str:
    """Tell how the runs were trained, in a sentence or two."""
    config = content.experiment.runs[0].config
    augmented = "flips and quarter turns" if config.augment else "no augmentation"
    versions = sorted(
        {
            f"{name} {version}"
            for environment in content.environments
            if isinstance(found := environment.get("versions"), dict)
            for name, version in found.items()
        }
    )
    return (
        f"Ground truth: {content.experiment.made}, in "
        f"{code(content.experiment.masks.path.name)}. Training: "
        f"{counted(config.epochs, 'epoch')} of images {config.image_size} x {config.image_size}, "
        f"batch {config.batch_size}, learning rate "
        f"{config.learning_rate:g}, dropout {config.dropout:g}, {augmented}, seeds "
        f"{', '.join(map(str, content.seeds))}. {', '.join(versions)}."
    )


def code(text: str) -> str:
    """Write a name or a message so that nothing in it is taken for Markdown or HTML.

    >>> code("a `<i>`")
    "`a '<i>'`"
    """
    line = re.sub(r"\s+", " ", text).strip().replace("`", "'")
    return f"`{line}`"


def _row(label: str, source: Source, summary: Summary) -> TableRow:
    values = {name: summary.values[name] for name in COLUMNS}
    return TableRow(label=label, source=source, values=values, wrong={})


def _shown(value: Spread | None) -> str:
    if value is None:
        return "–"
    seeds = "" if value.over_seeds is None else f" ± {value.over_seeds:.3f}"
    scenes = "" if value.over_scenes is None else f" ({value.over_scenes:.3f})"
    return f"{value.mean:.3f}{seeds}{scenes}"


def _paragraphs(texts: Sequence[str]) -> list[str]:
    return [line for text in texts for line in (text, "")]


def _means(summary: Summary) -> dict[str, float | None]:
    return {name: summary.mean(name) for name in NAMES}


def _spreads(summary: Summary) -> dict[str, dict[str, float | None] | None]:
    return {
        name: None
        if value is None
        else {"sd_seeds": value.over_seeds, "sd_scenes": value.over_scenes}
        for name, value in summary.values.items()
    }
