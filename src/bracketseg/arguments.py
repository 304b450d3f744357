"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

from bracketseg.brackets.align_method import AlignMethod

PathArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="A bracket, or a folder of brackets.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on standard output.")]
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
