"""Masks for many brackets, by rules on the luma."""

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from bracketseg.brackets.bracket import Bracket, MaskRole
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketSegError
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.ranges import Otsu, Rule
from bracketseg.labeling.records import MaskRecord, SceneRecord


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
    bracket: Bracket, rules: Mapping[MaskRole, Rule], folder: LabelingFolder
) -> SceneRecord:
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
    masks, records = {}, {}
    for role, rule in rules.items():
        frame = bracket.frame(role)
        values = luma(frame.read())
        bounds = rule.bounds(values, role)
        masks[role] = bounds.mask(values)
        threshold = bounds.lo - 1 if role == "low" else bounds.hi
        records[role] = MaskRecord(
            origin=rule,
            lo=bounds.lo,
            hi=bounds.hi,
            threshold=int(threshold) if isinstance(rule, Otsu) else None,
            frame=frame.path.name,
            frame_sha256=file_sha256(frame.path),
        )
    record = SceneRecord(scene=bracket.scene, masks=records, time=datetime.now(UTC))
    return folder.save_scene(masks, record)


def label_brackets(
    brackets: Sequence[Bracket],
    rules: Mapping[MaskRole, Rule],
    folder: LabelingFolder,
    *,
    workers: int | None = None,
) -> Iterator[SceneLabeled | SceneFailed]:
    """Make and save the masks of many brackets, several at a time.

    Scenes come in their order. Closing the iterator ends the work after the scenes in
    hand; every file is whole, and the coverage of what was done is written.

    Parameters
    ----------
    brackets : sequence of Bracket
    rules : mapping of role to Rule
    folder : LabelingFolder
    workers : int, optional
        Threads; by default one per processor.

    Yields
    ------
    SceneLabeled or SceneFailed
    """
    workers = workers or os.cpu_count() or 1
    pending: deque[tuple[Bracket, Future[SceneRecord]]] = deque()
    waiting = iter(brackets)
    with ThreadPoolExecutor(workers, thread_name_prefix="label") as pool:
        try:
            for index in range(1, len(brackets) + 1):
                while len(pending) <= workers and (bracket := next(waiting, None)) is not None:
                    pending.append((bracket, pool.submit(label_bracket, bracket, rules, folder)))
                bracket, future = pending.popleft()
                try:
                    record = future.result()
                except BracketSegError as error:
                    yield SceneFailed(
                        scene=bracket.scene, error=error, index=index, total=len(brackets)
                    )
                else:
                    yield SceneLabeled(record=record, index=index, total=len(brackets))
        finally:
            for _, future in pending:
                future.cancel()
            pool.shutdown()
            folder.write_coverage()
