"""Whether one loss does better than another, as far as the scenes can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean, median

LEVEL = 0.05
"""A difference counts where the corrected p is below it; equality does not."""

FEWEST = 6
"""With fewer scenes that differ, no two-sided signed-rank test can come below the level:
five that all point one way have p = 2 / 2**5 = 0.0625."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Two losses on the same scenes.

    Attributes
    ----------
    first, second : str
    scenes : int
        Scenes that both were measured on.
    differing : int
        Those of them on which the two differ; the test is about these.
    mean_difference, median_difference : float
        First minus second, over all scenes.
    ahead : str or None
        The one with the larger sum of ranks, significant or not; None where they are equal or
        too few scenes differ.
    p : float or None
        Two-sided; None where too few scenes differ.
    p_holm : float or None
        Corrected for the number of pairs.
    better : str or None
        The one that does better as a whole; None where the test supports neither.
    """

    first: str
    second: str
    scenes: int
    differing: int
    mean_difference: float
    median_difference: float
    ahead: str | None
    p: float | None
    p_holm: float | None = None
    better: str | None = None

    @property
    def too_few(self) -> bool:
        """Whether so few scenes differ that the test can support nothing."""
        return self.p is None


def paired_tests(values: Mapping[str, Mapping[str, float]]) -> tuple[PairedTest, ...]:
    """Hold each against each other by the Wilcoxon signed-rank test, corrected by Holm.

    Scenes without a difference are left out, as Wilcoxon does. Of up to 50 that differ and
    are not tied the p is exact; else it is that of the normal approximation or, of few, of
    all permutations.

    Parameters
    ----------
    values : mapping of str to mapping of str to float
        Loss to scene to Dice, say. Of each two the scenes that both have are compared.

    Returns
    -------
    tuple of PairedTest
        In the order of the names.

    References
    ----------
    F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bull. 1 (1945)
    80-83, DOI 10.2307/3001968.
    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Stat. 6
    (1979) 65-70, https://www.jstor.org/stable/4615733.
    """
    tests = []
    for first, second in combinations(values, 2):
        common = [scene for scene in values[first] if scene in values[second]]
        if common:
            differences = [values[first][scene] - values[second][scene] for scene in common]
            tests.append(_test(first, second, differences))
    # A pair of which too few scenes differ counts, too: how many are compared is not for the
    # figures to decide.
    corrected = holm([1.0 if test.p is None else test.p for test in tests])
    return tuple(
        test if test.p is None else _judged(test, p_holm)
        for test, p_holm in zip(tests, corrected, strict=True)
    )


def holm(p_values: list[float]) -> list[float]:
    """Correct p-values for their number, step by step from the smallest.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - place)))
        corrected[index] = largest
    return corrected


def _test(first: str, second: str, differences: list[float]) -> PairedTest:
    nonzero = [value for value in differences if value]
    p, ahead = None, 0.0
    if len(nonzero) >= FEWEST:
        # Takes half a second to import, and most uses of this package never ask for it.
        from scipy.stats import rankdata, wilcoxon

        p = float(wilcoxon(nonzero).pvalue)
        ranks = rankdata([abs(value) for value in nonzero])
        ahead = sum(r if value > 0 else -r for r, value in zip(ranks, nonzero, strict=True))
    return PairedTest(
        first=first,
        second=second,
        scenes=len(differences),
        differing=len(nonzero),
        mean_difference=fmean(differences),
        median_difference=median(differences),
        ahead=first if ahead > 0 else second if ahead < 0 else None,
        p=p,
    )


def _judged(test: PairedTest, p_holm: float) -> PairedTest:
    return replace(test, p_holm=p_holm, better=test.ahead if p_holm < LEVEL else None)
