"""Arguments that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

PathArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="A bracket, or a folder of brackets.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on standard output.")]
