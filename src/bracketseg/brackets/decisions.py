"""Which pictures of a folder are which bracket, where a person decided: kept beside them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bracketseg.brackets.files import cannot_write, write_json
from bracketseg.errors import BracketError

DECISION_NAME = "bracketseg-brackets.json"
VERSION = 1

MAX_BYTES = 16 << 20
"""A larger file was not written here: a picture takes some twenty bytes."""

_UNUSABLE = "Correct it or move it away; until then the pictures are grouped by themselves."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One bracket as a person wants it.

    Attributes
    ----------
    name : str
        Of the scene.
    frames : tuple of str
        Names of files in the folder.
    ordered : bool
        Whether `frames` are from dark to bright whatever their exposures say.
    """

    name: str
    frames: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The brackets of one folder as a person wants them.

    Pictures that it does not name are grouped as without it. Each change gives a new
    decision; :func:`keep_decision` writes it.

    Attributes
    ----------
    brackets : tuple of Decided
        No picture is in two.
    left_out : tuple of str
        Pictures that are to be in none.
    """

    brackets: tuple[Decided, ...] = ()
    left_out: tuple[str, ...] = ()

    def merge(self, first: str, *others: str) -> "Decision":
        """Make one bracket of several; it has the name of the first."""
        self._bracket(first)
        return self.put(first, *(frame for name in others for frame in self._bracket(name).frames))

    def put(self, name: str, *pictures: str) -> "Decision":
        """Move pictures into a bracket, from wherever they are.

        Parameters
        ----------
        name : str
            A bracket that there is, or the name of a new one, which comes behind the one
            that the first picture was in.
        *pictures : str
            Names of files.
        """
        if not pictures:
            return self
        names = [bracket.name for bracket in self.brackets]
        brackets = list(self.brackets)
        if name not in names:
            held = (at for at, one in enumerate(brackets) if pictures[0] in one.frames)
            brackets.insert(next(held, len(brackets)) + 1, Decided(name=name, frames=()))
        moved = set(pictures)
        changed = []
        for bracket in brackets:
            if bracket.name == name:
                new = tuple(p for p in dict.fromkeys(pictures) if p not in bracket.frames)
                frames, ordered = bracket.frames + new, bracket.ordered and not new
            else:
                frames = tuple(frame for frame in bracket.frames if frame not in moved)
                ordered = bracket.ordered
            changed.append(replace(bracket, frames=frames, ordered=ordered))
        left_out = tuple(picture for picture in self.left_out if picture not in moved)
        return replace(self._with(changed), left_out=left_out)

    def reorder(self, name: str, frames: Sequence[str]) -> "Decision":
        """Say that the frames of a bracket are from dark to bright in this order."""
        old = self._bracket(name)
        if sorted(frames) != sorted(old.frames):
            raise BracketError(f"{name}: give all of its {len(old.frames)} frames, each once")
        new = replace(old, frames=tuple(frames), ordered=True)
        return self._with([new if bracket == old else bracket for bracket in self.brackets])

    def leave_out(self, *pictures: str) -> "Decision":
        """Take pictures out of all brackets."""
        brackets = [
            replace(bracket, frames=tuple(f for f in bracket.frames if f not in pictures))
            for bracket in self.brackets
        ]
        left = (*self.left_out, *(name for name in pictures if name not in self.left_out))
        return replace(self._with(brackets), left_out=left)

    def _with(self, brackets: Iterable[Decided]) -> "Decision":
        return replace(self, brackets=tuple(bracket for bracket in brackets if bracket.frames))

    def _bracket(self, name: str) -> Decided:
        for bracket in self.brackets:
            if bracket.name == name:
                return bracket
        raise BracketError(
            f"{name}: is no bracket here; take one of "
            + ", ".join(bracket.name for bracket in self.brackets)
        )


def read_decision(folder: Path) -> Decision | None:
    """Read what a person decided for the pictures of a folder; None if nothing.

    Raises
    ------
    BracketError
        If the file cannot be used; it names the file.
    """
    path = folder / DECISION_NAME
    try:
        if not path.exists():
            return None
        # Reading a pipe would never end.
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise BracketError(f"{path}: is no file of at most {MAX_BYTES >> 20} MiB. {_UNUSABLE}")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BracketError(f"{path}: cannot be read ({error.strerror}). {_UNUSABLE}") from error
    except (ValueError, RecursionError) as error:
        raise BracketError(f"{path}: is no JSON that can be read. {_UNUSABLE}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise BracketError(f"{path}: a newer bracketseg wrote it; update this one. {_UNUSABLE}")
    if type(version) is not int or version != VERSION:
        raise BracketError(f"{path}: does not hold brackets as bracketseg does. {_UNUSABLE}")
    try:
        decision = Decision(
            brackets=tuple(_decided(entry) for entry in _list(document.get("brackets", []))),
            left_out=_names(document.get("left_out", [])),
        )
    except (TypeError, KeyError) as error:
        raise BracketError(
            f"{path}: does not hold brackets as bracketseg does. {_UNUSABLE}"
        ) from error
    uses = Counter(name for bracket in decision.brackets for name in bracket.frames)
    uses.update(decision.left_out)
    twice = next((name for name, count in uses.items() if count > 1), None)
    if twice is not None:
        raise BracketError(f"{path}: says of {twice} more than once where it belongs. {_UNUSABLE}")
    return decision


def keep_decision(folder: Path, decision: Decision) -> None:
    """Write a decision beside the pictures; an empty one takes the file away.

    Raises
    ------
    BracketError
        If it cannot be written, or the file is of a newer bracketseg.
    """
    read_decision(folder)
    path = folder / DECISION_NAME
    document = {
        "version": VERSION,
        "brackets": [
            {"name": bracket.name, "frames": list(bracket.frames), "ordered": bracket.ordered}
            for bracket in decision.brackets
        ],
        "left_out": list(decision.left_out),
    }
    try:
        if decision == Decision():
            path.unlink(missing_ok=True)
        else:
            write_json(path, document)
    except OSError as error:
        raise BracketError(cannot_write(path, error)) from error
    except UnicodeEncodeError as error:
        raise BracketError(
            f"{path}: cannot be written, as the name of a picture is not UTF-8; rename the picture"
        ) from error


def _decided(entry: Any) -> Decided:
    name, ordered = entry["name"], entry.get("ordered", False)
    frames = _names(entry["frames"])
    if not isinstance(name, str) or not name or not isinstance(ordered, bool) or not frames:
        raise TypeError(entry)
    return Decided(name=name, frames=frames, ordered=ordered)


def _names(value: Any) -> tuple[str, ...]:
    names = _list(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(names)
    return tuple(names)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
