"""The command `bracketseg evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bracketseg.arguments import JsonOption, SchedulerOption, WorkersOption
from bracketseg.brackets.files import write_text
from bracketseg.commands.spread import for_all, spread
from bracketseg.console import counting, output, report_problems, warn
from bracketseg.evaluation.folders import Evaluation, evaluate_folders, mean_baselines
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.tables import COLUMNS, metrics_dict, scenes_csv


def evaluate(
    reference: Annotated[Path, typer.Option(help="Folder of the ground-truth masks.")],
    prediction: Annotated[Path, typer.Option(help="Folder of the predicted masks.")],
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a table.")] = None,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure Dice, Jaccard, sensitivity, specificity and AUC of masks against masks."""
    with spread(scheduler, workers) as pool, counting("Measuring") as on_pair:
        evaluation = evaluate_folders(
            for_all(reference, pool), for_all(prediction, pool), on_pair=on_pair, pool=pool
        )
    if csv is not None:
        write_text(csv, scenes_csv(evaluation.scenes))
    if as_json:
        typer.echo(json.dumps(_evaluation_json(evaluation), indent=2))
    else:
        output.print(_table(evaluation))
    for line in evaluation.unmatched:
        warn(line)
    report_problems(evaluation.problems, len(evaluation.scenes))


def _table(evaluation: Evaluation) -> Table:
    """Put the means of each role over those of the masks that are the same everywhere."""
    table = Table("Role", "Scenes", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)

    def add(name: str, count: str, metrics: Metrics) -> None:
        values = (getattr(metrics, column) for column in COLUMNS)
        table.add_row(name, count, *("-" if v is None else f"{v:.4f}" for v in values))

    for role, mean in evaluation.mean.items():
        counts = [scene.counts for scene in evaluation.scenes if scene.role == role]
        everything, nothing = mean_baselines(counts)
        add(role, str(len(counts)), mean)
        add("  all", "", everything)
        add("  none", "", nothing)
    table.caption = "all, none: what masks of all foreground and of none would have."
    table.caption_justify = "left"
    return table


def _evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "scenes": [
            {"scene": s.scene, "role": s.role, **metrics_dict(s.metrics)} for s in evaluation.scenes
        ],
        "mean": {role: metrics_dict(mean) for role, mean in evaluation.mean.items()},
        "unmatched": list(evaluation.unmatched),
        "problems": [str(problem) for problem in evaluation.problems],
    }
