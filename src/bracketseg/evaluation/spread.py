"""Means of several trainings that differ in their seed, and how far they scatter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.tables import COLUMNS, FOREGROUND_COLUMNS

NAMES = (*COLUMNS, *FOREGROUND_COLUMNS)
"""The metrics that are averaged."""

BySeed = Mapping[int, Mapping[str, Metrics]]
"""Seed to scene to metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One metric over scenes and seeds.

    Attributes
    ----------
    mean : float
        The mean over seeds of the means over scenes.
    over_seeds : float or None
        Standard deviation (n - 1) of the means of the seeds: what another start and another
        split of the scenes change. None with one seed.
    over_scenes : float or None
        Standard deviation (n - 1) over scenes, each averaged over its seeds: how much scenes
        differ. None with one scene.
    """

    mean: float
    over_seeds: float | None
    over_scenes: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A row of Table 1 or 2.

    Attributes
    ----------
    values : dict of str to Spread or None
        By the names of `Metrics`; None where no scene has the metric.
    seeds : tuple of int
    scenes : tuple of str
        The scenes of all seeds, each once.
    """

    values: dict[str, Spread | None]
    seeds: tuple[int, ...]
    scenes: tuple[str, ...]

    def mean(self, name: str) -> float | None:
        """Give the mean of a metric."""
        value = self.values[name]
        return None if value is None else value.mean


def summarize(measured: BySeed) -> Summary:
    """Average over scenes and seeds.

    Parameters
    ----------
    measured : mapping of int to mapping of str to Metrics
        For each seed at least one scene. Seeds may have different scenes.

    Examples
    --------
    >>> from bracketseg.evaluation.confusion import Confusion
    >>> from bracketseg.evaluation.metrics import measure
    >>> half = measure(Confusion(tp=1, fp=1, fn=1, tn=1))
    >>> summarize({0: {"a": half}, 1: {"a": half}}).values["dice"]
    Spread(mean=0.5, over_seeds=0.0, over_scenes=None)
    """
    return Summary(
        values={name: _spread(measured, name) for name in NAMES},
        seeds=tuple(measured),
        scenes=tuple(dict.fromkeys(s for scenes in measured.values() for s in scenes)),
    )


def over_seeds(measured: BySeed, name: str) -> dict[str, float]:
    """Average one metric of each scene over the seeds that have it."""
    found: dict[str, list[float]] = {}
    for scenes in measured.values():
        for scene, metrics in scenes.items():
            value = getattr(metrics, name)
            if value is not None:
                found.setdefault(scene, []).append(value)
    return {scene: fmean(values) for scene, values in found.items()}


def deviation(values: Iterable[float]) -> float | None:
    """Give the standard deviation (n - 1); None of fewer than two values."""
    known = list(values)
    return stdev(known) if len(known) > 1 else None


def _spread(measured: BySeed, name: str) -> Spread | None:
    by_seed = [
        [value for metrics in scenes.values() if (value := getattr(metrics, name)) is not None]
        for scenes in measured.values()
    ]
    means = [fmean(values) for values in by_seed if values]
    if not means:
        return None
    return Spread(
        mean=fmean(means),
        over_seeds=deviation(means),
        over_scenes=deviation(over_seeds(measured, name).values()),
    )
