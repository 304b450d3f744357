"""What the Train dock says."""

from collections.abc import Sequence

from bracketseg._napari.train.plan import Choice
from bracketseg._napari.train.progress import TrainProgress
from bracketseg._napari.train.queue import TrainQueue
from bracketseg.errors import BracketSegError
from bracketseg.learning.estimate import training_bytes
from bracketseg.learning.free_memory import free_memory
from bracketseg.learning.runs import Run
from bracketseg.worker.requests import Train


def ready_text(choice: Choice | None, runs: Sequence[Train]) -> str:
    """Say what Start will do."""
    if choice is None or not runs:
        return ""
    scenes = " and ".join(
        f"{choice.masks.scenes[role]} scenes with {role} masks" for role in choice.roles
    )
    epochs = runs[0].config.epochs
    each = f"{epochs} epoch{'' if epochs == 1 else 's'}"
    if len(runs) > 1:
        each = f"{len(runs)} runs one after another, {each} each"
    return f"Ready: {scenes} in {choice.masks.path.name}; {each}. {_memory_text(choice, runs)}"


def running_text(run: Train, queue: TrainQueue, progress: TrainProgress) -> str:
    """Say what the run in hand does."""
    doing = "Stopping after this step …" if queue.stopping else progress.sentence()
    return f"{_which(run, queue)}{doing}"


def ended_text(
    queue: TrainQueue, run: Train, progress: TrainProgress, error: BracketSegError | None
) -> str:
    """Say how a run has ended."""
    if error is None:
        return f"{_which(run, queue)}{progress.outcome(brief=queue.total > 1)}"
    left = queue.waiting[0] if queue.waiting else None
    go_on = " Resume goes on with it." if left is not None and left.resume else ""
    return f"⚠ {_which(run, queue)}{error}{go_on}"


def run_title(run: Run) -> str:
    """Say in a line what a run is: role, loss, time, epochs and Dice."""
    config, done = run.config, len(run.records)
    words = [
        f"{config.role} {config.loss}",
        f"{run.started.astimezone():%d %b %H:%M}",
        f"{done} epochs" if run.finished else f"{done} of {config.epochs} epochs",
    ]
    if run.best is not None:
        words.append(f"Dice {run.best.validation_dice:.3f}")
    return " · ".join(words)


def resume_text(selected: Run | None, waiting: Sequence[Train]) -> str:
    """Say what Resume goes on with."""
    if waiting and (selected is None or selected.path == waiting[0].out):
        behind = f", and then with the {len(waiting) - 1} behind it" if len(waiting) > 1 else ""
        return f"Go on with {waiting[0].out.name}{behind}"
    if selected is not None:
        return f"Go on with {selected.path.name}"
    return "Goes on with a run that was stopped: select one in the list of runs"


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
        titles.append(f"⚠ {_count(len(broken), 'scene')} cannot be used")
    if len(broken) < len(skipped):
        titles.append(f"{_count(len(skipped) - len(broken), 'scene')} without a mask")
    if progress.notes:
        titles.append(_count(len(progress.notes), "note"))
    lines = [*progress.notes, *(f"{scene.scene}: {scene.reason}" for scene in (*broken, *skipped))]
    return " · ".join(titles), "\n\n".join(dict.fromkeys(lines))


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


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
