"""Masks for many brackets, by rules on the luma."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bracketseg.brackets.bracket import Bracket, MaskRole
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketSegError
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.records import MaskRecord, SceneRecord
from bracketseg.labeling.rules import Rule, found_for, needs_bracket
from bracketseg.labeling.scene_pool import in_order

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


def label_bracket(bracket: Bracket, rules: Rules, folder: LabelingFolder) -> SceneRecord:
    """Make and save the masks of one bracket.

    Parameters
    ----------
    bracket : Bracket
    rules : mapping of role to Rule
        One per role to label.
    folder : LabelingFolder
        Where the masks go.

    Raises
    ------
    BracketSegError
        If a frame cannot be read or the masks cannot be written.
    """
    roles = bracket.roles if needs_bracket(rules) else rules
    frames = {role: bracket.frame(role).read() for role in roles}
    masks, records = {}, {}
    for role, rule in found_for(rules, frames).items():
        frame, values = bracket.frame(role), luma(frames[role])
        bounds = rule.bounds(values, role)
        masks[role] = bounds.mask(values)
        records[role] = MaskRecord.of_rule(
            role, rule, bounds, frame=frame.path.name, frame_sha256=file_sha256(frame.path)
        )
    record = SceneRecord(scene=bracket.scene, masks=records, time=datetime.now(UTC))
    return folder.save_scene(masks, record)


def label_brackets(
    brackets: Sequence[Bracket],
    rules: Rules | Callable[[Bracket], Rules],
    folder: LabelingFolder,
    *,
    workers: int | None = None,
) -> Generator[SceneLabeled | SceneFailed, None, None]:
    """Make and save the masks of many brackets, several at a time.

    Scenes come in their order. Closing the iterator ends the work after the scenes in
    hand; every file is whole, and the coverage of what was done is written.

    Parameters
    ----------
    brackets : sequence of Bracket
    rules : mapping of role to Rule, or function of a Bracket that gives one
    folder : LabelingFolder
    workers : int, optional
        Threads; by default one per processor.

    Yields
    ------
    SceneLabeled or SceneFailed
    """
    rules_of = rules if callable(rules) else lambda _: rules

    def label(bracket: Bracket) -> SceneRecord:
        return label_bracket(bracket, rules_of(bracket), folder)

    results = in_order(brackets, label, workers=workers)
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
        folder.write_coverage()
