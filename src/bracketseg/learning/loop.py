"""The loop over the epochs and steps of one training."""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bracketseg.errors import TrainingError
from bracketseg.learning.batches import Draw, generator_for
from bracketseg.learning.device_data import DeviceData
from bracketseg.learning.devices import memory_guard
from bracketseg.learning.events import (
    Checkpointed,
    EpochDone,
    Estimated,
    Finished,
    MicroBatch,
    StepDone,
    Stopped,
)
from bracketseg.learning.examples import are_due, seen
from bracketseg.learning.model_card import ModelCard
from bracketseg.learning.optimization import GradientError
from bracketseg.learning.process_group import ALONE
from bracketseg.learning.progress import EpochRecord
from bracketseg.learning.rehearsal import rehearse
from bracketseg.learning.run_files import LAST, METRICS
from bracketseg.learning.run_folder import versions
from bracketseg.learning.validation import Validation, report, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.dataset import Dataset
    from bracketseg.learning.events import TrainEvent
    from bracketseg.learning.optimization import Optimization
    from bracketseg.learning.process_group import ProcessGroup
    from bracketseg.learning.progress import Progress
    from bracketseg.learning.run_folder import RunFolder
    from bracketseg.learning.split import Split


class TrainingLoop:
    """Steps and epochs from wherever the progress stands to the end.

    Parameters
    ----------
    run
        Where checkpoints and results go.
    config
        The settings.
    optimization, progress
        What is learned so far.
    dataset, split
        What it is learned from.
    ground_truth
        How the masks were made.
    group
        The processes that do this together.
    """

    def __init__(
        self,
        run: RunFolder,
        config: TrainConfig,
        optimization: Optimization,
        progress: Progress,
        dataset: Dataset,
        split: Split,
        ground_truth: dict[str, Any],
        group: ProcessGroup = ALONE,
    ) -> None:
        self._run = run
        self._config = config
        self._optimization = optimization
        self._progress = progress
        self._dataset = dataset
        with memory_guard("the images do not fit on the device; choose a smaller image size"):
            self._data = DeviceData(dataset, optimization.device)
        self._split = split
        self._ground_truth = ground_truth
        self._group = group
        self._rows = dataset.rows(split.train)
        self._validation_rows = dataset.rows(split.validation)
        self._best: dict[str, Tensor] | None = None
        self._micro_batch = config.batch_size

    def restore_best(self, weights: dict[str, Tensor] | None) -> None:
        """Take over the best weights of a checkpoint."""
        self._best = weights

    def run_through(self, should_stop: Callable[[], bool]) -> Iterator[TrainEvent]:
        """Train to the last epoch, or until it is asked to stop."""
        # An interruption may have fallen between a checkpoint and what is made from it.
        self._write_results()
        left = self._config.epochs - self._progress.epoch
        seconds = rehearse(
            self._optimization,
            self._data,
            self._rows,
            self._validation_rows,
            left,
            should_stop=should_stop,
            save=self._rehearse_saving,
            group=self._group,
        )
        if seconds is not None:
            yield Estimated(seconds=seconds)
        yield from self._smaller_parts()
        for epoch in range(self._progress.epoch + 1, self._config.epochs + 1):
            yield from self._learn(epoch, should_stop)
            result, seconds = self._validate(should_stop)
            yield from self._smaller_parts()
            if result is None:
                yield self._save()
                yield self._stopped()
                return
            if not math.isfinite(result.loss):
                what = f"the loss became {result.loss} in the validation of epoch {epoch}"
                raise self._not_finite(what)
            done = self._finish_epoch(epoch, result, seconds)
            saved = self._save()
            self._write_results()
            yield done
            if are_due(epoch, self._config.epochs):
                rows = self._validation_rows[: len(result.examples)]
                pictures, masks = self._dataset.images[rows], self._dataset.masks[rows]
                yield seen(epoch, self._split.validation, pictures, masks, result.examples)
            yield saved
        yield self._finish(should_stop)

    @property
    def _steps(self) -> int:
        return math.ceil(len(self._rows) / self._config.batch_size)

    def _smaller_parts(self) -> Iterator[MicroBatch]:
        """Say so once when a batch begins to be learned in parts, or in smaller ones."""
        images = self._optimization.micro_batch
        if images < self._micro_batch:
            self._micro_batch = images
            yield MicroBatch(images=images, batch_size=self._config.batch_size)

    def _not_finite(self, what: str) -> TrainingError:
        """Return the error for what is not a number; the weights are as before it."""
        start_anew = (
            f"train into a new folder with a learning rate below {self._config.learning_rate:g}"
        )
        precision, epoch = self._optimization.precision, self._progress.epoch
        if not (self._run.path / LAST).exists():
            exact = "" if precision == "float32" else " or precision float32"
            return TrainingError(f"{what}, before anything was kept; {start_anew}{exact}")
        kept = f"{self._run.path} keeps what was learned up to epoch {epoch}"
        if precision == "float32":
            return TrainingError(f"{what}; {start_anew} ({kept})")
        return TrainingError(
            f"{what}; {kept}: resume it with precision float32 instead of {precision}, or "
            f"{start_anew}"
        )

    def _learn(
        self, epoch: int, should_stop: Callable[[], bool]
    ) -> Iterator[MicroBatch | StepDone]:
        """Do the steps of an epoch that are left, or as many as it may."""
        config, progress = self._config, self._progress
        order = generator_for(Draw.ORDER, config.seed, epoch).permutation(self._rows)
        images, seconds = 0, 0.0
        while progress.step < self._steps and not should_stop():
            began = perf_counter()
            step = progress.step + 1
            batch = order[progress.step * config.batch_size : step * config.batch_size]
            own = self._group.part(len(batch))
            shown = self._data.batch(batch[own])
            if config.augment:
                turns = generator_for(Draw.AUGMENT, config.seed, epoch, step)
                shown = shown.turned(turns, first=own.start)
            where = f"in step {step} of epoch {epoch}"
            try:
                loss = self._optimization.step(shown, epoch, step, total=len(batch))
            except GradientError as error:
                raise self._not_finite(f"{error} {where}, though the loss is") from error
            if not math.isfinite(loss):
                raise self._not_finite(f"the loss became {loss} {where}")
            took = perf_counter() - began
            progress.step = step
            progress.loss_sum += loss * len(batch)
            progress.seconds += took
            images, seconds = images + len(batch), seconds + took
            yield from self._smaller_parts()
            yield StepDone(
                epoch=epoch,
                epochs=config.epochs,
                step=step,
                steps=self._steps,
                loss=loss,
                images_per_second=images / max(seconds, 1e-9),
            )

    def _validate(self, should_stop: Callable[[], bool]) -> tuple[Validation | None, float]:
        """Validate a complete epoch; None if it was stopped. Also the seconds it took."""
        if self._progress.step < self._steps:
            return None, 0.0
        began = perf_counter()
        rows = self._validation_rows
        result = validate(self._optimization, self._data, rows, should_stop, group=self._group)
        return result, perf_counter() - began

    def _finish_epoch(self, epoch: int, result: Validation, seconds: float) -> EpochDone:
        mean = result.mean
        record = EpochRecord(
            epoch=epoch,
            train_loss=self._progress.loss_sum / len(self._rows),
            validation_loss=result.loss,
            validation_dice=mean.dice,
            validation_jaccard=mean.jaccard,
            validation_foreground=mean.prediction_foreground,
            seconds=self._progress.seconds + seconds,
        )
        best = self._progress.finish_epoch(record)
        if best:
            weights = self._optimization.unet.state_dict()
            self._best = {name: tensor.detach().clone() for name, tensor in weights.items()}
        return EpochDone(
            epoch=epoch,
            epochs=self._config.epochs,
            train_loss=record.train_loss,
            validation_loss=record.validation_loss,
            validation_dice=record.validation_dice,
            validation_jaccard=record.validation_jaccard,
            validation_foreground=record.validation_foreground,
            seconds=record.seconds,
            best=best,
        )

    def _save(self) -> Checkpointed:
        path = self._run.write_state(
            {
                **self._optimization.state(),
                "progress": self._progress.state(),
                "best": self._best,
                "ground_truth": self._ground_truth,
            }
        )
        return Checkpointed(path=path, epoch=self._progress.epoch, step=self._progress.step)

    def _rehearse_saving(self) -> None:
        """Write what a checkpoint and the best weights take: five times the weights."""
        weights = [weight.detach().cpu() for weight in self._optimization.unet.parameters()]
        copies = {str(copy): [weight.clone() for weight in weights] for copy in range(5)}
        self._run.rehearse_state(copies)

    def _write_results(self) -> None:
        best = self._progress.best
        if best is None or self._best is None:
            return
        self._run.write_history(self._progress.history)
        card = ModelCard(
            role=self._config.role,
            network=self._config.network,
            image_size=self._config.image_size,
            ground_truth=self._ground_truth,
            loss=self._config.loss,
            seed=self._config.seed,
            epoch=best.epoch,
            metrics={
                "loss": best.validation_loss,
                "dice": best.validation_dice,
                "jaccard": best.validation_jaccard,
            },
            versions=versions(),
        )
        self._run.write_best(self._best, card)

    def _stopped(self) -> Stopped:
        progress = self._progress
        return Stopped(run=self._run.path, epoch=progress.epoch, step=progress.step, resumable=True)

    def _finish(self, should_stop: Callable[[], bool]) -> Finished | Stopped:
        """Measure the best weights in full."""
        best = self._progress.best
        assert best is not None  # noqa: S101 - there is at least one epoch
        assert self._best is not None  # noqa: S101
        self._optimization.unet.load_state_dict(self._best)
        rows = self._validation_rows
        result = validate(
            self._optimization, self._data, rows, should_stop, with_roc=True, group=self._group
        )
        if result is None:
            return self._stopped()
        scenes, masks = self._split.validation, self._dataset.masks[rows]
        metrics = report(result, scenes, masks, best.epoch)
        self._run.write_json(METRICS, {"epochs": self._progress.epoch, **metrics})
        return Finished(run=self._run.path, best_epoch=best.epoch, metrics=result.mean)
