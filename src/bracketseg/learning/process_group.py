"""The processes that learn one network together, as torchrun starts them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from bracketseg.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessGroup:
    """One of several processes that do every step of a training together, or the only one.

    Attributes
    ----------
    rank : int
        Which one this is, from 0; number 0 writes the files.
    size : int
        How many there are.
    local_rank, local_size : int
        The same, of those on this machine.
    restarted : bool
        Whether torchrun has started them again, after it lost one.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    restarted: bool = False

    def part(self, count: int) -> slice:
        """Return which of `count` images are this process's; there may be none.

        Examples
        --------
        >>> [ProcessGroup(rank=rank, size=2).part(5) for rank in (0, 1)]
        [slice(0, 2, None), slice(2, 5, None)]
        """
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def device(self, name: str) -> str:
        """Return the name of this process's own device, where `name` leaves it open which."""
        if self.size > 1 and name in ("auto", "cuda") and torch.cuda.is_available():
            return f"cuda:{self.local_rank}"
        return name

    def total(self, value: float) -> float:
        """Return the sum of what the processes give."""
        if self.size == 1:
            return value
        summed = torch.tensor(value, dtype=torch.float64)
        with lost_process():
            distributed.all_reduce(summed)
        return summed.item()

    def any(self, flag: bool) -> bool:
        """Say whether one of the processes gives true."""
        return self.total(float(flag)) > 0

    def gather(self, value: _T) -> list[_T]:
        """Return what all processes give, in the order of their ranks."""
        if self.size == 1:
            return [value]
        given: list[_T | None] = [None] * self.size
        with lost_process():
            distributed.all_gather_object(given, value)
        return cast("list[_T]", given)


ALONE = ProcessGroup()


@contextmanager
def lost_process() -> Iterator[None]:
    """Turn torch's error for a process that does not answer any more into our own.

    Raises
    ------
    TrainingError
    """
    try:
        yield
    except RuntimeError as error:  # all of torch.distributed's are
        raise TrainingError(
            "another process of this training was lost; torchrun with --max-restarts begins again "
            "at the last checkpoint, and so does --resume"
        ) from error


@contextmanager
def process_group() -> Iterator[ProcessGroup]:
    """Join the processes that torchrun has started; without torchrun, or with one, stay alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    local_rank = int(os.environ["LOCAL_RANK"])
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank)
        # What the processes tell each other lies in main memory, the gradients on the GPUs.
        backend = "cpu:gloo,cuda:nccl"
    restarts = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store, rank, _ = next(rendezvous("env://"))
    # torchrun may keep the store when it starts the processes again, and in it the addresses of
    # those that are gone: the new ones would wait for them.
    store = PrefixStore(f"bracketseg/{restarts}", store)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
    try:
        yield ProcessGroup(
            rank=rank,
            size=size,
            local_rank=local_rank,
            local_size=int(os.environ["LOCAL_WORLD_SIZE"]),
            restarted=int(restarts) > 0,
        )
        # Gloo's threads let go of what was told last, which takes an interpreter that is whole:
        # one that ends at once can die of it. And torchrun ends all when one dies.
        with lost_process():
            distributed.barrier()
    finally:
        distributed.destroy_process_group()
