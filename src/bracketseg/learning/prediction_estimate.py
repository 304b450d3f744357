"""What the prediction of many frames will take on this machine, found by trying one."""

from __future__ import annotations

from contextlib import suppress
from statistics import fmean
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bracketseg.errors import BracketSegError
from bracketseg.learning.devices import precision_of, resolve_device, resolve_precision
from bracketseg.learning.estimate import prediction_bytes
from bracketseg.learning.events import Expected
from bracketseg.learning.prediction import predict_mask, resolve_engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bracketseg.brackets.bracket import Bracket, Frame, MaskRole
    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.config import PredictConfig

WORTH_IT = 20
"""Frames from which on two more do not matter."""

LOOKED_AT = 50
"""Frames whose size is looked at, evenly spread over all of them."""

PART = 1024
"""Side in pixels of the most of a frame that is tried."""


def expect_prediction(
    brackets: Sequence[Bracket], models: Mapping[MaskRole, Model], config: PredictConfig
) -> Expected | None:
    """Estimate what the prediction of many scenes takes, one after the other.

    Parameters
    ----------
    brackets
        The scenes.
    models
        One per role to predict.
    config
        How.

    Returns
    -------
    Expected or None
        None where there are so few frames that it is not worth while, or none can be read.

    """
    frames = len(brackets) * len(models)
    if frames < WORTH_IT:
        return None
    step, role = -(-len(brackets) // LOOKED_AT), next(iter(models))
    shapes = [shape for b in brackets[::step] if (shape := _shape(b, role)) is not None]
    tried = (_seconds(model, brackets, role, config) for role, model in models.items())
    known = [seconds for seconds in tried if seconds is not None]
    if not shapes or not known:
        return None
    device = resolve_device(config.device)
    memory = None
    if device.type == "cpu":
        precision = precision_of(resolve_precision(config.precision, device))
        engine = resolve_engine(config.engine, device)
        memory = max(
            prediction_bytes(
                model.card.network,
                shape if config.scale == "full" else (model.card.image_size,) * 2,
                precision,
                engine,
            )
            for shape in shapes
            for model in models.values()
        )
    pixels = fmean(height * width for height, width in shapes)
    frame = fmean(fixed + per_pixel * pixels for fixed, per_pixel in known)
    return Expected(frames=frames, seconds=frames * frame, memory_bytes=memory)


def _shape(bracket: Bracket, role: MaskRole) -> tuple[int, int] | None:
    with suppress(BracketSegError):
        height, width = bracket.frame(role).shape[:2]
        return height, width
    return None


def _seconds(
    model: Model, brackets: Sequence[Bracket], role: MaskRole, config: PredictConfig
) -> tuple[float, float] | None:
    """Try a frame: the seconds that it takes whatever its size, and those for each pixel."""
    for bracket in brackets[:3]:
        with suppress(BracketSegError):
            return _try(model, bracket.frame(role), config)
    return None


def _try(model: Model, frame: Frame, config: PredictConfig) -> tuple[float, float]:
    began = perf_counter()
    picture = frame.read()
    reading = (perf_counter() - began) / (picture.shape[0] * picture.shape[1])
    part = picture[:PART, :PART]
    settings: dict[str, Any] = config.model_dump(exclude={"probability"})
    # The first one also makes the code that the others use.
    predict_mask(model, part, **settings)
    began = perf_counter()
    predict_mask(model, part, **settings)
    took = perf_counter() - began
    if config.scale == "train":
        return took, reading
    return 0.0, reading + took / (part.shape[0] * part.shape[1])
