"""Masks for many brackets, by rules on the luma."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bracketseg.brackets.align_method import AlignMethod, align_bracket, valid_where_placed
from bracketseg.brackets.bracket import Bracket, Frame, MaskRole, Role
from bracketseg.brackets.luma import luma
from bracketseg.brackets.placement import seen_by_all
from bracketseg.errors import BracketSegError
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.records import MaskRecord, SceneRecord
from bracketseg.labeling.rules import Rule, found_for, needs_bracket
from bracketseg.scene_pool import ScenePool, Threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Rules = Mapping[MaskRole, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneLabeled:
    """The masks of one scene are on disk.

    Attributes
    ----------
    record : SceneRecord
        What was used and what it covers.
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    """

    record: SceneRecord
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFailed:
    """A scene was left out; the others go on.

    Attributes
    ----------
    scene : str
    error : BracketSegError
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    """

    scene: str
    error: BracketSegError
    index: int
    total: int


def label_bracket(
    bracket: Bracket, rules: Rules, folder: LabelingFolder, *, align: AlignMethod = "off"
) -> SceneRecord:
    """Make and save the masks of one bracket.

    Parameters
    ----------
    bracket : Bracket
    rules : mapping of role to Rule
        One per role to label.
    folder : LabelingFolder
        Where the masks go.
    align : {"off", "shift", "homography"}
        Align the frames and leave the masks empty where not all of them show something. The
        masks are of the pixels of the files all the same. Ranges that take all frames are found
        in what the aligned ones have in common.

    Raises
    ------
    BracketSegError
        If a frame cannot be read or the masks cannot be written.
    """
    roles = bracket.roles if needs_bracket(rules) else rules
    frames: dict[Role, NDArray[Any]] = {role: bracket.frame(role).read() for role in roles}
    masks, records = {}, {}
    valid: dict[Frame, NDArray[np.bool_]] = {}
    compared: Mapping[Role, NDArray[Any]] = frames
    if align != "off":
        placements = align_bracket(bracket, align)
        valid = valid_where_placed(bracket, placements)
        if needs_bracket(rules):
            of_frame = dict(zip(bracket.frames, placements, strict=True))
            compared = seen_by_all(frames, {r: of_frame[bracket.frame(r)] for r in frames})
    for role, rule in found_for(rules, compared).items():
        frame, values = bracket.frame(role), luma(frames[role])
        bounds = rule.bounds(values, role)
        masks[role] = bounds.mask(values)
        if frame in valid:
            masks[role] &= valid[frame]
        records[role] = MaskRecord.of_rule(
            role, rule, bounds, frame=frame.path.name, frame_sha256=file_sha256(frame.path)
        ).model_copy(update={"aligned": None if align == "off" else align})
    record = SceneRecord(scene=bracket.scene, masks=records, time=datetime.now(UTC))
    return folder.save_scene(masks, record)


def label_brackets(
    brackets: Sequence[Bracket],
    rules: Rules | Callable[[Bracket], Rules],
    folder: LabelingFolder,
    *,
    align: AlignMethod = "off",
    pool: ScenePool | None = None,
) -> Generator[SceneLabeled | SceneFailed, None, None]:
    """Make and save the masks of many brackets, several at a time.

    Scenes come in their order. Closing the iterator ends the work after the scenes in
    hand; every file is whole, and the coverage of what was done is written.

    Parameters
    ----------
    brackets : sequence of Bracket
    rules : mapping of role to Rule, or function of a Bracket that gives one
    folder : LabelingFolder
    align : {"off", "shift", "homography"}
        As for :func:`label_bracket`.
    pool : ScenePool, optional
        Who does it; by default threads, one per processor.

    Yields
    ------
    SceneLabeled or SceneFailed
    """
    label = partial(_label, rules=rules, folder=folder, align=align)
    results = (pool or Threads()).in_order(brackets, label)
    try:
        for index, (bracket, result) in enumerate(results, start=1):
            if isinstance(result, BracketSegError):
                yield SceneFailed(
                    scene=bracket.scene, error=result, index=index, total=len(brackets)
                )
            else:
                yield SceneLabeled(record=result, index=index, total=len(brackets))
    finally:
        results.close()
        # Listed anew: another process may have written the masks.
        LabelingFolder.at(folder.path).write_coverage()


def _label(
    bracket: Bracket,
    rules: Rules | Callable[[Bracket], Rules],
    folder: LabelingFolder,
    align: AlignMethod,
) -> SceneRecord:
    return label_bracket(bracket, rules(bracket) if callable(rules) else rules, folder, align=align)
