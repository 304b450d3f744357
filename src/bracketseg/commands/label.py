"""The command `bracketseg label`."""

import json
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from bracketseg.arguments import (
    AlignOption,
    JsonOption,
    OverwriteOption,
    PathArgument,
    SchedulerOption,
    WorkersOption,
)
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.layouts import find_brackets
from bracketseg.commands.spread import for_all, spread
from bracketseg.console import follow_scenes, output, report_problems
from bracketseg.labeling.coverage import Coverage
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.rules import FOUND_RULES, Rule
from bracketseg.wording import counted

RangeOption = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="LO HI", help="Manual range of luma, 0 to 255, both bounds included."),
]


def label(
    path: PathArgument,
    method: Annotated[
        Literal["manual", "auto", "otsu", "division", "mixture", "valley"],
        typer.Option(
            help="Where the mask comes from: ranges that you give; ranges found from all frames of "
            "each bracket (auto); or a threshold of each frame by Otsu, by histogram division, by "
            "a Gaussian mixture of the histogram, or at its valley."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the masks.")],
    low: RangeOption = None,
    high: RangeOption = None,
    annotator: Annotated[str, typer.Option(help="Who chose the ranges.")] = "",
    align: AlignOption = "off",
    overwrite: OverwriteOption = False,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make ground truth by a range of luma ([120, 255] and [0, 200]) or by one that is found."""
    rules: dict[MaskRole, Rule]
    if method != "manual":
        if low or high:
            raise typer.BadParameter("a range goes with --method manual", param_hint="--low/--high")
        rules = dict.fromkeys(MASK_ROLES, FOUND_RULES[method])
    else:
        rules = {"low": _range("low", low), "high": _range("high", high)}
    with spread(scheduler, workers) as pool:
        found = find_brackets(for_all(path, pool))
        folder = LabelingFolder.create(
            for_all(out, pool),
            LabelingInfo(method=method, ranges=rules, annotator=annotator),
            overwrite=overwrite,
        )
        labelled = label_brackets(found.brackets, rules, folder, align=align, pool=pool)
        # Ten thousand records take room, and are needed for --json only.
        records, failed = follow_scenes(
            labelled, "Labelling", keep=_record if as_json else _coverage_of
        )
    if as_json:
        typer.echo(json.dumps(records, indent=2))
    elif covers := [cover for cover in records if isinstance(cover, Coverage)]:
        means = {
            name: fmean(getattr(cover, name) for cover in covers)
            for name in ("low", "high", "union", "remainder", "pieces")
        }
        output.print(
            f"{counted(len(records), 'scene')} labelled in {out}; mean coverage: "
            f"low {means['low']:.3f}, high {means['high']:.3f}, union {means['union']:.3f}, "
            f"remainder {means['remainder']:.3f} in {means['pieces']:.0f} pieces"
        )
    report_problems([*found.problems, *failed], len(records))


def _record(event: SceneLabeled | SceneFailed) -> dict[str, Any] | None:
    return None if isinstance(event, SceneFailed) else event.record.model_dump(mode="json")


def _coverage_of(event: SceneLabeled | SceneFailed) -> Coverage | str | None:
    if isinstance(event, SceneFailed):
        return None
    return event.record.coverage or event.record.scene


def _range(role: MaskRole, given: tuple[float, float] | None) -> ManualRange:
    if given is None:
        return DEFAULT_RANGES[role]
    try:
        return ManualRange(lo=given[0], hi=given[1])
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint=f"--{role}") from error
