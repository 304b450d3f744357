"""Which scenes are learned from and which are kept back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bracketseg.brackets.luma import luma
from bracketseg.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

THUMBNAIL = 64
"""Side of the pictures in which scenes are compared, pixels."""

SHIFT = 6
"""Largest shift between two such pictures that is tried, pixels; a pan by 9 %."""

SAME_SCENE = 0.93
"""Correlation from which on two neighbours count as one scene; equality counts.

On 79 photographed scenes, neighbours that show different places stay below 0.92 and the
two pairs taken from one place lie above 0.95. Frames that are panned by 1 to 2 % with some
noise lie above 0.94. Joining two scenes in error costs nothing but a little freedom in the
split; missing a pair makes the validation too good.
"""

FLAT = 1.0
"""Standard deviation in grey levels below which a picture is too flat to be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A split of scenes by groups.

    Attributes
    ----------
    groups
        Runs of neighbouring scenes that show the same; each lies on one side as a whole.
    train, validation
        Names of the scenes, in the order in which they were given.
    """

    groups: tuple[tuple[str, ...], ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]


def similarity(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return how much two images show the same, whatever their brightness and contrast.

    Parameters
    ----------
    first, second : (H, W, 3) uint8
        Of the same size.

    Returns
    -------
    float
        The largest Pearson correlation of their lumas at 64x64 over shifts of up to 6
        pixels, -1 to 1; 0 where one of the two is flat.
    """
    return _similarity(_thumbnail(first), _thumbnail(second))


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    size = (THUMBNAIL, THUMBNAIL)
    small = cv2.resize(luma(image).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    inner = slice(SHIFT, -SHIFT)
    if min(float(t[inner, inner].std()) for t in (first, second)) < FLAT:
        return 0.0
    return max(
        float(cv2.matchTemplate(whole, part[inner, inner].copy(), cv2.TM_CCOEFF_NORMED).max())
        for whole, part in ((first, second), (second, first))
    )


def group_scenes(
    scenes: Sequence[str], images: Sequence[NDArray[np.uint8]]
) -> tuple[tuple[str, ...], ...]:
    """Join neighbouring scenes that show the same, such as the frames of a video.

    Parameters
    ----------
    scenes
        Names in natural order; the frames of a video are numbered consecutively.
    images : sequence of (H, W, 3) uint8
        One of each scene, all of one size.

    Returns
    -------
    tuple of tuple of str
        The scenes in the same order, cut wherever two neighbours differ.
    """
    groups: list[list[str]] = []
    thumbnails = [_thumbnail(image) for image in images]
    alike = [False, *(_similarity(a, b) >= SAME_SCENE for a, b in pairwise(thumbnails))]
    for scene, joined in zip(scenes, alike, strict=True):
        if joined:
            groups[-1].append(scene)
        else:
            groups.append([scene])
    return tuple(tuple(group) for group in groups)


def split_scenes(
    groups: Sequence[tuple[str, ...]], validation: float, generator: np.random.Generator
) -> Split:
    """Keep a fraction of the scenes back for validation, group by group.

    Parameters
    ----------
    groups
        Scenes that must stay together.
    validation
        Fraction of the scenes; the number is rounded (half upwards), and at least one
        scene lies on each side.
    generator
        Decides which groups.

    Raises
    ------
    TrainingError
        If there are fewer than two groups.

    Notes
    -----
    Groups are taken in random order as long as they fit into the number of scenes; where
    not even one fits, the smallest group is taken.
    """
    if len(groups) < 2:
        scenes = sum(len(group) for group in groups)
        raise TrainingError(
            f"{scenes} usable {'scene' if scenes == 1 else 'scenes that all show the same'} "
            "cannot be split into training and validation; add masks of at least one scene "
            "that looks different"
        )
    total = sum(len(group) for group in groups)
    wanted = min(max(1, math.floor(validation * total + 0.5)), total - 1)
    order = [groups[i] for i in generator.permutation(len(groups))]
    taken: list[tuple[str, ...]] = []
    for group in order:
        if sum(map(len, taken)) + len(group) <= wanted:
            taken.append(group)
    if not taken:
        taken.append(min(order, key=len))
    kept_back = {scene for group in taken for scene in group}
    everything = [scene for group in groups for scene in group]
    return Split(
        groups=tuple(groups),
        train=tuple(scene for scene in everything if scene not in kept_back),
        validation=tuple(scene for scene in everything if scene in kept_back),
    )
