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
ENOUGH_PIXELS = 100_000
"""A larger frame is looked at in the largest regular steps that leave so many pixels."""

LOWEST_WHITE = 224
"""No camera's white is darker; a frame that ends below does not clip."""

BRIGHT = (208, 176)
"""What has these values in one frame clips in a frame that is two stops brighter."""

ENOUGH_BRIGHT = 200
"""Pixels that it takes to tell at which value that is."""

SCATTER = 8
"""Half of these pixels are no further apart, also in a JPEG; noise is measured below them."""

BELOW_WHITE = 4
"""A channel counts as clipped so far below its white at most."""

BLED = 2
"""JPEG leaves some of what clips so far below the value at which a channel counts as clipped."""

NOISE_COSTS = 1.6
"""What the darker frame's noise costs, in units of what both frames' noise makes them differ.

Two stops are a quarter of the light: in the darker frame's values it has four parts in five of that
variance. It counts twice: it is in the difference from which the loss is found, and it is what
taking the darker frame costs.
"""

ROUNDING = 0.25
"""Values are whole numbers: no variance is taken as less than that of half a value."""


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
        How far this frame and its neighbour differ where neither clips, as a standard deviation in
        the values of the darker of the two.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    lo: float
    hi: float
    why: str
    clips_at: int
    noise: float


class Automatic(BaseModel):
    """The range that the frames of the bracket give together.

    The low frame is compared with the next brighter one, the high frame with the next darker one.
    Where the brighter of two frames clips, it loses what the darker one still holds: the square of
    how far that is from the value at which the brighter one clips. Elsewhere the darker one has
    more noise. The bound stands where the sum of both costs is least.

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
    >>> radiance = np.tile(np.linspace(0, 2, 512), (512, 1))
    >>> low, high = (np.uint8(255 * np.minimum(time * radiance, 1)) for time in (0.25, 1))
    >>> ranges = find_ranges({"low": low, "high": high})
    >>> ranges["low"].found.why
    'low from 65: above it, the high frame clips'
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
    lo, noise = _bound(seen["low"], seen[brighter], luma(seen["low"]), level)
    if lo < 256:
        why = f"low from {lo}: above it, the {brighter} frame clips"
    else:
        why = f"low is empty: the {brighter} frame {_how_little(seen[brighter], level)}"
    low = FoundRange(lo=lo, hi=255, why=why, clips_at=level, noise=noise)
    above, noise = _bound(seen[darker], seen["high"], luma(seen["high"]), level)
    hi = above - 1
    if hi < 255:
        why = f"high up to {hi}: above it, the high frame clips"
    else:
        why = f"high up to 255: the high frame {_how_little(seen['high'], level)}"
    high = FoundRange(lo=0, hi=hi, why=why, clips_at=level, noise=noise)
    return {"low": Automatic(found=low), "high": Automatic(found=high)}


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
    joint = _joint(256 * darker.astype(np.uint16) + brighter)
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


def _bound(
    darker: NDArray[np.uint8], brighter: NDArray[np.uint8], values: NDArray[np.uint8], level: int
) -> tuple[int, float]:
    """Find the luma from which on the darker frame is better than the brighter one.

    Parameters
    ----------
    darker, brighter : (H, W) or (H, W, 3) uint8
    values : (H, W) uint8
        Luma of one of them.
    level : int
        The value from which on a channel counts as clipped.

    Returns
    -------
    bound : int
        256 where the darker one is better from no luma on.
    noise : float
        See `FoundRange`.
    """
    # Channels first; where one frame is grey, it stands against each channel of the other.
    one, other = (np.array(cv2.split(frame), np.uint16) for frame in (darker, brighter))
    pairs = np.asarray(256 * one + other, np.uint16)
    joint = _joint(pairs)
    # How far the darker frame is from what the brighter one lets expect.
    difference = np.arange(256.0)[:, None] - _expected(joint, level)
    whole = joint[:, : level - SCATTER]
    distance = float((whole * np.abs(difference[:, : level - SCATTER])).sum() / max(1, whole.sum()))
    # Of normal noise, this is the variance; what moved between the frames counts for less so.
    variance = max(ROUNDING, math.pi / 2 * distance**2)
    gain = difference**2 - NOISE_COSTS * variance
    gain[:, : level - BLED] = (1 - NOISE_COSTS) * variance
    bound = 256
    if joint[:, level:].any():
        found = gain.astype(np.float32).ravel()[pairs].sum(axis=0)
        bound = _best(np.bincount(values.ravel(), found.ravel(), 256))
    return bound, round(math.sqrt(variance), 2)


def _expected(joint: NDArray[np.intp], level: int) -> NDArray[np.float64]:
    """Give what the darker frame should have for each value of the brighter one, (256,).

    Where that clips, it is the value at which it begins to.
    """
    clipped, whole = joint[:, level:].sum(axis=1), joint[:, :level].sum(axis=1)
    # What parts the pixels that clip from the others best; of equal values the lowest.
    begins = int(np.argmin(np.append(0, np.cumsum(clipped - whole))))
    seen = np.flatnonzero(joint[:, :level].any(axis=0))
    middle = np.maximum.accumulate(_quantile(joint.T[seen], 0.5))
    points = np.append(seen, level), np.append(np.minimum(middle, begins), begins)
    return np.asarray(np.interp(np.arange(256), *points), np.float64)


def _best(gain: NDArray[Any]) -> int:
    """Find the bound from which on the sum of the gains is largest; of equal ones the highest."""
    return 256 - int(np.argmax(np.append(0, np.cumsum(gain[::-1]))))


def _joint(pairs: NDArray[np.uint16]) -> NDArray[np.intp]:
    """Count each pair of values, the darker frame's times 256 plus the brighter's, (256, 256)."""
    return np.bincount(pairs.ravel(), minlength=1 << 16).reshape(256, 256)


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


def _how_little(frame: NDArray[np.uint8], level: int) -> str:
    return "hardly clips" if (frame >= level).any() else "does not clip"
