"""Several annotators' ranges made into one (sec. 2.1)."""

from collections.abc import Sequence
from statistics import fmean

from bracketseg.errors import LabelingError
from bracketseg.labeling.ranges import ManualRange


def average_ranges(ranges: Sequence[ManualRange]) -> ManualRange:
    """Average ranges bound by bound.

    Over the annotators of one image this is the image's consensus; over the
    consensus ranges of all images it is the range of the whole set.

    Parameters
    ----------
    ranges : sequence of ManualRange
        At least one.

    Returns
    -------
    ManualRange
        Mean of ``lo`` and mean of ``hi``, not rounded.

    Raises
    ------
    LabelingError
        If there is nothing to average.

    Examples
    --------
    >>> average_ranges([ManualRange(lo=100, hi=255), ManualRange(lo=141, hi=255)]).lo
    120.5
    """
    if not ranges:
        raise LabelingError("no ranges to average: label at least one image by a manual range")
    return ManualRange(lo=fmean(r.lo for r in ranges), hi=fmean(r.hi for r in ranges))
