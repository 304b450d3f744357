"""A network, its loss and its optimiser on one device: one step, and one look."""

from __future__ import annotations

import math
from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel

from bracketseg.errors import OutOfMemoryError
from bracketseg.learning.batches import Draw, seed_for, to_network, to_target
from bracketseg.learning.config import SIZE_STEP
from bracketseg.learning.device_data import Batch
from bracketseg.learning.devices import autocast, is_out_of_memory, memory_guard, precision_of
from bracketseg.learning.losses import LOSSES
from bracketseg.learning.process_group import ALONE, lost_process
from bracketseg.learning.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray
    from torch import Tensor

    from bracketseg.learning.config import Precision, TrainConfig
    from bracketseg.learning.process_group import ProcessGroup


IMPOSSIBLE = -200.0
"""A logit whose probability is 0 in float32."""


class GradientError(ArithmeticError):
    """The gradients of a batch are not finite, though its loss is; nothing was learned."""


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
    group
        The processes that share each batch.

    Attributes
    ----------
    micro_batch
        The most images that go through the network at once: those of a batch, until memory
        runs out.
    """

    def __init__(
        self,
        config: TrainConfig,
        device: torch.device,
        dtype: torch.dtype | None,
        group: ProcessGroup = ALONE,
    ) -> None:
        self.config = config
        self.device = device
        self.micro_batch = config.batch_size
        self._dtype = dtype
        self._loss = LOSSES[config.loss]
        weights = torch.Generator().manual_seed(seed_for(Draw.WEIGHTS, config.seed))
        self.unet = UNet(config.network, weights)
        with memory_guard(f"{device} has no memory left for the network; choose another device"):
            self.unet.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._group = group
        self._shared: DistributedDataParallel | None = None
        if group.size > 1:
            with lost_process():
                self._shared = DistributedDataParallel(self.unet)
        self._optimizer = torch.optim.Adam(self.unet.parameters(), lr=config.learning_rate)
        # float16 has so small a range that gradients must be scaled; the others need it not.
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    @property
    def precision(self) -> Precision:
        """The number format that the network runs in."""
        return precision_of(self._dtype)

    def step(
        self,
        batch: Batch,
        epoch: int,
        step: int,
        *,
        total: int | None = None,
    ) -> float:
        """Learn one batch and return its loss; if that is not finite, nothing was learned.

        Parameters
        ----------
        batch
            What this process learns of it, on the device. Nothing is learned from what is
            outside: as if the network gave these pixels no chance.
        epoch, step
            Which batch it is, from 1; they decide what dropout drops.
        total
            Images of the batch in all processes; by default those of `batch`.

        Raises
        ------
        OutOfMemoryError
            If the device has not enough memory for a single image.
        GradientError
            If the loss is finite and its gradients are not.

        Notes
        -----
        All losses are means over the images, so a part of a batch counts by its share of them.
        On the CPU a batch in parts learns what it would as a whole but for rounding; elsewhere
        dropout also drops other values. That holds for the parts of several processes, too:
        their gradients are averaged, so each counts by its share times their number.
        """
        value = self._gradients(batch, epoch, step, total or len(batch))
        if math.isfinite(value):
            if not self._can_learn():
                raise GradientError("the gradients are not finite")
            with memory_guard(self._too_large()):
                self._scaler.step(self._optimizer)
                self._scaler.update()
        return value

    def rehearse(self, batch: Batch, *, total: int | None = None) -> float:
        """Do all of a step but the learning, and return the seconds that it took."""
        began = perf_counter()
        self._gradients(batch, 0, 0, total or len(batch))
        self._can_learn()
        return self._since(began)

    def rehearse_learning(self) -> float:
        """Return the seconds that the optimiser takes for a step, found with copies of weights."""
        with memory_guard(self._too_large()):
            copies = [weight.detach().clone() for weight in self.unet.parameters()]
            for copy in copies:
                copy.grad = torch.zeros_like(copy)
            optimizer = torch.optim.Adam(copies)
            optimizer.step()  # makes its moments
            began = perf_counter()
            optimizer.step()
            return self._since(began)

    def _since(self, began: float) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return perf_counter() - began

    def _gradients(self, batch: Batch, epoch: int, step: int, total: int) -> float:
        """Return the loss of a batch, and leave its gradients with the weights."""
        # A process without an image still takes part in the exchange: with one that counts nothing.
        counted = len(batch) > 0
        if not counted:
            batch = self._nothing()
        first = self._group.part(total).start

        def learn() -> float:
            seed = seed_for(Draw.DROPOUT, self.config.seed, epoch, step)
            self.unet.seed_dropout(seed, first)
            self._optimizer.zero_grad(set_to_none=True)
            value = 0.0
            parts = self._parts(batch)
            for part in parts:
                share = counted * len(part) / total
                with self._exchange(part is parts[-1]):
                    loss = self._losses(part)[1] * share
                    value += loss.item()
                    # The others would wait for gradients in vain.
                    if not math.isfinite(value) and self._shared is None:
                        break
                    scaled = self._scaler.scale(loss * self._group.size)
                    scaled.backward()  # type: ignore[no-untyped-call]
            return value

        self.unet.train()
        if self._shared is None:
            value = self._fitting(len(batch), learn)
        else:
            with lost_process(), memory_guard(self._too_large_a_share(len(batch))):
                value = learn()
            value = self._group.total(value)
        return value

    def _can_learn(self) -> bool:
        """Whether all gradients are finite; a scaler looks itself, and leaves out such steps."""
        if self._scaler.is_enabled():
            return True
        gradients = [p.grad for p in self.unet.parameters() if p.grad is not None]
        return bool(torch.stack([gradient.isfinite().all() for gradient in gradients]).all())

    def _exchange(self, last: bool) -> AbstractContextManager[object]:
        """Return a context for a part of a batch: only after the last one gradients are sent."""
        if self._shared is None or last:
            return nullcontext()
        return self._shared.no_sync()

    @torch.no_grad()
    def look(self, batch: Batch) -> tuple[NDArray[np.float32], float]:
        """Return the probabilities (N, S, S) that the network gives to a batch, and its loss.

        They are 0 outside, as where aligned frames are predicted.

        Raises
        ------
        OutOfMemoryError
            If the device has not enough memory for a single image.
        """
        probabilities: list[NDArray[np.float32]] = []

        def see() -> float:
            value = 0.0
            probabilities.clear()
            for part in self._parts(batch):
                logits, loss = self._losses(part)
                probabilities.append(torch.sigmoid(logits)[:, 0].cpu().numpy())
                value += loss.item() * (len(part) / len(batch))
            return value

        self.unet.eval()
        value = self._fitting(len(batch), see)
        return np.concatenate(probabilities), value

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, target = to_network(batch.images, self.device), to_target(batch.masks, self.device)
        # Looking needs nobody else, and parts of different size would not wait for each other.
        network = self._shared if self._shared is not None and self.unet.training else self.unet
        with autocast(self.device, self._dtype):
            logits = network(x)
        logits = logits.float()
        if batch.outside is not None:
            # The masks are empty there: such a pixel has no loss, and no gradient.
            logits = logits.masked_fill(batch.outside[:, None], IMPOSSIBLE)
        return logits, self._loss(logits, target)

    def _parts(self, batch: Batch) -> list[Batch]:
        size = self.micro_batch
        return [batch[start : start + size] for start in range(0, len(batch), size)]

    def _nothing(self) -> Batch:
        shape = (1, self.config.image_size, self.config.image_size)
        picture = torch.zeros((*shape, 3), dtype=torch.uint8, device=self.device)
        return Batch(picture, torch.zeros(shape, dtype=torch.bool, device=self.device), None)

    def _fitting(self, images: int, work: Callable[[], float]) -> float:
        """Do what goes through a batch in parts, in ever smaller ones until they fit."""
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                # Its frames hold the tensors that take the memory.
                failure = error.with_traceback(None)
            self._optimizer.zero_grad(set_to_none=True)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            size = min(self.micro_batch, images)
            if size == 1:
                raise OutOfMemoryError(self._too_large()) from failure
            self.micro_batch = -(-size // 2)

    def _too_large(self) -> str:
        size = self.config.image_size
        instead = [f"an image size of {max(SIZE_STEP, size // 2 // SIZE_STEP * SIZE_STEP)}"]
        if self._dtype is None:
            instead.append("precision bfloat16")
        if self.device.type != "cpu":
            instead.append("device cpu")
        return (
            f"{self.device} has not enough memory to learn even one image of {size}x{size} in "
            f"{self.precision}; close what else uses it, or choose {' or '.join(instead)}"
        )

    def _too_large_a_share(self, images: int) -> str:
        return (
            f"{self.device} has not enough memory to learn {min(self.micro_batch, images)} images "
            "at once; choose a smaller batch or more processes"
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
