"""Where the frames of a bracket lie on the one that stays, and what they all show there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_Name = TypeVar("_Name")

_ROUNDING = 1e-6
"""Pixels by which a border may be missed, so that none on it is lost."""


class Placement(Protocol):
    """Where a frame lies on the reference: a shift by whole pixels, or a homography."""

    @property
    def matrix(self) -> Matrix:
        """(3, 3) float64 that takes (x, y, 1) of the frame to the reference.

        x counts pixels to the right and y downwards, from the centre of the first one.
        """

    @property
    def reliable(self) -> bool:
        """False where the frames show too little in common, and the frame stays."""

    @property
    def note(self) -> str:
        """What a person should know of it; mostly nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffinePart:
    """The affine transform that comes nearest to a placement.

    Attributes
    ----------
    matrix : (3, 3) float64
        Its last row is 0, 0, 1.
    deviation : float
        How far it is from the placement at most, in pixels of the reference.
    """

    matrix: Matrix
    deviation: float


def is_still(matrix: Matrix) -> bool:
    """Whether a frame lies where it is anyway."""
    return bool(np.array_equal(matrix, np.eye(3)))


def place_points(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """Take (N, 2) points x, y through a (3, 3) matrix.

    Examples
    --------
    >>> place_points(np.array([[1.0, 2.0]]), np.diag([2.0, 2.0, 1.0]))
    array([[2., 4.]])
    """
    placed = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(placed[:, :2] / placed[:, 2:])


def corners(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the centres of the four corner pixels of (H, W, ...): (4, 2) of x, y."""
    bottom, right = shape[0] - 1.0, shape[1] - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])


def place_image(
    image: NDArray[Any], matrix: Matrix, fill: float = 0.0, *, smooth: bool = True
) -> NDArray[Any]:
    """Resample a picture to where it lies on the reference.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of bool, uint8, uint16 or float32
    matrix : (3, 3) float64
        As that of a :class:`Placement`.
    fill : float
        For what comes in from outside.
    smooth : bool
        Interpolate between pixels; False takes the nearest one, as masks need.

    Returns
    -------
    array of the same shape and type
        `image` itself where nothing moves.
    """
    if is_still(matrix):
        return image
    samples = image.view(np.uint8) if image.dtype == np.bool_ else np.ascontiguousarray(image)
    warped = cv2.warpPerspective(
        samples,
        matrix,
        samples.shape[1::-1],
        flags=cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(fill,) * 4,
    )
    return warped.astype(np.bool_) if image.dtype == np.bool_ else np.asarray(warped)


def valid_regions(
    shape: tuple[int, ...], placements: Sequence[Placement]
) -> tuple[NDArray[np.bool_], ...]:
    """Find for each frame the pixels that all frames of its bracket show.

    A mask says which pixels of a frame are to be used together with the others, so that one
    beyond what all of them show cannot be used, however well it is exposed. A mask is of the
    pixels of its own frame's file: the region that all have in common on the reference is
    therefore given in the pixels of each frame. A frame of which nobody knows where it lies
    (``reliable`` is False) takes nothing from the region of the others.

    Parameters
    ----------
    shape : tuple of int
        (H, W) or (H, W, C) of the frames.
    placements : sequence of Placement
        One per frame.

    Returns
    -------
    tuple of (H, W) bool
        A pixel is in it if its centre, taken to each frame, lies within the centres of that
        frame's outermost pixels, which are within themselves.

    Examples
    --------
    >>> from bracketseg.brackets.alignment import Shift
    >>> for region in valid_regions((1, 4), [Shift(), Shift(dx=1)]):
    ...     print(region)
    [[False  True  True  True]]
    [[ True  True  True False]]
    """
    known = [placement.matrix for placement in placements if placement.reliable]
    found: dict[bytes, NDArray[np.bool_]] = {}
    for placement in placements:
        key = placement.matrix.tobytes()
        if key not in found:
            found[key] = _seen_by_all(shape, placement.matrix, known)
    return tuple(found[placement.matrix.tobytes()] for placement in placements)


def common_region(shape: tuple[int, ...], placements: Sequence[Placement]) -> NDArray[np.bool_]:
    """Find the pixels of the reference that all frames show: (H, W) bool."""
    known = [placement.matrix for placement in placements if placement.reliable]
    return _seen_by_all(shape, np.eye(3), known)


def seen_by_all(
    images: Mapping[_Name, NDArray[Any]], placements: Mapping[_Name, Placement]
) -> dict[_Name, NDArray[Any]]:
    """Lay pictures on each other and keep the pixels that all of them show.

    Parameters
    ----------
    images : mapping of name to (H, W) or (H, W, C) array
        All of one height and width.
    placements : mapping of name to Placement
        Where each of them lies, and perhaps others of the same bracket.

    Returns
    -------
    dict of name to (1, N) or (1, N, C) array
        Pixels at one place in all of them show the same; (H, W) of old is gone. The pictures as
        they are where nothing moves.

    Examples
    --------
    >>> from bracketseg.brackets.alignment import Shift
    >>> row = np.arange(4, dtype=np.uint8)[None]
    >>> found = seen_by_all({"a": row, "b": row}, {"a": Shift(), "b": Shift(dx=1)})
    >>> found["a"].tolist(), found["b"].tolist()
    ([[1, 2, 3]], [[0, 1, 2]])
    """
    if all(is_still(placement.matrix) for placement in placements.values()):
        return dict(images)
    shape = next(iter(images.values())).shape
    region = common_region(shape, list(placements.values()))
    return {
        name: place_image(image, placements[name].matrix)[region][None]
        for name, image in images.items()
    }


def affine_part(placement: Placement, shape: tuple[int, ...]) -> AffinePart:
    """Find the affine transform nearest to a placement, as a layer of napari can be moved.

    Nearest by the squares of the distances, over a grid of points of the frame.

    Parameters
    ----------
    placement : Placement
    shape : tuple of int
        (H, W) or (H, W, C) of the frame.
    """
    bottom, right = (np.linspace(0, length - 1, 9) for length in shape[:2])
    grid = np.stack(np.meshgrid(right, bottom), axis=-1).reshape(-1, 2)
    wanted = place_points(grid, placement.matrix)
    found = np.linalg.lstsq(np.column_stack([grid, np.ones(len(grid))]), wanted, rcond=None)[0]
    matrix = np.vstack([found.T, [0.0, 0.0, 1.0]])
    distance = np.linalg.norm(place_points(grid, matrix) - wanted, axis=1)
    return AffinePart(matrix=matrix, deviation=float(distance.max()))


def _seen_by_all(
    shape: tuple[int, ...], matrix: Matrix, others: Sequence[Matrix]
) -> NDArray[np.bool_]:
    height, width = shape[:2]
    rows = np.arange(height, dtype=np.float64)
    first, last = np.zeros(height), np.full(height, width - 1.0)
    for other in others:
        x, y, w = np.linalg.inv(other) @ matrix
        # What a frame shows is convex: of each row it is one piece, from column to column.
        for edge in (x, y, (width - 1) * w - x, (height - 1) * w - y):
            by_column, at_zero = edge[0], edge[1] * rows + edge[2] + _ROUNDING
            if by_column > 0:
                first = np.maximum(first, -at_zero / by_column)
            elif by_column < 0:
                last = np.minimum(last, -at_zero / by_column)
            else:
                last = np.where(at_zero >= 0, last, -1)
    columns = np.arange(width)
    return np.asarray((columns >= first[:, np.newaxis]) & (columns <= last[:, np.newaxis]))
