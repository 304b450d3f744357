"""The U-Net of the paper (section 2.2 and figure 2)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from bracketseg.learning.config import NetworkConfig


INPUT_MEAN, INPUT_DEVIATION = 0.4, 0.25
"""Of the values 0..1 of ordinary pictures, roughly; fixed, so that weights mean the same."""


class Noise:
    """The random numbers of one dropout layer.

    They come from generators of its own, one for each device, so that nothing else that
    draws random numbers in the process changes a training. On the CPU each image of a batch
    has a sequence of its own, so that a batch which comes in parts, in one process or in
    several, draws what it would have drawn as a whole.

    Parameters
    ----------
    seed
        Seed of the generators.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed(seed)

    def seed(self, seed: int, first: int = 0) -> None:
        """Start again from `seed` on every device, at image number `first` of the batch."""
        self._seed = seed
        self._image = first
        self._generators: dict[torch.device, torch.Generator] = {}

    def on(self, device: torch.device) -> torch.Generator:
        """Return the generator for tensors on `device`, which is not the CPU."""
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._next())
        return self._generators[device]

    def bits(self, images: int, count: int) -> Tensor:
        """Return (images, count) int64 on the CPU, all of their bits random."""
        drawn = torch.empty((images, count), dtype=torch.int64)
        generator = torch.Generator()
        for row in drawn:
            row.random_(-(2**63), None, generator=generator.manual_seed(self._next()))
        return drawn

    def _next(self) -> int:
        # torch's generator on the CPU looks at the lower 32 bits only. An odd factor keeps the
        # images of a batch, and the layers with their seeds beside each other, apart.
        seed = (self._seed + self._image * 0x9E3779B1) % 2**63
        self._image += 1
        return seed


class Dropout(nn.Module):
    """Dropout that draws from a given source; what is kept is scaled by 1 / (1 - rate).

    Parameters
    ----------
    rate
        Probability that a value is set to zero while training.
    noise
        Where the random numbers come from.
    """

    def __init__(self, rate: float, noise: Noise) -> None:
        super().__init__()
        self.rate = rate
        self.noise = noise

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of `x` while training; otherwise return it as it is."""
        if not self.training or self.rate == 0.0:
            return x
        return x * _kept(x, 1.0 - self.rate, self.noise)


def _kept(x: Tensor, keep: float, noise: Noise) -> Tensor:
    """Return a tensor like `x` that is 1 / keep with probability `keep`, else 0."""
    if x.device.type != "cpu":
        return torch.empty_like(x).bernoulli_(keep, generator=noise.on(x.device)).div_(keep)
    # On a CPU, bernoulli_ draws one number for each value and took a third of a training
    # step. Four values share one draw of 64 bits here, so that `keep` is met to 1/65536,
    # and the rest is arithmetic on 16-bit integers.
    bits = noise.bits(len(x), -(-x[0].numel() // 4)).view(torch.int16)
    inside = torch.empty_like(x, device="meta").stride()[1:]
    bits = bits.as_strided(x.shape, (bits.shape[1], *inside))
    lowest = min(max(2**15 - round(keep * 2**16), 1 - 2**15), 2**15 - 1)
    kept = bits.clamp_(lowest - 1, lowest).sub_(lowest - 1)
    if x.dtype == torch.bfloat16:
        # Multiplying bfloat16 by a scalar is slow; 0 and the scalar's bits are the product.
        scale = torch.tensor(1.0 / keep, dtype=x.dtype).view(torch.int16)
        return kept.mul_(int(scale)).view(x.dtype)
    return kept.to(x.dtype).mul_(1.0 / keep)


def _conv(inputs: int, outputs: int, size: int) -> nn.Conv2d:
    # On "meta" a layer makes no weights, so that building a network neither draws from
    # torch's global generator nor initialises twice.
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, device="meta")


class EncoderBlock(nn.Module):
    """conv 3x3 - ReLU, conv 3x3 - ReLU, dropout."""

    def __init__(self, inputs: int, outputs: int, rate: float) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, 3)
        self.second = _conv(outputs, outputs, 3)
        self.dropout = Dropout(rate, Noise())

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        x = _relu(self.second(_relu(self.first(x))))
        return cast("Tensor", self.dropout(x))


class DecoderBlock(nn.Module):
    """Transpose conv 3x3 of stride 2, concat skip, conv 3x3 - ReLU, dropout, conv 3x3 - ReLU."""

    def __init__(self, inputs: int, outputs: int, rate: float) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(
            inputs, outputs, 3, stride=2, padding=1, output_padding=1, device="meta"
        )
        self.first = _conv(2 * outputs, outputs, 3)
        self.dropout = Dropout(rate, Noise())
        self.second = _conv(outputs, outputs, 3)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Map (N, inputs, H, W) and (N, outputs, 2H, 2W) to (N, outputs, 2H, 2W)."""
        x = torch.cat((self.up(x), skip), dim=1)
        x = self.dropout(_relu(self.first(x)))
        return _relu(self.second(x))


class UNet(nn.Module):
    """The segmentation network: an image in, one logit a pixel out.

    The encoder has one block for each entry of ``config.filters``, with 2x2 max-pooling
    between them and none after the last; the decoder has one block fewer; a 1x1
    convolution makes the logit. A sigmoid of the logit is the probability of foreground.

    Parameters
    ----------
    config
        Input channels, filters and dropout rate.
    generator
        Where the first weights come from (on the CPU); without it a generator with seed 0.
    initialise
        Without it there are no weights yet: its tensors are on torch's device "meta".

    Notes
    -----
    The paper does not say how weights begin. Here each layer keeps the variance of what runs
    through it: normal with variance ``2 / n`` before a ReLU (He et al. 2015, DOI
    10.1109/ICCV.2015.123) and ``1 / n`` elsewhere, where n counts the inputs of one output;
    biases begin at zero; and the input is first moved and stretched to about zero mean and unit
    variance. In a short training this learns more than Keras' Glorot-uniform,
    under which the signal shrinks from layer to layer.
    An input of any size from 1x1 is padded at its lower and right edges to a multiple of
    ``2 ** (len(filters) - 1)``, by reflection, or by repeating the edge along an axis that
    is too short to be reflected; the output is cropped to the input's size.
    """

    def __init__(
        self,
        config: NetworkConfig,
        generator: torch.Generator | None = None,
        *,
        initialise: bool = True,
    ) -> None:
        super().__init__()
        self.config = config
        self.stride: int = 2 ** (len(config.filters) - 1)
        pairs = pairwise((config.in_channels, *config.filters))
        self.encoder = nn.ModuleList(
            EncoderBlock(inputs, outputs, config.dropout) for inputs, outputs in pairs
        )
        upwards = config.filters[::-1]
        self.decoder = nn.ModuleList(
            DecoderBlock(inputs, outputs, config.dropout) for inputs, outputs in pairwise(upwards)
        )
        self.head = _conv(config.filters[0], 1, 1)
        if initialise:
            self._initialise(generator or torch.Generator().manual_seed(0))

    def _initialise(self, generator: torch.Generator) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                inputs = module.in_channels * math.prod(module.kernel_size)
                if isinstance(module, nn.ConvTranspose2d):
                    # A stride of s leaves one output only every s-th row and column of the kernel.
                    variance = math.prod(module.stride) / inputs
                else:
                    variance = (1 if module is self.head else 2) / inputs
                weight = torch.empty(module.weight.shape)
                module.weight = nn.Parameter(
                    weight.normal_(0.0, math.sqrt(variance), generator=generator)
                )
                module.bias = nn.Parameter(torch.zeros(module.out_channels))

    def seed_dropout(self, seed: int, first: int = 0) -> None:
        """Let the dropout layers start again, each from a seed of its own that `seed` decides.

        Parameters
        ----------
        seed
            Of the batch.
        first
            Which image of the batch comes first, from 0.
        """
        layers = (module for module in self.modules() if isinstance(module, Dropout))
        for number, layer in enumerate(layers):
            layer.noise.seed(seed + number, first)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of a batch of images.

        Parameters
        ----------
        x
            (N, C, H, W) float32, values 0..1, H and W at least 1.

        Returns
        -------
        Tensor
            (N, 1, H, W) logits, float32 or the data type of an enclosing autocast.
        """
        height, width = x.shape[-2:]
        x = normalise(_pad(x, self.stride))
        skips = []
        for level, block in enumerate(self.encoder):
            if level:
                skips.append(x)
                x = pool(x)
            x = block(x)
        for block in self.decoder:
            x = block(x, skips.pop())
        return cast("Tensor", self.head(x))[..., :height, :width]


def normalise(x: Tensor) -> Tensor:
    """Move and stretch values 0..1 to about zero mean and unit variance."""
    return x.sub(INPUT_MEAN).div_(INPUT_DEVIATION)


def _compares_bits(x: Tensor) -> bool:
    """Say whether values are to be compared as the integers of their bits.

    On a CPU torch compares bfloat16 by way of float32, which takes as long as the convolutions.
    The bits of two numbers that are not below zero compare as the numbers do; gradients have no
    such way.
    """
    return x.dtype == torch.bfloat16 and x.device.type == "cpu" and not torch.is_grad_enabled()


def _relu(x: Tensor) -> Tensor:
    """Set what is below zero to zero, in place."""
    if _compares_bits(x):
        # The highest bit is the sign of both kinds of number.
        x.view(torch.int16).clamp_(min=0)
        return x
    return F.relu(x, inplace=True)


def pool(x: Tensor) -> Tensor:
    """Take the largest of each 2x2 values, none of which is below zero."""
    if _compares_bits(x):
        bits = x.view(torch.int16)
        rows = torch.maximum(bits[..., ::2, :], bits[..., 1::2, :])
        return torch.maximum(rows[..., ::2], rows[..., 1::2]).view(torch.bfloat16)
    return F.max_pool2d(x, 2)


def _pad(x: Tensor, multiple: int) -> Tensor:
    """Pad the lower and right edges of (N, C, H, W) to a multiple, each axis by itself."""
    height, width = x.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if below:
        x = F.pad(x, (0, 0, 0, below), mode="reflect" if below < height else "replicate")
    if right:
        x = F.pad(x, (0, right, 0, 0), mode="reflect" if right < width else "replicate")
    return x


def receptive_radius(config: NetworkConfig) -> int:
    """Return how far, in pixels, the input lies that an output pixel can depend on.

    A change of an input pixel that is further than this from an output pixel, in rows or
    in columns, cannot change that output.

    Parameters
    ----------
    config
        The network; only its number of blocks matters.

    Returns
    -------
    int
        The largest distance over all positions relative to the pooling grid.

    Notes
    -----
    The interval of positions that one output depends on is followed back through the
    longest path. Two 3x3 convolutions widen it by 2 on each side. The transpose
    convolution makes an even position ``2i`` from ``i`` and an odd one ``2i + 1`` from
    ``i`` and ``i + 1``. Pooling makes ``i`` from ``2i`` and ``2i + 1``.

    Examples
    --------
    >>> from bracketseg.learning.config import NetworkConfig
    >>> receptive_radius(NetworkConfig(filters=(4,)))
    2
    """
    levels = len(config.filters) - 1
    radius = 0
    for position in range(2**levels):
        low = high = position
        for _ in range(levels):
            low, high = (low - 2) // 2, -(-(high + 2) // 2)
        low, high = low - 2, high + 2
        for _ in range(levels):
            low, high = 2 * low - 2, 2 * high + 1 + 2
        radius = max(radius, position - low, high - position)
    return radius
