"""The worker's side: take requests from standard input, write answers to standard output.

Both streams carry pickles, as the standard library's own `multiprocessing` does: the two
processes are one program, and nothing that was on a disk or a network is unpickled.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from bracketseg.allocator import keep_freed_memory
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import BracketSegError, WorkerError
from bracketseg.labeling.mask_store import file_sha256
from bracketseg.worker.requests import (
    DevicesListed,
    Done,
    Failed,
    FramePredicted,
    ListDevices,
    PredictFolder,
    PredictFrames,
    Ready,
    Report,
    Request,
    Stop,
    Train,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.learning.checkpoints import Model

_NICENESS = 5
"""Lets the window go first where both want the same core."""


def main() -> None:
    """Serve until standard input ends, which it also does when the window is killed."""
    answers = _take_over_stdout()
    keep_freed_memory()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    serve(sys.stdin.buffer, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other.

    Parameters
    ----------
    requests : binary file
        Pickled requests, and Stop. At its end the work in hand is stopped, too.
    answers : binary file
        Gets pickled events, and a Done or a Failed after each request.
    """
    stop = threading.Event()
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting, stop), daemon=True).start()

    def send(answer: object) -> None:
        try:
            pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except (OSError, ValueError):
            # Nobody listens any more. A training is to save its state all the same.
            stop.set()

    while (request := waiting.get()) is not None:
        try:
            _import_torch()
            send(Ready())
            for event in _fulfil(request, stop.is_set):
                send(event)
        except BracketSegError as error:
            send(Failed(error=error))
        except Exception as error:  # noqa: BLE001 - the window has to hear of it, whatever it is
            sys.excepthook(type(error), error, error.__traceback__)
            words = f"{type(error).__name__}: {error}. Where it happened stands in the terminal"
            send(Failed(error=WorkerError(f"{words} that napari was started from.")))
        else:
            send(Done())


def _read(requests: BinaryIO, waiting: queue.SimpleQueue[Any], stop: threading.Event) -> None:
    try:
        while True:
            request = pickle.load(requests)  # noqa: S301 - see the module's own words
            if isinstance(request, Stop):
                stop.set()
            else:
                # A Stop may come after the end of what it was meant for.
                stop.clear()
                waiting.put(request)
    except EOFError:
        stop.set()
        waiting.put(None)


def _import_torch() -> None:
    try:
        import bracketseg.learning.devices  # noqa: F401
    except ImportError as error:
        raise WorkerError(
            f"PyTorch cannot be imported ({error}). Install it into this environment: "
            "pip install torch"
        ) from error


def _fulfil(request: Request, should_stop: Callable[[], bool]) -> Iterator[object]:
    match request:
        case ListDevices():
            return _list_devices()
        case Train():
            return _train(request, should_stop)
        case PredictFolder():
            return _predict_folder(request, should_stop)
        case PredictFrames():
            return _predict_frames(request, should_stop)
        case Report():
            return _report(request, should_stop)


def _list_devices() -> Iterator[object]:
    from bracketseg.learning.devices import list_devices

    yield DevicesListed(devices=tuple(list_devices()))


def _train(request: Train, should_stop: Callable[[], bool]) -> Iterator[object]:
    from bracketseg.learning.training import train

    return train(
        find_brackets(request.path).brackets,
        request.masks,
        request.config,
        request.out,
        resume=request.resume,
        should_stop=should_stop,
    )


def _predict_folder(request: PredictFolder, should_stop: Callable[[], bool]) -> Iterator[object]:
    from bracketseg.learning.predict_folder import predict_brackets
    from bracketseg.learning.prediction_estimate import expect_prediction

    brackets = find_brackets(request.path).brackets
    models = {role: _load(path).model for role, path in request.models.items()}
    predicting = predict_brackets(
        brackets,
        models,
        request.out,
        align=request.align,
        overwrite=request.overwrite,
        should_stop=should_stop,
        **request.config.model_dump(),
    )
    expected = expect_prediction(
        brackets,
        models,
        request.config,
        request.out,
        align=request.align,
        should_stop=should_stop,
    )
    if expected is not None:
        yield expected
    yield from predicting


def _predict_frames(request: PredictFrames, should_stop: Callable[[], bool]) -> Iterator[object]:
    from bracketseg.learning.prediction import predict_probability, require_role

    loaded: dict[MaskRole, _Loaded] = {}
    for role, path in request.models.items():
        loaded[role] = _load(path)
        require_role(loaded[role].model, role)
    config = request.config
    for role, frame in request.frames.items():
        if should_stop():
            return
        start, model = perf_counter(), loaded[role].model
        probability = predict_probability(
            model,
            frame,
            scale=config.scale,
            device=config.device,
            precision=config.precision,
            engine=config.engine,
        )
        yield FramePredicted(
            role=role,
            probability=probability,
            seconds=perf_counter() - start,
            model_sha256=loaded[role].sha256,
            loss=model.card.loss,
        )


def _report(request: Report, should_stop: Callable[[], bool]) -> Iterator[object]:
    from bracketseg.learning.run_predictions import predict_kept_back
    from bracketseg.report.experiment import choose_runs, run_paths
    from bracketseg.report.writing import write_report

    brackets = () if request.path is None else find_brackets(request.path).brackets
    paths, left_out = run_paths(request.runs), []
    for run in choose_runs(paths).runs if brackets else ():
        try:
            yield from predict_kept_back(run.path, brackets, should_stop=should_stop)
        except BracketSegError as error:
            left_out.append(str(error))
    for event in write_report(brackets, paths, request.out, left_out=left_out):
        if should_stop():
            return
        yield event


class _Loaded(NamedTuple):
    """A model, when its file was written, and the digest of that file."""

    changed: int
    model: Model
    sha256: str


_known: dict[Path, _Loaded] = {}


def _load(path: Path) -> _Loaded:
    """Load a model; one that was loaded before and has not changed since is taken as it is."""
    from bracketseg.learning.checkpoints import load_model
    from bracketseg.learning.run_files import BEST

    file = path / BEST if path.is_dir() else path
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        changed = -1  # load_model says what is wrong with it
    known = _known.get(file)
    if known is None or known.changed != changed:
        model = load_model(path)
        known = _known[file] = _Loaded(changed, model, file_sha256(model.path))
    return known


def _take_over_stdout() -> BinaryIO:
    """Keep standard output for the answers: what anybody prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers
