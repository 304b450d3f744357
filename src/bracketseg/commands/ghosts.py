"""The command `bracketseg ghosts`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bracketseg.arguments import JsonOption, PathArgument
from bracketseg.brackets.align_method import AlignMethod
from bracketseg.brackets.layouts import find_brackets
from bracketseg.console import follow_scenes, output, report_problems
from bracketseg.labeling.ghost_folder import GhostsFound, write_ghosts
from bracketseg.wording import counted


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
        output.print(f"{counted(len(scenes), 'ghost map')} in {out}")
    report_problems([*found.problems, *failed], len(scenes))
