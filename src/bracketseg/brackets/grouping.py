"""A day's photographs parted into brackets, by time, camera, size and pattern of exposures."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bracketseg.brackets.capture import AUTO_BRACKET
from bracketseg.brackets.exposure import MAX_FRAMES, MIN_FRAMES
from bracketseg.brackets.patterns import (
    MAX_REPEATS,
    SAME_EV,
    Signature,
    bracket_cost,
    signature,
    without_repeats,
)
from bracketseg.brackets.shots import Shot, runs

_OWN_FOLDER = 2.0
"""What speaks for pictures being one bracket if they fill a folder, in units of `patterns`."""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A picture that is in no bracket, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Photographs that are one bracket, in the order of their times.

    Attributes
    ----------
    paths : tuple of Path
        Two or more.
    note : str
        What is odd about it; empty if nothing is.
    """

    paths: tuple[Path, ...]
    note: str = ""


def grouped(shots: Sequence[Shot]) -> tuple[list[Group], list[LeftOver]]:
    """Part photographs into brackets.

    Of all ways to part each run of photographs, the one with the smallest sum of
    :func:`~bracketseg.brackets.patterns.bracket_cost` is taken, by dynamic programming; a
    pattern that comes more than once then counts as usual, and the runs are parted again.

    Parameters
    ----------
    shots : sequence of Shot
        In any order.

    Returns
    -------
    list of Group
        In the order of their cameras and times.
    list of LeftOver
        The photographs that are in none.
    """
    rows = runs(shots)
    usual = _usual(rows)
    parts = [part for row in rows for part in _parts(row, usual)]
    sizes = Counter(len(without_repeats(part)) for part in parts if len(part) > 1)
    usual_size, uses = sizes.most_common(1)[0] if sizes else (0, 0)
    groups: list[Group] = []
    left: list[LeftOver] = []
    for part in parts:
        frames = without_repeats(part)
        if len(frames) == 1:
            left += [_left_alone(shot, shots) for shot in part]
            continue
        few = len(frames) < usual_size and uses > 1
        note = f"has {len(frames)} frames, where others here have {usual_size}" if few else ""
        groups.append(Group(paths=tuple(shot.path for shot in frames), note=note))
        left += [_repeated(shot, frames) for shot in part if shot not in frames]
    return groups, left


def is_one_bracket(shots: Sequence[Shot]) -> bool:
    """Whether the photographs that fill a folder are rather one bracket than several.

    They are not if they are of several cameras or sizes, if two have the same exposure, or if
    a long pause parts them. Else they are, unless brackets of three frames or more, or pairs
    that the camera calls brackets, can be made of them more likely.
    """
    if not MIN_FRAMES <= len(shots) <= MAX_FRAMES or len(runs(shots)) != 1:
        return False
    evs = sorted(shot.ev for shot in shots)
    if any(b - a < SAME_EV / 2 for a, b in pairwise(evs)):
        return False
    (row,) = runs(shots)
    parts = _parts(row, _usual([row]))
    if row[0].time is None or all(_is_unsure(part) for part in parts):
        return True
    several = sum(bracket_cost(part, _usual([row])) for part in parts)
    return bracket_cost(row) - _OWN_FOLDER <= several


def _is_unsure(part: Sequence[Shot]) -> bool:
    return len(part) == 1 or (len(part) == 2 and any(s.mode != AUTO_BRACKET for s in part))


def _usual(rows: Sequence[Sequence[Shot]]) -> set[Signature]:
    seen = Counter(
        signature(without_repeats(part))
        for row in rows
        for part in _parts(row, ())
        if len(part) > 1
    )
    return {pattern for pattern, count in seen.items() if count > 1}


def _parts(row: Sequence[Shot], usual: Collection[Signature]) -> list[Sequence[Shot]]:
    """Cut a run so that the costs of its parts sum up to the least."""
    best, cuts = [0.0], [0]
    for end in range(1, len(row) + 1):
        starts = range(max(0, end - MAX_FRAMES - MAX_REPEATS), end)
        costs = [best[start] + bracket_cost(row[start:end], usual) for start in starts]
        least = min(costs)
        best.append(least)
        cuts.append(starts[costs.index(least)])
    parts: list[Sequence[Shot]] = []
    end = len(row)
    while end > 0:
        parts.append(row[cuts[end] : end])
        end = cuts[end]
    return parts[::-1]


def _left_alone(shot: Shot, shots: Sequence[Shot]) -> LeftOver:
    if shot.time is None:
        return LeftOver(shot.path, "a single photograph: it has no capture time")
    near = (abs(other.time - shot.time) for other in shots if other is not shot and other.time)
    if min(near, default=math.inf) > 30:
        return LeftOver(shot.path, "a single photograph: none was taken within 30 s")
    return LeftOver(
        shot.path,
        "a single photograph: those taken around it do not vary in exposure as a bracket does",
    )


def _repeated(shot: Shot, frames: Sequence[Shot]) -> LeftOver:
    twin = min(frames, key=lambda frame: abs(frame.ev - shot.ev))
    return LeftOver(shot.path, f"repeats the exposure of {twin.path.name}")
