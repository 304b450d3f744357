"""From the files of a scene to its bracket."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bracketseg.brackets.bracket import Bracket, EVSource, Frame
from bracketseg.brackets.ev_sources import exposure_values
from bracketseg.brackets.exposure import MAX_FRAMES, MIN_FRAMES, tells_apart
from bracketseg.brackets.images import ImageHeader, read_header
from bracketseg.brackets.radiance_scene import radiance_bracket
from bracketseg.brackets.scene_files import SceneFiles
from bracketseg.errors import BracketError

_ONE_BRACKET = (
    "a folder of pictures whose names tell no roles is read as ONE bracket of 2 to 15 frames "
    "of the same size, unless EXIF tells several; put each bracket into a folder of its own"
)


def assemble(
    scene: SceneFiles, name: str, known: Mapping[Path, ImageHeader] | None = None
) -> Bracket | None:
    """Make the bracket of a scene.

    Parameters
    ----------
    scene : SceneFiles
        Its files.
    name : str
        Of the scene; it can be part of a file name.
    known : mapping of Path to ImageHeader or None
        Headers that have been read already.

    Returns
    -------
    Bracket or None
        None for loose pictures that are no bracket.

    Raises
    ------
    BracketError, FrameError
        If it cannot be used; the message names the folder or the file.
    """
    if scene.problem is not None:
        raise BracketError(f"{scene.folder}: scene {scene.name} {scene.problem}")
    if scene.layout == "radiance":
        return radiance_bracket(scene, name)
    if scene.layout == "plain" and not MIN_FRAMES <= len(scene.images) <= MAX_FRAMES:
        if scene.maybe_previews:
            return None
        count = len(scene.images)
        held = f"only one picture, {scene.images[0].name}" if count == 1 else f"{count} pictures"
        raise BracketError(f"{scene.folder}: holds {held}; {_ONE_BRACKET}")
    known = known or {}
    headers = [known[path] if path in known else read_header(path) for path in scene.images]
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
    if scene.ordered:
        found = "person", _in_this_order(len(headers), found)
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
    return Bracket(
        scene=name,
        frames=tuple(frames),
        ev_source=source,
        folder=scene.folder,
        notes=_notes(scene, headers),
    )


def _in_this_order(count: int, found: tuple[EVSource, list[float]] | None) -> list[float]:
    """Values that rise in the order that a person gave: those that were found, or 0, 1, 2."""
    if found is None or not tells_apart(found[1]):
        return [float(index) for index in range(count)]
    return sorted(found[1])


def _notes(scene: SceneFiles, headers: Sequence[ImageHeader]) -> tuple[str, ...]:
    notes = [scene.note] if scene.note else []
    for warning in dict.fromkeys(header.warning for header in headers if header.warning):
        of = [
            path.name
            for path, header in zip(scene.images, headers, strict=True)
            if header.warning == warning
        ]
        notes.append(f"{', '.join(of)}: {warning}")
    return tuple(notes)


def _odd_one(headers: Sequence[ImageHeader]) -> int | None:
    """Index of the first frame that has not the commonest size; of equals the first counts."""
    sizes = [header.shape[:2] for header in headers]
    commonest = Counter(sizes).most_common(1)[0][0]
    return next((index for index, size in enumerate(sizes) if size != commonest), None)


def _size(header: ImageHeader) -> str:
    return f"{header.shape[1]} x {header.shape[0]}"
