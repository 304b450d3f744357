"""Folders of brackets: which layouts are read, and what is found in one."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bracketseg.brackets.assembly import assemble
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.choices import with_choices
from bracketseg.brackets.decisions import DECISION_NAME
from bracketseg.brackets.exposure import MAX_FRAMES, MIN_FRAMES
from bracketseg.brackets.grouping import LeftOver
from bracketseg.brackets.images import ImageHeader
from bracketseg.brackets.mixed_folder import part_folder
from bracketseg.brackets.scene_files import (
    LABELING_FILE,
    SKIPPED_FOLDERS,
    SceneFiles,
    is_image,
    list_folder,
    scenes_in,
)
from bracketseg.errors import BracketError, BracketSegError

# Scenes lie in the folder itself, or up to three folders below it.
_MAX_DEPTH = 3

_BESIDE_BRACKETS = "lies beside folders of brackets, and is taken for no bracket itself"

_LAYOUTS = (
    "0000_short.png, 0000_medium.png and 0000_long.png; LDR/short, LDR/medium and LDR/long; "
    "000000/0.png, 1.png and 2.png beside gt.png or exposures.npy; "
    "<scene>/low, medium and high (.jpg, .png, .tif); "
    "a folder of 2 to 15 pictures that is one bracket; photographs whose EXIF tells several; "
    "or radiance maps (.exr, .hdr)"
)
# What some file system refuses, and what is no character: names that are not UTF-8 hold it.
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\ud800-\udfff]')


@dataclass(frozen=True)
class BracketSet:
    """What was found in a folder.

    Attributes
    ----------
    path : Path
        The folder, or the one picture, that was asked for.
    brackets : tuple of Bracket
        In natural order, folder by folder.
    problems : tuple of BracketSegError
        One for each scene or folder that could not be used, and for roles that were kept
        but cannot be used; each names it.
    left_over : tuple of LeftOver
        Pictures that belong to no bracket, and why.
    """

    path: Path
    brackets: tuple[Bracket, ...]
    problems: tuple[BracketSegError, ...] = ()
    left_over: tuple[LeftOver, ...] = ()


def find_brackets(path: Path) -> BracketSet:
    """Find the brackets of a folder; no pixels are read unless nothing else tells the exposures.

    Parameters
    ----------
    path : Path
        A folder in one of these layouts, or a folder of such folders:

        - ``0000_short.png``, ``0000_medium.png``, ``0000_long.png`` (NTIRE);
        - ``LDR/{short,medium,long}/0000.png``, also below ``Train``, ``Valid``,
          ``Test`` (NTIRE);
        - ``000000/{0,1,2}.png`` beside ``gt.png`` or ``exposures.npy`` (NTIRE crops);
        - ``<scene>/{low,medium,high}.*``;
        - a plain folder of 2 to 15 pictures of the same size, which is one bracket;
        - a plain folder of photographs whose EXIF tells several brackets, by time, camera,
          size and the pattern of exposures (see :mod:`~bracketseg.brackets.mixed_folder`);
        - radiance maps (``.exr``, ``.hdr``) in a folder without frames: each is a bracket.

        The medium frame may be missing. Or one picture: then the set has the one
        bracket that it belongs to.

    Returns
    -------
    BracketSet
        Exposure values come from EXIF; else from side-car files
        (``<scene>_exposures.npy``, ``exposures.npy``, ``exposure.txt`` and others, see
        :mod:`~bracketseg.brackets.sidecars`, in the order short, medium, long or in the
        natural order of the names); else from the names (short, medium, long and low,
        medium, high are -2, 0 and 2 stops; ``EV-2`` is what it says); else from the
        brightness of thumbnails. A source counts only if it has a value for each frame
        and they are not all equal; a side-car that cannot be read counts for nothing.

        Hidden files, ``*_gt.*``, masks, probabilities and subfolders named ``HDR``,
        ``gt``, ``Label``, ``labels`` or ``masks`` are passed over. So are loose pictures beside
        folders that are scenes, or beside a ``labeling.json``, unless something
        other than their brightness tells exposures.

        Where a person chose which frames are `low` and `high`, and that was kept in the
        folder (see :mod:`~bracketseg.brackets.choices`), the brackets have these roles.

    Raises
    ------
    BracketError
        If nothing is found at all. Scenes that are found but cannot be used do not
        raise; they are in `problems`.
    """
    path = Path(path)
    if path.is_file():
        return _set_of_picture(path)
    if not path.is_dir():
        raise BracketError(f"{path}: does not exist; give a folder of brackets: {_LAYOUTS}")
    found, problems = _scan(path, 0, set())
    scenes, headers, left_over = _parted(found, problems)
    brackets: list[Bracket] = []
    for scene, name in zip(scenes, _unique_names(scenes), strict=True):
        try:
            bracket = assemble(scene, name, headers)
        except BracketSegError as error:
            problems.append(error)
        else:
            if bracket is not None:
                brackets.append(bracket)
            elif not (scene.folder / LABELING_FILE).exists():
                left_over += [LeftOver(path, _BESIDE_BRACKETS) for path in scene.images]
    if not brackets and not problems:
        raise BracketError(f"{path}: holds no bracket; these layouts are read: {_LAYOUTS}")
    chosen, unusable = with_choices(path, brackets)
    return BracketSet(path, chosen, (*problems, *unusable), tuple(left_over))


def _parted(
    found: Sequence[SceneFiles], problems: list[BracketSegError]
) -> tuple[list[SceneFiles], dict[Path, ImageHeader], list[LeftOver]]:
    """Part plain folders into their brackets, and give the headers read on the way."""
    scenes: list[SceneFiles] = []
    headers: dict[Path, ImageHeader] = {}
    left_over: list[LeftOver] = []
    for scene in found:
        if scene.layout != "plain" or (scene.maybe_previews and not _is_a_days(scene)):
            scenes.append(scene)
            continue
        parted = part_folder(scene)
        scenes += parted.scenes
        headers |= parted.headers
        left_over += parted.left_over
        problems += parted.problems
    return scenes, headers, left_over


def _is_a_days(scene: SceneFiles) -> bool:
    """Whether pictures beside folders of brackets are more than previews of these."""
    return len(scene.images) > MAX_FRAMES or (scene.folder / DECISION_NAME).exists()


def bracket_of(path: Path) -> Bracket | None:
    """Find the bracket that one picture belongs to by the names of its neighbours.

    Parameters
    ----------
    path : Path
        A picture.

    Returns
    -------
    Bracket or None
        None if its name and folder are not those of an NTIRE or
        ``<scene>/{low,medium,high}`` scene, or that scene cannot be used.
    """
    scene = _scene_of(Path(path))
    if scene is None or scene.layout == "plain":
        return None
    try:
        return assemble(scene, _safe_name(scene.name))
    except BracketSegError:
        return None


def _set_of_picture(path: Path) -> BracketSet:
    scene = _scene_of(path)
    headers: dict[Path, ImageHeader] = {}
    if scene is not None and scene.layout == "plain":
        parted = part_folder(scene)
        headers, left = parted.headers, parted.left_over
        scene = next((one for one in parted.scenes if path.absolute() in one.images), None)
        if scene is None:
            reasons = (one.reason for one in left if one.path == path.absolute())
            reason = next(reasons, "nothing tells which")
            raise BracketError(
                f"{path}: belongs to no bracket: {reason}; open its folder to see the others"
            )
    bracket = None if scene is None else assemble(scene, _safe_name(scene.name), headers)
    if bracket is None:
        raise BracketError(f"{path}: belongs to no bracket; these layouts are read: {_LAYOUTS}")
    return BracketSet(path, *with_choices(path.parent, [bracket]))


def _scene_of(path: Path) -> SceneFiles | None:
    if not is_image(path):
        return None
    path = path.absolute()
    folders = [path.parent]
    if path.parent.name.lower() in ("short", "medium", "long"):
        folders.insert(0, path.parent.parent)
    for folder in folders:
        try:
            scenes = scenes_in(list_folder(folder))
        except OSError:
            continue
        for scene in scenes:
            if path in scene.images:
                return scene
    return None


def _scan(
    folder: Path, depth: int, seen: set[tuple[int, int]]
) -> tuple[list[SceneFiles], list[BracketSegError]]:
    """Scenes in a folder and below it, and the folders that could not be listed."""
    try:
        stat = folder.stat()
        listing = list_folder(folder)
        # A link to a folder further up would lead round and round.
        if (stat.st_dev, stat.st_ino) in seen:
            return [], []
        seen.add((stat.st_dev, stat.st_ino))
        own = scenes_in(listing)
    except OSError as error:
        problem = BracketError(
            f"{folder}: cannot be listed: {error.strerror}; check its permissions"
        )
        return [], [problem]
    skipped = set(SKIPPED_FOLDERS)
    if any(scene.layout == "split" for scene in own):
        skipped |= {"short", "medium", "long"}
    below: list[SceneFiles] = []
    problems: list[BracketSegError] = []
    for subfolder in listing.folders:
        name = subfolder.name.lower()
        # NTIRE's LDR stands for the folder that it lies in.
        below_depth = depth if name == "ldr" else depth + 1
        if name in skipped or below_depth > _MAX_DEPTH:
            continue
        scenes, failures = _scan(subfolder, below_depth, seen)
        below += scenes
        problems += failures
    if any(len(scene.images) >= MIN_FRAMES for scene in below):
        own = [
            replace(scene, maybe_previews=True) if scene.layout == "plain" else scene
            for scene in own
        ]
    return own + below, problems


def _unique_names(scenes: Sequence[SceneFiles]) -> list[str]:
    """Names that are safe in file names and differ in more than their case."""
    names = [_safe_name(scene.name) for scene in scenes]
    uses = Counter(name.casefold() for name in names)
    unique: list[str] = []
    taken: set[str] = set()
    for scene, short in zip(scenes, names, strict=True):
        name = short
        if uses[short.casefold()] > 1:
            name = f"{_safe_name(scene.set_name)}_{short}"
        candidate, number = name, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate.casefold())
        unique.append(candidate)
    return unique


def _safe_name(name: str) -> str:
    return _UNSAFE.sub("_", name).strip(". ") or "scene"
