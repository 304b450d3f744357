"""Where the frames of a hand-held bracket lie on each other, turned and tilted as well."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.alignment import Shift, pair_shift, sum_shifts
from bracketseg.brackets.placement import Matrix, corners, place_points

MAX_SIDE = 1600
"""The longer side, in pixels, at which features are looked for."""

MAX_FEATURES = 4000

RATIO = 0.8
"""How much nearer than the second-best the best match of a feature has to be."""

INLIER_DISTANCE = 1.5
"""Pixels, at the size at which features are looked for, that a match may be off at most."""

MARGIN = 1.1
"""By how much more the squares of the distances of a simpler motion may add up to."""

MIN_INLIERS = 25
"""Matches that have to agree on a homography."""

MIN_SPREAD = 0.1
"""The share of the frame that these matches have to span."""

MAX_MOVE = 0.25
"""How far a corner may move, in diagonals of the frame."""

MAX_STRETCH = 1.25
"""By how much the area around a corner may grow or shrink."""

STILL = 0.5
"""Pixels below which a frame is not moved: on a tripod that is what noise makes."""

CLIPPED = (8, 247)
"""Luma below and above which a frame shows nothing to hold on to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Homography:
    """How a frame is to be moved, turned and tilted so that it lies on the reference.

    Attributes
    ----------
    rows : tuple of three tuples of three float
        The matrix; see :class:`~bracketseg.brackets.placement.Placement`.
    reliable : bool
        False where the frames show too little in common to tell; it then stays.
    inliers : int
        Matches of features that agree on it, the fewest along the way to the reference.
    """

    rows: tuple[tuple[float, float, float], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    reliable: bool = True
    inliers: int = 0
    note: str = field(default="", compare=False)

    @property
    def matrix(self) -> Matrix:
        """(3, 3) float64 that takes (x, y, 1) of the frame to the reference."""
        return np.array(self.rows, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Step:
    """From one frame to its neighbour."""

    matrix: Matrix
    inliers: int
    why_not: str = ""


def homographies(
    lumas: Sequence[NDArray[np.uint8]], *, reference: int
) -> tuple[Homography | Shift, ...]:
    """Find where the frames of a bracket lie by matching their features.

    Features (SIFT) of each frame are matched with those of its neighbour in exposure, which
    shows most of the same. Before, each is equalized locally (CLAHE), so that one exposure
    looks much like another. What most matches agree on (RANSAC, which draws the same each time)
    is the homography, or a simpler motion, from none over a shift to an affine transform, where
    that explains the matches nearly as well. Those between neighbours are multiplied towards
    the reference. To refine them on the pixels (ECC) was tried and makes them worse: the edges
    of clipped areas move with the exposure.

    Where no homography is found, because too few matches agree, they lie all in one place,
    or what they agree on cannot come from a hand, the frame is moved by whole pixels as
    :func:`~bracketseg.brackets.alignment.mtb_shifts` finds them, and `note` says so.

    Parameters
    ----------
    lumas : sequence of (H, W) uint8
        From dark to bright, of one size.
    reference : int
        Index of the frame that stays.

    Returns
    -------
    tuple of Homography or Shift
        One per frame; that of the reference is the identity, and so is one whose corners
        would move by less than half a pixel.

    References
    ----------
    D. G. Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", Int. J. Computer
    Vision 60 (2004) 91-110, DOI 10.1023/B:VISI.0000029664.99615.94.
    K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV (1994)
    474-485, DOI 10.1016/B978-0-12-336156-1.50061-6.
    M. A. Fischler, R. C. Bolles, "Random Sample Consensus", Comm. ACM 24 (1981) 381-395,
    DOI 10.1145/358669.358692.
    P. H. S. Torr, "An Assessment of Information Criteria for Motion Model Selection", CVPR 1997,
    DOI 10.1109/CVPR.1997.609296, for choosing among motions.
    """
    features = [_Features.of(values) for values in lumas]
    found: dict[int, Homography | Shift] = {reference: Homography()}
    for order in (range(reference + 1, len(lumas)), range(reference - 1, -1, -1)):
        before = reference
        for index in order:
            step = _step(features[before], features[index], lumas[index].shape)
            found[index] = _onwards(found[before], step, lumas[before], lumas[index])
            before = index
    return tuple(_settled(found[index], lumas[index].shape) for index in range(len(lumas)))


def _onwards(
    before: Homography | Shift,
    step: _Step,
    still: NDArray[np.uint8],
    moving: NDArray[np.uint8],
) -> Homography | Shift:
    if not step.why_not:
        inliers = step.inliers
        if isinstance(before, Homography) and before.inliers:
            inliers = min(inliers, before.inliers)
        return _homography(
            before.matrix @ step.matrix,
            inliers=inliers,
            reliable=before.reliable,
            note=before.note,
        )
    shift = pair_shift(still, moving)
    if isinstance(before, Shift) or np.array_equal(before.matrix, np.eye(3)):
        by = before if isinstance(before, Shift) else Shift(reliable=before.reliable)
        total = sum_shifts(by, shift)
        return Shift(dx=total.dx, dy=total.dy, reliable=total.reliable, note=step.why_not)
    return _homography(
        before.matrix @ shift.matrix,
        reliable=before.reliable and shift.reliable,
        note=step.why_not,
    )


def _settled(found: Homography | Shift, shape: tuple[int, ...]) -> Homography | Shift:
    if isinstance(found, Homography) and found.reliable:
        ends = corners(shape)
        moves = np.linalg.norm(place_points(ends, found.matrix) - ends, axis=1)
        if moves.max() < STILL:
            return Homography(inliers=found.inliers, note=found.note)
    return found


def _homography(matrix: Matrix, *, reliable: bool, note: str, inliers: int = 0) -> Homography:
    first, second, third = (tuple(map(float, row)) for row in matrix / matrix[2, 2])
    rows = (first, second, third)
    return Homography(rows=rows, reliable=reliable, inliers=inliers, note=note)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Features:
    points: NDArray[np.float64]
    descriptors: NDArray[np.float32]
    scale: float

    @classmethod
    def of(cls, values: NDArray[np.uint8]) -> "_Features":
        scale = min(1.0, MAX_SIDE / max(values.shape))
        small = _resized(values, scale)
        known = ((small >= CLIPPED[0]) & (small <= CLIPPED[1])).view(np.uint8)
        detector = cv2.SIFT.create(nfeatures=MAX_FEATURES, contrastThreshold=0.02)
        keypoints, descriptors = detector.detectAndCompute(_equalized(small), known)
        if not keypoints:
            return cls(np.empty((0, 2)), np.empty((0, 128), np.float32), scale)
        points = np.array([keypoint.pt for keypoint in keypoints], dtype=np.float64)
        return cls(points, descriptors.astype(np.float32), scale)


def _step(one: _Features, other: _Features, shape: tuple[int, ...]) -> _Step:
    """Find the homography that takes the frame of `other` to that of `one`."""
    to, start = _matches(one, other)
    if len(to) < MIN_INLIERS:
        return _Step(np.eye(3), 0, f"only {len(to)} features match")
    found = _simplest(to, start)
    agree = _distances(found, to, start) < INLIER_DISTANCE
    inliers = int(agree.sum())
    if inliers < MIN_INLIERS:
        return _Step(np.eye(3), inliers, f"only {inliers} of {len(to)} matches agree")
    hull = cv2.convexHull(to[agree].astype(np.float32))
    if cv2.contourArea(hull) < MIN_SPREAD * shape[0] * shape[1] * one.scale**2:
        return _Step(np.eye(3), inliers, "all features that match lie in one place")
    matrix = _rescaled(found, 1 / one.scale)
    if not _plausible(matrix, shape):
        return _Step(np.eye(3), inliers, "the features that match contradict each other")
    return _Step(matrix, inliers)


def _simplest(to: NDArray[np.float64], start: NDArray[np.float64]) -> Matrix:
    """Choose the simplest motion that explains the matches nearly as well as any.

    A homography bends to what noise and leaves in the wind say far from where the matches are.
    """
    shift = np.eye(3)
    shift[:2, 2] = np.median(to - start, axis=0)
    found = [np.eye(3), shift]
    for estimate in (cv2.estimateAffinePartial2D, cv2.estimateAffine2D):
        flat, _ = estimate(
            start, to, method=cv2.RANSAC, ransacReprojThreshold=INLIER_DISTANCE, maxIters=5000
        )
        if flat is not None:
            found.append(np.vstack([flat, [0.0, 0.0, 1.0]]))
    full, _ = cv2.findHomography(
        start, to, cv2.RANSAC, ransacReprojThreshold=INLIER_DISTANCE, maxIters=5000
    )
    if full is not None:
        found.append(full.astype(np.float64))
    distances = [_distances(matrix, to, start) for matrix in found]
    costs = [
        float(np.minimum(d, INLIER_DISTANCE) @ np.minimum(d, INLIER_DISTANCE)) for d in distances
    ]
    enough = MARGIN * min(costs)
    return next(matrix for matrix, cost in zip(found, costs, strict=True) if cost <= enough)


def _distances(
    matrix: Matrix, to: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(place_points(start, matrix) - to, axis=1))


def _matches(one: _Features, other: _Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pair the features that are each other's best match, and clearly so."""
    none = np.empty((0, 2))
    if min(len(one.points), len(other.points)) < 2:
        return none, none
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    back = {m.queryIdx: m.trainIdx for m in matcher.match(one.descriptors, other.descriptors)}
    pairs = [
        (best.trainIdx, best.queryIdx)
        for best, second in matcher.knnMatch(other.descriptors, one.descriptors, k=2)
        if best.distance < RATIO * second.distance and back[best.trainIdx] == best.queryIdx
    ]
    if not pairs:
        return none, none
    indices = np.array(pairs)
    return one.points[indices[:, 0]], other.points[indices[:, 1]]


def _plausible(matrix: Matrix, shape: tuple[int, ...]) -> bool:
    ends = corners(shape)
    diagonal = float(np.hypot(*ends[2]))
    depth = ends @ matrix[2, :2] + matrix[2, 2]
    if depth.min() <= 0:
        return False
    moved = place_points(ends, matrix)
    if np.linalg.norm(moved - ends, axis=1).max() > MAX_MOVE * diagonal:
        return False
    growth = np.linalg.det(matrix) / depth**3
    return bool(growth.min() > 1 / MAX_STRETCH and growth.max() < MAX_STRETCH)


def _equalized(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8)).apply(values))


def _resized(values: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale == 1:
        return values
    size = tuple(max(1, round(length * scale)) for length in values.shape[::-1])
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def _rescaled(matrix: Matrix, scale: float) -> Matrix:
    """Say the same of pictures that are `scale` times as large."""
    # The centre of the first pixel is at 0, its corner at -1/2.
    grow = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2], [0, 0, 1]])
    found = grow @ matrix @ np.linalg.inv(grow)
    return np.asarray(found / found[2, 2])
