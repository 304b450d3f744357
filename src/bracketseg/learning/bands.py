"""The network's forward pass in bands of rows, for prediction on a CPU.

Several feature maps of full resolution are alive at once in the network, and they are what a
prediction takes its memory for. Here each block of layers runs on one band of rows after the
other, and only what a later block needs is kept whole. A band reads the few rows more that the
block's own layers see, so that every value is the one of the whole map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch

from bracketseg.learning.unet import normalise, pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from bracketseg.learning.unet import DecoderBlock, EncoderBlock, UNet

BAND_VALUES = 2**21
"""Values that a block gives in one band; with fewer, what each layer begins with takes longer."""

_HALO = 4
"""Rows that a block reads beyond those that it gives.

Two convolutions of 3x3 see two rows, and upsampling one row of half the resolution.
"""


def forward_in_bands(unet: UNet, x: Tensor) -> Tensor:
    """Return the logits that a network in evaluation mode gives, without gradients.

    Parameters
    ----------
    unet
    x
        (N, C, H, W) float32, values 0..1, H and W multiples of the network's stride.

    Returns
    -------
    Tensor
        (N, 1, H, W) logits, float32 or the data type of an enclosing autocast.
    """
    skips: list[Tensor] = []
    *blocks, deepest = cast("list[EncoderBlock]", list(unet.encoder))
    for block in blocks:
        whole, x = _encode(block, x, first=not skips)
        skips.append(whole)
    x = deepest(x if skips else normalise(x))
    for joining in cast("list[DecoderBlock]", list(unet.decoder)):
        skip = skips.pop()
        x = _decode(joining, x, skip, None if skips else unet.head)
    return x if blocks else cast("Tensor", unet.head(x))


@dataclass(frozen=True, slots=True)
class Band:
    """Rows from and up to (without) a number: what is given, and what is read for that."""

    top: int
    bottom: int
    begin: int
    end: int

    def crop(self, rows: Tensor) -> Tensor:
        """Leave of what was made from all that was read the rows that are given."""
        return rows[:, :, self.top - self.begin : self.bottom - self.begin]


def plan_bands(height: int, values: int) -> Iterator[Band]:
    """Cut rows into bands; every number is even where `height` is.

    Parameters
    ----------
    height
        Number of rows.
    values
        That a block gives in one row.

    Examples
    --------
    >>> list(plan_bands(12, BAND_VALUES // 8))
    [Band(top=0, bottom=8, begin=0, end=12), Band(top=8, bottom=12, begin=4, end=12)]
    """
    rows = max(8, BAND_VALUES // values // 2 * 2)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        yield Band(top, bottom, max(0, top - _HALO), min(height, bottom + _HALO))


def _encode(block: EncoderBlock, x: Tensor, *, first: bool) -> tuple[Tensor, Tensor]:
    """Return what a block gives, and that pooled."""
    height, width = x.shape[-2:]
    whole = pooled = None
    for band in plan_bands(height, width * block.second.out_channels):
        read = x[:, :, band.begin : band.end]
        given = band.crop(block(normalise(read) if first else read))
        whole = _put(given, whole, band.top, height)
        pooled = _put(pool(given), pooled, band.top // 2, height // 2)
    return cast("Tensor", whole), cast("Tensor", pooled)


def _decode(block: DecoderBlock, x: Tensor, skip: Tensor, head: nn.Module | None) -> Tensor:
    """Return what a block gives, or what the head makes of that."""
    channels, height, width = skip.shape[1:]
    whole = None
    for band in plan_bands(height, width * channels):
        coarse = x[:, :, band.begin // 2 : band.end // 2]
        given = band.crop(block(coarse, skip[:, :, band.begin : band.end]))
        whole = _put(given if head is None else head(given), whole, band.top, height)
    return cast("Tensor", whole)


def _put(rows: Tensor, whole: Tensor | None, top: int, height: int) -> Tensor:
    """Put rows into the whole map, which is made for the first of them."""
    if whole is None:
        shape = (*rows.shape[:2], height, rows.shape[3])
        whole = torch.empty(
            shape, dtype=rows.dtype, device=rows.device, memory_format=torch.channels_last
        )
    whole[:, :, top : top + rows.shape[2]] = rows
    return whole
