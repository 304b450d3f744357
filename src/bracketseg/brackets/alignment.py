"""How far the frames of a bracket moved against each other, in whole pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma
from bracketseg.errors import FrameError

COARSEST_SIDE = 20
"""The shorter side, in pixels, below which a level of the pyramid shows too little."""

MAX_BITS = 8
"""The longest shift that is looked for is 2^8 - 1 pixels, and a tenth of the shorter side."""

EXPLAINED = 0.1
"""The share of the differing pixels that a shift has to explain for the frame to be moved."""

MAX_STEPS = 8
"""Pixels by which OpenCV's answer is mended at most."""

RELIABLE = 0.2
"""The share of differing pixels from which on two frames show too little in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By how much a frame is to be moved so that it lies on the reference.

    Attributes
    ----------
    dx, dy : int
        Pixels to the right and downwards.
    reliable : bool
        False where the frames show too little in common to tell, as when half of one
        is clipped; the frame then stays where it is.
    note : str
        Why it is not placed more finely, where that was asked for.
    """

    dx: int = 0
    dy: int = 0
    reliable: bool = True
    note: str = field(default="", compare=False, repr=False)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) that takes (x, y, 1) of the frame to the reference."""
        return np.array([[1, 0, self.dx], [0, 1, self.dy], [0, 0, 1]], dtype=np.float64)


def mtb_shifts(
    images: Sequence[NDArray[Any]], *, reference: int | None = None
) -> tuple[Shift, ...]:
    """Find the shifts of a bracket by median threshold bitmaps (MTB).

    Each frame is compared with its neighbour in exposure, and the shifts add up
    towards the reference. One that does not make the bitmaps agree better than they
    do anyway is not believed: without evidence no frame is moved.

    Parameters
    ----------
    images : sequence of array
        As for :func:`~bracketseg.brackets.luma.luma`; from dark to bright, of one size.
    reference : int, optional
        Index of the frame that stays. By default the middle one, the darker of two.

    Returns
    -------
    tuple of Shift
        One per frame, whole pixels; that of the reference is zero. Frames with a side
        below 40 pixels are never moved.

    Raises
    ------
    FrameError
        If there is no frame, the reference is none of them, the sizes differ, or a
        picture cannot be used.

    References
    ----------
    G. Ward, "Fast, Robust Image Registration for Compositing High Dynamic Range
    Photographs from Hand-Held Exposures", J. Graphics Tools 8 (2003) 17-30,
    DOI 10.1080/10867651.2003.10487583.

    Examples
    --------
    >>> picture = np.random.default_rng(0).integers(0, 256, (80, 90), np.uint8)
    >>> picture = cv2.GaussianBlur(picture, (0, 0), 3)
    >>> moved = shift_image(picture, Shift(dx=2, dy=-3))
    >>> mtb_shifts([picture, moved], reference=0)[1]
    Shift(dx=-2, dy=3, reliable=True)
    """
    reference = (len(images) - 1) // 2 if reference is None else reference
    lumas = [luma(image) for image in images]
    check_alignable(lumas, reference)
    shifts = [Shift() for _ in lumas]
    for index in range(reference + 1, len(lumas)):
        step = pair_shift(lumas[index - 1], lumas[index])
        shifts[index] = sum_shifts(shifts[index - 1], step)
    for index in range(reference - 1, -1, -1):
        step = pair_shift(lumas[index + 1], lumas[index])
        shifts[index] = sum_shifts(shifts[index + 1], step)
    return tuple(shifts)


def check_alignable(lumas: Sequence[NDArray[np.uint8]], reference: int) -> None:
    """Refuse frames that cannot be aligned.

    Raises
    ------
    FrameError
        If the reference is none of them, or the sizes differ.
    """
    if not 0 <= reference < len(lumas):
        raise FrameError(
            f"frame {reference} of {len(lumas)} cannot stay while the others move; choose one "
            "of the frames"
        )
    sizes = {values.shape for values in lumas}
    if len(sizes) > 1:
        raise FrameError(
            f"frames of different sizes {sorted(sizes)} (rows, columns) cannot be aligned; "
            "leave the alignment off for this bracket"
        )


def shift_image(image: NDArray[Any], shift: Shift, fill: float = 0) -> NDArray[Any]:
    """Move a picture: the pixel (y, x) comes to lie at (y + dy, x + dx).

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    shift : Shift
    fill : float
        For what comes in from outside.

    Returns
    -------
    array of the same shape and type
        `image` itself where nothing moves.

    Examples
    --------
    >>> shift_image(np.array([[1, 2, 3]]), Shift(dx=1, dy=0))
    array([[0, 1, 2]])
    """
    if not (shift.dx or shift.dy):
        return image
    moved = np.full_like(image, fill)
    to, start = _overlap(image.shape, shift)
    moved[to] = image[start]
    return moved


def pair_shift(still: NDArray[np.uint8], moving: NDArray[np.uint8]) -> Shift:
    """Find the shift of one luma onto another of the same size; see :func:`mtb_shifts`."""
    # OpenCV needs several pixels at the coarsest level, and crashes on tiny frames.
    bits = min(int(np.log2(min(still.shape) / COARSEST_SIDE)) + 1, MAX_BITS)
    if bits < 2:
        return Shift(reliable=False)
    dx, dy = cv2.createAlignMTB(bits, 4, True).calculateShift(still, moving)
    # OpenCV goes from coarse to fine and never back, and of shifts that fit equally well it
    # takes the farthest up and left, so that two empty bitmaps give a long one. Its answer
    # is where the search begins, no more.
    bitmaps = still > _median(still), moving > _median(moving)
    stays = _disagreement(*bitmaps, 0, 0)
    disagreement, dx, dy = _climb(*bitmaps, dx, dy)
    if disagreement > (1 - EXPLAINED) * stays:
        disagreement, dx, dy = stays, 0, 0
    if disagreement < RELIABLE:
        return Shift(dx=dx, dy=dy)
    return Shift(reliable=False)


def _climb(
    still: NDArray[np.bool_], moving: NDArray[np.bool_], dx: int, dy: int
) -> tuple[float, int, int]:
    """Go to the best neighbour, pixel by pixel, as long as there is a better one."""
    best = (_disagreement(still, moving, dx, dy), dx, dy)
    for _ in range(MAX_STEPS):
        _, dx, dy = best
        for x in (dx - 1, dx, dx + 1):
            for y in (dy - 1, dy, dy + 1):
                if (x, y) != (dx, dy):
                    found = _disagreement(still, moving, x, y)
                    if found < best[0]:
                        best = (found, x, y)
        if best[1:] == (dx, dy):
            break
    return best


def _median(values: NDArray[np.uint8]) -> int:
    counts = np.bincount(values.ravel(), minlength=256)
    return int(np.searchsorted(np.cumsum(counts), (values.size + 1) // 2))


def _disagreement(still: NDArray[np.bool_], moving: NDArray[np.bool_], dx: int, dy: int) -> float:
    to, start = _overlap(still.shape, Shift(dx=dx, dy=dy))
    return float(np.count_nonzero(still[to] != moving[start])) / still[to].size


def _overlap(shape: tuple[int, ...], shift: Shift) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where the moved picture lies in the frame, and which part of it that is."""
    to, start = [], []
    for length, by in zip(shape[:2], (shift.dy, shift.dx), strict=True):
        to.append(slice(min(max(by, 0), length), max(min(length, length + by), 0)))
        start.append(slice(min(max(-by, 0), length), max(min(length, length - by), 0)))
    return tuple(to), tuple(start)


def sum_shifts(first: Shift, second: Shift) -> Shift:
    """Move by both, one after the other; reliable where both are."""
    return Shift(
        dx=first.dx + second.dx,
        dy=first.dy + second.dy,
        reliable=first.reliable and second.reliable,
    )
