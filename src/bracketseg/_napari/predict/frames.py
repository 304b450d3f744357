"""Predicting what is shown: the frames of a scene, two images, or all slices of a stack."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from time import monotonic
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray
from psygnal import Signal

from bracketseg._napari.predict.layers import Index
from bracketseg._napari.predict.model_choice import ModelEntry
from bracketseg._napari.predict.view import PredictionView
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.subject import Subject, subject_of
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg._napari.widgets.worker_slot import WorkerSlot
from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import FrameError
from bracketseg.learning.config import PredictConfig
from bracketseg.wording import counted
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import FramePredicted, PredictFrames, Ready

Models = Mapping[MaskRole, ModelEntry]

LOADING = "Loading PyTorch …"


@dataclass(frozen=True, kw_only=True, eq=False)
class SlicePredicted:
    """What the network says of one frame.

    Attributes
    ----------
    index : tuple of int
        Slice of a stack; empty for a picture.
    answer : FramePredicted
    """

    index: Index
    answer: FramePredicted


class FramesPrediction:
    """Has the chosen images predicted, and shows the masks.

    Attributes
    ----------
    view : PredictionView
    unusable : str
        What is wrong with the images; empty where all is well.
    problem : str
        What went wrong in the last run; empty where all went well.
    outcome : str
        How the last run has ended.
    step : str
        What is going on; empty where nothing is.

    Signals
    -------
    state_changed()
    """

    state_changed = Signal()

    def __init__(self, viewer: ViewerModel, choice: FrameChoice, slot: WorkerSlot) -> None:
        self.view = PredictionView(viewer, choice)
        self.unusable = self.problem = self.outcome = self.step = ""
        self._viewer = viewer
        self._choice = choice
        self._slot = slot
        self._job: Job | None = None
        self._models: Models = {}
        self._done = self._total = 0
        self._started = 0.0
        choice.changed.connect(self.begin)

    def close(self) -> None:
        """End what is under way and let go of the viewer; the layers stay."""
        self._cancel()
        self.view.close()
        self._choice.changed.disconnect(self.begin)

    @property
    def running(self) -> bool:
        """Whether the network is at work."""
        return self._job is not None

    @property
    def subject(self) -> Subject | None:
        """What would be predicted."""
        return self.view.subject

    @property
    def slices(self) -> int:
        """Of the stack that is chosen; 0 for single pictures."""
        stack = self.subject is not None and bool(self.subject.index)
        return len(self._choice.slices()) if stack else 0

    def begin(self) -> None:
        """Look at the images that are chosen now."""
        before, now = self.subject, None
        self.unusable = ""
        if self._choice.images:
            try:
                now = subject_of(self._choice.images, self._viewer)
            except FrameError as error:
                self.unusable = str(error)
        if _layers(before) != _layers(now):
            self.stop()
            self.forget()
        self.view.begin(now)
        self.state_changed.emit()

    def run(self, models: Models, config: PredictConfig, *, replace: bool = False) -> None:
        """Predict the images that are chosen, of a stack all slices, the shown one first.

        Parameters
        ----------
        models : mapping of role to ModelEntry
            Roles without one are left out.
        config : PredictConfig
        replace : bool
            Replace also masks that somebody has painted on.
        """
        subject = self.subject
        if subject is None or self.running:
            return
        self._models = {role: models[role] for role in subject.frames if role in models}
        if not self._models:
            return
        self.view.prepare(self._models, config, replace=replace)
        here = subject.index
        order = [here, *(index for index in self._choice.slices() if index != here)]
        self._done, self._total = 0, len(order) * len(self._models)
        self._started = monotonic()
        self.forget()
        self.step = LOADING
        stop = threading.Event()
        pictures = {role: _pixels(subject.frames[role].layer) for role in self._models}
        paths = {role: model.path for role, model in self._models.items()}
        self._job = run_job(
            partial(_predict, self._slot.worker, pictures, order, paths, config, stop),
            on_event=self._event,
            on_error=self._failed,
            on_done=self._finished,
            description=f"predicting {subject.title}",
            stop=stop,
        )
        self.state_changed.emit()

    def forget(self) -> None:
        """Say no more how the last run has ended."""
        self.problem = self.outcome = ""

    def stop(self) -> None:
        """End the run at once; what is predicted stays."""
        if self._job is None:
            return
        self._cancel()
        frames = (
            f" {self._done} of {counted(self._total, 'frame')} predicted." if self._done else ""
        )
        self.outcome = f"Stopped.{frames}"
        self.state_changed.emit()

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._slot.kill()
        self._job, self.step = None, ""

    def _event(self, event: Ready | SlicePredicted) -> None:
        if isinstance(event, SlicePredicted):
            self._done += 1
            role = event.answer.role
            if not self.view.put(event.index, event.answer, self._models[role].name):
                self.problem = (
                    f"The {role} mask was painted on while the network was at work, and is left "
                    "as it is."
                )
        self.step = self._next_step()
        self.state_changed.emit()

    def _next_step(self) -> str:
        if self.subject is None or self._done >= self._total:
            return ""
        roles = tuple(self._models)
        role = roles[self._done % len(roles)]
        return f"Predicting {self.subject.title} {role} ({self._done + 1} of {self._total}) …"

    def _finished(self, _result: object) -> None:
        self._job, self.step = None, ""
        self.outcome = f"Predicted in {monotonic() - self._started:.1f} s."
        self.view.show_only(self.view.focus)
        self.state_changed.emit()

    def _failed(self, error: BaseException) -> None:
        self._job, self.step = None, ""
        self.problem = str(error) or type(error).__name__
        self.state_changed.emit()


def _layers(subject: Subject | None) -> object:
    """Tell a subject from others, but not the slices of a stack from each other."""
    frames = {} if subject is None else subject.frames
    shown = {role: (frame.layer, frame.file) for role, frame in frames.items()}
    return subject and (subject.title, shown)


def _predict(
    worker: Worker,
    pictures: Mapping[MaskRole, Any],
    order: Sequence[Index],
    models: Mapping[MaskRole, Any],
    config: PredictConfig,
    stop: threading.Event,
) -> Iterator[Ready | SlicePredicted]:
    """Ask for one slice after the other; runs in a thread of its own."""
    # The first Labels layer of a napari loads them, which here holds up nobody.
    for name in ("pandas", "skimage.color.colorconv"):
        import_module(name)
    for index in order:
        if stop.is_set():
            return
        frames = {role: _plane(pixels, index) for role, pixels in pictures.items()}
        for answer in worker.ask(PredictFrames(frames=frames, models=models, config=config)):
            if isinstance(answer, FramePredicted):
                yield SlicePredicted(index=index, answer=answer)
            elif index == order[0]:
                yield answer


def _plane(pixels: Any, index: Index) -> NDArray[Any]:
    plane = np.asarray(pixels[index])
    return plane.astype(np.uint8) * np.uint8(255) if plane.dtype == np.bool_ else plane


def _pixels(image: Image) -> Any:
    return image.data[0] if image.multiscale else image.data
