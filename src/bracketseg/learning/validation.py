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
from bracketseg.learning.process_group import ALONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from bracketseg.learning.device_data import DeviceData
    from bracketseg.learning.optimization import Optimization
    from bracketseg.learning.process_group import ProcessGroup

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
    data: DeviceData,
    rows: NDArray[np.intp],
    should_stop: Callable[[], bool],
    *,
    with_roc: bool = False,
    group: ProcessGroup = ALONE,
) -> Validation | None:
    """Look at each validation image once.

    Parameters
    ----------
    optimization
        The network.
    data, rows
        The images to look at.
    should_stop
        Asked before each batch.
    with_roc
        Whether the area under the ROC curve is measured as well, which takes longer.
    group
        The processes that share each batch; all of them get the whole result.

    Returns
    -------
    Validation or None
        None if it was stopped.
    """
    batch_size = optimization.config.batch_size
    seen: list[_Seen] = []
    for start in range(0, len(rows), batch_size):
        if should_stop():
            return None
        batch = rows[start : start + batch_size]
        own = group.part(len(batch))
        found = _look(optimization, data, batch[own], start + own.start, with_roc=with_roc)
        for part in group.gather(found):
            seen += part
    return Validation(
        loss=sum(scene.loss for scene in seen) / len(rows),
        scenes=tuple(scene.metrics for scene in seen),
        examples=tuple(scene.example for scene in seen if scene.example is not None),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """One image: its share of the loss, its metrics, and what to show of it."""

    loss: float
    metrics: Metrics
    example: NDArray[np.float32] | None


def _look(
    optimization: Optimization,
    data: DeviceData,
    rows: NDArray[np.intp],
    first: int,
    *,
    with_roc: bool,
) -> list[_Seen]:
    """Look at one batch, which begins at image number `first` of the validation."""
    if not len(rows):
        return []
    masks = data.dataset.masks[rows]
    probabilities, loss = optimization.look(data.batch(rows))
    seen = []
    for number, (mask, probability) in enumerate(zip(masks, probabilities, strict=True), first):
        area = None
        if with_roc:
            # 16 bits are what a stored probability has, and are ranked without sorting.
            area = roc_auc(mask, np.rint(probability * 65535.0).astype(np.uint16))
        metrics = measure(confusion(mask, probability >= THRESHOLD), area)
        example = thinned(probability).copy() if number < EXAMPLES else None
        seen.append(_Seen(loss, metrics, example))
    return seen


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
