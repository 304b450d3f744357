"""The photographs of one folder and the brackets that they are in, for a person to rearrange."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bracketseg.brackets.decisions import Decided, Decision, read_decision
from bracketseg.brackets.exposure import MAX_FRAMES, MIN_FRAMES
from bracketseg.brackets.images import ImageHeader, read_header
from bracketseg.brackets.mixed_folder import part_folder
from bracketseg.brackets.natural_order import natural_key
from bracketseg.brackets.scene_files import list_folder, scenes_in
from bracketseg.brackets.shots import Shot, shots_of
from bracketseg.errors import BracketError, FrameError


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """One picture of the folder.

    Attributes
    ----------
    path : Path
        Its file.
    header : ImageHeader or None
        None if it cannot be read.
    shot : Shot or None
        None if its EXIF does not tell how it was exposed.
    reason : str
        Why it is in no bracket; empty where it is in one, or was left out by a person.
    """

    path: Path
    header: ImageHeader | None = None
    shot: Shot | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What a folder holds and how it is parted.

    Attributes
    ----------
    folder : Path
    photographs : mapping of str to Photograph
        By the names of their files, in natural order.
    decision : Decision
        All brackets as they are now.
    by_itself : bool
        Whether no person has decided anything here yet.
    """

    folder: Path
    photographs: Mapping[str, Photograph]
    decision: Decision
    by_itself: bool

    def in_order(self, bracket: Decided) -> tuple[str, ...]:
        """Give the frames of a bracket from dark to bright, as far as that is known."""
        shots = [self._shot(name) for name in bracket.frames]
        if bracket.ordered or any(shot is None for shot in shots):
            return bracket.frames
        evs = {shot.path.name: shot.ev for shot in shots if shot is not None}
        return tuple(sorted(bracket.frames, key=lambda name: evs[name]))

    def fault(self, bracket: Decided) -> str:
        """Say why photographs can be no bracket, in a few words; empty if they can."""
        if not MIN_FRAMES <= len(bracket.frames) <= MAX_FRAMES:
            return f"a bracket has {MIN_FRAMES} to {MAX_FRAMES} photographs"
        headers = [known.header for name in bracket.frames if (known := self.photographs.get(name))]
        if any(header is None for header in headers):
            return "one of them cannot be read"
        sizes = {header.shape[:2] for header in headers if header is not None}
        return "they are not of one size" if len(sizes) > 1 else ""

    def in_none(self, decision: Decision) -> tuple[str, ...]:
        """Give the photographs that are in no bracket of a decision."""
        held = {name for bracket in decision.brackets for name in bracket.frames}
        return tuple(name for name in self.photographs if name not in held)

    def _shot(self, name: str) -> Shot | None:
        known = self.photographs.get(name)
        return None if known is None else known.shot


def arrangement_of(folder: Path, *, by_itself: bool = False) -> Arrangement:
    """Read how the photographs of a folder are parted; no pixel is decoded.

    Parameters
    ----------
    folder : Path
        That of the pictures themselves.
    by_itself : bool
        Whether to pass over what a person decided.

    Returns
    -------
    Arrangement

    Raises
    ------
    BracketError
        If the folder cannot be listed, what was decided cannot be read, or the names of its
        pictures tell which belong together.
    """
    try:
        scenes = scenes_in(list_folder(folder))
    except OSError as error:
        raise BracketError(
            f"{folder}: cannot be listed: {error.strerror}; check its permissions"
        ) from error
    scene = next((one for one in scenes if one.layout == "plain"), None)
    if scene is None:
        raise BracketError(
            f"{folder}: the names of its files tell which are one bracket; rename or move files "
            "to change that"
        )
    decided = None if by_itself else read_decision(folder)
    parted = part_folder(scene, by_itself=by_itself)
    headers = dict(parted.headers)
    reasons = {left.path: left.reason for left in parted.left_over}
    for path in scene.images:
        try:
            headers.setdefault(path, read_header(path))
        except FrameError as error:
            reasons[path] = str(error)
    shots = {shot.path: shot for shot in shots_of(headers)[0]}
    return Arrangement(
        folder=folder,
        photographs={
            path.name: Photograph(
                path=path,
                header=headers.get(path),
                shot=shots.get(path),
                reason=reasons.get(path, ""),
            )
            for path in sorted(scene.images, key=lambda path: natural_key(path.name))
        },
        decision=Decision(
            brackets=tuple(
                Decided(
                    name=one.name,
                    frames=tuple(path.name for path in one.images),
                    ordered=one.ordered,
                )
                for one in parted.scenes
            ),
            left_out=() if decided is None else decided.left_out,
        ),
        by_itself=decided is None,
    )
