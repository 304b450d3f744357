"""The frames that a person took as low and high, kept beside the brackets if that can be."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.files import write_json
from bracketseg.brackets.own_folder import own_labels, place_of
from bracketseg.errors import BracketError, ChoiceError

CHOICES_NAME = "bracketseg.json"
VERSION = 1

MAX_BYTES = 16 * 2**20
"""A file larger than that was not written here: a scene takes about a hundred bytes."""

_ROLES = "roles"
_NOTHING = object()

_LEVELS = 3
"""How far above a scene's folder the one can lie that was opened: see `layouts`."""

_UNUSABLE = (
    "Correct it or move it away; until then every scene has the roles that its exposures tell."
)


def with_choices(
    folder: Path, brackets: Iterable[Bracket]
) -> tuple[tuple[Bracket, ...], tuple[ChoiceError, ...]]:
    """Give the brackets of a folder the roles that a person chose for them.

    Parameters
    ----------
    folder : Path
        That of the brackets. Its ``bracketseg.json`` is read if it is there; of scenes that
        it does not speak of, those in the folders around it, the nearest first: a choice
        holds also when only a part of the folder that was opened is asked for. Before the
        file of a folder goes that of :func:`choices_file`.
    brackets : iterable of Bracket

    Returns
    -------
    tuple of Bracket
        All of them, in their order.
    tuple of ChoiceError
        One for each file that cannot be used as a whole or for some scene, which it names;
        those scenes keep the roles that they have.
    """
    chosen, problems = list(brackets), []
    decided: set[str] = set()
    for place, path in _files(folder):
        try:
            kept = _read(path)[_ROLES]
        except ChoiceError as error:
            problems.append(error)
            continue
        wrong = []
        for index, bracket in enumerate(chosen):
            entry = _entry(kept, bracket.scene, folder, place)
            if entry is _NOTHING or bracket.scene in decided:
                continue
            try:
                chosen[index] = _chosen(bracket, entry)
            except BracketError:
                if place != folder:
                    # Further up it can be another scene that is called so.
                    continue
                wrong.append(bracket.scene)
            decided.add(bracket.scene)
        if wrong:
            problems.append(_not_used(path, wrong))
    return tuple(chosen), tuple(problems)


def choices_file(folder: Path) -> Path:
    """Give the file that choices for the brackets of a folder are written to.

    It is ``bracketseg.json`` in the folder. Where nobody may write there, and for the samples
    that come with bracketseg, it lies in ``~/bracketseg-labels/<name>``.
    """
    return place_of(folder, "", own_labels()) / CHOICES_NAME


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """List the folders that say something of the brackets of a folder, and their files."""
    for place in (folder, *_above(folder)):
        own = choices_file(place)
        if own.parent != place and own.is_file():
            yield place, own
        yield place, place / CHOICES_NAME


def _above(folder: Path) -> Sequence[Path]:
    """List the folders around one that may have been opened as a whole."""
    return folder.absolute().parents[:_LEVELS]


def _entry(kept: dict[str, Any], scene: str, folder: Path, place: Path) -> Any:
    """Find what a file says of a scene; `_NOTHING` where it says nothing.

    In a whole set, scenes that are called alike have the names of their folders before
    their own.
    """
    names = [scene] if place == folder else [scene, f"{folder.absolute().name}_{scene}"]
    return next((kept[name] for name in names if name in kept), _NOTHING)


def _not_used(path: Path, scenes: Sequence[str]) -> ChoiceError:
    more = f" and {len(scenes) - 3} more" if len(scenes) > 3 else ""
    return ChoiceError(
        f"{path}: what it says of {', '.join(scenes[:3])}{more} is not used: low and high have to "
        "be the names of two frames of the scene, low the darker one. Choose them again in the "
        "Brackets dock, or take them out of the file."
    )


def keep_choice(folder: Path, bracket: Bracket) -> None:
    """Keep the frames that a person took as low and high of a bracket.

    What the file says of other scenes, and whatever else it holds, stays. A choice that is
    what it would be without one is not kept.

    Parameters
    ----------
    folder : Path
        That of the brackets; :func:`choices_file` says where that is kept.
    bracket : Bracket

    Raises
    ------
    FrameError
        If a frame cannot be read, so that nobody can tell what would be without a choice.
    BracketError
        If the file cannot be written, or holds something that would be lost.
    """
    path = choices_file(folder)
    document = _read(path)
    kept = {**document[_ROLES]}
    known = kept.pop(bracket.scene, {})
    entry = {**known} if isinstance(known, dict) else {}
    for role in ("low", "high"):
        entry.pop(role, None)
    if not _is_usual(folder, bracket, path):
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
            if path.parent != folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, document)
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise BracketError(
            f"{path}: the low and high frames of {bracket.scene} cannot be kept ({reason}). "
            "They hold as long as this folder is open."
        ) from error


def _is_usual(folder: Path, bracket: Bracket, written: Path) -> bool:
    """Whether a bracket would have its roles without what the file that is written says."""
    usual = replace(bracket, chosen=None)
    others = [(place, path) for place, path in _files(folder) if path != written]
    for place, path in reversed(others):
        with suppress(BracketError):
            entry = _entry(_read(path)[_ROLES], bracket.scene, folder, place)
            usual = usual if entry is _NOTHING else _chosen(usual, entry)
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
            raise ChoiceError(f"{path}: is no file. {_UNUSABLE}")
        if path.stat().st_size > MAX_BYTES:
            raise ChoiceError(f"{path}: is larger than {MAX_BYTES >> 20} MiB. {_UNUSABLE}")
        document = json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as error:
        raise ChoiceError(f"{path}: cannot be read ({error.strerror}). {_UNUSABLE}") from error
    except (ValueError, RecursionError) as error:
        raise ChoiceError(f"{path}: is no JSON that can be read. {_UNUSABLE}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is int and version > VERSION:
        raise ChoiceError(f"{path}: a newer bracketseg wrote it; update this one. {_UNUSABLE}")
    if version != VERSION or not isinstance(document.setdefault(_ROLES, {}), dict):
        raise ChoiceError(f"{path}: does not hold chosen frames as bracketseg does. {_UNUSABLE}")
    return dict(document)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")
