"""Folders of brackets: which layouts are read, and what is found in one."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.brackets.choices import with_choices
from bracketseg.brackets.ev_sources import exposure_values
from bracketseg.brackets.images import ImageHeader, read_header
from bracketseg.brackets.scene_files import (
    SKIPPED_FOLDERS,
    SceneFiles,
    is_image,
    list_folder,
    scenes_in,
)
from bracketseg.errors import BracketError, BracketSegError

MIN_FRAMES, MAX_FRAMES = 2, 15

# Scenes lie in the folder itself, one folder below it, or two.
_MAX_DEPTH = 2

_LAYOUTS = (
    "0000_short.png, 0000_medium.png and 0000_long.png; LDR/short, LDR/medium and LDR/long; "
    "000000/0.png, 1.png and 2.png beside gt.png or exposures.npy; "
    "<scene>/low, medium and high (.jpg, .png, .tif); "
    "or a folder of 2 to 15 pictures that is one bracket"
)
_ONE_BRACKET = (
    "a folder of pictures whose names tell no roles is read as ONE bracket of 2 to 15 frames "
    "of the same size; put each bracket into a folder of its own"
)
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


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
    """

    path: Path
    brackets: tuple[Bracket, ...]
    problems: tuple[BracketSegError, ...] = ()


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
        - a plain folder of 2 to 15 pictures of the same size, which is one bracket.

        The medium frame may be missing. Or one picture: then the set has the one
        bracket that it belongs to.

    Returns
    -------
    BracketSet
        Exposure values come from EXIF; else from side-car files
        (``<scene>_exposures.npy``, ``exposures.npy``, ``exposure.txt``, in the order
        short, medium, long or in the natural order of the names); else from the
        names (short, medium, long and low, medium, high are -2, 0 and 2 stops;
        ``EV-2`` is what it says); else from the brightness of thumbnails. A source
        counts only if it has a value for each frame and they are not all equal; a
        side-car that cannot be read counts for nothing.

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
    scenes, problems = _scan(path, 0, set())
    brackets: list[Bracket] = []
    for scene, name in zip(scenes, _unique_names(scenes), strict=True):
        try:
            bracket = _assemble(scene, name)
        except BracketSegError as error:
            problems.append(error)
        else:
            if bracket is not None:
                brackets.append(bracket)
    if not brackets and not problems:
        raise BracketError(f"{path}: holds no bracket; these layouts are read: {_LAYOUTS}")
    chosen, unusable = with_choices(path, brackets)
    return BracketSet(path, chosen, (*problems, *unusable))


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
        return _assemble(scene, _safe_name(scene.name))
    except BracketSegError:
        return None


def _set_of_picture(path: Path) -> BracketSet:
    scene = _scene_of(path)
    bracket = None if scene is None else _assemble(scene, _safe_name(scene.name))
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


def _assemble(scene: SceneFiles, name: str) -> Bracket | None:
    """Make the bracket of a scene; None for loose pictures that are none."""
    if scene.problem is not None:
        raise BracketError(f"{scene.folder}: scene {scene.name} {scene.problem}")
    if scene.layout == "plain" and not MIN_FRAMES <= len(scene.images) <= MAX_FRAMES:
        if scene.maybe_previews:
            return None
        count = len(scene.images)
        held = f"only one picture, {scene.images[0].name}" if count == 1 else f"{count} pictures"
        raise BracketError(f"{scene.folder}: holds {held}; {_ONE_BRACKET}")
    headers = [read_header(path) for path in scene.images]
    odd = _odd_one(headers)
    if odd is not None:
        if scene.maybe_previews:
            return None
        usual = next(header for header in headers if header.shape[:2] != headers[odd].shape[:2])
        raise BracketError(
            f"{scene.images[odd]}: is {_size(headers[odd])}, but "
            f"{scene.images[headers.index(usual)].name} of the same bracket is {_size(usual)}; "
            + (_ONE_BRACKET if scene.layout == "plain" else "give its frames one size")
        )
    found = exposure_values(scene, headers)
    if found is None:
        if scene.maybe_previews:
            return None
        raise BracketError(
            f"{scene.folder}: all {len(scene.images)} pictures are equally bright and nothing "
            f"tells their exposures; {_ONE_BRACKET}, and list its stops in exposure.txt"
        )
    source, evs = found
    frames = [
        Frame(path=path, ev=ev, exposure=header.exposure, header=header)
        for path, ev, header in zip(scene.images, evs, headers, strict=True)
    ]
    # A stable sort: equal values stay in the order of the names.
    frames.sort(key=lambda frame: frame.ev)
    return Bracket(scene=name, frames=tuple(frames), ev_source=source, folder=scene.folder)


def _odd_one(headers: Sequence[ImageHeader]) -> int | None:
    """Index of the first frame that has not the commonest size; of equals the first counts."""
    sizes = [header.shape[:2] for header in headers]
    commonest = Counter(sizes).most_common(1)[0][0]
    return next((index for index, size in enumerate(sizes) if size != commonest), None)


def _size(header: ImageHeader) -> str:
    return f"{header.shape[1]} x {header.shape[0]}"


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
