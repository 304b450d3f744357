"""How well a network does on the scenes that were kept back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.folders import mean_metrics
from bracketseg.evaluation.metrics import Metrics, measure, roc_auc
from bracketseg.evaluation.tables import metrics_dict
from bracketseg.learning.examples import EXAMPLES, thinned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from bracketseg.learning.dataset import Dataset
    from bracketseg.learning.optimization import Optimization

THRESHOLD = 0.5
"""Probabilities at or above it are foreground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The result on the validation scenes, at the training size.

    Attributes
    ----------
    loss
        Mean over the images.
    scenes
        The metrics of each scene, in the order of the rows.
    examples
        The probabilities of the first scenes, as :mod:`bracketseg.learning.examples` shows them.
    """

    loss: float
    scenes: tuple[Metrics, ...]
    examples: tuple[NDArray[np.float32], ...]

    @property
    def mean(self) -> Metrics:
        """The mean over the scenes of each metric."""
        return mean_metrics(self.scenes)


def validate(
    optimization: Optimization,
    dataset: Dataset,
    rows: NDArray[np.intp],
    should_stop: Callable[[], bool],
    *,
    with_roc: bool = False,
) -> Validation | None:
    """Look at each validation image once.

    Parameters
    ----------
    optimization
        The network.
    dataset, rows
        The images to look at.
    should_stop
        Asked before each batch.
    with_roc
        Whether the area under the ROC curve is measured as well, which takes longer.

    Returns
    -------
    Validation or None
        None if it was stopped.
    """
    batch_size = optimization.config.batch_size
    losses, metrics = [], []
    examples: list[NDArray[np.float32]] = []
    for start in range(0, len(rows), batch_size):
        if should_stop():
            return None
        batch = rows[start : start + batch_size]
        masks = dataset.masks[batch]
        probabilities, loss = optimization.look(dataset.images[batch], masks)
        losses.append(loss * len(batch))
        for mask, probability in zip(masks, probabilities, strict=True):
            if len(examples) < EXAMPLES:
                examples.append(thinned(probability).copy())
            area = None
            if with_roc:
                # 16 bits are what a stored probability has, and are ranked without sorting.
                area = roc_auc(mask, np.rint(probability * 65535.0).astype(np.uint16))
            metrics.append(measure(confusion(mask, probability >= THRESHOLD), area))
    return Validation(loss=sum(losses) / len(rows), scenes=tuple(metrics), examples=tuple(examples))


def constant_metrics(masks: NDArray[np.bool_]) -> dict[str, Metrics]:
    """Return the means that a mask of everything and a mask of nothing reach.

    Parameters
    ----------
    masks : (N, S, S) bool
        The ground truth.
    """
    constant = {"all": np.ones_like(masks[0]), "none": np.zeros_like(masks[0])}
    return {
        name: mean_metrics([measure(confusion(mask, guess)) for mask in masks])
        for name, guess in constant.items()
    }


def report(
    validation: Validation, scenes: Sequence[str], masks: NDArray[np.bool_], best_epoch: int
) -> dict[str, Any]:
    """Return what ``metrics.json`` holds.

    Parameters
    ----------
    validation
        Of the best weights.
    scenes
        Names of the validation scenes.
    masks : (N, S, S) bool
        Their ground truth.
    best_epoch
        From 1.
    """
    pairs = zip(scenes, validation.scenes, strict=True)
    return {
        "best_epoch": best_epoch,
        "loss": validation.loss,
        "mean": metrics_dict(validation.mean),
        "constant": {name: metrics_dict(m) for name, m in constant_metrics(masks).items()},
        "scenes": [{"scene": scene, **metrics_dict(metrics)} for scene, metrics in pairs],
    }
