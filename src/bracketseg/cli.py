"""The command `bracketseg`: one command a capability, and no logic of its own."""

import errno
import io
import json
import shlex
import sys
from collections import deque
from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, cast

import typer
from pydantic import ValidationError
from rich.table import Table

from bracketseg import __version__
from bracketseg.allocator import keep_freed_memory
from bracketseg.arguments import JsonOption, PathArgument
from bracketseg.brackets.align_method import AlignMethod, align_bracket
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, Frame, MaskRole
from bracketseg.brackets.files import cannot_write, write_text
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.placement import Placement
from bracketseg.brackets.placement_text import placement_text
from bracketseg.cluster import Cluster, cluster
from bracketseg.config_options import options_from, taking_lists
from bracketseg.console import (
    counting,
    fail,
    follow_scenes,
    follow_training,
    output,
    report_problems,
    stopping_on_interrupt,
    warn,
)
from bracketseg.demo import demo_commands, demo_epilogue
from bracketseg.errors import BracketSegError
from bracketseg.evaluation.folders import Evaluation, evaluate_folders
from bracketseg.evaluation.tables import COLUMNS, metrics_dict, scenes_csv
from bracketseg.fuse_command import FORMATS, fuse
from bracketseg.labeling.coverage import Coverage
from bracketseg.labeling.ghost_folder import GhostsFound, write_ghosts
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.rules import FOUND_RULES, Rule
from bracketseg.learning.config import LOSSES, Loss, PredictConfig, TrainConfig
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.shipped import shipped_model

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find, label and learn the well-exposed regions of exposure brackets.",
)


def _known_losses(losses: list[str] | None) -> list[str]:
    for loss in losses or ():
        if loss not in LOSSES:
            raise typer.BadParameter(f"{loss!r} is none of {', '.join(LOSSES)}")
    return losses or list(LOSSES)


MasksOption = Annotated[Path, typer.Option(help="Folder of ground-truth masks.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where the run stopped.")]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace masks made in another way or corrected by hand."),
]
AlignOption = Annotated[
    AlignMethod,
    typer.Option(
        help="Align the frames, and leave masks empty where not all of them show something: by "
        "whole pixels (shift), or turned and tilted as well (homography). Masks are of the files' "
        "pixels all the same."
    ),
]
RangeOption = Annotated[
    tuple[float, float] | None,
    typer.Option(metavar="LO HI", help="Manual range of luma, 0 to 255, both bounds included."),
]
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
ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="Run folder, or the .safetensors file in one; with neither role named, the models "
        "that bracketseg brings for both.",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Spread the scenes over the workers of this dask scheduler, which see the same "
        "folders under the same paths.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Spread the scenes over N processes started here."),
]


def main() -> None:
    """Run the command; an error of ours is one line on standard error and exit status 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may hold what a terminal, or UTF-8, cannot express.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except BracketSegError as error:
        fail(str(error))
    except OSError as error:
        if error.filename and error.errno == errno.ENOSPC:
            fail(cannot_write(Path(error.filename), error))
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}; check that the place exists and can be written")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bracketseg {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def info(
    path: PathArgument,
    align: Annotated[
        AlignMethod, typer.Option(help="Also say where alignment moves each frame.")
    ] = "off",
    as_json: JsonOption = False,
) -> None:
    """List the brackets found: frames, roles, relative EV, size."""
    found = find_brackets(path)
    described, problems = [], list(found.problems)
    for bracket in found.brackets:
        try:
            described.append(_describe(bracket, align))
        except BracketSegError as error:
            problems.append(error)
    if as_json:
        typer.echo(json.dumps(described, indent=2))
    else:
        for scene in described:
            output.print(f"{scene['scene']}  EV from {scene['ev_source']}")
            for frame in scene["frames"]:
                height, width = frame["shape"][:2]
                output.print(
                    f"  {frame['role'] or '-':6}  {frame['ev']:+7.2f}  {_exposure(frame):24}  "
                    f"{width} x {height} {frame['dtype']}  {Path(frame['path']).name}"
                )
                if "placement" in frame:
                    output.print(f"          {frame['placement']['text']}")
            for note in scene["notes"]:
                output.print(f"  Note: {note}")
        output.print(f"{len(described)} brackets in {path}")
    for left in found.left_over:
        warn(f"In no bracket: {left.path}: {left.reason}")
    report_problems(problems, len(described))


def _describe(bracket: Bracket, align: AlignMethod) -> dict[str, Any]:
    placements = align_bracket(bracket, align)
    return {
        "scene": bracket.scene,
        "ev_source": bracket.ev_source,
        "notes": list(bracket.notes),
        "frames": [
            {
                "path": str(frame.path),
                "role": bracket.role_of(frame),
                "ev": frame.ev,
                "exposure_time": frame.exposure.time,
                "f_number": frame.exposure.f_number,
                "iso": frame.exposure.iso,
                "shape": list(frame.shape),
                "dtype": str(frame.dtype),
                **({} if align == "off" else {"placement": _placement(placement, frame)}),
            }
            for frame, placement in zip(bracket.frames, placements, strict=True)
        ],
    }


def _placement(placement: Placement, frame: Frame) -> dict[str, Any]:
    return {
        "text": placement_text(placement, frame.shape),
        "matrix": placement.matrix.tolist(),
        "reliable": placement.reliable,
    }


def _exposure(frame: dict[str, Any]) -> str:
    time, f_number, iso = (frame[key] for key in ("exposure_time", "f_number", "iso"))
    parts = (
        "" if time is None else f"{time:g} s" if time >= 0.4 else f"1/{1 / time:.0f} s",
        "" if f_number is None else f"f/{f_number:g}",
        "" if iso is None else f"ISO {iso:g}",
    )
    return "  ".join(part for part in parts if part)


@app.command()
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
    with _spread(scheduler, workers) as pool:
        found = find_brackets(_for_all(path, pool))
        folder = LabelingFolder.create(
            _for_all(out, pool),
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
            f"{len(records)} scenes labelled in {out}; mean coverage: low {means['low']:.3f}, "
            f"high {means['high']:.3f}, union {means['union']:.3f}, remainder "
            f"{means['remainder']:.3f} in {means['pieces']:.0f} pieces",
        )
    report_problems([*found.problems, *failed], len(records))


def _record(event: SceneLabeled | ScenePredicted | SceneFailed) -> dict[str, Any] | None:
    return None if isinstance(event, SceneFailed) else event.record.model_dump(mode="json")


def _coverage_of(event: SceneLabeled | SceneFailed) -> Coverage | str | None:
    if isinstance(event, SceneFailed):
        return None
    return event.record.coverage or event.record.scene


def _scene_of(event: ScenePredicted | SceneFailed) -> str | None:
    return None if isinstance(event, SceneFailed) else event.scene


def _range(role: MaskRole, given: tuple[float, float] | None) -> ManualRange:
    if given is None:
        return DEFAULT_RANGES[role]
    try:
        return ManualRange(lo=given[0], hi=given[1])
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint=f"--{role}") from error


def _spread(scheduler: str | None, workers: int | None) -> AbstractContextManager[Cluster | None]:
    if scheduler is not None and workers is not None:
        raise typer.BadParameter(
            "the workers of a scheduler are started elsewhere", param_hint="--workers"
        )
    return cluster(scheduler, workers)


def _for_all(path: Path, pool: Cluster | None) -> Path:
    """Give a path that other processes understand as well."""
    return path if pool is None else path.absolute()


@app.command()
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
        used, broken = follow_training(events)
    if as_json:
        typer.echo((out / "metrics.json").read_text(encoding="utf-8"))
    else:
        output.print(f"Trained in {out}")
    report_problems([*found.problems, *broken], used)


@app.command()
@options_from(PredictConfig)
def predict(
    path: PathArgument,
    out: Annotated[Path, typer.Option(help="Folder for the masks.")],
    low_model: ModelOption = None,
    high_model: ModelOption = None,
    align: AlignOption = "off",
    overwrite: OverwriteOption = False,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    *,
    config: PredictConfig,
) -> None:
    """Predict the masks of brackets with one trained network per role."""
    paths: dict[MaskRole, Path | None] = {"low": low_model, "high": high_model}
    shipped = not any(paths.values())
    if shipped:
        paths = {role: shipped_model(role) for role in MASK_ROLES}
    keep_freed_memory()
    from bracketseg.learning.checkpoints import load_model
    from bracketseg.learning.predict_folder import predict_brackets

    with _spread(scheduler, workers) as pool:
        models = {
            role: load_model(_for_all(model, pool))
            for role, model in paths.items()
            if model is not None
        }
        found = find_brackets(_for_all(path, pool))
        predicting = predict_brackets(
            found.brackets,
            models,
            _for_all(out, pool),
            align=align,
            overwrite=overwrite,
            pool=pool,
            **config.model_dump(),
        )
        predicted, failed = follow_scenes(
            predicting, "Predicting", keep=_record if as_json else _scene_of
        )
    if as_json:
        typer.echo(json.dumps(predicted, indent=2))
    else:
        models_used = " with the models that bracketseg brings" if shipped else ""
        output.print(f"{len(predicted)} scenes predicted in {out}{models_used}")
    report_problems([*found.problems, *failed], len(predicted))


@app.command()
def ghosts(
    path: PathArgument,
    out: Annotated[Path, typer.Option(help="Folder for the ghost maps.")],
    align: Annotated[
        AlignMethod, typer.Option(help="How the frames are aligned before they are compared.")
    ] = "homography",
    as_json: JsonOption = False,
) -> None:
    """Find what moved between the frames: there masks cannot be trusted."""
    found = find_brackets(path)
    scenes, failed = follow_scenes(
        write_ghosts(found.brackets, out, method=align),
        "Comparing",
        keep=lambda event: event if isinstance(event, GhostsFound) else None,
    )
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {"scene": s.scene, "frame": s.frame, "share": s.share, "notes": list(s.notes)}
                    for s in scenes
                ],
                indent=2,
            )
        )
    else:
        for scene in scenes:
            output.print(f"{scene.scene}  {scene.share:7.2%}  in the pixels of {scene.frame}")
            for note in scene.notes:
                output.print(f"  Note: {note}")
        output.print(f"{len(scenes)} ghost maps in {out}")
    report_problems([*found.problems, *failed], len(scenes))


app.command(cls=taking_lists({"--format": FORMATS.__contains__}))(fuse)


@app.command()
def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder, or the .safetensors file in one.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")],
    file_format: Annotated[
        Literal["onnx"], typer.Option("--format", help="The format of the file.")
    ] = "onnx",
) -> None:
    """Write a model for programs that have no PyTorch, and beside it how to use it."""
    from bracketseg.learning.export import export_onnx

    beside = {"onnx": export_onnx}[file_format](run, out)
    output.print(f"Model in {out}; {beside} says how its input has to be prepared")


@app.command()
def evaluate(
    reference: Annotated[Path, typer.Option(help="Folder of the ground-truth masks.")],
    prediction: Annotated[Path, typer.Option(help="Folder of the predicted masks.")],
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a table.")] = None,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure Dice, Jaccard, sensitivity, specificity and AUC of masks against masks."""
    with _spread(scheduler, workers) as pool, counting("Measuring") as on_pair:
        evaluation = evaluate_folders(
            _for_all(reference, pool), _for_all(prediction, pool), on_pair=on_pair, pool=pool
        )
    if csv is not None:
        write_text(csv, scenes_csv(evaluation.scenes))
    if as_json:
        typer.echo(json.dumps(_evaluation_json(evaluation), indent=2))
    else:
        table = Table("Role", "Scenes", box=None, padding=(0, 1, 0, 0), pad_edge=False)
        for heading in COLUMNS.values():
            table.add_column(heading, justify="right", no_wrap=True)
        for role, mean in evaluation.mean.items():
            count = sum(scene.role == role for scene in evaluation.scenes)
            values = (getattr(mean, name) for name in COLUMNS)
            shown = ("-" if value is None else f"{value:.4f}" for value in values)
            table.add_row(role, str(count), *shown)
        output.print(table)
    for line in evaluation.unmatched:
        warn(line)
    report_problems(evaluation.problems, len(evaluation.scenes))


def _evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "scenes": [
            {"scene": s.scene, "role": s.role, **metrics_dict(s.metrics)} for s in evaluation.scenes
        ],
        "mean": {role: metrics_dict(mean) for role, mean in evaluation.mean.items()},
        "unmatched": list(evaluation.unmatched),
        "problems": [str(problem) for problem in evaluation.problems],
    }


@app.command(cls=taking_lists({"--losses": LOSSES.__contains__, "--seeds": str.isdecimal}))
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


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for all results.")] = Path("bracketseg-demo"),
) -> None:
    """Run all of the above on the sample data; a few minutes on two cores."""
    with as_file(files("bracketseg") / "sample_data" / "brackets") as data:
        for arguments in demo_commands(data, out):
            output.print(f"\n$ bracketseg {shlex.join(arguments)}", style="bold")
            if status := app(arguments, standalone_mode=False):
                raise typer.Exit(status)
        output.print(demo_epilogue(data, out))
