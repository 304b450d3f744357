"""The command `bracketseg train`."""

from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from bracketseg.allocator import keep_freed_memory
from bracketseg.arguments import JsonOption, MasksOption, PathArgument, ResumeOption
from bracketseg.brackets.layouts import find_brackets
from bracketseg.config_options import options_from
from bracketseg.console import follow_training, output, report_problems, stopping_on_interrupt
from bracketseg.learning.config import TrainConfig


@options_from(TrainConfig, leave_out={"filters"}, required={"role"})
def train(
    path: PathArgument,
    masks: MasksOption,
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder for the run.")],
    resume: ResumeOption = False,
    as_json: JsonOption = False,
    *,
    config: TrainConfig,
) -> None:
    """Train a network on one role's masks; with torchrun, on several GPUs or machines."""
    keep_freed_memory()
    from bracketseg.learning.process_group import process_group
    from bracketseg.learning.training import train as train_network

    found = find_brackets(path)
    with process_group() as group, stopping_on_interrupt() as should_stop:
        events = train_network(
            found.brackets, masks, config, out, resume=resume, should_stop=should_stop, group=group
        )
        if group.rank:
            # The first process tells what all of them do.
            deque(events, maxlen=0)
            return
        stopped = None
        try:
            used, broken = follow_training(events)
        except typer.Exit as end:
            # All processes have stopped, and leave together.
            stopped = end
    if stopped is not None:
        raise stopped
    if as_json:
        typer.echo((out / "metrics.json").read_text(encoding="utf-8"))
    else:
        output.print(f"Trained in {out}")
    report_problems([*found.problems, *broken], used)
