"""What the command shows while work goes on, and how it ends."""

import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NoReturn, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bracketseg.errors import BracketSegError, ChoiceError, FrameError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.learning.events import (
    Cached,
    EpochDone,
    Estimated,
    Expected,
    MicroBatch,
    Planned,
    RunFailed,
    RunStarted,
    SceneCached,
    ScenePredicted,
    ScenesSkipped,
    StepDone,
    Stopped,
    Warned,
)
from bracketseg.learning.progress import time_text
from bracketseg.wording import counted

output = Console(highlight=False, markup=False, soft_wrap=True)
"""Results: standard output."""

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
"""Progress, warnings and errors: standard error."""


def fail(message: str) -> NoReturn:
    """End the command with one line of error and exit status 1."""
    errors.print(f"Error: {_one_line(message)}", style="red")
    sys.exit(1)


def warn(message: str) -> None:
    """Print one line that does not change the exit status."""
    errors.print(f"Warning: {message}", style="yellow")


def report_problems(problems: Sequence[BracketSegError], done: int) -> None:
    """List what was left out, and end with exit status 1 if there is anything."""
    left_out = [problem for problem in problems if not isinstance(problem, ChoiceError)]
    for problem in problems:
        if problem in left_out:
            errors.print(f"Left out: {_one_line(str(problem))}", style="yellow")
        else:
            warn(_one_line(str(problem)))
    if left_out:
        errors.print(f"Error: {len(left_out)} left out, {done} done", style="red")
        raise typer.Exit(1)


def _one_line(message: str) -> str:
    return " ".join(message.split())


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    ) as progress:
        yield progress


@contextmanager
def counting(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar for work that tells how much of how much is done.

    Yields
    ------
    callable
        To be called with both numbers.
    """
    with progress_bar() as progress:
        task = progress.add_task(title, total=None, detail="")

        def count(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield count


def tell_expected(expected: Expected) -> None:
    """Print what a prediction will take."""
    memory = expected.memory_bytes
    of_memory = "" if memory is None else f", and {memory / 2**20:.0f} MiB of memory"
    frames = counted(expected.frames, "frame")
    errors.print(f"{frames} will take about {time_text(expected.seconds)}{of_memory}")


class SceneEvent(Protocol):
    """An event of a folder run: scene number `index` of `total` is done."""

    @property
    def index(self) -> int: ...  # noqa: D102 - see the class

    @property
    def total(self) -> int: ...  # noqa: D102


_Event = TypeVar("_Event", bound=SceneEvent)
_Kept = TypeVar("_Kept")


def follow_scenes(
    events: Generator[_Event, None, None],
    title: str,
    unit: str = "scenes",
    *,
    keep: Callable[[_Event], _Kept | None] = lambda _: None,
) -> tuple[list[_Kept], list[BracketSegError]]:
    """Run a folder to its end, or until it is interrupted, with a progress bar.

    Parameters
    ----------
    events : generator of SceneEvent
    title : str
        What is being done.
    unit : str
        What is counted.
    keep : callable
        What to keep of an event, None for nothing: there may be very many.

    Returns
    -------
    kept : list
    failed : list of BracketSegError
        What went wrong with the scenes that failed.

    Raises
    ------
    typer.Exit
        With status 1 if it was interrupted; what is done is whole.
    """
    kept: list[_Kept] = []
    failed: list[BracketSegError] = []
    with stopping_on_interrupt() as should_stop, progress_bar() as progress, closing(events):
        task = progress.add_task(title, total=None, detail="")
        for event in events:
            if (part := keep(event)) is not None:
                kept.append(part)
            if hasattr(event, "error"):
                failed.append(event.error)
            progress.update(task, completed=event.index, total=event.total)
            if should_stop() and event.index < event.total:
                errors.print(
                    f"Stopped: {event.index} of {event.total} {unit} are done. The same command "
                    "does them all."
                )
                raise typer.Exit(1)
    return kept, failed


@contextmanager
def stopping_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C (or a polite kill) into a wish to stop at the next step.

    A second one ends the process as usual; what is on disk is whole either way.

    Yields
    ------
    callable
        Whether stopping was asked for.
    """
    asked = False

    def ask(number: int, _frame: Any) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, before[signal.Signals(number)])
        errors.print("Stopping after what is in hand; once more to stop at once.")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def follow_training(events: Iterable[object]) -> tuple[int, list[BracketSegError]]:
    """Run one training, or several, to the end with a progress bar.

    Plans and every epoch leave a line on standard error, so that a log shows the course.

    Returns
    -------
    used : int
        Scenes that were trained on or kept back to validate.
    broken : list of BracketSegError
        One for each scene that was left out because something is wrong with it.

    Raises
    ------
    typer.Exit
        With status 1 if the training was asked to stop.
    """
    broken: dict[str, BracketSegError] = {}
    used = 0
    with progress_bar() as progress:
        task = progress.add_task("", total=None, detail="")
        for event in events:
            match event:
                case ScenesSkipped(scenes=scenes):
                    broken |= {s.scene: FrameError(s.reason) for s in scenes if s.broken}
                    unlabelled = [s.scene for s in scenes if not s.broken]
                    if unlabelled:
                        warn(
                            f"{counted(len(unlabelled), 'scene')} without a mask left out: "
                            f"{', '.join(unlabelled[:5])}{', ...' if len(unlabelled) > 5 else ''}"
                        )
                case SceneCached(done=done, total=total):
                    progress.update(
                        task, description="Reading", completed=done, total=total, detail=""
                    )
                case SceneFailed(scene=scene, error=error):
                    broken[scene] = error
                case ScenePredicted(index=index, total=total):
                    progress.update(
                        task, description="Measuring", completed=index, total=total, detail=""
                    )
                case Warned(message=message):
                    warn(message)
                case RunStarted():
                    place = f"[{event.index}/{event.total}]"
                    errors.print(f"{place} {event.role}, {event.loss}, seed {event.seed}")
                case RunFailed(run=run, error=error):
                    broken[str(run)] = error
                    warn(f"{run.name} failed; the others go on")
                case Cached():
                    used = len(event.train) + len(event.validation)
                    errors.print(
                        f"{counted(len(event.train), 'scene')} to train, "
                        f"{len(event.validation)} to validate"
                    )
                case StepDone():
                    progress.update(
                        task,
                        description=f"Epoch {event.epoch}/{event.epochs}",
                        completed=(event.epoch - 1) * event.steps + event.step,
                        total=event.epochs * event.steps,
                        detail=f"{event.images_per_second:.1f} images/s, loss {event.loss:.4f}",
                    )
                case Stopped():
                    errors.print(_say(event))
                    raise typer.Exit(1)
                case _ if line := _say(event):
                    errors.print(line)
    return used, list(broken.values())


def _say(event: object) -> str:
    match event:
        case Planned():
            return (
                f"{counted(event.scenes, 'scene')}, {max(1, event.cache_bytes / 2**20):.0f} MiB of "
                f"memory for their images, about {event.memory_bytes / 2**20:.0f} MiB in all; "
                f"{event.parameters:,} parameters in {event.precision} on {event.device} "
                f"({event.device_name})"
            )
        case Estimated(seconds=seconds):
            return f"This will take about {time_text(seconds)}."
        case MicroBatch():
            return (
                f"Memory is short: batches of {event.batch_size} are learned in parts of "
                f"{event.images}, with the same result."
            )
        case EpochDone():
            return (
                f"epoch {event.epoch}/{event.epochs}: loss {event.train_loss:.4f}, validation "
                f"loss {event.validation_loss:.4f}, Dice {event.validation_dice:.4f}, Jaccard "
                f"{event.validation_jaccard:.4f}, {event.seconds:.1f} s{' *' * event.best}"
            )
        case Stopped(resumable=True):
            return f"Stopped. The same command with --resume goes on from {event.run}."
        case Stopped():
            return f"Stopped before the first step; {event.run} holds nothing to go on from."
        case _:
            return ""
