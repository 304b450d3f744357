"""The paper's metrics (eqs. 5-9), each from the four counts, and the area under the ROC curve.

One policy for empty masks: a ratio whose denominator is empty is 1, since nothing that was
asked for was missed. So where prediction and reference are both empty, Dice and Jaccard are 1;
where the reference has no foreground, sensitivity is 1; where it has no background,
specificity is 1.
"""

from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.ranking import Ranking

METRIC_NAMES = ("dice", "jaccard", "sensitivity", "specificity", "auc_eq9")
"""The five metrics of Tables 1 and 2, in their order; AVG is their mean."""


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else 1.0


def dice(counts: Confusion) -> float:
    """Dice index, eq. 5: ``2 TP / (2 TP + FP + FN)``, 0..1; 1 where both masks are empty."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def jaccard(counts: Confusion) -> float:
    """Jaccard index, eq. 6: ``TP / (TP + FP + FN)``, 0..1; 1 where both masks are empty."""
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn)


def sensitivity(counts: Confusion) -> float:
    """Sensitivity, eq. 7: ``TP / (TP + FN)``, 0..1; 1 where the reference is empty."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def specificity(counts: Confusion) -> float:
    """Specificity, eq. 8: ``TN / (TN + FP)``, 0..1; 1 where the reference is full."""
    return _ratio(counts.tn, counts.tn + counts.fp)


def auc_eq9(counts: Confusion) -> float:
    """AUC as the paper writes it, eq. 9: ``1 - (FP / (FP + TN) + FN / (FN + TP)) / 2``.

    It is the mean of sensitivity and specificity (balanced accuracy), 0..1, and not the
    area under the ROC curve, which is :func:`roc_auc`.
    """
    return (sensitivity(counts) + specificity(counts)) / 2


def roc_auc(reference: NDArray[np.bool_], probability: NDArray[np.generic]) -> float | None:
    """Area under the ROC curve: the chance that a foreground pixel outranks a background one.

    Parameters
    ----------
    reference : (H, W) bool
    probability : (H, W) uint16 or float
        Any scale will do, since only the order counts; ties count half.

    Returns
    -------
    float or None
        0..1; None where the reference has one class only and there is nothing to rank.

    Raises
    ------
    LabelingError
        If the shapes differ, or a probability is no number.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognit. Lett. 27 (2006)
    861-874, DOI 10.1016/j.patrec.2005.10.010.
    """
    return Ranking(reference, probability).area()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All metrics of one mask pair, or their means over scenes; each 0..1.

    Attributes
    ----------
    dice, jaccard, sensitivity, specificity, auc_eq9 : float
        Eqs. 5-9.
    roc_auc : float or None
        None without probabilities, or where the reference has one class only.
    reference_foreground, prediction_foreground : float
        The parts of the frame that the two masks cover.
    """

    dice: float
    jaccard: float
    sensitivity: float
    specificity: float
    auc_eq9: float
    roc_auc: float | None
    reference_foreground: float
    prediction_foreground: float

    @property
    def avg(self) -> float:
        """AVG of the paper: the mean of the five metrics of its tables."""
        return fmean(getattr(self, name) for name in METRIC_NAMES)


def measure(counts: Confusion, area: float | None = None) -> Metrics:
    """All metrics of one mask pair.

    Parameters
    ----------
    counts : Confusion
    area : float, optional
        The area under the ROC curve, where probabilities are there.
    """
    return Metrics(
        dice=dice(counts),
        jaccard=jaccard(counts),
        sensitivity=sensitivity(counts),
        specificity=specificity(counts),
        auc_eq9=auc_eq9(counts),
        roc_auc=area,
        reference_foreground=(counts.tp + counts.fn) / counts.total,
        prediction_foreground=(counts.tp + counts.fp) / counts.total,
    )
