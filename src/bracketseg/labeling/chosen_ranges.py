"""Which ranges several annotators chose for one scene."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import ManualRange
from bracketseg.labeling.records import MaskRecord, Network
from bracketseg.labeling.saved_scene import other_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRanges:
    """What there is to average of a scene, and what there is not.

    Attributes
    ----------
    ranges : dict of role to dict of str to ManualRange
        By annotator. Bounds that Otsu found and an annotator kept count as chosen.
    predicted : list of (role, str)
        Masks that began from a prediction, and have no range, with their annotator.
    elsewhere : list of (role, str, str)
        Ranges that were chosen on another frame, with their annotator and that frame.
    """

    ranges: dict[MaskRole, dict[str, ManualRange]]
    predicted: list[tuple[MaskRole, str]] = field(default_factory=list)
    elsewhere: list[tuple[MaskRole, str, str]] = field(default_factory=list)


def read_chosen(
    scene: str, labelings: Mapping[str, LabelingFolder], bracket: Bracket | None
) -> ChosenRanges:
    """Read what annotators chose for a scene.

    Parameters
    ----------
    scene : str
    labelings : mapping of annotator to LabelingFolder
    bracket : Bracket or None
        The frames that play the roles now; with None, ranges of any frame count.

    Raises
    ------
    LabelingError
        If a record is broken.
    """
    found = ChosenRanges(ranges={role: {} for role in MASK_ROLES})
    for annotator, labeling in labelings.items():
        record = labeling.record(scene)
        for role in MASK_ROLES:
            made = record.masks.get(role) if record is not None else None
            if made is None:
                continue
            if isinstance(made.origin, Network):
                found.predicted.append((role, annotator))
                continue
            chosen = _range_of(made, role, f"{labeling.path / scene}.json")
            if chosen is None:
                continue
            frame = bracket.frame(role).path if bracket is not None else None
            made_on = other_frame(labeling, scene, role, frame) if frame is not None else ""
            if made_on:
                found.elsewhere.append((role, annotator, made_on))
            else:
                found.ranges[role][annotator] = chosen
    return found


def _range_of(made: MaskRecord, role: MaskRole, name: str) -> ManualRange | None:
    """Give the bounds of a record; None where there are none, or nothing lies between them."""
    if made.lo is None or made.hi is None or made.lo > made.hi:
        return None
    try:
        return ManualRange(lo=made.lo, hi=made.hi)
    except ValidationError as error:
        raise LabelingError(
            f"{name}: the {role} range {made.lo:g} to {made.hi:g} is none within 0 to 255. Label "
            "this scene again."
        ) from error
