"""A network, its loss and its optimiser on one device: one step, and one look."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from bracketseg.errors import TrainingError
from bracketseg.learning.batches import Draw, seed_for, to_network, to_target
from bracketseg.learning.devices import autocast, memory_guard
from bracketseg.learning.losses import LOSSES
from bracketseg.learning.unet import UNet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from bracketseg.learning.config import TrainConfig


class Optimization:
    """What a training changes, apart from its progress.

    Parameters
    ----------
    config
        Network, loss, learning rate and seed.
    device
        Where everything lies.
    dtype
        For autocast; None is plain float32.
    """

    def __init__(
        self, config: TrainConfig, device: torch.device, dtype: torch.dtype | None
    ) -> None:
        self.config = config
        self.device = device
        self._dtype = dtype
        self._loss = LOSSES[config.loss]
        weights = torch.Generator().manual_seed(seed_for(Draw.WEIGHTS, config.seed))
        self.unet = UNet(config.network, weights)
        with memory_guard(f"{device} has no memory left for the network; choose another device"):
            self.unet.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = torch.optim.Adam(self.unet.parameters(), lr=config.learning_rate)
        # float16 has so small a range that gradients must be scaled; the others need it not.
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    def step(
        self, images: NDArray[np.uint8], masks: NDArray[np.bool_], epoch: int, step: int
    ) -> float:
        """Learn one batch and return its loss.

        Parameters
        ----------
        images : (N, S, S, 3) uint8
        masks : (N, S, S) bool
        epoch, step
            Which batch it is, from 1; they decide what dropout drops.

        Raises
        ------
        OutOfMemoryError
            If the device has not enough memory for the batch.
        TrainingError
            If the loss is not finite; the weights are then as before the step.
        """
        self.unet.train()
        self.unet.seed_dropout(seed_for(Draw.DROPOUT, self.config.seed, epoch, step))
        with self._enough_memory(len(images)):
            self._optimizer.zero_grad(set_to_none=True)
            loss = self._losses(images, masks)[1]
            value = loss.item()
            if not math.isfinite(value):
                raise not_finite(value, f"step {step} of epoch {epoch}", self.config)
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self._scaler.step(self._optimizer)
            self._scaler.update()
        return value

    @torch.no_grad()
    def look(
        self, images: NDArray[np.uint8], masks: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], float]:
        """Return the probabilities (N, S, S) that the network gives to a batch, and its loss.

        Raises
        ------
        OutOfMemoryError
            If the device has not enough memory for the batch.
        """
        self.unet.eval()
        with self._enough_memory(len(images)):
            logits, loss = self._losses(images, masks)
            probabilities: NDArray[np.float32] = torch.sigmoid(logits)[:, 0].cpu().numpy()
            return probabilities, loss.item()

    def _losses(self, images: NDArray[np.uint8], masks: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        x, target = to_network(images, self.device), to_target(masks, self.device)
        with autocast(self.device, self._dtype):
            logits = self.unet(x)
        logits = logits.float()
        return logits, self._loss(logits, target)

    def _enough_memory(self, images: int) -> Any:
        size = self.config.image_size
        smaller = max(16, size // 2 // 16 * 16)
        instead = f"a batch size of {max(1, images // 2)}" if images > 1 else "a smaller network"
        return memory_guard(
            f"{self.device} has not enough memory for {images} images of {size}x{size}; choose "
            f"{instead}, or an image size of {smaller}"
        )

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "model": self.unet.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave.

        Raises
        ------
        RuntimeError, ValueError, KeyError
            If it is not from the same network.
        """
        self.unet.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        # Empty where gradients were not scaled: a run may go on in another precision.
        if self._scaler.is_enabled() and state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])


def not_finite(loss: float, where: str, config: TrainConfig) -> TrainingError:
    """Return the error for a loss that is not a number."""
    return TrainingError(
        f"the loss became {loss} in {where}; train into a new folder with a learning rate below "
        f"{config.learning_rate:g} or in precision float32 (this run keeps its last good state)"
    )
