"""How far one run is, told from its events."""

import math
from collections.abc import Sequence
from dataclasses import fields

from bracketseg.evaluation.metrics import Metrics
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.events import (
    Cached,
    EpochDone,
    Estimated,
    ExamplesSeen,
    Finished,
    MicroBatch,
    Planned,
    SceneCached,
    ScenesSkipped,
    SkippedScene,
    StepDone,
    Stopped,
    Warned,
)
from bracketseg.learning.progress import EpochRecord, time_text
from bracketseg.wording import counted
from bracketseg.worker.requests import Ready

_MOST_STEPS = 4000
"""Points of the curve of the steps; beyond them every second one is dropped."""


class TrainProgress:
    """Takes in the events of a run, as fast as they come, and puts them into words.

    Parameters
    ----------
    config : TrainConfig
    history : sequence of EpochRecord
        The epochs that a run that is resumed has already.

    Attributes
    ----------
    records : list of EpochRecord
        Of the epochs that are complete.
    steps : list of (float, float)
        How many epochs, with their parts, were done, and the loss of that step's batch.
    examples : ExamplesSeen or None
        The latest.
    notes : list of str
        What a person should know: warnings, and how a lack of memory was dealt with.
    skipped : tuple of SkippedScene
    planned : Planned or None
    cached : Cached or None
    ended : Stopped or Finished or None
    baseline : float or None
        Dice of all foreground on the validation scenes; set from outside.
    """

    def __init__(self, config: TrainConfig, history: Sequence[EpochRecord] = ()) -> None:
        self.config = config
        self.records = list(history)
        self.steps: list[tuple[float, float]] = []
        self.examples: ExamplesSeen | None = None
        self.notes: list[str] = []
        self.skipped: tuple[SkippedScene, ...] = ()
        self.planned: Planned | None = None
        self.cached: Cached | None = None
        self.ended: Stopped | Finished | None = None
        self.baseline: float | None = None
        self._ready = False
        self._read: SceneCached | None = None
        self._step: StepDone | None = None
        self._epoch_seconds = 0.0
        self._estimated: float | None = None

    def take(self, event: object) -> None:
        """Take in an event."""
        match event:
            case StepDone():
                self._step = event
                self.steps.append((event.epoch - 1 + event.step / event.steps, event.loss))
                if len(self.steps) > _MOST_STEPS:
                    del self.steps[::2]
            case EpochDone():
                # A run that was stopped between an epoch and its checkpoint repeats it.
                del self.records[event.epoch - 1 :]
                names = [field.name for field in fields(EpochRecord)]
                self.records.append(EpochRecord(**{name: getattr(event, name) for name in names}))
                self._epoch_seconds = event.seconds
            case ExamplesSeen():
                self.examples = event
            case SceneCached():
                self._read = event
            case Ready():
                self._ready = True
            case Planned():
                self.planned = event
            case ScenesSkipped(scenes=scenes):
                self.skipped = scenes
            case Cached():
                self.cached = event
            case Estimated(seconds=seconds):
                self._estimated = seconds
            case Warned(message=message):
                self.notes.append(message)
            case MicroBatch(images=images, batch_size=size):
                self.notes.append(
                    f"Memory was too small for {size} images at once: each batch is now learned "
                    f"in parts of {images}, with the same result."
                )
            case Stopped() | Finished():
                self.ended = event

    def seconds_left(self, behind: int = 0) -> float | None:
        """Estimate what the rest takes; None while there is nothing to tell it from.

        Parameters
        ----------
        behind : int
            Runs of as many epochs that come after this one and are counted in.
        """
        step = self._step
        if step is None or self.cached is None:
            if self._estimated is None:
                return None
            return self._estimated * (1 + behind)
        # An epoch that is complete counts its validation, too.
        images = len(self.cached.train)
        epoch = self._epoch_seconds or images / max(step.images_per_second, 1e-6)
        done = step.epoch - 1 + step.step / step.steps
        left = max(0.0, step.epochs - max(done, len(self.records)))
        return (left + behind * step.epochs) * epoch

    def sentence(self, behind: int = 0) -> str:
        """Say what is being done, and how well and how fast.

        Parameters
        ----------
        behind : int
            Runs that come after this one.
        """
        if not self._ready:
            return "Loading PyTorch …"
        if self.planned is None:
            return "Looking for the brackets …"
        if self.cached is None:
            read = self._read
            return f"Reading the scenes: {read.done if read else 0} of {self.planned.scenes} …"
        step = self._step
        if step is None:
            seconds, whole = self.seconds_left(), self.seconds_left(behind)
            about = "" if seconds is None else f", about {time_text(seconds)}"
            if behind and whole is not None:
                about += f", {time_text(whole)} with the {behind} behind it"
            return (
                f"Training on {counted(len(self.cached.train), 'scene')}, "
                f"{len(self.cached.validation)} kept back, on {self.planned.device_name}{about} …"
            )
        left, whole = self.seconds_left(), self.seconds_left(behind)
        words = [
            f"Epoch {step.epoch} of {step.epochs}, step {step.step} of {step.steps}",
            f"{step.images_per_second:.1f} images/s",
        ]
        if left is not None and whole is not None:
            rest = f" of this run, {time_text(whole)} with the {behind} behind it" if behind else ""
            words.append(f"{time_text(left)} left{rest}")
        if self.records:
            words.append(f"Dice {self.records[-1].validation_dice:.3f}{self.compared()}")
            share = self.records[-1].validation_foreground
            if not math.isnan(share):
                words.append(f"foreground {share:.0%}")
        return " · ".join(words)

    def compared(self) -> str:
        """Say, in brackets, what Dice all foreground has; empty while that is not known."""
        return "" if self.baseline is None else f" (all foreground: {self.baseline:.3f})"

    def fractions(self) -> str:
        """Say how much of the examples is foreground, by the network and by the ground truth."""
        seen = self.examples
        if seen is None:
            return ""
        network, truth = float((seen.probabilities >= 128).mean()), float(seen.masks.mean())
        return f"Foreground: {_fractions(network, truth)}."

    def outcome(self, *, brief: bool = False) -> str:
        """Say how the run has ended, and what to do next.

        Parameters
        ----------
        brief : bool
            Leave out what is the same after each of several runs.
        """
        ended = self.ended
        if isinstance(ended, Stopped) and ended.resumable:
            place = f"after {ended.epoch} of {counted(self.config.epochs, 'epoch')}"
            if ended.step:
                place += f" and {ended.step} step{'s' * (ended.step > 1)} of the next"
            return f"Stopped {place}. Resume goes on from there."
        if not isinstance(ended, Finished):
            return "Stopped before its first step. Resume begins with it."
        metrics = ended.metrics
        score = f"Dice {metrics.dice:.3f}{self.compared()}"
        covered = _fractions(metrics.prediction_foreground, metrics.reference_foreground)
        doubt = self._doubt(metrics)
        words = f"Finished: epoch {ended.best_epoch} of {self.config.epochs} is the best, with "
        words = "" if brief else f"{words}{score} and Jaccard {metrics.jaccard:.3f}."
        if doubt:
            return f"⚠ {words or f'{score}.'} {doubt}"
        if brief:
            return f"{score}; foreground: {covered}."
        return f"{words} Foreground: {covered}. Predict makes masks with it."

    def _doubt(self, metrics: Metrics) -> str:
        """Say why a result is none; empty where a mask that is the same everywhere is beaten."""
        if metrics.reference_foreground in (0, 1):
            what = "foreground" if metrics.reference_foreground else "background"
            return (
                f"The masks of the scenes kept back are nothing but {what}, so that says nothing: "
                f"check how they were made, or keep other scenes back with another seed."
            )
        if self.baseline is None or metrics.dice > self.baseline:
            return ""
        return (
            "That is no better than calling everything foreground: train for more epochs, with "
            "more scenes or with another loss."
        )


def _fractions(network: float, truth: float) -> str:
    return f"network {network:.0%}, ground truth {truth:.0%}"
