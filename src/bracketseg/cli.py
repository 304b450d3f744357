"""The command `bracketseg`, put together from :mod:`bracketseg.commands`."""

import errno
import io
import shlex
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from bracketseg import __version__
from bracketseg.brackets.files import cannot_write
from bracketseg.commands.compare import compare
from bracketseg.commands.evaluate import evaluate
from bracketseg.commands.export import export
from bracketseg.commands.fuse import FORMATS, fuse
from bracketseg.commands.ghosts import ghosts
from bracketseg.commands.info import info
from bracketseg.commands.label import label
from bracketseg.commands.predict import predict
from bracketseg.commands.train import train
from bracketseg.config_options import taking_lists
from bracketseg.console import fail, output
from bracketseg.demo import demo_commands, demo_epilogue
from bracketseg.errors import BracketSegError
from bracketseg.learning.config import LOSSES

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find, label and learn the well-exposed regions of exposure brackets.",
)


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


app.command()(info)
app.command()(label)
app.command()(train)
app.command()(predict)
app.command()(ghosts)
app.command(cls=taking_lists({"--format": FORMATS.__contains__}))(fuse)
app.command()(export)
app.command()(evaluate)
app.command(cls=taking_lists({"--losses": LOSSES.__contains__, "--seeds": str.isdecimal}))(compare)


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
