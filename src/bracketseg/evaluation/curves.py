"""What becomes of a prediction when its threshold is moved: the ROC curve, and Dice."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import LabelingError
from bracketseg.evaluation.ranking import Ranking

_ENDS = 2.0 ** -np.arange(10, 17)

THRESHOLDS: NDArray[np.float64] = np.unique(
    np.concatenate([np.arange(1001) / 1000, _ENDS, 1 - _ENDS])
)
"""Where the curves are known, (T,) float64, ascending from 0 to 1: steps of 0.001, and finer
ones towards both ends, where a network that is sure of itself has most of its pixels."""

_CANDIDATES = np.arange(1, 100) / 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """The curves of one probability, or their means over scenes.

    Attributes
    ----------
    dice : (T,) float64
        Dice index (eq. 5) of ``probability >= threshold`` at each of `THRESHOLDS`.
    sensitivity, false_positive_rate : (T,) float64 or None
        The ROC curve, from (1, 1) at threshold 0 downwards; None where the reference has
        one class only.
    area : float or None
        Exact area under the ROC curve; a mean over scenes is the mean of their areas.
    """

    dice: NDArray[np.float64]
    sensitivity: NDArray[np.float64] | None
    false_positive_rate: NDArray[np.float64] | None
    area: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BestThreshold:
    """The threshold at which the (mean) Dice index is highest.

    Attributes
    ----------
    threshold : float
        One of 0.01, 0.02, ..., 0.99; of several alike the one nearest to 0.5, then the lower.
    dice : float
    """

    threshold: float
    dice: float


def curves(reference: NDArray[np.bool_], probability: NDArray[np.generic]) -> Curves:
    """Follow a prediction over all thresholds.

    Parameters
    ----------
    reference : (H, W) bool
    probability : (H, W) uint16 or float
        Within 0..1; uint16 stands for ``p / 65535``.

    Raises
    ------
    LabelingError
        If the shapes differ, or a probability lies outside 0..1.

    Examples
    --------
    >>> found = curves(np.array([[True, False]]), np.array([[0.75, 0.25]], np.float32))
    >>> dice_at(found, 0.75), found.area
    (1.0, 1.0)
    """
    if probability.dtype != np.uint16 and probability.size:
        lowest, highest = float(probability.min()), float(probability.max())
        if not (lowest >= 0 and highest <= 1):
            raise LabelingError(
                f"probabilities have to lie within 0..1, but these run from {lowest:g} to "
                f"{highest:g}. Predict this scene again."
            )
    ranking = Ranking(reference, probability)
    tp, fp = ranking.at_least(THRESHOLDS)
    total = tp + fp + ranking.positives
    # Both masks empty: 1, as everywhere.
    dice = np.divide(2 * tp, total, out=np.ones(tp.shape), where=total > 0)
    area = ranking.area()
    return Curves(
        dice=dice,
        sensitivity=None if area is None else tp / ranking.positives,
        false_positive_rate=None if area is None else fp / ranking.negatives,
        area=area,
    )


def mean_curves(found: Sequence[Curves]) -> Curves:
    """Average curves over scenes, threshold by threshold, each scene counting the same.

    The mean ROC curve and area are over the scenes that have one.

    Parameters
    ----------
    found : sequence of Curves
        At least one.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognit. Lett. 27 (2006)
    861-874, DOI 10.1016/j.patrec.2005.10.010; sec. 9.2, threshold averaging.
    """
    areas = [curve.area for curve in found if curve.area is not None]
    return Curves(
        dice=np.mean([curve.dice for curve in found], axis=0),
        sensitivity=_mean([curve.sensitivity for curve in found]),
        false_positive_rate=_mean([curve.false_positive_rate for curve in found]),
        area=fmean(areas) if areas else None,
    )


def best_threshold(found: Curves) -> BestThreshold:
    """Find the threshold with the highest Dice index.

    Parameters
    ----------
    found : Curves
        Of a scene; or the mean over several, for the best mean of their Dice indices.
    """
    dice = found.dice[np.searchsorted(THRESHOLDS, _CANDIDATES)]
    alike = _CANDIDATES[dice == dice.max()]
    best = float(alike[np.argmin(np.abs(alike - 0.5))])
    return BestThreshold(threshold=best, dice=float(dice.max()))


def dice_at(found: Curves, threshold: float) -> float:
    """Give the Dice index at a threshold, or at the nearest one that is known."""
    return float(found.dice[np.argmin(np.abs(THRESHOLDS - threshold))])


def _mean(lines: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    there = [line for line in lines if line is not None]
    return np.asarray(np.mean(there, axis=0)) if there else None
