"""How long a training will take on this machine, found by trying."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING

from bracketseg.learning.batches import Draw, generator_for
from bracketseg.learning.validation import validate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bracketseg.learning.device_data import DeviceData
    from bracketseg.learning.optimization import Optimization

IMAGES = 8
"""A step of a larger batch is rehearsed with so many images."""

WORTH_IT = 50
"""Steps from which on a training is so long that three more do not matter."""


def rehearse(
    optimization: Optimization,
    data: DeviceData,
    rows: NDArray[np.intp],
    validation_rows: NDArray[np.intp],
    epochs: int,
) -> float | None:
    """Estimate how long a training takes; nothing is learned by it.

    Parameters
    ----------
    optimization
        What will do the steps, alone.
    data, rows, validation_rows
        What it will learn from, and be looked at with.
    epochs
        That are to come.

    Returns
    -------
    float or None
        Seconds; None where it has so few steps that it is not worth while.

    Notes
    -----
    A step takes as long as its gradients: what Adam does with them is little beside it. The
    first one also makes the code that the others use, so a second is timed.
    """
    config = optimization.config
    if epochs * math.ceil(len(rows) / config.batch_size) < WORTH_IT:
        return None
    images = min(IMAGES, config.batch_size, len(rows))
    shown = data.batch(rows[:images])
    if config.augment:
        shown = shown.turned(generator_for(Draw.AUGMENT, config.seed, 0, 0))
    optimization.rehearse(shown)
    step = optimization.rehearse(shown)
    looked_at = validation_rows[:images]
    began = perf_counter()
    validate(optimization, data, looked_at, lambda: False)
    look = perf_counter() - began
    epoch = step * len(rows) / images + look * len(validation_rows) / len(looked_at)
    return epochs * epoch
