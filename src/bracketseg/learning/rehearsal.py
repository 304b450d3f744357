"""How long a training will take on this machine, found by trying."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING

from bracketseg.learning.batches import Draw, generator_for
from bracketseg.learning.process_group import ALONE
from bracketseg.learning.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from bracketseg.learning.device_data import DeviceData
    from bracketseg.learning.optimization import Optimization
    from bracketseg.learning.process_group import ProcessGroup

IMAGES = 8
"""A step of a larger batch is rehearsed with so many images in each process."""

WORTH_IT = 50
"""Steps from which on a training is so long that a few more do not matter."""


def rehearse(
    optimization: Optimization,
    data: DeviceData,
    rows: NDArray[np.intp],
    validation_rows: NDArray[np.intp],
    epochs: int,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    save: Callable[[], None] = lambda: None,
    group: ProcessGroup = ALONE,
) -> float | None:
    """Estimate how long a training takes; nothing is learned by it.

    Parameters
    ----------
    optimization
        What will do the steps.
    data, rows, validation_rows
        What it will learn from, and be looked at with.
    epochs
        That are to come.
    should_stop
        Asked before each step and each batch; true ends the rehearsal.
    save
        Writes as much as is written after an epoch.
    group
        The processes that share each batch; all of them rehearse.

    Returns
    -------
    float or None
        Seconds; None where it has so few steps that it is not worth while, or was stopped.

    Notes
    -----
    The first of each kind also makes the code that the others use, so a second is timed. The
    gradients of a step, and a look at the images that are kept back, count by the image; what
    the optimiser does with the gradients counts by the step, and what is written by the epoch.
    """
    config = optimization.config
    steps = math.ceil(len(rows) / config.batch_size)
    if epochs * steps < WORTH_IT:
        return None
    images = min(IMAGES * group.size, config.batch_size, len(rows))
    own = group.part(images)
    shown = data.batch(rows[:images][own])
    if config.augment:
        shown = shown.turned(generator_for(Draw.AUGMENT, config.seed, 0, 0), first=own.start)
    gradients = 0.0
    for _ in range(2):
        if should_stop():
            return None
        gradients = optimization.rehearse(shown, total=images)
    learning = optimization.rehearse_learning()
    looked_at = validation_rows[:images]
    look = 0.0
    for _ in range(2):
        began = perf_counter()
        if validate(optimization, data, looked_at, should_stop, group=group) is None:
            return None
        look = perf_counter() - began
    began = perf_counter()
    save()
    saving = perf_counter() - began
    epoch = gradients * len(rows) / images + learning * steps + saving
    # At the end the best weights are looked at once more.
    return epochs * epoch + (epochs + 1) * look * len(validation_rows) / len(looked_at)
