"""The report as one HTML file that needs no other file and no network."""

from importlib.resources import files
from typing import Any

from bracketseg.evaluation.overlay import OUTCOMES
from bracketseg.evaluation.spread import Spread
from bracketseg.evaluation.tables import COLUMNS
from bracketseg.labeling.agreement import COVERAGE_NAMES
from bracketseg.learning.runs import Run
from bracketseg.report.content import (
    LOSS_LABELS,
    CoverageColumn,
    CoverageContent,
    ReportContent,
    RoleContent,
    several,
)
from bracketseg.report.curves import LOSS_COLORS, PANELS, curve_svg
from bracketseg.report.pictures import Example
from bracketseg.report.tables import Source, TableRow, table_rows, title
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

_GROUPS: dict[Source, str] = {
    "measured": "This experiment",
    "baseline": "Masks without a network, on the same scenes",
    "printed": "As the paper prints it, on another set",
}
_COVERAGE_HEADINGS = dict(
    zip(
        COVERAGE_NAMES,
        ("Low", "High", "Low or high", "Neither", "Pieces of neither"),
        strict=True,
    )
)


def page(content: ReportContent) -> str:
    """Write the report as HTML.

    Names of scenes and files are text that anybody may have chosen: they are escaped.
    """
    # Most uses of this package never ask for them.
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    here = files("bracketseg.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((here / "page.html").read_text(encoding="utf-8"))
    css = (here / "page.css").read_text(encoding="utf-8")
    roles = [
        {
            **_role(role),
            # Made of numbers and of our own words alone.
            "curves": [
                Markup(curve_svg(role.runs, panel, f"{role.role}-{panel}"))  # noqa: S704
                for panel in PANELS
            ],
        }
        for role in content.roles
    ]
    return template.render(
        css=Markup(css),  # noqa: S704 - our own file
        summary=_summary(content),
        roles=roles,
        headings=list(COLUMNS.values()),
        reading=READING,
        definitions=DEFINITIONS,
        optimistic=OPTIMISTIC,
        how_tested=how_tested(),
        loss_keys=[{"title": LOSS_LABELS[loss], "color": c} for loss, c in LOSS_COLORS.items()],
        outcome_keys=[{"title": o.title.capitalize(), "color": o.color} for o in OUTCOMES],
        coverage=_coverage(content.coverage),
        settings=_settings(content),
        splits=[
            {
                "role": role.role,
                "seed": seed,
                "train": len(split.train),
                "validation": len(split.validation),
            }
            for role in content.roles
            for seed, split in role.splits.items()
        ],
        environments=[_environment(found) for found in content.environments],
        runs=[_run(run) for run in content.experiment.runs],
        left_out=content.left_out,
    )


def _summary(content: ReportContent) -> str:
    masks = content.experiment.masks
    labelled = len({scene for scene, _ in masks.masks})
    seeds = ", ".join(map(str, content.seeds))
    return (
        f"{several(len(content.experiment.runs), 'training')} with "
        f"{'seed' if len(content.seeds) == 1 else 'seeds'} {seeds}. Ground truth: "
        f"{content.experiment.made}, {several(labelled, 'scene')} in {masks.path.name}; "
        f"{several(content.brackets, 'bracket')} in the set."
    )


def _role(content: RoleContent) -> dict[str, Any]:
    rows = table_rows(content)
    return {
        "name": content.role.capitalize(),
        "title": title(content),
        "verdict": verdict(content),
        "warnings": constant_warnings(content),
        "measured_on": measured_on(content),
        "printed_notes": printed_notes(content),
        "scenes": ", ".join(content.results.scenes),
        "groups": [
            {"title": name, "rows": [_row(row) for row in rows if row.source == source]}
            for source, name in _GROUPS.items()
        ],
        "examples": [_example(example) for example in content.examples],
    }


def _row(row: TableRow) -> dict[str, Any]:
    cells = [_cell(row.values[name], row.wrong.get(name, "")) for name in COLUMNS]
    return {"label": row.label, "cells": cells}


def _cell(value: Spread | None, wrong: str) -> dict[str, Any]:
    if value is None:
        return {"mean": "–", "wrong": wrong, "spreads": []}
    spreads = (("seeds", value.over_seeds), ("scenes", value.over_scenes))
    return {
        "mean": f"{value.mean:.3f}",
        "wrong": wrong,
        "spreads": [f"± {found:.3f} {over}" for over, found in spreads if found is not None],
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "why": example.choice.why.lower(),
        "scene": example.choice.scene,
        "seed": example.choice.seed,
        "foreground": f"{100 * example.foreground:.1f} %",
        "frame": example.frame,
        "truth": example.truth,
        "losses": [
            {
                "label": LOSS_LABELS[loss],
                "dice": f"{shown.dice:.3f}",
                "prediction": shown.prediction,
                "errors": shown.errors,
            }
            for loss, shown in example.losses.items()
        ],
    }


def _coverage(coverage: CoverageContent) -> dict[str, Any]:
    columns = coverage.columns()
    if not columns:
        return {"rows": []}
    rows = [
        {
            "label": label,
            "cells": [_covered(columns.get(f"{prefix}_{name}"), name) for name in COVERAGE_NAMES],
        }
        for label, prefix in ((coverage.manual, "manual"), ("Otsu", "otsu"))
    ]
    agree = ", ".join(
        f"{role} {columns[f'dice_{role}'].mean:.3f}"
        for role in ("low", "high")
        if f"dice_{role}" in columns
    )
    return {
        "headings": list(_COVERAGE_HEADINGS.values()),
        "rows": rows,
        "words": (
            f"Mean over {several(len(coverage.scenes), 'scene')} of the fraction of the picture; "
            f"what neither covers is left to the medium exposure. {coverage_words(coverage)} "
            f"Dice of the two: {agree}."
        ),
    }


def _covered(found: CoverageColumn | None, name: str) -> dict[str, str]:
    if found is None:
        return {"mean": "–", "spread": ""}
    digits = 0 if name == "pieces" else 3
    spread = "" if found.over_scenes is None else f"{found.over_scenes:.{digits}f}"
    return {"mean": f"{found.mean:.{digits}f}", "spread": spread}


def _settings(content: ReportContent) -> list[dict[str, str]]:
    runs = content.experiment.runs
    found: dict[str, list[str]] = {}
    for run in runs:
        for name, value in run.config.model_dump(mode="json").items():
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            known = found.setdefault(name, [])
            if shown not in known:
                known.append(shown)
    rows = [
        {"name": name.replace("_", " ").capitalize(), "value": " | ".join(values)}
        for name, values in found.items()
    ]
    info = content.experiment.masks.info
    ranges = {} if info is None else info.ranges
    for role, origin in ranges.items():
        fields = origin.model_dump(mode="json")
        told = ", ".join(f"{name} {value}" for name, value in fields.items() if value is not None)
        rows.append({"name": f"Ground truth, {role}", "value": told})
    rows.append({"name": "Ground truth, folder", "value": content.experiment.masks.path.name})
    rows.append(
        {"name": "Prediction", "value": "full resolution, threshold 0.5 (equality is foreground)"}
    )
    return rows


def _environment(found: dict[str, object]) -> str:
    versions = found.get("versions")
    parts = []
    if isinstance(versions, dict):
        parts.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    parts += [str(found[key]) for key in ("platform", "device_name", "precision") if key in found]
    return "; ".join(parts) or "Nothing is known of what the runs were made with."


def _run(run: Run) -> str:
    best = run.best
    seconds = sum(record.seconds for record in run.records)
    reached = "" if best is None else f"; best epoch {best.epoch}"
    return (
        f"{run.path.name}: {run.config.role}, {LOSS_LABELS[run.config.loss]}, seed "
        f"{run.config.seed}; {several(len(run.records), 'epoch')} in {seconds / 60:.0f} min"
        f"{reached}; begun {run.started:%Y-%m-%d}"
    )
