"""How much memory a training or a prediction will take; this module imports no torch.

The arithmetic follows the layers of :class:`bracketseg.learning.unet.UNet`. What it cannot
know, such as the working memory of a convolution and the holes that an allocator leaves, is in
three figures that were measured on a CPU with the allocator set as the command sets it. There
the peaks of trainings of 128x128 to 512x512 pixels in batches of 2 to 8, and of predictions of
0.3 to 24 megapixels, were met within a quarter.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from bracketseg.learning.config import SIZE_STEP

if TYPE_CHECKING:
    from bracketseg.learning.config import (
        Loss,
        NetworkConfig,
        Precision,
        TrainConfig,
        UsedEngine,
    )

TILE_MEMORY = 200 * 2**20
"""Bytes that the activations of a tile may take in bands, unless it is told its size.

In bfloat16 it is what two megapixels take.
"""

WHOLE_TILE_MEMORY = 420 * 2**20
"""The same without bands."""

PART_MEMORY = 230 * 2**20
"""The same by OpenVINO in a frame that takes more than that and is large itself."""

PROCESS = 300 * 2**20
"""Bytes that a process takes that has imported torch and done nothing yet."""

HUGE = 6 * 2**30
"""Bytes of a frame as one tile from which on its parts are smaller, as it is large itself.

In bfloat16 it is what sixty megapixels take.
"""

_PREDICTING: dict[UsedEngine, int] = {"torch": 280 * 2**20, "openvino": 350 * 2**20}
"""Bytes that the command takes with both models and the program of each engine."""

KERNELS = 100 * 2**20
"""Bytes of the code and the tables that torch makes in its first training step."""

FRAME = 5
"""Bytes a pixel of a frame as it was read, of the mask that is being made, and of those kept."""

ALIGNED = 3
"""Bytes a pixel of the regions that aligned frames have in common."""

SLACK = 1.4
"""What is taken at the peak, over what is kept from the forward for the backward pass."""

_LOSS_BYTES: dict[Loss, int] = {"bce": 8, "focal": 21, "dice-bce": 12}
"""What each loss keeps for its backward pass, a pixel."""


def activation_size(precision: Precision) -> int:
    """Return the bytes of one activation; ``auto`` counts as float32, which takes most."""
    return 2 if precision in ("bfloat16", "float16") else 4


def cache_bytes(scenes: int, size: int) -> int:
    """Return the bytes that the images (3 a pixel) and masks (1) of `scenes` take in memory."""
    return scenes * size * size * 4


def parameter_count(network: NetworkConfig) -> int:
    """Return the number of weights and biases of a network.

    Examples
    --------
    >>> from bracketseg.learning.config import NetworkConfig
    >>> parameter_count(NetworkConfig())
    2158705
    """

    def conv(inputs: int, outputs: int, kernel: int = 9) -> int:
        return outputs * (inputs * kernel + 1)

    encoder = sum(
        conv(inputs, outputs) + conv(outputs, outputs)
        for inputs, outputs in pairwise((network.in_channels, *network.filters))
    )
    decoder = sum(
        conv(inputs, outputs) + conv(2 * outputs, outputs) + conv(outputs, outputs)
        for inputs, outputs in pairwise(network.filters[::-1])
    )
    return encoder + decoder + conv(network.filters[0], 1, kernel=1)


def activation_bytes(network: NetworkConfig, loss: Loss, precision: Precision) -> float:
    """Return what the forward pass keeps for the backward pass, bytes for a pixel of an image.

    Parameters
    ----------
    network
        Its filters and whether it has dropout decide.
    loss
        Which loss follows the network.
    precision
        Of the network; the loss is always in float32.

    Notes
    -----
    An encoder block keeps what its two ReLUs give, and the factors and the result of its
    dropout; the pooling after it keeps its result and, in 64 bits each, where it came from.
    A decoder block keeps the joined features, twice its filters, what its two ReLUs give, and
    the factors and the result of its dropout.
    """
    dropped = 2 if network.dropout else 0
    pooled = [count * 0.25**level for level, count in enumerate(network.filters)]
    encoder = sum((2 + dropped) * count for count in pooled)
    decoder = sum((4 + dropped) * count for count in pooled[:-1])
    results = sum(count / 4 for count in pooled[:-1])
    places = 8 * results
    values = network.in_channels + encoder + decoder + results
    return values * activation_size(precision) + places + _LOSS_BYTES[loss]


def fixed_step_bytes(network: NetworkConfig, precision: Precision) -> int:
    """Return what a training step takes however many images it has.

    These are the weights, their gradients and Adam's two moments, in a shorter precision also a
    copy of the weights, and `KERNELS`.
    """
    copies = 16 if activation_size(precision) == 4 else 18
    return parameter_count(network) * copies + KERNELS


def image_step_bytes(config: TrainConfig, precision: Precision) -> int:
    """Return what a training step takes for each of its images."""
    kept = activation_bytes(config.network, config.loss, precision)
    return int(SLACK * kept * config.image_size**2)


def training_bytes(
    config: TrainConfig,
    scenes: int,
    precision: Precision,
    device: str = "cpu",
    room: int | None = None,
) -> int:
    """Estimate the most memory that a training takes.

    Parameters
    ----------
    config
        The training.
    scenes
        Number of scenes, those of the validation among them.
    precision
        Of the network, as far as it is known.
    device
        On the CPU the whole process counts, on any other device what lies there.
    room
        Bytes of that other device that images may take. Where there are more, they stay in main
        memory, and a batch is sent at a time. None is any number.

    Returns
    -------
    int
        Bytes. What reading the full-size frames takes for a moment is not counted.
    """
    images = min(config.batch_size, scenes)
    step = fixed_step_bytes(config.network, precision) + images * image_step_bytes(
        config, precision
    )
    kept = cache_bytes(scenes, config.image_size)
    if device == "cpu":
        return step + kept + PROCESS
    if room is not None and kept > room:
        kept = cache_bytes(images, config.image_size)
    return step + kept


def images_that_fit(config: TrainConfig, images: int, precision: Precision, available: int) -> int:
    """Return how many images of a batch a step may learn at once, at least one.

    Parameters
    ----------
    config
        The training.
    images
        Of a batch.
    precision
        Of the network.
    available
        Bytes that are free when torch and all images of the training are in memory.

    Returns
    -------
    int
        All where they fit, else the size of parts as equal and as few as can be.
    """
    free = available - fixed_step_bytes(config.network, precision)
    fit = max(1, free // image_step_bytes(config, precision))
    parts = -(-images // fit)
    return -(-images // parts)


def memory_per_pixel(
    network: NetworkConfig, item_size: int = 4, *, in_bands: bool = False
) -> float:
    """Estimate the memory that a network takes while it predicts.

    Parameters
    ----------
    network : NetworkConfig
    item_size : int
        Bytes of one activation, see :func:`activation_size`.
    in_bands : bool
        Whether it goes through `bracketseg.learning.bands.forward_in_bands`.

    Returns
    -------
    float
        Bytes for each pixel that a tile reads, the weights not counted.

    Notes
    -----
    The most is alive in a decoder block: the upsampled features, the skip they are joined
    with, both in one, and a working copy, six times the filters of that level, beside the
    skips of all finer levels. In bands it is only the skip and the result, and what the coarser
    level gave.
    """
    areas = [0.25**level for level in range(len(network.filters))]
    maps = [count * area for count, area in zip(network.filters, areas, strict=True)]
    coarser = [*maps[1:], 0.0]
    alive = [
        sum(maps[:level]) + (2 * kept + coarser[level] if in_bands else 6 * kept)
        for level, kept in enumerate(maps)
    ]
    picture = 4 * network.in_channels
    logit_and_probability = 2 * 4
    return max(alive) * item_size + picture + logit_and_probability


def tile_bytes(frame: float, engine: UsedEngine, *, in_bands: bool) -> int:
    """Return how many bytes one tile may take.

    Parameters
    ----------
    frame
        Bytes that the frame would take as one tile.
    engine
        What calculates.
    in_bands
        See `memory_per_pixel`.
    """
    if in_bands:
        return TILE_MEMORY if frame < HUGE else TILE_MEMORY // 2
    in_parts = engine == "openvino" and frame > WHOLE_TILE_MEMORY
    if in_parts:
        return PART_MEMORY if frame < HUGE else PART_MEMORY * 2 // 3
    return WHOLE_TILE_MEMORY


def prediction_bytes(
    network: NetworkConfig,
    shape: tuple[int, int],
    precision: Precision = "float32",
    engine: UsedEngine = "torch",
    *,
    side: int | None = None,
    probabilities: int = 0,
    aligned: bool = False,
) -> int:
    """Estimate the most main memory that `bracketseg predict` takes on the CPU.

    Parameters
    ----------
    network
        Of the model.
    shape : (H, W)
        Of the frame.
    precision
        Of the network.
    engine
        What calculates.
    side
        Of the square that the network is shown at scale ``train``; None is the frame itself.
    probabilities
        How many of them are written.
    aligned
        Whether frames are aligned first.
    """
    height, width = shape
    shown = (height, width) if side is None else (side, side)
    in_bands = engine == "torch"
    per_pixel = memory_per_pixel(network, activation_size(precision), in_bands=in_bands)
    whole = per_pixel * math.prod(-(-length // SIZE_STEP) * SIZE_STEP for length in shown)
    tile = min(whole, tile_bytes(whole, engine, in_bands=in_bands))
    pixel = FRAME + 4 * probabilities + ALIGNED * aligned
    if side is not None:
        pixel += 4  # the probability is made larger as a whole
    return int(_PREDICTING[engine] + SLACK * tile + pixel * height * width)
