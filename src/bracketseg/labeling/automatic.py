"""A range for each frame of a bracket, found from the bracket itself."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from bracketseg.brackets.bracket import MaskRole, Role
from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.errors import LabelingError
from bracketseg.labeling.ranges import Bounds

# How the numbers below were chosen, and what they are worth, is in docs/mask-quality.md.
ENOUGH_PIXELS = 250_000
"""A larger frame is looked at in regular steps, so that about so many pixels are counted."""

LOWEST_WHITE = 224
"""No camera's white is darker; a frame that ends below does not clip."""

BRIGHT = (208, 176)
"""What has these values in one frame clips in a frame that is two stops brighter."""

ENOUGH_BRIGHT = 200
"""Pixels that it takes to tell at which value that is."""

SCATTER = 8
"""Half of these pixels are no further apart, also in a JPEG."""

BELOW_WHITE = 4
"""A channel counts as clipped so far below its white at most."""

ENOUGH_OF_A_VALUE = 50
"""Pixels that a value needs for its noise to be measured."""

CLIPPED_AT_NOISE_1 = 0.005
"""The part of clipped pixels that is worth covering a luma, at noise 1; it goes with its square."""

CLIPPED_LEAST, CLIPPED_MOST = 0.005, 0.3
"""What bounds that part."""

LOW_SHARE = 0.1
"""Of that part, what lets the low frame take over from the next brighter one."""


class FoundRange(BaseModel):
    """The range that was found for one frame of one bracket, and why.

    Attributes
    ----------
    lo, hi : float
        Luma, both inclusive; [256, 255] is the empty range.
    why : str
        One sentence for a person.
    clips_at : int
        The value from which on a channel of these frames counts as clipped.
    noise : float
        Of the darker of two neighbouring frames as it shows in the brighter one, in its values.
    clipped : float
        The part of clipped pixels at which a luma is no longer, or for the low frame first,
        worth taking in.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    lo: float
    hi: float
    why: str
    clips_at: int
    noise: float
    clipped: float


class Automatic(BaseModel):
    """The range that the frames of the bracket give together.

    The low frame takes over where the next brighter frame clips, and the high frame is good up to
    where it clips itself. Each luma of a frame has a part of clipped pixels (one clipped channel is
    enough). A bound stands where the lumas that it takes in have the best balance of pixels that
    are not clipped against those that are; how many clipped ones are worth it depends on the noise
    that the other frame would bring instead.

    Attributes
    ----------
    found : FoundRange or None
        Of one frame. None where the rule is told of all scenes of a labelling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["auto"] = "auto"
    found: FoundRange | None = Field(default=None, description="What was found for one frame.")

    def bounds(self, luma: NDArray[np.uint8], role: MaskRole) -> Bounds:  # noqa: ARG002 - Rule's form
        """Give the range that was found.

        Raises
        ------
        LabelingError
            If none was, because that takes the other frames too.
        """
        if self.found is None:
            raise LabelingError(
                f"the automatic range of the {role} frame needs the whole bracket; find it with "
                "find_ranges"
            )
        return Bounds(lo=self.found.lo, hi=self.found.hi)


def find_ranges(frames: Mapping[Role, NDArray[Any]]) -> dict[MaskRole, Automatic]:
    """Find the ranges of the low and the high frame of a bracket.

    Parameters
    ----------
    frames : mapping of role to (H, W) or (H, W, 3) array
        Display-referred, as :func:`~bracketseg.brackets.luma.luma` takes them; `low` and `high`,
        and `medium` where the bracket has one. All of one height and width.

    Returns
    -------
    dict of role to Automatic
        With what was found.

    Raises
    ------
    LabelingError
        If a frame is missing, or they differ in size.

    Examples
    --------
    >>> import numpy as np
    >>> high = np.repeat(np.arange(256, dtype=np.uint8)[None], 256, axis=0)
    >>> ranges = find_ranges({"low": high // 4, "high": high})
    >>> ranges["high"].found.why
    'high up to 252: above it, the high frame clips'
    """
    missing = {"low", "high"} - frames.keys()
    shapes = {frame.shape[:2] for frame in frames.values()}
    if missing or len(shapes) > 1:
        problem = f"there is no {' or '.join(missing)} frame" if missing else f"they are {shapes}"
        raise LabelingError(
            f"an automatic range needs the low and the high frame in one size, but {problem}. "
            "Choose other frames, or label this bracket by a manual range."
        )
    seen = {role: _sampled(frame) for role, frame in frames.items()}
    brighter: Role = "medium" if "medium" in seen else "high"
    darker: Role = "medium" if "medium" in seen else "low"
    level = _clipping_level(_brightest(seen[darker]), _brightest(seen["high"]))
    noise = _noise(seen[darker], seen["high"])
    clipped = float(np.clip(CLIPPED_AT_NOISE_1 * noise**2, CLIPPED_LEAST, CLIPPED_MOST))
    share = LOW_SHARE * clipped
    counts, burnt = _clipping(seen["high"], seen["high"], level)
    hi = _last_good(counts, burnt, clipped)
    if hi < 255:
        good = f"high up to {hi}: above it, the high frame clips"
    else:
        good = f"high up to 255: the high frame {_how_little(burnt)}"
    counts, burnt = _clipping(seen["low"], seen[brighter], level)
    lo = _first_needed(counts, burnt, share)
    if lo < 256:
        needed = f"low from {lo}: above it, the {brighter} frame clips"
    else:
        needed = f"low is empty: the {brighter} frame {_how_little(burnt)}"

    def rule(lo: int, hi: int, why: str, part: float) -> Automatic:
        return Automatic(
            found=FoundRange(
                lo=lo, hi=hi, why=why, clips_at=level, noise=round(noise, 2), clipped=round(part, 5)
            )
        )

    return {"low": rule(lo, 255, needed, share), "high": rule(0, hi, good, clipped)}


def _sampled(frame: NDArray[Any]) -> NDArray[np.uint8]:
    """Take every n-th row and column of a frame, in 8 bits, without alpha."""
    step = max(1, math.isqrt(frame.shape[0] * frame.shape[1] // ENOUGH_PIXELS))
    return to_uint8(np.ascontiguousarray(frame[::step, ::step]))


def _brightest(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the largest channel of each pixel."""
    if frame.ndim == 2:
        return frame
    red, green, blue = cv2.split(frame)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _clipping_level(darker: NDArray[np.uint8], brighter: NDArray[np.uint8]) -> int:
    """Find the value from which on a channel counts as clipped.

    What is bright already in the darker frame has one value in the brighter one, if that clips.
    JPEG scatters that value; what most of these pixels reach counts.

    Returns
    -------
    int
        255 where the brighter frame does not clip, or too little to tell.
    """
    joint = _joint(darker, brighter)
    for bright in BRIGHT:
        counts = joint[bright:].sum(axis=0, keepdims=True)
        if counts.sum() < ENOUGH_BRIGHT:
            continue
        least, lower, middle, upper = (
            float(_quantile(counts, p)[0]) for p in (0.05, 0.25, 0.5, 0.75)
        )
        if upper - lower <= SCATTER and middle >= LOWEST_WHITE:
            return min(254, round(max(least, middle - BELOW_WHITE)))
    return 255


def _noise(darker: NDArray[np.uint8], brighter: NDArray[np.uint8]) -> float:
    """Measure how far values of the brighter frame scatter where the darker has one value.

    Parameters
    ----------
    darker, brighter : (H, W) or (H, W, 3) uint8

    Returns
    -------
    float
        Median over the shadows (values 40 to 110, the darkest of which are in every picture) of
        the interquartile range, as the standard deviation of a normal distribution; the green
        channel alone, which the sensor has most of.
    """
    one, other = (f if f.ndim == 2 else f[..., 1] for f in (darker, brighter))
    joint = _joint(one, other)[40:111]
    totals = joint.sum(axis=1)
    joint, totals = joint[totals >= ENOUGH_OF_A_VALUE], totals[totals >= ENOUGH_OF_A_VALUE]
    if not totals.size:
        return 0.0
    spread = (_quantile(joint, 0.75) - _quantile(joint, 0.25)) / 1.349
    order = np.argsort(spread)
    weights = np.cumsum(totals[order])
    return float(spread[order][np.searchsorted(weights, weights[-1] / 2)])


def _joint(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Count the pixels with each pair of values, (256, 256)."""
    pairs = np.bincount((one.astype(np.intp) << 8 | other).ravel(), minlength=1 << 16)
    return pairs.reshape(256, 256)


def _quantile(counts: NDArray[np.intp], part: float) -> NDArray[np.float64]:
    """Give the value that a part of the pixels of each row stays below, (N, 256) to (N,).

    Pixels of one value are taken as spread evenly over half a value to either side.
    """
    cumulative = np.cumsum(counts, axis=1)
    target = part * cumulative[:, -1]
    value = np.argmax(cumulative >= target[:, None], axis=1)
    rows = np.arange(len(value))
    above = (cumulative[rows, value] - target) / counts[rows, value]
    return np.asarray(value + 0.5 - above, np.float64)


def _clipping(
    frame: NDArray[np.uint8], other: NDArray[np.uint8], level: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Count the pixels of each luma of `frame`, and those of them that `other` has clipped."""
    values = luma(frame)
    clipped = _brightest(other) >= level
    return _histogram(values), _histogram(values[clipped])


def _how_little(clipped: NDArray[np.intp]) -> str:
    return "hardly clips" if clipped.any() else "does not clip"


def _histogram(values: NDArray[np.uint8]) -> NDArray[np.intp]:
    return np.bincount(values.ravel(), minlength=256)


def _last_good(counts: NDArray[np.intp], clipped: NDArray[np.intp], part: float) -> int:
    """Find the upper bound with the best balance; of equal ones the highest."""
    balance = np.concatenate([[0.0], np.cumsum(part * counts - clipped)])
    return 255 - int(np.argmax(balance[::-1]))


def _first_needed(counts: NDArray[np.intp], clipped: NDArray[np.intp], part: float) -> int:
    """Find the lower bound with the best balance; of equal ones the highest, 256 for none."""
    balance = np.concatenate([[0.0], np.cumsum((clipped - part * counts)[::-1])])
    return 256 - int(np.argmax(balance))
