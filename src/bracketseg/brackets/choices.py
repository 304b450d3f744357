"""The frames that a person took as low and high, kept beside the brackets."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.files import write_json
from bracketseg.errors import BracketError

CHOICES_NAME = "bracketseg.json"
VERSION = 1

MAX_BYTES = 16 * 2**20
"""A file larger than that was not written here: a scene takes about a hundred bytes."""

_ROLES = "roles"
_UNUSABLE = (
    "Correct it or move it away; until then every scene has the roles that its exposures tell."
)


def with_choices(
    folder: Path, brackets: Iterable[Bracket]
) -> tuple[tuple[Bracket, ...], tuple[BracketError, ...]]:
    """Give the brackets of a folder the roles that a person chose for them.

    Parameters
    ----------
    folder : Path
        That of the brackets; its ``bracketseg.json`` is read if it is there.
    brackets : iterable of Bracket

    Returns
    -------
    tuple of Bracket
        All of them, in their order.
    tuple of BracketError
        One that names the file, if it cannot be used as a whole or for some scene;
        those scenes keep the roles that they have.
    """
    brackets, path = tuple(brackets), folder / CHOICES_NAME
    try:
        kept = _read(path)[_ROLES]
    except BracketError as error:
        return brackets, (error,)
    chosen, wrong = [], []
    for bracket in brackets:
        if bracket.scene in kept:
            try:
                bracket = _chosen(bracket, kept[bracket.scene])
            except BracketError:
                wrong.append(bracket.scene)
        chosen.append(bracket)
    if not wrong:
        return tuple(chosen), ()
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    problem = BracketError(
        f"{path}: what it says of {', '.join(wrong[:3])}{more} is not used: low and high have to "
        "be the names of two frames of the scene, low the darker one. Choose them again in the "
        "Brackets dock, or take them out of the file."
    )
    return tuple(chosen), (problem,)


def keep_choice(folder: Path, bracket: Bracket) -> None:
    """Keep the frames that a person took as low and high of a bracket.

    What the file says of other scenes, and whatever else it holds, stays. A choice that is
    what it would be without one is not kept.

    Parameters
    ----------
    folder : Path
        That of the brackets.
    bracket : Bracket

    Raises
    ------
    FrameError
        If a frame cannot be read, so that nobody can tell what would be without a choice.
    BracketError
        If the file cannot be written, or holds something that would be lost.
    """
    path = folder / CHOICES_NAME
    document = _read(path)
    kept = {**document[_ROLES]}
    known = kept.pop(bracket.scene, {})
    entry = {**known} if isinstance(known, dict) else {}
    for role in ("low", "high"):
        entry.pop(role, None)
    if not _is_usual(bracket):
        entry |= {role: bracket.frame(role).path.name for role in ("low", "high")}
    if entry:
        kept[bracket.scene] = entry
    if kept == document[_ROLES]:
        return
    document = {**document, _ROLES: kept}
    try:
        if document == {"version": VERSION, _ROLES: {}}:
            path.unlink(missing_ok=True)
        else:
            write_json(path, document)
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise BracketError(
            f"{path}: the low and high frames of {bracket.scene} cannot be kept ({reason}). "
            "They hold as long as this folder is open."
        ) from error


def _is_usual(bracket: Bracket) -> bool:
    usual = replace(bracket, chosen=None)
    return all(bracket.frame(role) == usual.frame(role) for role in ("low", "high"))


def _chosen(bracket: Bracket, entry: Any) -> Bracket:
    by_name = {frame.path.name: frame for frame in bracket.frames}
    names = [entry.get(role) for role in ("low", "high")] if isinstance(entry, dict) else []
    # Only a name can be a frame's: whatever else stands there leads nowhere.
    frames = [by_name[name] for name in names if isinstance(name, str) and name in by_name]
    if len(frames) != 2:
        raise BracketError(f"{bracket.scene}: these are no two frames of it")
    return bracket.with_roles(*frames)


def _read(path: Path) -> dict[str, Any]:
    """Give what the file holds, with the roles as a dictionary; without a file, no choices."""
    try:
        if not path.exists():
            return {"version": VERSION, _ROLES: {}}
        # Reading a pipe would never end.
        if not path.is_file():
            raise BracketError(f"{path}: is no file. {_UNUSABLE}")
        if path.stat().st_size > MAX_BYTES:
            raise BracketError(f"{path}: is larger than {MAX_BYTES >> 20} MiB. {_UNUSABLE}")
        document = json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as error:
        raise BracketError(f"{path}: cannot be read ({error.strerror}). {_UNUSABLE}") from error
    except (ValueError, RecursionError) as error:
        raise BracketError(f"{path}: is no JSON that can be read. {_UNUSABLE}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise BracketError(f"{path}: a newer bracketseg wrote it; update this one. {_UNUSABLE}")
    if version != VERSION or not isinstance(document.setdefault(_ROLES, {}), dict):
        raise BracketError(f"{path}: does not hold chosen frames as bracketseg does. {_UNUSABLE}")
    return dict(document)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
