"""What a mask that does not look at the picture would score."""

from dataclasses import dataclass

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import Metrics, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """The two masks that are the same everywhere, held against one reference.

    Attributes
    ----------
    all_foreground, no_foreground : Confusion
    """

    all_foreground: Confusion
    no_foreground: Confusion

    def measured(self) -> tuple[Metrics, Metrics]:
        """Compute the metrics of both, all foreground first.

        A probability that is the same everywhere ranks nothing: its area under the ROC curve
        is one half, and None where the reference has one class only.
        """
        positives, negatives = self.all_foreground.tp, self.all_foreground.fp
        area = 0.5 if positives and negatives else None
        return measure(self.all_foreground, area), measure(self.no_foreground, area)


def baselines(counts: Confusion) -> Baselines:
    """Count what constant masks would score against the reference of some counts.

    Parameters
    ----------
    counts : Confusion
        Of any prediction against that reference: only the reference's share counts.

    Examples
    --------
    >>> baselines(Confusion(tp=3, fp=1, fn=1, tn=5)).all_foreground
    Confusion(tp=4, fp=6, fn=0, tn=0)
    """
    positives, negatives = counts.tp + counts.fn, counts.fp + counts.tn
    return Baselines(
        all_foreground=Confusion(tp=positives, fp=negatives, fn=0, tn=0),
        no_foreground=Confusion(tp=0, fp=0, fn=positives, tn=negatives),
    )
