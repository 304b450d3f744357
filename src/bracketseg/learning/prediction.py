"""From one frame to the probability that each pixel is well exposed, and to a mask."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast, get_args

import cv2
import numpy as np
import torch

from bracketseg.errors import DeviceError, LabelingError, ModelError, OutOfMemoryError
from bracketseg.learning.bands import forward_in_bands
from bracketseg.learning.batches import to_network
from bracketseg.learning.config import PredictConfig, Scale
from bracketseg.learning.devices import (
    autocast,
    is_out_of_memory,
    resolve_device,
    resolve_precision,
)
from bracketseg.learning.estimate import memory_per_pixel, tile_bytes
from bracketseg.learning.network_input import CHANNELS, network_input
from bracketseg.learning.openvino_engine import let_go, openvino_network, openvino_problem
from bracketseg.learning.resize import resize_image
from bracketseg.learning.tiling import ScalarT, choose_tile, map_tiles, plan_tiles
from bracketseg.learning.unet import receptive_radius

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.config import Engine, Precision, UsedEngine
    from bracketseg.learning.tiling import Tile
    from bracketseg.learning.unet import UNet

SCALES: tuple[Scale, ...] = get_args(Scale)

_DEFAULTS = PredictConfig()
DEFAULT_SCALE: Scale = _DEFAULTS.scale
DEFAULT_THRESHOLD: float = _DEFAULTS.threshold
DEFAULT_PRECISION: Precision = _DEFAULTS.precision
DEFAULT_ENGINE: Engine = _DEFAULTS.engine


def predict_probability(
    model: Model,
    image: NDArray[Any],
    *,
    scale: Scale = DEFAULT_SCALE,
    device: str = "auto",
    precision: Precision = DEFAULT_PRECISION,
    tile: int | None = None,
    engine: Engine = DEFAULT_ENGINE,
) -> NDArray[np.float32]:
    """Predict for each pixel of a frame how likely it is well exposed.

    Parameters
    ----------
    model : Model
        Moved to `device` where it is elsewhere.
    image : (H, W) or (H, W, 3) uint8, uint16 or float, with or without alpha
        A frame, display-referred; see `bracketseg.learning.network_input.network_input`.
    scale : {"train", "full"}
        ``train`` resizes the frame to the square that the network was trained on and the
        probability back, bilinearly. ``full`` keeps the frame's own resolution: it is padded
        by reflection to the network's grid, predicted in tiles where memory asks for it, and
        cropped back. Tiles overlap by all that an output can depend on, so that cutting
        changes nothing but the last digits of what is calculated with.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
    precision : {"auto", "float32", "bfloat16", "float16"}
        ``auto`` is what the device is fast in; of the shipped models it changes less than
        0.1 % of a mask's pixels from those of float32.
    tile : int, optional
        Side in pixels of what one tile writes, rounded up to the network's grid. By default
        the tiles that lose least to overlap while one takes at most what
        `bracketseg.learning.estimate.tile_bytes` allows. When the device runs out of memory,
        smaller ones are tried.
    engine : {"auto", "torch", "openvino"}
        What calculates. ``auto`` takes OpenVINO on the CPU where it is installed
        (``bracketseg[openvino]``), else torch.

    Returns
    -------
    (H, W) float32, 0..1

    Raises
    ------
    FrameError
        If the frame's shape, type or values are none that a picture has.
    ModelError
        If the model is not one for RGB pictures, or gives values that are no numbers. That needs
        weights so large that something overflows on the way; where it does so before a ReLU, in
        bfloat16 or by OpenVINO, it is 0 from there on and nobody is told.
    DeviceError
        If the device is not there or cannot calculate in `precision`, or OpenVINO was asked for
        and is not installed or not for this device.
    OutOfMemoryError
        If not even the smallest tiles fit.
    ValueError
        If `scale` or `tile` is none of the above.
    """
    return _predicted(
        model, image, np.dtype(np.float32), lambda p: p, scale, device, precision, tile, engine
    )


def predict_mask(
    model: Model,
    image: NDArray[Any],
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scale: Scale = DEFAULT_SCALE,
    device: str = "auto",
    precision: Precision = DEFAULT_PRECISION,
    engine: Engine = DEFAULT_ENGINE,
) -> NDArray[np.bool_]:
    """Predict the mask of a frame; of a large one the probabilities are never kept whole.

    Parameters
    ----------
    model, image, scale, device, precision, engine
        As of `predict_probability`.
    threshold : float, 0..1
        As of `binarize`.

    Returns
    -------
    (H, W) bool
        What `binarize` makes of `predict_probability`.

    Raises
    ------
    LabelingError
        If the threshold is not within 0..1.
    """
    check_threshold(threshold)
    return _predicted(
        model,
        image,
        np.dtype(np.bool_),
        partial(binarize, threshold=threshold),
        scale,
        device,
        precision,
        None,
        engine,
    )


def binarize(
    probability: NDArray[np.float32], threshold: float = DEFAULT_THRESHOLD
) -> NDArray[np.bool_]:
    """Turn probabilities into a mask: ``probability >= threshold`` is foreground.

    Parameters
    ----------
    probability : (H, W) float32, 0..1
    threshold : float, 0..1
        A pixel that equals it, as float32, is foreground.

    Returns
    -------
    (H, W) bool

    Raises
    ------
    LabelingError
        If the threshold is not within 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> binarize(np.array([[0.25, 0.5, 0.75]], np.float32)).tolist()
    [[False, True, True]]
    """
    check_threshold(threshold)
    return probability >= np.float32(threshold)


def check_threshold(threshold: float) -> None:
    """Refuse a threshold that no probability can be held against.

    Raises
    ------
    LabelingError
        If it is not within 0..1.
    """
    if not 0.0 <= threshold <= 1.0:  # also refuses nan
        raise LabelingError(f"threshold {threshold} is no probability; choose one from 0 to 1")


def require_role(model: Model, role: MaskRole) -> None:
    """Refuse a model that was trained for the other exposure.

    Raises
    ------
    ModelError
        If the model's role is not `role`.
    """
    if model.card.role != role:
        raise ModelError(
            f"{model.path}: was trained for the {model.card.role} exposure and cannot predict the "
            f"{role} one; choose a model with role {role}"
        )


def _predicted(
    model: Model,
    image: NDArray[Any],
    dtype: np.dtype[ScalarT],
    wanted: Callable[[NDArray[np.float32]], NDArray[ScalarT]],
    scale: Scale,
    device: str,
    precision: Precision,
    tile: int | None,
    engine: Engine,
) -> NDArray[ScalarT]:
    """Predict a frame and return what is wanted of the probabilities, (H, W) of `dtype`."""
    if scale not in SCALES or (tile is not None and tile < 1):
        raise ValueError(f"scale {scale!r} must be train or full, and tile {tile} at least 1")
    if model.card.network.in_channels != CHANNELS:
        raise ModelError(
            f"{model.path}: takes {model.card.network.in_channels} channels, and frames have "
            f"{CHANNELS}; choose a model that `bracketseg train` left"
        )
    target = resolve_device(device)
    way = _Way(target, resolve_precision(precision, target), resolve_engine(engine, target))
    picture = network_input(image)
    height, width = picture.shape[:2]
    model.unet.to(target)
    if scale == "full":
        return _fill(model, picture, np.empty((height, width), dtype), wanted, way, tile)
    side = model.card.image_size
    square = np.empty((side, side), np.float32)
    _fill(model, resize_image(picture, side, side), square, lambda p: p, way, tile)
    resized = cv2.resize(square, (width, height), interpolation=cv2.INTER_LINEAR)
    # The weights of the interpolation may sum to a hair more than one.
    np.clip(resized, 0.0, 1.0, out=resized)
    return wanted(cast("NDArray[np.float32]", resized))


@dataclass(frozen=True, slots=True)
class _Way:
    """How a network calculates: a `dtype` of None is float32."""

    device: torch.device
    dtype: torch.dtype | None
    engine: UsedEngine

    @property
    def in_bands(self) -> bool:
        """Whether feature maps are kept whole only where a later block needs them."""
        return self.engine == "torch" and self.device.type == "cpu"

    def network(self, unet: UNet) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
        """Return what predicts a part of a frame."""
        if self.engine == "openvino":
            return openvino_network(unet, self.dtype)
        forward = partial(forward_in_bands, unet) if self.in_bands else unet
        return _torch_network(forward, self.device, self.dtype)


def _fill(
    model: Model,
    picture: NDArray[np.uint8],
    out: NDArray[ScalarT],
    wanted: Callable[[NDArray[np.float32]], NDArray[ScalarT]],
    way: _Way,
    side: int | None,
) -> NDArray[ScalarT]:
    """Predict (H, W, 3) at its own resolution, in ever smaller tiles until they fit."""
    shape = (picture.shape[0], picture.shape[1])
    grid, halo = model.unet.stride, receptive_radius(model.card.network)
    item_size = 4 if way.dtype is None else way.dtype.itemsize
    per_pixel = memory_per_pixel(model.card.network, item_size, in_bands=way.in_bands)
    padded = math.prod(-(-length // grid) * grid for length in shape)
    memory = tile_bytes(per_pixel * padded, way.engine, in_bands=way.in_bands)
    max_pixels = int(memory / per_pixel)
    # Tiles of one size use the same memory over again, and OpenVINO has a program for each size.
    cutting: Any = {"halo": halo, "grid": grid, "alike": True}
    tile = choose_tile(shape, max_pixels=max_pixels, **cutting) if side is None else (side, side)
    network = way.network(model.unet)

    def checked(part: NDArray[np.uint8]) -> NDArray[ScalarT]:
        probability = network(part)
        if np.isnan(probability).any():
            advice = "choose another model" if way.dtype is None else "try precision float32"
            raise ModelError(f"{model.path}: gives values that are no numbers; {advice}")
        return wanted(probability)

    while True:
        plan = plan_tiles(shape, tile=tile, **cutting)
        failure = _try_plan(model.unet, picture, plan, checked, out)
        if failure is None:
            if len(plan) > 1:
                # The memory of a program is worth more to the network of the other role.
                let_go(model.unet)
            return out
        # Half of what did not fit; where that is not to be had, there is no way.
        max_pixels = _largest(plan) // 2
        tile = choose_tile(shape, max_pixels=max_pixels, **cutting)
        if _largest(plan_tiles(shape, tile=tile, **cutting)) > max_pixels:
            raise OutOfMemoryError(
                f"{way.device} has too little memory to predict {shape[1]}x{shape[0]} pixels, even "
                "in small tiles; close what else uses it, predict at scale train, or choose device "
                "cpu"
            ) from failure
        if way.device.type == "cuda":
            torch.cuda.empty_cache()


def resolve_engine(engine: Engine, device: torch.device) -> UsedEngine:
    """Return what calculates: ``auto`` is OpenVINO on the CPU where it is installed and works.

    Raises
    ------
    DeviceError
        If OpenVINO was asked for and is not installed, does not work, or is not for this device.
    """
    if engine == "torch":
        return "torch"
    problem = "calculates on the CPU; choose device cpu" if device.type != "cpu" else None
    problem = problem or openvino_problem()
    if problem is None:
        return "openvino"
    if engine == "openvino":
        raise DeviceError(f"OpenVINO {problem}")
    return "torch"


def _largest(plan: tuple[Tile, ...]) -> int:
    return max(tile.source.height * tile.source.width for tile in plan)


def _torch_network(
    forward: Callable[[Tensor], Tensor], device: torch.device, dtype: torch.dtype | None
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    def predict(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        # A copy, because a picture from outside may be read-only.
        batch = to_network(part[np.newaxis].copy(), device)
        with torch.inference_mode(), autocast(device, dtype):
            logits = forward(batch)
            probability: NDArray[np.float32] = logits[0, 0].float().sigmoid_().cpu().numpy()
        return probability

    return predict


def _try_plan(
    unet: UNet,
    picture: NDArray[np.uint8],
    plan: tuple[Tile, ...],
    network: Callable[[NDArray[np.uint8]], NDArray[ScalarT]],
    out: NDArray[ScalarT],
) -> RuntimeError | MemoryError | None:
    """Fill `out` along the plan; the error comes back if memory ran out on the way."""
    try:
        with _evaluating(unet):
            map_tiles(picture, plan, network, out)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        # Its frames hold the tensors that take the memory.
        return error.with_traceback(None)
    return None


@contextmanager
def _evaluating(unet: UNet) -> Iterator[None]:
    """Switch dropout off, also in the middle of a training, and back."""
    training = unet.training
    unet.eval()
    try:
        yield
    finally:
        unet.train(training)
