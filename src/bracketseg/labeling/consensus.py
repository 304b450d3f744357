"""What several annotators chose, made into one labelling (sec. 2.1)."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, pstdev

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.natural_order import natural_key
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotators import average_ranges
from bracketseg.labeling.chosen_ranges import read_chosen
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import ManualRange
from bracketseg.labeling.records import LabelingInfo
from bracketseg.scene_pool import ScenePool

COLUMNS = (
    "scene",
    "role",
    "annotators",
    "lo",
    "hi",
    "lo_range",
    "lo_deviation",
    "hi_range",
    "hi_deviation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How far annotators are apart in one bound, in luma.

    Attributes
    ----------
    range : float
        The largest value less the smallest.
    deviation : float
        Standard deviation of these annotators (divided by their number).
    """

    range: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleConsensus:
    """What the annotators chose for one frame, and its mean.

    Attributes
    ----------
    chosen : dict of str to ManualRange
        By annotator. Bounds that Otsu found and an annotator kept count as chosen.
    mean : ManualRange
        Mean of their lower and of their upper bounds.
    lo, hi : Spread
        Zero where one annotator alone chose.
    """

    chosen: dict[str, ManualRange]
    mean: ManualRange
    lo: Spread
    hi: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What the annotators of a set agree on.

    Attributes
    ----------
    annotators : tuple of str
        In the order of their folders.
    scenes : dict of str to dict of role to RoleConsensus
        In the natural order of the scenes. A scene that only some labelled has the mean
        of those who did; so has a role.
    overall : dict of role to ManualRange
        The range of the whole set: the mean over the scenes of their means.
    problems : dict of str to LabelingError
        Scenes that are left out, because a record of theirs is broken or no annotator
        chose a range.
    predicted : tuple of (str, role, str)
        Scene, role and annotator of masks that are in no mean: they began from a
        prediction, and have no range.
    elsewhere : tuple of (str, role, str, str)
        Scene, role and annotator of ranges that are in no mean, because they were chosen on
        another frame than the one that plays the role now; and that frame.
    """

    annotators: tuple[str, ...]
    scenes: dict[str, dict[MaskRole, RoleConsensus]]
    overall: dict[MaskRole, ManualRange]
    problems: dict[str, LabelingError] = field(default_factory=dict)
    predicted: tuple[tuple[str, MaskRole, str], ...] = ()
    elsewhere: tuple[tuple[str, MaskRole, str, str], ...] = ()

    @property
    def name(self) -> str:
        """What stands as annotator in the labelling of the consensus."""
        return f"consensus of {', '.join(self.annotators)}"

    def spread(self, role: MaskRole) -> tuple[Spread, Spread] | None:
        """Average the spread of both bounds over the scenes that several annotators labelled.

        Returns
        -------
        lo, hi : Spread
            None where no scene was labelled by more than one.
        """
        shared = [
            roles[role]
            for roles in self.scenes.values()
            if role in roles and len(roles[role].chosen) > 1
        ]
        if not shared:
            return None
        return _mean_spread([r.lo for r in shared]), _mean_spread([r.hi for r in shared])


def role_consensus(chosen: Mapping[str, ManualRange]) -> RoleConsensus:
    """Average what annotators chose for one frame.

    Parameters
    ----------
    chosen : mapping of annotator to ManualRange
        At least one.

    Raises
    ------
    LabelingError
        If there is nothing to average.

    Examples
    --------
    >>> ada, bo = ManualRange(lo=100, hi=255), ManualRange(lo=130, hi=255)
    >>> found = role_consensus({"Ada": ada, "Bo": bo})
    >>> found.mean.lo, found.lo.range, found.lo.deviation
    (115.0, 30.0, 15.0)
    """
    mean = average_ranges(list(chosen.values()))
    return RoleConsensus(
        chosen=dict(chosen),
        mean=mean,
        lo=_spread([r.lo for r in chosen.values()]),
        hi=_spread([r.hi for r in chosen.values()]),
    )


def read_consensus(folders: Sequence[Path], brackets: Sequence[Bracket] = ()) -> Consensus:
    """Read what annotators chose, and average it.

    The bounds in the records of the scenes are averaged. Corrections are no part of a
    range and stay with their annotator.

    Parameters
    ----------
    folders : sequence of Path
        One labelling folder per annotator.
    brackets : sequence of Bracket, optional
        Of these scenes, ranges that were chosen on other frames are left out.

    Raises
    ------
    LabelingError
        If a folder cannot be read, two belong to the same annotator, or nobody chose a
        range.
    """
    labelings: dict[str, LabelingFolder] = {}
    for path in folders:
        labeling = LabelingFolder.open(path)
        name = (labeling.info.annotator if labeling.info else "") or path.name
        if name in labelings:
            raise LabelingError(
                f"{path}: was labelled by {name}, and so was {labelings[name].path}. Give one "
                "folder per annotator."
            )
        labelings[name] = labeling
    scenes: dict[str, dict[MaskRole, RoleConsensus]] = {}
    problems: dict[str, LabelingError] = {}
    predicted: list[tuple[str, MaskRole, str]] = []
    elsewhere: list[tuple[str, MaskRole, str, str]] = []
    of_scene = {bracket.scene: bracket for bracket in brackets}
    names = {scene for labeling in labelings.values() for scene, _ in labeling.masks}
    for scene in sorted(names, key=natural_key):
        try:
            chosen = read_chosen(scene, labelings, of_scene.get(scene))
        except LabelingError as error:
            problems[scene] = error
            continue
        predicted += [(scene, *left_out) for left_out in chosen.predicted]
        elsewhere += [(scene, *left_out) for left_out in chosen.elsewhere]
        found = {role: role_consensus(ranges) for role, ranges in chosen.ranges.items() if ranges}
        if found:
            scenes[scene] = found
        elif chosen.elsewhere:
            on = ", ".join(dict.fromkeys(frame for *_, frame in chosen.elsewhere))
            problems[scene] = LabelingError(
                f"{scene}: all ranges were chosen on other frames ({on}). Choose these again in "
                "the Brackets dock, or label the ones that are chosen now."
            )
        elif chosen.predicted:
            problems[scene] = LabelingError(
                f"{scene}: all masks began from a prediction, and there is no range to average."
            )
    if not scenes:
        where = ", ".join(str(path) for path in folders) or "no folder"
        raise LabelingError(
            f"{where}: there is no range to average. Give folders in which annotators labelled "
            "scenes by a range on the frames that are chosen now; masks that began from a "
            "prediction have none."
        )
    by_role = {
        role: [roles[role].mean for roles in scenes.values() if role in roles]
        for role in MASK_ROLES
    }
    return Consensus(
        annotators=tuple(labelings),
        scenes=scenes,
        overall={role: average_ranges(means) for role, means in by_role.items() if means},
        problems=problems,
        predicted=tuple(predicted),
        elsewhere=tuple(elsewhere),
    )


def make_consensus(
    folders: Sequence[Path],
    brackets: Sequence[Bracket],
    out: Path,
    *,
    overwrite: bool = False,
    pool: ScenePool | None = None,
) -> Iterator[SceneLabeled | SceneFailed]:
    """Write the labelling that several annotators agree on.

    Each scene's masks are made by the mean of the ranges that were chosen for it. A
    scene that nobody labelled is left out.

    Parameters
    ----------
    folders : sequence of Path
        One labelling folder per annotator.
    brackets : sequence of Bracket
    out : Path
        Becomes a labelling folder; its `labeling.json` has the range of the whole set.
    overwrite : bool
        Replace a labelling that was made in another way; so is an earlier consensus, once
        the annotators chose anew.
    pool : ScenePool, optional
        Who does it; by default threads, one per processor.

    Yields
    ------
    SceneLabeled or SceneFailed
        First the scenes that are left out although somebody labelled them; then the
        others, in the order of the brackets.

    Raises
    ------
    LabelingError
        As :func:`read_consensus`, if `out` is one of `folders`, or if it holds a
        labelling made in another way.
    """
    if out.resolve() in {path.resolve() for path in folders}:
        raise LabelingError(
            f"{out}: is an annotator's own labelling. Write the consensus to another folder."
        )
    consensus = read_consensus(folders, brackets)
    chosen = [bracket for bracket in brackets if bracket.scene in consensus.scenes]
    there = {bracket.scene for bracket in chosen}
    left_out = dict(consensus.problems)
    for scene in consensus.scenes.keys() - there:
        left_out[scene] = LabelingError(
            f"{scene}: was labelled, but is none of the brackets. Give the folder of brackets "
            "that was labelled."
        )
    info = LabelingInfo(method="manual", ranges=dict(consensus.overall), annotator=consensus.name)
    folder = LabelingFolder.create(out, info, overwrite=overwrite)

    def rules(bracket: Bracket) -> dict[MaskRole, ManualRange]:
        return {role: found.mean for role, found in consensus.scenes[bracket.scene].items()}

    total = len(left_out) + len(chosen)
    for index, scene in enumerate(sorted(left_out, key=natural_key), start=1):
        yield SceneFailed(scene=scene, error=left_out[scene], index=index, total=total)
    events = label_brackets(chosen, rules, folder, pool=pool)
    try:
        for event in events:
            yield replace(event, index=event.index + len(left_out), total=total)
    finally:
        events.close()


def consensus_csv(consensus: Consensus) -> str:
    """Make a table: one row per scene and role, with the mean bounds and their spread.

    Returns
    -------
    str
        CSV with the header `COLUMNS`; luma with two decimals.
    """
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for scene, roles in consensus.scenes.items():
        for role, found in roles.items():
            numbers = (
                found.mean.lo,
                found.mean.hi,
                found.lo.range,
                found.lo.deviation,
                found.hi.range,
                found.hi.deviation,
            )
            rows.writerow([scene, role, len(found.chosen), *(f"{n:.2f}" for n in numbers)])
    return table.getvalue()


def _spread(values: Sequence[float]) -> Spread:
    return Spread(range=max(values) - min(values), deviation=pstdev(values))


def _mean_spread(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        range=fmean(s.range for s in spreads), deviation=fmean(s.deviation for s in spreads)
    )
