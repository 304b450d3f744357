"""The command `bracketseg export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bracketseg.console import output


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
