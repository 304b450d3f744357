"""How much a row of photographs looks like one exposure bracket.

A cost is taken for each possible bracket and for each photograph that stays alone; the grouping
with the smallest sum wins. The weights below were set by hand, on the stacks named in the tests:
they say what speaks for a bracket and what against it, in units of about one bracket more.
"""

import math
from collections.abc import Collection, Sequence
from itertools import pairwise
from statistics import median

from bracketseg.brackets.capture import AUTO_BRACKET, AUTO_EXPOSURE, MANUAL_EXPOSURE
from bracketseg.brackets.shots import Shot, gaps

SAME_EV = 0.2
"""Exposures nearer than that repeat each other: cameras step by a third of a stop or more."""

SMALLEST_RANGE = 0.9
"""Stops from the darkest to the brightest frame of a bracket, at least."""

MAX_REPEATS = 3
"""Frames of a bracket that may repeat another one; fewer than it has exposures."""

ALONE = 1.2
"""Cost of a photograph that is in no bracket."""

Signature = tuple[float, ...]

_BRACKET, _REPEAT = 1.0, 0.8
_UNEVEN, _WITH_HOLES = 1.0, 0.5
_ODD_ORDER, _ODD_AND_UNEVEN = 1.5, 0.9
_EVEN_FRAME, _LONG_ROW, _USUAL_HERE = -0.6, -0.3, -0.5
_PAIR, _PAIR_OF_CAMERA = 0.8, 0.6
_SMALL_STEP, _SMALL_STEP_COST = 0.45, 0.5
_OTHER_APERTURE = 0.8
_METERED = 1.2
_SAID_SO, _SAID_SO_OF_SOME, _SAID_SO_ALONE = -0.5, 3.0, 0.4
_OTHER_BIAS = 4.0
_SHORT_PAUSE, _PAUSE = 2.0, 0.4
_ONE_LONG_PAUSE, _USUAL_PAUSES = 1.0, 5.0
# Times in EXIF are rounded to thirds of a stop, so steps differ by as much.
_ROUNDING = 0.35


def bracket_cost(shots: Sequence[Shot], usual: Collection[Signature] = ()) -> float:
    """Say how little photographs in the order of their times look like one bracket.

    Parameters
    ----------
    shots : sequence of Shot
        One or more.
    usual : collection of tuple
        Signatures that several brackets of the same folder have.

    Returns
    -------
    float
        The smaller, the more they do; infinite if they cannot be one.
    """
    if len(shots) == 1:
        return ALONE + (_SAID_SO_ALONE if shots[0].mode == AUTO_BRACKET else 0.0)
    frames = without_repeats(shots)
    repeats = len(shots) - len(frames)
    evs = [shot.ev for shot in frames]
    too_many = repeats > min(MAX_REPEATS, len(frames) - 1)
    if len(evs) < 2 or too_many or max(evs) - min(evs) < SMALLEST_RANGE:
        return math.inf
    cost = _BRACKET + repeats * _REPEAT + _pauses_cost(gaps(shots))
    cost += _pattern_cost(frames, evs) + _camera_cost(frames, evs)
    return cost + (_USUAL_HERE if signature(frames) in usual else 0.0)


def _pattern_cost(frames: Sequence[Shot], evs: Sequence[float]) -> float:
    """Say what their exposures, in the order of the times, speak against a bracket."""
    ordered, small_step = is_usual_order(evs), min(_steps(evs)) < _SMALL_STEP
    # Someone who turns the dial of time up or down, by whatever steps, makes a bracket.
    by_hand = all(shot.mode == MANUAL_EXPOSURE for shot in frames) and _is_monotone(evs)
    even = _is_even(evs) or _has_even_bias(frames) or (by_hand and not small_step)
    cost = _SMALL_STEP_COST if small_step else 0.0
    if not even:
        cost += _WITH_HOLES if _has_holes(evs) else _UNEVEN
    if not ordered:
        cost += _ODD_ORDER if even else _ODD_ORDER + _ODD_AND_UNEVEN * len(evs)
    elif even:
        cost += _EVEN_FRAME * (len(evs) - 2)
    elif len(evs) > 3 and _is_monotone(evs):
        # Chance makes it of n exposures in 2 of n! cases.
        cost += _LONG_ROW * math.log(math.factorial(len(evs)) / 2)
    if len({shot.f_number for shot in frames}) > 1:
        cost += _OTHER_APERTURE
    return cost


def _camera_cost(frames: Sequence[Shot], evs: Sequence[float]) -> float:
    """Say what the camera's notes speak against a bracket."""
    said = [shot.mode == AUTO_BRACKET for shot in frames]
    bias = [
        shot.bias
        for _, shot in sorted(zip(evs, frames, strict=True), key=lambda one: one[0])
        if shot.bias is not None
    ]
    cost = 0.0
    if any(said):
        cost += _SAID_SO if all(said) else _SAID_SO_OF_SOME
    if len(evs) == 2:
        cost += _PAIR_OF_CAMERA if all(said) or _has_even_bias(frames) else _PAIR
    if len(set(bias)) == 1 and all(shot.mode == AUTO_EXPOSURE for shot in frames):
        cost += _METERED * len(evs)
    # A bias that comes twice, or is larger for a darker frame, is of another bracket.
    if len(set(bias)) > 1 and any(b <= a for a, b in pairwise(bias)):
        cost += _OTHER_BIAS
    return cost


def _has_even_bias(frames: Sequence[Shot]) -> bool:
    bias = [shot.bias for shot in frames if shot.bias is not None]
    return len(bias) == len(frames) and _is_even(bias)


def without_repeats(shots: Sequence[Shot]) -> list[Shot]:
    """Leave one photograph of each exposure: the one nearest in time to all others."""
    kept: list[Shot] = []
    for shot in shots:
        twin = next((other for other in kept if abs(other.ev - shot.ev) < SAME_EV), None)
        if twin is None:
            kept.append(shot)
        elif _distance(shot, shots) < _distance(twin, shots):
            kept[kept.index(twin)] = shot
    return [shot for shot in shots if shot in kept]


def signature(frames: Sequence[Shot]) -> Signature:
    """Exposures relative to the first one, in half stops, in the order of their times."""
    return tuple(round((shot.ev - frames[0].ev) * 2) / 2 for shot in frames)


def is_usual_order(evs: Sequence[float]) -> bool:
    """Whether a camera brackets in this order.

    That is up or down throughout; or the middle exposure first, and then up, down, in turns
    outwards, or all of one side before the other.
    """
    if _is_monotone(evs):
        return True
    first, rest = evs[0], evs[1:]
    below = sum(ev < first for ev in rest)
    if below not in (len(rest) // 2, (len(rest) + 1) // 2):
        return False
    distances = [abs(ev - first) for ev in rest]
    if _is_monotone(rest) or all(b >= a - SAME_EV for a, b in pairwise(distances)):
        return True
    sides = [ev > first for ev in rest]
    if sum(a != b for a, b in pairwise(sides)) != 1:
        return False
    cut = sides.index(not sides[0])
    return _is_monotone(rest[:cut]) and _is_monotone(rest[cut:])


def _pauses_cost(pauses: Sequence[float]) -> float:
    cost = sum(_PAUSE * math.log2(max(1.0, pause / _SHORT_PAUSE)) for pause in pauses)
    *others, longest = sorted(pauses)
    if others and longest > max(_SHORT_PAUSE, _USUAL_PAUSES * median(others)):
        cost += _ONE_LONG_PAUSE
    return cost


def _is_monotone(evs: Sequence[float]) -> bool:
    return list(evs) in (sorted(evs), sorted(evs, reverse=True))


def _is_even(values: Sequence[float]) -> bool:
    steps = _steps(values)
    return min(steps) > SAME_EV and max(steps) - min(steps) <= _ROUNDING


def _has_holes(values: Sequence[float]) -> bool:
    steps = _steps(values)
    ratios = [step / min(steps) for step in steps]
    return all(abs(ratio - round(ratio)) < 0.12 for ratio in ratios)


def _steps(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [b - a for a, b in pairwise(ordered)]


def _distance(shot: Shot, shots: Sequence[Shot]) -> float:
    if any(other.time is None for other in shots):
        return abs(shots.index(shot) - (len(shots) - 1) / 2)
    return sum(abs((other.time or 0.0) - (shot.time or 0.0)) for other in shots)
