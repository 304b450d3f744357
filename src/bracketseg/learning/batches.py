"""Batches of images: their order, their random numbers, and how they reach a device."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Draw(IntEnum):
    """What random numbers are for; each use has a sequence of its own."""

    SPLIT = 0
    WEIGHTS = 1
    ORDER = 2
    AUGMENT = 3
    DROPOUT = 4


def seed_for(draw: Draw, seed: int, *position: int) -> int:
    """Return a seed for one use at one place of a training.

    The numbers of each step depend on nothing that went before, so that a training which
    goes on from the middle draws what it would have drawn.

    Parameters
    ----------
    draw
        The use.
    seed
        Of the config.
    position
        Such as epoch and step.

    Returns
    -------
    int
        0 to 2**63 - 1, well mixed.
    """
    state = np.random.SeedSequence((int(draw), seed, *position)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def generator_for(draw: Draw, seed: int, *position: int) -> np.random.Generator:
    """Return a generator with :func:`seed_for`."""
    return np.random.default_rng(seed_for(draw, seed, *position))


def augment(
    batch: Sequence[Tensor], generator: np.random.Generator, *, first: int = 0
) -> tuple[Tensor, ...]:
    """Turn and flip each image and what belongs to it, each of the 8 ways equally likely.

    Parameters
    ----------
    batch : sequence of (N, S, S, ...) tensor
        Images and their masks, say, on any device; the work is done there.
    generator
        Decides the way of each image.
    first
        How many images of the batch come before these, in other processes.

    Returns
    -------
    tuple of tensor
        New ones of the same shapes and types.
    """
    turned = tuple(torch.empty_like(tensor) for tensor in batch)
    ways = generator.integers(8, size=first + len(batch[0]))[first:]
    for way in np.unique(ways):
        index = torch.from_numpy(np.flatnonzero(ways == way)).to(batch[0].device)
        for source, target in zip(batch, turned, strict=True):
            part = torch.rot90(source[index], int(way) % 4, (1, 2))
            target[index] = part.flip(2) if way >= 4 else part
    return turned


def to_network(images: NDArray[np.uint8] | Tensor, device: torch.device) -> Tensor:
    """Turn (N, H, W, 3) uint8 into (N, 3, H, W) float32 of 0..1, channels last, on `device`."""
    tensor = torch.as_tensor(images, device=device).permute(0, 3, 1, 2)
    return tensor.to(torch.float32).div_(255.0)


def to_target(masks: NDArray[np.bool_] | Tensor, device: torch.device) -> Tensor:
    """Turn (N, H, W) bool into (N, 1, H, W) float32 of 0 and 1 on `device`."""
    return torch.as_tensor(masks, device=device)[:, None].to(torch.float32)
