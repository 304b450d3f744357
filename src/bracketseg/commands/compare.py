"""The command `bracketseg compare`."""

from pathlib import Path
from typing import Annotated, cast

import typer

from bracketseg.allocator import keep_freed_memory
from bracketseg.arguments import JsonOption, MasksOption, PathArgument, ResumeOption
from bracketseg.brackets.layouts import find_brackets
from bracketseg.config_options import options_from
from bracketseg.console import (
    follow_scenes,
    follow_training,
    output,
    report_problems,
    stopping_on_interrupt,
)
from bracketseg.learning.config import LOSSES, Loss, TrainConfig


def _known_losses(losses: list[str] | None) -> list[str]:
    for loss in losses or ():
        if loss not in LOSSES:
            raise typer.BadParameter(f"{loss!r} is none of {', '.join(LOSSES)}")
    return losses or list(LOSSES)


LossesOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LOSS ...", callback=_known_losses, help=f"Of {', '.join(LOSSES)}; by default all."
    ),
]


SeedsOption = Annotated[
    list[int] | None,
    typer.Option(
        "--seeds",
        "--seed",
        metavar="SEED ...",
        min=0,
        max=2**31 - 1,
        callback=lambda seeds: seeds or [0],
        help="Each decides a split, the first weights, the order of the images and the dropout; "
        "by default 0.",
    ),
]


@options_from(TrainConfig, leave_out={"filters", "role", "loss", "seed"})
def compare(
    path: PathArgument,
    masks: MasksOption,
    out: Annotated[Path, typer.Option(help="Folder for the runs and the report.")],
    losses: LossesOption = None,
    seeds: SeedsOption = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
    *,
    config: TrainConfig,
) -> None:
    """Train each loss for each role and seed, and write a report with Tables 1 and 2."""
    keep_freed_memory()
    from bracketseg.learning.comparison import compare as compare_losses
    from bracketseg.learning.run_plan import plan_runs
    from bracketseg.report.writing import PAGE, TABLES_JSON, TABLES_MARKDOWN, write_report

    plan = plan_runs(out, config, cast("list[Loss]", losses), seeds or [0], resume=resume)
    found = find_brackets(path)
    with stopping_on_interrupt() as should_stop:
        used, broken = follow_training(
            compare_losses(found.brackets, masks, plan, resume=resume, should_stop=should_stop)
        )
    problems = [*found.problems, *broken]
    report = write_report(
        found.brackets,
        [planned.path for planned in plan],
        out,
        masks=masks,
        left_out=[str(problem) for problem in problems],
    )
    problems += follow_scenes(report, "Reporting", "steps")[1]
    if as_json:
        typer.echo((out / TABLES_JSON).read_text(encoding="utf-8"))
    else:
        output.print((out / TABLES_MARKDOWN).read_text(encoding="utf-8"))
        output.print(f"Report in {out / PAGE}, its tables beside it")
    report_problems(list({str(problem): problem for problem in problems}.values()), used)
