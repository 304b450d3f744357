"""What the Train dock says."""

import math
from collections.abc import Sequence
from pathlib import Path

from bracketseg._napari.session.labels_folder import short_path
from bracketseg._napari.session.runs_folder import is_own
from bracketseg._napari.train.plan import Choice
from bracketseg._napari.train.progress import TrainProgress
from bracketseg._napari.train.queue import TrainQueue
from bracketseg.errors import BracketSegError
from bracketseg.learning.estimate import training_bytes
from bracketseg.learning.free_memory import free_memory
from bracketseg.learning.runs import Run
from bracketseg.wording import counted
from bracketseg.worker.requests import Train


def ready_text(choice: Choice | None, runs: Sequence[Train]) -> str:
    """Say what Start will do."""
    if choice is None or not runs:
        return ""
    scenes = " and ".join(
        f"{counted(choice.masks.scenes[role], 'scene')} with {role} masks" for role in choice.roles
    )
    epochs = runs[0].config.epochs
    each = counted(epochs, "epoch")
    if len(runs) > 1:
        each = f"{len(runs)} runs one after another, {each} each"
    name = choice.masks.path.name
    network = (
        f" ⚠ {name} holds predictions of a network." if choice.masks.method == "network" else ""
    )
    where = f"{_where_text(runs[0].out, choice)} {_memory_text(choice, runs)}".strip()
    return f"Ready: {scenes} in {name}; {each}.{network} {where}"


def running_text(run: Train, queue: TrainQueue, progress: TrainProgress) -> str:
    """Say what the run in hand does."""
    if queue.stopping:
        return f"{_which(run, queue)}Stopping after this step …"
    return f"{_which(run, queue)}{progress.sentence(len(queue.waiting) - 1)}"


def ended_text(
    queue: TrainQueue, run: Train, progress: TrainProgress, error: BracketSegError | None
) -> str:
    """Say how a run has ended."""
    if error is None:
        next_step = ""
        if queue.total > 1 and not queue.waiting:
            next_step = "\nPredict opens the dock that makes masks with the run that is selected."
        return f"{_which(run, queue)}{progress.outcome(brief=queue.total > 1)}{next_step}"
    left = queue.waiting[0] if queue.waiting else None
    go_on = " Resume goes on with it." if left is not None and left.resume else ""
    return f"⚠ {_which(run, queue)}{error}{go_on}"


def run_title(run: Run, baseline: float | None = None) -> str:
    """Say in a line what a run is: role, loss, Dice, time and epochs.

    Parameters
    ----------
    run : Run
    baseline : float or None
        The Dice of a mask that is all foreground, on the same scenes; None where it is not
        known.
    """
    config, done = run.config, len(run.records)
    words = [f"{config.role} {config.loss}"]
    if run.best is not None and baseline is None:
        words.append(f"Dice {run.best.validation_dice:.3f}")
    elif run.best is not None and baseline is not None:
        dice = run.best.validation_dice
        mark = "" if dice > baseline else "⚠ "
        words.append(f"{mark}Dice {dice:.3f} (all fg. {baseline:.3f})")
    words.append(f"{run.started.astimezone():%d %b %H:%M}")
    # Where there is little room, the end is cut off.
    words.append(
        counted(done, "epoch") if run.finished else f"{done} of {counted(config.epochs, 'epoch')}"
    )
    return " · ".join(words)


def run_tip(run: Run, baseline: float | None = None) -> str:
    """Say where a run lies, and what its Dice has to beat."""
    title = run_title(run, baseline)
    if run.best is None or baseline is None:
        return f"{run.path}\n{title}"
    better = "better" if run.best.validation_dice > baseline else "no better"
    told = f"A mask that is all foreground has Dice {baseline:.3f}: this is {better}."
    if not math.isnan(run.best.validation_foreground):
        told += f" It calls {run.best.validation_foreground:.0%} foreground."
    return f"{run.path}\n{title}\n{told}"


def resume_text(selected: Run | None, waiting: Sequence[Train]) -> str:
    """Say what Resume goes on with."""
    if waiting and (selected is None or selected.path == waiting[0].out):
        behind = f", and then with the {len(waiting) - 1} behind it" if len(waiting) > 1 else ""
        return f"Go on with {waiting[0].out.name}{behind}"
    if selected is not None:
        return f"Go on with {selected.path.name}"
    return "Goes on with a run that was stopped: select one in the list of runs"


def predict_text(selected: Run | None) -> str:
    """Say what Predict does."""
    if selected is None:
        return "Opens the Predict dock with a run that has a model: select one in the list of runs"
    return f"Open the Predict dock with {selected.path.name}"


def details_text(progress: TrainProgress | None) -> tuple[str, str]:
    """Give a title for what a person should know beside the status, and that itself.

    Both are empty if there is nothing.
    """
    if progress is None or not (progress.skipped or progress.notes):
        return "", ""
    skipped = progress.skipped
    broken = [scene for scene in skipped if scene.broken]
    titles = []
    if broken:
        titles.append(f"⚠ {counted(len(broken), 'scene')} cannot be used")
    if len(broken) < len(skipped):
        titles.append(f"{counted(len(skipped) - len(broken), 'scene')} without a mask")
    if progress.notes:
        titles.append(counted(len(progress.notes), "note"))
    lines = [*progress.notes, *(f"{scene.scene}: {scene.reason}" for scene in (*broken, *skipped))]
    return " · ".join(titles), "\n\n".join(dict.fromkeys(lines))


def _where_text(run: Path, choice: Choice) -> str:
    """Say where the runs go, if that is not beside the brackets."""
    if choice.out is not None or not is_own(run):
        return ""
    place = short_path(run.parent, choice.folder)
    return f"Runs go to {place}, as nothing can be saved beside the pictures."


def _memory_text(choice: Choice, runs: Sequence[Train]) -> str:
    """Say what the largest of the runs needs; a device other than the CPU has its own memory."""
    device = runs[0].config.device
    kind = "cpu" if device == "auto" else device.partition(":")[0]
    needed = max(
        training_bytes(run.config, choice.masks.scenes[run.config.role], run.config.precision, kind)
        for run in runs
    )
    if kind != "cpu":
        return f"Needs about {_size(needed)} on {device}."
    free = free_memory()
    if free is None:
        return f"Needs about {_size(needed)} of memory."
    if needed > free:
        return (
            f"⚠ Needs about {_size(needed)} of memory, and {_size(free)} are free: batches will "
            "be learned in parts, which takes longer. Smaller batches or images avoid that."
        )
    return f"Needs about {_size(needed)} of memory ({_size(free)} free)."


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number < 9.95e9 else f"{number / 1e9:.0f} GB"


def _which(run: Train, queue: TrainQueue) -> str:
    name = f"{run.config.role}, {run.config.loss}"
    return f"{name}: " if queue.total == 1 else f"Run {queue.number} of {queue.total}, {name}: "
