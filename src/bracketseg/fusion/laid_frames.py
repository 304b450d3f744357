"""The frames of a bracket laid on each other, before anybody asks for masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.align_method import AlignMethod, align
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.ghosts import ghosts_between
from bracketseg.brackets.homography import Homography
from bracketseg.brackets.luma import luma
from bracketseg.brackets.placement import Placement, is_still, place_image
from bracketseg.errors import FrameError
from bracketseg.fusion.exposures import Exposures, Weight


@dataclass(frozen=True, kw_only=True, eq=False)
class LaidFrames:
    """Frames that lie on the medium one (of two on the low one), and where they came from.

    Attributes
    ----------
    images, evs, ghosts, covers
        As in :class:`~bracketseg.fusion.exposures.Exposures`.
    placements : tuple of Placement
        Where each frame lies.
    not_compared : tuple of int
        Frames in which what moved could not be looked for.
    """

    images: tuple[NDArray[Any], ...]
    evs: tuple[float, ...]
    placements: tuple[Placement, ...]
    ghosts: NDArray[np.bool_] | None = None
    covers: tuple[NDArray[np.bool_], ...] | None = None
    not_compared: tuple[int, ...] = ()

    @cached_property
    def ghost_share(self) -> float:
        """What moved takes of the picture, 0..1."""
        return 0.0 if self.ghosts is None else float(self.ghosts.mean())

    def exposures(self, low: Weight, high: Weight) -> Exposures:
        """Add the masks, which are in the pixels of their own frames.

        Parameters
        ----------
        low, high : (H, W) float32, 0..1
            See :func:`~bracketseg.fusion.exposures.as_weight`.
        """
        low, high = (
            np.asarray(place_image(weight, placement.matrix), np.float32)
            for weight, placement in ((low, self.placements[0]), (high, self.placements[-1]))
        )
        return Exposures(
            images=self.images,
            evs=self.evs,
            low=low,
            high=high,
            ghosts=self.ghosts,
            covers=self.covers,
        )

    def reduced(self, side: int) -> "LaidFrames":
        """Make the same smaller, with `side` pixels on the longer side at most."""
        nothing = np.zeros(self.images[0].shape[:2], np.float32)
        small = Exposures(
            images=self.images,
            evs=self.evs,
            low=nothing,
            high=nothing,
            ghosts=self.ghosts,
            covers=self.covers,
        ).reduced(side)
        return LaidFrames(
            images=small.images,
            evs=self.evs,
            placements=tuple(
                _reduced(p, self.images[0].shape, small.shape) for p in self.placements
            ),
            ghosts=small.ghosts,
            covers=small.covers,
        )


def lay_frames(
    images: Sequence[NDArray[Any]],
    evs: Sequence[float],
    *,
    method: AlignMethod = "off",
    deghost: bool = False,
    ghosts: NDArray[np.bool_] | None = None,
) -> LaidFrames:
    """Align the frames of a bracket and find what moved, as far as that is asked for.

    Parameters
    ----------
    images : sequence of two or three arrays
        Low, medium (where there is one) and high; display-referred.
    evs : sequence of float
        Exposure value of each.
    method : {"off", "shift", "homography"}
        See :func:`~bracketseg.brackets.align_method.align`.
    deghost : bool
        Find what moved; see :func:`~bracketseg.brackets.ghosts.find_ghosts`.
    ghosts : (H, W) bool, optional
        What moved, where that is known already, in the pixels of the frame that stays.

    Raises
    ------
    FrameError
        If the frames do not fit together or hold values that cannot be used.
    """
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise FrameError(
            f"frames of the shapes {sorted(shapes)} cannot be fused; give frames of one size, all "
            "grey or all in colour"
        )
    reference = 1 if len(images) == 3 else 0
    placements: tuple[Placement, ...] = tuple(Shift() for _ in images)
    if method != "off":
        placements = align([luma(image) for image in images], method, reference=reference)
    not_compared: tuple[int, ...] = ()
    if deghost and ghosts is None:
        found = ghosts_between(images, evs, placements, reference=reference)
        ghosts, not_compared = found.ghosts, found.left_out
    moved = not all(is_still(placement.matrix) for placement in placements)
    return LaidFrames(
        images=tuple(map(placed_picture, images, placements)),
        evs=tuple(evs),
        placements=placements,
        ghosts=ghosts,
        covers=tuple(_covered(images[0].shape, p) for p in placements) if moved else None,
        not_compared=not_compared,
    )


def placed_picture(image: NDArray[Any], placement: Placement) -> NDArray[Any]:
    """Resample a frame to where it lies on the reference, by cubic interpolation.

    What comes in from outside goes on as the border: a dark margin would be seen from afar
    over the coarse scales. `image` itself where nothing moves.
    """
    if is_still(placement.matrix):
        return image
    warped = cv2.warpPerspective(
        np.ascontiguousarray(image),
        placement.matrix,
        image.shape[1::-1],
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.clip(0, 1) if warped.dtype == np.float32 else np.asarray(warped)


def _reduced(placement: Placement, shape: tuple[int, ...], small: tuple[int, ...]) -> Placement:
    """Say where a frame lies in pixels of a smaller shape."""
    if is_still(placement.matrix):
        return placement
    y, x = (length / whole for length, whole in zip(small[:2], shape[:2], strict=True))
    # Pixels count from the centre of the first one, which is elsewhere when they are larger.
    scale = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    matrix = scale @ placement.matrix @ np.linalg.inv(scale)
    first, second, third = ((row[0], row[1], row[2]) for row in matrix.tolist())
    return Homography(rows=(first, second, third), reliable=placement.reliable, note=placement.note)


def _covered(shape: tuple[int, ...], placement: Placement) -> NDArray[np.bool_]:
    whole = np.ones(shape[:2], np.bool_)
    return np.asarray(place_image(whole, placement.matrix, smooth=False), np.bool_)
