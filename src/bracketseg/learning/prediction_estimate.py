"""What the prediction of many frames will take on this machine, found by predicting a scene."""

from __future__ import annotations

import math
from contextlib import suppress
from statistics import fmean, median
from typing import TYPE_CHECKING

from bracketseg.brackets.files import temporary_folder
from bracketseg.errors import BracketSegError
from bracketseg.learning.devices import precision_of, resolve_device, resolve_precision
from bracketseg.learning.estimate import prediction_bytes
from bracketseg.learning.events import Expected, ScenePredicted
from bracketseg.learning.predict_folder import predict_brackets
from bracketseg.learning.prediction import resolve_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.bracket import Bracket, MaskRole
    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.config import PredictConfig

WORTH_IT = 40
"""Frames from which on a few more do not matter."""

LOOKED_AT = 50
"""Scenes whose size is looked at, evenly spread over all of them."""

ENOUGH = 1.0
"""Seconds after which a short scene is not done once more."""

TIMES = 5
"""How often it is done at most."""


def expect_prediction(
    brackets: Sequence[Bracket],
    models: Mapping[MaskRole, Model],
    config: PredictConfig,
    out: Path,
    *,
    align: AlignMethod = "off",
    should_stop: Callable[[], bool] = lambda: False,
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
    out
        A folder on the disk that the masks will be written to. Within it a scene is predicted
        into a hidden folder, which is removed again.
    align
        Whether and how frames are aligned first.
    should_stop
        Asked before each frame; true ends the work.

    Returns
    -------
    Expected or None
        None where there are so few frames that it is not worth while, none can be read or
        written, or it was stopped.

    Notes
    -----
    A scene of the mean size takes the mean time, where time grows evenly with the pixels. What is
    timed is the scene of the size next to it, or those next above and below, and all of the work:
    to read, align, predict, encode and write, and to see that it is on the disk.
    """
    frames = len(brackets) * len(models)
    if frames < WORTH_IT:
        return None
    role = next(iter(models))
    looked_at = brackets[:: -(-len(brackets) // LOOKED_AT)]
    sizes = [(bracket, shape) for bracket in looked_at if (shape := _shape(bracket, role))]
    if not sizes:
        return None

    def took(scenes: Sequence[Bracket]) -> float | None:
        """Return the seconds of one of the first few of these scenes."""
        for bracket in scenes[:3]:
            with suppress(BracketSegError, OSError):
                if seconds := _seconds(bracket, models, config, out, align, should_stop):
                    return seconds
        return None

    scene = _at_the_mean([(math.prod(shape), bracket) for bracket, shape in sizes], took)
    if scene is None or should_stop():
        return None
    memory = _memory([shape for _, shape in sizes], models, config, align)
    return Expected(frames=frames, seconds=len(brackets) * scene, memory_bytes=memory)


def _shape(bracket: Bracket, role: MaskRole) -> tuple[int, int] | None:
    with suppress(BracketSegError):
        height, width = bracket.frame(role).shape[:2]
        return height, width
    return None


def _at_the_mean(
    scenes: Sequence[tuple[int, Bracket]], took: Callable[[Sequence[Bracket]], float | None]
) -> float | None:
    """Return the seconds of a scene of the mean size, from those next to it in size.

    Parameters
    ----------
    scenes
        Their pixels, and they themselves.
    took
        What a scene takes, given some of one size.
    """
    mean = fmean(pixels for pixels, _ in scenes)
    below = max(pixels for pixels, _ in scenes if pixels <= mean)
    above = min(pixels for pixels, _ in scenes if pixels >= mean)
    known = {
        pixels: took([bracket for other, bracket in scenes if other == pixels])
        for pixels in {below, above}
    }
    smaller, larger = known[below], known[above]
    if smaller is None or larger is None or below == above:
        return larger if smaller is None else smaller
    return smaller + (larger - smaller) * (mean - below) / (above - below)


def _seconds(
    bracket: Bracket,
    models: Mapping[MaskRole, Model],
    config: PredictConfig,
    out: Path,
    align: AlignMethod,
    should_stop: Callable[[], bool],
) -> float | None:
    """Predict a scene; None if that was stopped or failed."""
    seconds: list[float] = []
    with temporary_folder(out) as folder:
        # The first time, what the others use is made ready as well.
        while len(seconds) < 2 or (len(seconds) < TIMES and sum(seconds[1:]) < ENOUGH):
            events = predict_brackets(
                [bracket],
                models,
                folder,
                align=align,
                overwrite=True,
                should_stop=should_stop,
                **config.model_dump(),
            )
            found = [event.seconds for event in events if isinstance(event, ScenePredicted)]
            if not found:
                return None
            seconds += found
    return median(seconds[1:])


def _memory(
    shapes: Sequence[tuple[int, int]],
    models: Mapping[MaskRole, Model],
    config: PredictConfig,
    align: AlignMethod,
) -> int | None:
    device = resolve_device(config.device)
    if device.type != "cpu":
        return None
    precision = precision_of(resolve_precision(config.precision, device))
    engine = resolve_engine(config.engine, device)
    return max(
        prediction_bytes(
            model.card.network,
            shape,
            precision,
            engine,
            side=model.card.image_size if config.scale == "train" else None,
            probabilities=len(models) if config.probability else 0,
            aligned=align != "off",
        )
        for shape in shapes
        for model in models.values()
    )
