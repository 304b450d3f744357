"""A folder of pictures whose names tell nothing: one bracket, or a day's photographs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bracketseg.brackets.decisions import DECISION_NAME, Decision, read_decision
from bracketseg.brackets.exposure import MAX_FRAMES
from bracketseg.brackets.grouping import LeftOver, grouped, is_one_bracket
from bracketseg.brackets.images import ImageHeader, read_header
from bracketseg.brackets.natural_order import natural_key
from bracketseg.brackets.patterns import SAME_EV
from bracketseg.brackets.raw import RAW_SUFFIXES
from bracketseg.brackets.scene_files import SceneFiles
from bracketseg.brackets.shots import PAUSE, Shot, gaps, runs, shots_of
from bracketseg.brackets.sidecars import listed_evs
from bracketseg.errors import BracketError, BracketSegError, FrameError


@dataclass(slots=True)
class MixedFolder:
    """What the pictures of one folder are.

    Attributes
    ----------
    scenes : list of SceneFiles
        One for each bracket.
    left_over : list of LeftOver
        Pictures that are in none, and why.
    problems : list of BracketSegError
        What could not be used.
    headers : dict of Path to ImageHeader
        Those that were read on the way.
    """

    scenes: list[SceneFiles] = field(default_factory=list)
    left_over: list[LeftOver] = field(default_factory=list)
    problems: list[BracketSegError] = field(default_factory=list)
    headers: dict[Path, ImageHeader] = field(default_factory=dict)


def part_folder(scene: SceneFiles, *, by_itself: bool = False) -> MixedFolder:
    """Part the pictures of a plain folder into brackets.

    What a person decided comes first. Then a side-car file that lists all pictures makes one
    bracket of them. Else EXIF tells: pictures that are rather one bracket are; others are
    grouped; and if nothing can be grouped they stay one scene.

    Parameters
    ----------
    scene : SceneFiles
        Of the layout `plain`, with all pictures of its folder.
    by_itself : bool
        Whether to pass over what a person decided.
    """
    parted = MixedFolder()
    scene = _without_twins(scene, parted)
    try:
        decision = None if by_itself else read_decision(scene.folder)
    except BracketError as error:
        parted.problems.append(error)
        decision = None
    if decision is not None:
        rest = _decide(scene, decision, parted)
        if rest:
            _group(scene, rest, parted, decided=True)
    elif len(scene.images) < 2 or _is_listed(scene):
        parted.scenes = [scene]
    else:
        _group(scene, scene.images, parted)
    return parted


def _is_listed(scene: SceneFiles) -> bool:
    lists = (listed_evs(path, scene.images) for path in scene.sidecars)
    return any(evs is not None and len(evs) == len(scene.images) for evs in lists)


def _without_twins(scene: SceneFiles, parted: MixedFolder) -> SceneFiles:
    """Leave out RAW files that lie beside the picture that the camera made of them."""
    pictures = {
        path.stem.casefold(): path
        for path in scene.images
        if path.suffix.lower() not in RAW_SUFFIXES
    }
    kept = []
    for path in scene.images:
        twin = pictures.get(path.stem.casefold(), path)
        if path.suffix.lower() in RAW_SUFFIXES and twin != path:
            parted.left_over.append(LeftOver(path, f"is the same photograph as {twin.name}"))
        else:
            kept.append(path)
    return replace(scene, images=tuple(kept), slots=tuple(range(len(kept))))


def _decide(scene: SceneFiles, decision: Decision, parted: MixedFolder) -> list[Path]:
    """Make the scenes that a person wants; give the pictures that nothing is said of."""
    # Only a name can be a picture's: whatever else stands there leads nowhere.
    by_name = {path.name: path for path in scene.images}
    twins = {left.path.name: left.path for left in parted.left_over}
    everything = by_name | twins
    missing: list[str] = []
    for decided in decision.brackets:
        paths = [everything[name] for name in decided.frames if name in everything]
        missing += [name for name in decided.frames if name not in everything]
        if paths:
            parted.scenes.append(_scene(scene, decided.name, paths, ordered=decided.ordered))
    for name in decision.left_out:
        if name in by_name:
            parted.left_over.append(LeftOver(by_name[name], "was left out by hand"))
    named = {name for bracket in decision.brackets for name in bracket.frames}
    parted.left_over = [left for left in parted.left_over if left.path.name not in named]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        parted.problems.append(
            BracketError(
                f"{scene.folder / DECISION_NAME}: names {', '.join(missing[:3])}{more}, which "
                "are not there; bring them back, or decide again in the Brackets dock"
            )
        )
    named.update(decision.left_out)
    return [path for path in scene.images if path.name not in named]


def _group(
    scene: SceneFiles, images: Sequence[Path], parted: MixedFolder, *, decided: bool = False
) -> None:
    failed: list[FrameError] = []
    for path in images:
        try:
            parted.headers[path] = read_header(path)
        except FrameError as error:
            failed.append(error)
    known = {path: parted.headers[path] for path in images if path in parted.headers}
    shots, silent = shots_of(known)
    if not decided and _is_one_scene(shots, silent):
        # What is wrong with it, if anything, is told where its bracket is made.
        parted.scenes.append(scene)
        return
    groups, left = grouped(shots)
    parted.problems += failed
    parted.left_over += left
    parted.left_over += [
        LeftOver(path, "its EXIF does not tell how it was exposed") for path in silent
    ]
    if not groups and not decided:
        parted.problems.append(
            BracketError(
                f"{scene.folder}: of its {len(images)} pictures none make a bracket, by their "
                "times, cameras, sizes and exposures; put each bracket into a folder of its own"
            )
        )
    found = [
        _scene(scene, group.paths[0].stem, sorted(group.paths, key=_by_name), note=group.note)
        for group in groups
    ]
    parted.scenes += sorted(found, key=lambda one: natural_key(one.name))


def _is_one_scene(shots: Sequence[Shot], silent: Sequence[Path]) -> bool:
    """Whether nothing says that the pictures are other than one bracket."""
    if not shots:
        return True
    if silent:
        return not grouped(shots)[0]
    # A camera that exposed all alike may have noted it wrongly, or brightened some itself.
    alike = max(shot.ev for shot in shots) - min(shot.ev for shot in shots) < SAME_EV
    at_once = alike and len(shots) <= MAX_FRAMES and len(runs(shots)) == 1
    return (at_once and max(gaps(runs(shots)[0]), default=0.0) < PAUSE) or is_one_bracket(shots)


def _scene(
    scene: SceneFiles, name: str, paths: Sequence[Path], *, note: str = "", ordered: bool = False
) -> SceneFiles:
    return SceneFiles(
        layout="plain",
        name=name,
        folder=scene.folder,
        set_name=scene.name,
        images=tuple(paths),
        slots=tuple(range(len(paths))),
        note=note,
        ordered=ordered,
    )


def _by_name(path: Path) -> tuple[list[str | int], str]:
    return natural_key(path.name)
