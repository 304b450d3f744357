"""Learn the masks of one role (sections 2.2, 2.3 and 3.4 of the paper)."""

from __future__ import annotations

import platform
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from bracketseg.errors import ModelError, TrainingError
from bracketseg.evaluation.metrics import Metrics
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.learning.batches import Draw, generator_for
from bracketseg.learning.dataset import load_dataset, pair_scenes
from bracketseg.learning.device_data import room_for_images
from bracketseg.learning.devices import (
    device_label,
    resolve_device,
    resolve_precision,
)
from bracketseg.learning.estimate import cache_bytes, images_that_fit, training_bytes
from bracketseg.learning.events import (
    Cached,
    Finished,
    Planned,
    ScenesSkipped,
    Stopped,
    Warned,
)
from bracketseg.learning.free_memory import free_memory
from bracketseg.learning.loop import TrainingLoop
from bracketseg.learning.optimization import Optimization
from bracketseg.learning.process_group import ALONE
from bracketseg.learning.progress import Progress
from bracketseg.learning.run_files import CONFIG, ENVIRONMENT, LAST, METRICS, SPLIT
from bracketseg.learning.run_folder import ReadRunFolder, RunFolder, versions
from bracketseg.learning.split import Split, group_scenes, split_scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bracketseg.brackets.bracket import Bracket
    from bracketseg.learning.config import TrainConfig
    from bracketseg.learning.dataset import Dataset
    from bracketseg.learning.events import SkippedScene, TrainEvent
    from bracketseg.learning.process_group import ProcessGroup

_T = TypeVar("_T")


def train(
    brackets: Sequence[Bracket],
    masks: Path,
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    group: ProcessGroup = ALONE,
) -> Iterator[TrainEvent]:
    """Train a network on one role's masks.

    Nothing happens before the first event is asked for. The generator may be closed at any
    event: the run folder then holds whole files, and `resume` goes on from the last
    checkpoint. On the CPU, an interrupted training that is resumed ends with the same
    weights, bit for bit, as one that was not.

    Parameters
    ----------
    brackets
        Scenes; those without a mask are left out.
    masks
        Folder of masks, ``<scene>_<role>.png``.
    config
        What to train and how.
    out
        The run folder.
    resume
        Go on with the run in `out`. It may then be given more epochs, another device and
        another precision; all else must be as it was. A finished run yields
        :class:`Finished` at once.
    should_stop
        Asked after each scene that is read, before each step and before each batch of the
        validation. If true, the state is saved and :class:`Stopped` is the last event.
    group
        The processes that share each batch, all of which call this in the same way. They learn
        what one process would but for rounding (on a GPU, dropout also drops other values), and a
        run may be gone on with by another number of them. One of them writes; where torchrun has
        started them again, they go on from the last checkpoint.

    Yields
    ------
    TrainEvent
        Planned, SceneCached for each scene, ScenesSkipped if any were, Cached, Warned where
        there is need, Estimated where it is long; for each epoch StepDone for each step,
        EpochDone, ExamplesSeen in some epochs and Checkpointed; at last Finished. MicroBatch
        comes before the step that it is first true of.

    Raises
    ------
    TrainingError
        If `out` holds another run, fewer than two different scenes are usable, the loss
        is not finite, or a file cannot be written.
    ModelError
        If the run to resume is damaged.
    LabelingError
        If `masks` holds no masks.
    DeviceError
        If the device or precision is not there.
    OutOfMemoryError
        If the images or a batch do not fit.
    """
    run = RunFolder(out) if group.rank == 0 else ReadRunFolder(out)
    try:
        yield from _train(run, brackets, masks, config, resume, should_stop, group)
    finally:
        run.release()


def _train(
    run: RunFolder,
    brackets: Sequence[Bracket],
    masks: Path,
    config: TrainConfig,
    resume: bool,
    should_stop: Callable[[], bool],
    group: ProcessGroup,
) -> Iterator[TrainEvent]:
    out = run.path
    resume = resume or (group.restarted and run.has_state())
    state = run.begin(config, resume=resume)

    def all_stop() -> bool:
        return group.any(should_stop())

    # Nobody writes before all have read.
    group.any(False)
    device = resolve_device(group.device(config.device))
    dtype = resolve_precision(config.precision, device)
    progress = Progress() if state is None else _stored(run, state, Progress.from_state, "progress")
    if progress.epoch > config.epochs:
        raise TrainingError(
            f"{out} has {progress.epoch} epochs already; ask for at least as many to resume it"
        )
    if progress.epoch == config.epochs and (out / METRICS).is_file():
        metrics = run.read_json(METRICS)
        if metrics.get("epochs") == config.epochs:
            yield _finished(run, metrics)
            return
    labeling = LabelingFolder.open(masks)
    paired, missing = pair_scenes(brackets, labeling, config.role)
    if len(paired) < 2:
        raise _too_few(labeling.path, config, len(paired), missing)
    run.make()
    optimization = Optimization(config, device, dtype, group)
    if state is not None:
        _stored(run, state, optimization.load_state)
    planned = Planned(
        scenes=len(paired),
        cache_bytes=cache_bytes(len(paired), config.image_size),
        memory_bytes=training_bytes(
            config, len(paired), optimization.precision, device.type, room_for_images(device)
        ),
        device=str(device),
        device_name=device_label(device),
        precision=optimization.precision,
        parameters=sum(p.numel() for p in optimization.unet.parameters()),
    )
    yield planned
    loaded = yield from load_dataset(paired, labeling, config.role, config.image_size, all_stop)
    if loaded is None:
        yield Stopped(
            run=out, epoch=progress.epoch, step=progress.step, resumable=state is not None
        )
        return
    dataset, broken = loaded
    skipped = (*missing, *broken)
    if skipped:
        yield ScenesSkipped(scenes=skipped)
    if any(scenes != dataset.scenes for scenes in group.gather(dataset.scenes)):
        raise TrainingError(
            "the processes of this training could not read the same scenes; check that all of them "
            "see the same folders, and start again"
        )
    if len(dataset.scenes) < 2:
        raise _too_few(labeling.path, config, len(dataset.scenes), skipped)
    groups = group_scenes(dataset.scenes, list(dataset.images))
    split = split_scenes(groups, config.validation, generator_for(Draw.SPLIT, config.seed))
    truth = _ground_truth(labeling, config)
    if state is not None:
        _check_data(run, split, truth, _stored(run, state, dict, "ground_truth"))
    _describe(run, config, split, skipped, planned, labeling.path, resume=resume)
    yield Cached(
        train=split.train,
        validation=split.validation,
        bytes=dataset.images.nbytes + dataset.masks.nbytes,
        rethresholded=dataset.rethresholded,
    )
    if (advice := _nothing_to_learn(dataset, split, labeling.path)) is not None:
        yield Warned(message=advice)
    if device.type == "cpu":
        _fit_into_memory(optimization, len(split.train), group)
    loop = TrainingLoop(run, config, optimization, progress, dataset, split, truth, group)
    if state is not None:
        _stored(run, state, loop.restore_best, "best")
    yield from loop.run_through(all_stop)


def _stored(
    run: RunFolder, state: dict[str, Any], take: Callable[[Any], _T], key: str | None = None
) -> _T:
    """Take over a part of a checkpoint, or say that it is damaged."""
    try:
        return take(state if key is None else state[key])
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(
            f"{run.path / LAST} does not fit this run; train into a new folder"
        ) from error


def _finished(run: RunFolder, metrics: dict[str, Any]) -> Finished:
    names = [field.name for field in fields(Metrics)]
    try:
        mean = Metrics(**{name: metrics["mean"][name] for name in names})
        return Finished(run=run.path, best_epoch=metrics["best_epoch"], metrics=mean)
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"{run.path / METRICS} is damaged; delete it and resume the run to have it written anew"
        ) from error


def _too_few(
    folder: Path, config: TrainConfig, usable: int, skipped: Sequence[SkippedScene]
) -> TrainingError:
    why = f"; {skipped[0].scene}: {skipped[0].reason}" if skipped else ""
    return TrainingError(
        f"training needs two scenes or more with a {config.role} mask in {folder}, but "
        f"{usable} can be used{why or '; label another scene'}"
    )


def _nothing_to_learn(dataset: Dataset, split: Split, masks: Path) -> str | None:
    """Return what to tell a person if the masks to learn from are all the same constant."""
    fractions = {float(dataset.masks[row].mean()) for row in dataset.rows(split.train)}
    if fractions not in ({0.0}, {1.0}):
        return None
    everything = "foreground" if fractions == {1.0} else "background"
    return (
        f"all {len(split.train)} masks to learn from are nothing but {everything}, so the network "
        f"can learn only to give that everywhere; check the ranges or the method of {masks}"
    )


def _fit_into_memory(optimization: Optimization, images: int, group: ProcessGroup) -> None:
    """Begin with parts of a batch where the free memory is not enough for a whole one."""
    free = free_memory()
    if free is None:
        return
    config = optimization.config
    images = -(-min(images, config.batch_size) // group.size)
    fit = images_that_fit(config, images, optimization.precision, free // group.local_size)
    if fit < images:
        optimization.micro_batch = fit


def _ground_truth(labeling: LabelingFolder, config: TrainConfig) -> dict[str, Any]:
    """Return how the masks were made, as far as the labelling says so."""
    origin = None if labeling.info is None else labeling.info.ranges.get(config.role)
    return {"method": "masks"} if origin is None else origin.model_dump(mode="json")


def _check_data(run: RunFolder, split: Split, truth: dict[str, Any], before: Any) -> None:
    """Refuse to go on with other scenes or masks than the run began with."""
    recorded = run.read_json(SPLIT)
    sides = {"train": split.train, "validation": split.validation}
    for side, scenes in sides.items():
        changed = sorted(set(recorded.get(side, ())) ^ set(scenes))
        if changed:
            raise TrainingError(
                f"{run.path} was started with other {side} scenes ({', '.join(changed[:5])}"
                f"{', ...' if len(changed) > 5 else ''}); give it the same brackets and masks, or "
                "train into another folder"
            )
    if truth != before:
        raise TrainingError(
            f"{run.path} was started with masks made in another way ({before}, now {truth}); give "
            "it the same masks, or train into another folder"
        )


def _describe(
    run: RunFolder,
    config: TrainConfig,
    split: Split,
    skipped: Sequence[SkippedScene],
    planned: Planned,
    masks: Path,
    *,
    resume: bool,
) -> None:
    """Write down what the run is, before its first step."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    began = run.began() if resume else {}
    times = {**began, "resumed": [*began["resumed"], now]} if began else {"started": now}
    run.write_json(CONFIG, config.model_dump(mode="json"))
    run.write_json(SPLIT, {**asdict(split), "skipped": [asdict(scene) for scene in skipped]})
    run.write_json(
        ENVIRONMENT,
        {
            "versions": versions(),
            "platform": platform.platform(),
            "device": planned.device,
            "device_name": planned.device_name,
            "precision": planned.precision,
            "threads": torch.get_num_threads(),
            "masks": str(masks.resolve()),
            **times,
        },
    )
