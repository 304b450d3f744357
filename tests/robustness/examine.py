"""Reads a folder in every way that the program does, and judges what comes of it."""

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np

from bracketseg import cli
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.layouts import bracket_of, find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketSegError


class FaultError(AssertionError):
    """The program did something that it must not do."""


def examine(folder: Path) -> str:
    """Read the brackets of a folder; returns the kind of outcome.

    Raises
    ------
    FaultError
        If an error does not name a file of the folder, or a bracket is not what it says.
        Any error but a BracketSegError comes through as it is.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = _library(folder)
        _command("info", folder)
        if "good" in outcome:
            out = folder.with_name("out")
            _command("label", folder, "--method", "otsu", "--out", out)
            if not any(out.glob("*_low.png")):
                raise FaultError("good brackets, but nothing was labelled")
    return outcome


def _library(folder: Path) -> str:
    kinds: set[str] = set()
    try:
        found = find_brackets(folder)
    except BracketSegError as error:
        return _named(error, folder)
    for problem in found.problems:
        kinds.add(_named(problem, folder))
    for left in found.left_over:
        if not left.reason or folder not in left.path.parents:
            raise FaultError(f"left over without a reason or a place: {left}")
        kinds.add("left over")
    for bracket in found.brackets:
        try:
            _look_at(bracket, folder)
        except BracketSegError as error:
            kinds.add(_named(error, folder))
        else:
            kinds.add("good")
    for path in _first(folder):
        with contextlib.suppress(BracketSegError):
            find_brackets(path)
        bracket_of(path)
    return " + ".join(sorted(kinds)) or "nothing"


def _look_at(bracket: Bracket, folder: Path) -> None:
    """Everything that is read of a bracket has to fit."""
    evs = [frame.ev for frame in bracket.frames]
    if not np.isfinite(evs).all() or evs != sorted(evs):
        raise FaultError(f"{bracket.scene}: exposure values {evs}")
    if not {"low", "high"} <= set(bracket.roles):
        raise FaultError(f"{bracket.scene}: roles {bracket.roles}")
    for frame in bracket.frames:
        pixels = frame.read()
        if (pixels.shape, pixels.dtype) != (frame.shape, frame.dtype):
            raise FaultError(f"{frame.path}: {pixels.shape}, but its header says {frame.shape}")
        if luma(pixels).shape != frame.shape[:2] or max(frame.thumbnail(16).shape[:2]) > 16:
            raise FaultError(f"{frame.path}: luma or thumbnail of another shape")


def _named(error: BracketSegError, folder: Path) -> str:
    """The class of an error, which has to speak of the folder or of something in it."""
    if str(folder) not in str(error):
        raise FaultError(f"names no file: {error!r}")
    return type(error).__name__


def _first(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.iterdir() if not path.is_dir())[:1]


def _command(*arguments: object) -> None:
    """The command ends with 0 or 1, and prints lines that a terminal takes."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with (
        patch.object(sys, "argv", ["bracketseg", *map(str, arguments)]),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(told),
    ):
        try:
            cli.main()
            status: object = 0
        except SystemExit as end:
            status = end.code
    if status not in (0, 1, None):
        raise FaultError(f"{arguments[0]} ended with {status}: {_written(told)}")


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()[-500:]  # type: ignore[attr-defined]
