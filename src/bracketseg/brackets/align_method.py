"""The ways in which the frames of a bracket can be aligned."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.alignment import Shift, check_alignable, mtb_shifts
from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.brackets.homography import homographies
from bracketseg.brackets.luma import luma
from bracketseg.brackets.placement import Placement, valid_regions

AlignMethod = Literal["off", "shift", "homography"]
"""Not at all; by whole pixels (MTB), as is quick; or turned and tilted as well."""


def reference_of(bracket: Bracket) -> int:
    """Say which frame of a bracket stays: the medium one, or the darker of the middle two."""
    medium = bracket.roles.get("medium")
    return (len(bracket.frames) - 1) // 2 if medium is None else bracket.frames.index(medium)


def align(
    lumas: Sequence[NDArray[np.uint8]], method: AlignMethod, *, reference: int
) -> tuple[Placement, ...]:
    """Find where the frames of a bracket lie on the reference.

    Parameters
    ----------
    lumas : sequence of (H, W) uint8
        From dark to bright.
    method : {"off", "shift", "homography"}
        See :func:`~bracketseg.brackets.alignment.mtb_shifts` and
        :func:`~bracketseg.brackets.homography.homographies`.
    reference : int
        Index of the frame that stays.

    Returns
    -------
    tuple of Placement
        One per frame.

    Raises
    ------
    FrameError
        If the sizes differ or the reference is no frame; never with "off".
    """
    if method == "off":
        return tuple(Shift() for _ in lumas)
    check_alignable(lumas, reference)
    if method == "shift":
        return mtb_shifts(lumas, reference=reference)
    return homographies(lumas, reference=reference)


def align_bracket(bracket: Bracket, method: AlignMethod) -> tuple[Placement, ...]:
    """Find where the frames of a bracket lie; reads all of them, one at a time.

    Raises
    ------
    FrameError
        If a frame cannot be read, or as :func:`align`.
    """
    if method == "off":
        return tuple(Shift() for _ in bracket.frames)
    lumas = [luma(frame.read()) for frame in bracket.frames]
    return align(lumas, method, reference=reference_of(bracket))


def valid_of_bracket(bracket: Bracket, method: AlignMethod) -> dict[Frame, NDArray[np.bool_]]:
    """Find the pixels of each frame that all frames of its bracket show; reads all of them.

    Parameters
    ----------
    bracket : Bracket
    method : {"off", "shift", "homography"}

    Returns
    -------
    dict of Frame to (H, W) bool
        See :func:`~bracketseg.brackets.placement.valid_regions`. Empty with "off", where
        nothing is asked of the frames.

    Raises
    ------
    FrameError
        As :func:`align_bracket`.
    """
    if method == "off":
        return {}
    return valid_where_placed(bracket, align_bracket(bracket, method))


def valid_where_placed(
    bracket: Bracket, placements: Sequence[Placement]
) -> dict[Frame, NDArray[np.bool_]]:
    """Find the same for frames of which it is known where they lie, in their order."""
    regions = valid_regions(bracket.frames[0].shape, placements)
    return dict(zip(bracket.frames, regions, strict=True))
