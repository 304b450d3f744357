"""The images of a training where they are learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bracketseg.learning.batches import augment
from bracketseg.learning.devices import memory_guard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from bracketseg.learning.dataset import Dataset

_TOO_LARGE = (
    "there is not enough memory for the images of a batch; choose a smaller batch or image size"
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Images and masks on the device.

    Attributes
    ----------
    images : (N, S, S, 3) uint8
    masks : (N, S, S) bool
    outside : (N, S, S) bool or None
        Where nothing is to be learned; None where that is nowhere.
    """

    images: Tensor
    masks: Tensor
    outside: Tensor | None

    def __len__(self) -> int:
        """Count the images."""
        return len(self.images)

    def __getitem__(self, part: slice) -> Batch:
        """Give a part of the batch; nothing is copied."""
        outside = None if self.outside is None else self.outside[part]
        return Batch(self.images[part], self.masks[part], outside)

    def turned(self, generator: np.random.Generator, *, first: int = 0) -> Batch:
        """Turn and flip each image, see :func:`bracketseg.learning.batches.augment`.

        Raises
        ------
        OutOfMemoryError
        """
        given: tuple[Tensor, ...] = (self.images, self.masks)
        if self.outside is not None:
            given = (*given, self.outside)
        with memory_guard(_TOO_LARGE):
            images, masks, *outside = augment(given, generator, first=first)
        return Batch(images, masks, outside[0] if outside else None)


class DeviceData:
    """Gives the batches of a dataset on the device.

    On the CPU nothing is copied. On a GPU that has room for it, the whole set lies there as it is
    in memory, 8 bits a value, and batches are picked and turned there; else each batch is sent
    when it is wanted, from memory that the GPU reads by itself.

    Parameters
    ----------
    dataset
        The images and masks.
    device
        Where they are learned from.

    Attributes
    ----------
    dataset
        As given.
    lies_on
        The device itself, or the CPU where batches are sent.
    """

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.dataset = dataset
        self._device = device
        arrays = [dataset.images, dataset.masks]
        if dataset.outside.any():
            arrays.append(dataset.outside)
        tensors = [torch.from_numpy(array) for array in arrays]
        if device.type != "cpu" and sum(array.nbytes for array in arrays) <= room_for_images(
            device
        ):
            tensors = [tensor.to(device) for tensor in tensors]
        self._tensors = tensors
        self.lies_on = tensors[0].device

    def batch(self, rows: NDArray[np.intp]) -> Batch:
        """Give the images of some rows of the dataset, on the device.

        Raises
        ------
        OutOfMemoryError
        """
        with memory_guard(_TOO_LARGE):
            index = torch.from_numpy(rows).to(self.lies_on)
            images, masks, *outside = (self._there(tensor[index]) for tensor in self._tensors)
        return Batch(images, masks, outside[0] if outside else None)

    def _there(self, picked: Tensor) -> Tensor:
        # Only pinned memory may be sent without waiting: what was picked is gone at once.
        pinned = picked.device.type == "cpu" and self._device.type == "cuda"
        if pinned:
            picked = picked.pin_memory()
        return picked.to(self._device, non_blocking=pinned)


def room_for_images(device: torch.device) -> int:
    """Bytes that images may take on a GPU: half of what is free; the steps need the rest."""
    if device.type != "cuda":
        return 0
    free: int = torch.cuda.mem_get_info(device)[0]
    return free // 2
