"""The command `bracketseg fuse`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from bracketseg.arguments import JsonOption, PathArgument
from bracketseg.brackets.align_method import AlignMethod
from bracketseg.brackets.layouts import find_brackets
from bracketseg.console import follow_scenes, output, report_problems
from bracketseg.fusion.config import FusionConfig
from bracketseg.fusion.formats import Format
from bracketseg.fusion.fuse_folder import SceneFused, fuse_brackets, notes_on
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.wording import counted

FORMATS: tuple[Format, ...] = get_args(Format)


def _known_formats(formats: list[str] | None) -> list[str]:
    for name in formats or ():
        if name not in FORMATS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(FORMATS)}")
    return formats or ["png"]


def fuse(
    path: PathArgument,
    labels: Annotated[
        Path, typer.Option(help="Folder of masks: labelled, predicted or made by another program.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT ...",
            callback=_known_formats,
            help="Of png, jpg (8 bits), tiff (16 bits) and exr (the radiance map); by default png.",
        ),
    ] = None,
    align: Annotated[AlignMethod, typer.Option(help="Align the frames before.")] = "off",
    deghost: Annotated[
        bool, typer.Option("--deghost", help="Where something moved, take one frame alone.")
    ] = False,
    ghosts: Annotated[
        Path | None, typer.Option(help="Folder of ghost maps that say where something moved.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace pictures that are there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fuse each bracket by its masks: a picture to look at, or a radiance map."""
    config = FusionConfig(
        formats=cast("tuple[Format, ...]", tuple(dict.fromkeys(formats or ()))),
        align=align,
        deghost=deghost,
        ghosts=ghosts,
    )
    masks = LabelingFolder.open(labels)
    found = find_brackets(path)
    if not as_json:
        _tell(
            (note, bracket.scene)
            for bracket in found.brackets
            for note in notes_on(bracket, config)
        )
    fused, failed = follow_scenes(
        fuse_brackets(found.brackets, masks, out, config, overwrite=overwrite),
        "Fusing",
        keep=lambda event: event if isinstance(event, SceneFused) else None,
    )
    if as_json:
        described = [
            {
                "scene": event.scene,
                "files": [str(path) for path in event.paths],
                "notes": [*event.notes, *event.found],
            }
            for event in fused
        ]
        typer.echo(json.dumps(described, indent=2))
    else:
        _tell((note, event.scene) for event in fused for note in event.found)
        output.print(f"{counted(len(fused), 'scene')} fused in {out}")
    report_problems([*found.problems, *failed], len(fused))


def _tell(notes: Iterable[tuple[str, str]]) -> None:
    """Print each note once, with the scenes that it is about."""
    about: dict[str, list[str]] = {}
    for note, scene in notes:
        about.setdefault(note, []).append(scene)
    for note, scenes in about.items():
        more = ", ..." if len(scenes) > 5 else ""
        output.print(f"Note: {note}: {', '.join(scenes[:5])}{more}")
