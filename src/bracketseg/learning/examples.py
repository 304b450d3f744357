"""Which validation scenes a person sees while a network learns, when, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bracketseg.learning.events import ExamplesSeen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXAMPLES = 4
"""The most scenes that are shown."""

SIDE = 512
"""The largest side of what is shown, pixels."""

TIMES = 20
"""How often they are shown, beside the last epoch."""

_ScalarT = TypeVar("_ScalarT", bound=np.generic)


def are_due(epoch: int, epochs: int) -> bool:
    """Say whether the examples are shown after an epoch.

    They are so after the first epoch of each of `TIMES` equal parts and after the last of all;
    in a training of no more epochs than that, after each.

    Examples
    --------
    >>> [epoch for epoch in range(1, 201) if are_due(epoch, 200)][:3]
    [1, 11, 21]
    """
    part, before = ((past * TIMES) // epochs for past in (epoch - 1, epoch - 2))
    return part != before or epoch == epochs


def thinned(picture: NDArray[_ScalarT]) -> NDArray[_ScalarT]:
    """Return a view of (H, W, ...) that leaves pixels out until both sides are at most `SIDE`."""
    step = -(-max(picture.shape[:2]) // SIDE)
    return picture[::step, ::step]


def seen(
    epoch: int,
    scenes: Sequence[str],
    images: NDArray[np.uint8],
    masks: NDArray[np.bool_],
    probabilities: Sequence[NDArray[np.float32]],
) -> ExamplesSeen:
    """Put together what is shown after an epoch.

    Parameters
    ----------
    epoch
        From 1.
    scenes
        Names of the validation scenes.
    images : (N, S, S, 3) uint8
    masks : (N, S, S) bool
        Of the first of these scenes, at the training size.
    probabilities
        Of the same, thinned already, 0..1.
    """
    return ExamplesSeen(
        epoch=epoch,
        scenes=tuple(scenes[: len(images)]),
        images=np.stack([thinned(image) for image in images]),
        masks=np.stack([thinned(mask) for mask in masks]),
        probabilities=np.rint(np.stack(probabilities) * 255.0).astype(np.uint8),
    )
