"""The command `bracketseg info`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bracketseg.arguments import JsonOption, PathArgument
from bracketseg.brackets.align_method import AlignMethod, align_bracket
from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.placement import Placement
from bracketseg.brackets.placement_text import placement_text
from bracketseg.console import output, report_problems, warn
from bracketseg.errors import BracketSegError
from bracketseg.wording import counted


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
        output.print(f"{counted(len(described), 'bracket')} in {path}")
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
