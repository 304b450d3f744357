"""Predicting all scenes of the folder into a labelling."""

from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from psygnal import Signal

from bracketseg._napari.predict.frames import LOADING, Models
from bracketseg._napari.session.labeled_scenes import LabelsRead, SceneLabels
from bracketseg._napari.session.labels_folder import labels_folder
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg._napari.widgets.worker_slot import WorkerSlot
from bracketseg.brackets.masks import find_masks
from bracketseg.errors import LabelingError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import MADE, Network
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.events import Expected, ScenePredicted
from bracketseg.learning.progress import time_text
from bracketseg.wording import counted
from bracketseg.worker.requests import PredictFolder, Ready

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORK_FOLDER = "network"
"""The labelling below ``<folder>/labels`` that predictions go to."""


class FolderPrediction:
    """Has the scenes of the session's folder predicted, and tells the table of scenes.

    Attributes
    ----------
    problem : str
        What went wrong; empty where all is well.
    outcome : str
        How the last run has ended.
    step : str
        What is going on; empty where nothing is.
    failures : list of (str, str)
        Scenes that could not be predicted, and why.
    ask : callable
        Takes a question; returns whether the answer is yes.

    Signals
    -------
    state_changed()
    """

    state_changed = Signal()

    def __init__(self, session: Session, slot: WorkerSlot) -> None:
        self._session = session
        self._slot = slot
        self._job: Job | None = None
        self._chosen: Path | None = None
        self._out = Path()
        self._done = self._total = 0
        self._ready = self._stopping = False
        self._started = 0.0
        self._expected: Expected | None = None
        self.problem = self.outcome = self.step = ""
        self.failures: list[tuple[str, str]] = []
        self.ask: Callable[[str], bool] = _no
        session.folder_changed.connect(self._folder_changed)

    def close(self) -> None:
        """End after the frame in hand."""
        self._cancel()
        self._session.folder_changed.disconnect(self._folder_changed)

    @property
    def running(self) -> bool:
        """Whether the network is at work."""
        return self._job is not None

    @property
    def out(self) -> Path | None:
        """Where the masks go: ``<folder>/labels/network`` unless another folder was chosen."""
        folder = self._session.folder
        default = None if folder is None else labels_folder(folder) / NETWORK_FOLDER
        return self._chosen or default

    @out.setter
    def out(self, path: Path) -> None:
        self._chosen = path
        self.state_changed.emit()

    def run(self, models: Models, config: PredictConfig, *, overwrite: bool = False) -> None:
        """Predict all scenes of the folder.

        Parameters
        ----------
        models : mapping of role to ModelEntry
        config : PredictConfig
        overwrite : bool
            Replace masks that were made in another way.
        """
        folder, out = self._session.folder, self.out
        if folder is None or out is None or not models or self.running:
            return
        self._out = out
        self._done, self._total = 0, len(self._session.brackets)
        self._ready = self._stopping = False
        self._expected = None
        self.forget()
        self.step = LOADING
        request = PredictFolder(
            path=folder,
            models={role: model.path for role, model in models.items()},
            out=out,
            config=config,
            align=self._session.align,
            overwrite=overwrite,
        )
        self._job = run_job(
            partial(self._slot.worker.ask, request),
            on_event=self._event,
            on_error=partial(self._failed, models, config, overwrite=overwrite),
            on_done=self._finished,
            description=f"predicting the scenes of {folder}",
        )
        self.state_changed.emit()

    def forget(self) -> None:
        """Say no more how the last run has ended."""
        self.failures = []
        self.problem = self.outcome = ""

    def stop(self) -> None:
        """End after the frame in hand; scenes that are done stay."""
        if self._job is None or self._stopping:
            return
        self._stopping = True
        if self._ready:
            self._slot.stop()
            self.step = "Stopping after this frame …"
            self.state_changed.emit()
        else:
            # It is importing torch, which cannot be interrupted, and has written nothing yet.
            self._job.cancel()
            self._slot.kill()
            self._finished(None)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._slot.close()
        self._job, self.step = None, ""

    def _event(self, event: Ready | Expected | ScenePredicted | SceneFailed) -> None:
        if isinstance(event, Ready):
            self._ready, self._started = True, monotonic()
        elif isinstance(event, Expected):
            self._expected, self._started = event, monotonic()
        else:
            self._done = event.index
            if isinstance(event, SceneFailed):
                self.failures.append((event.scene, str(event.error)))
            else:
                self._tell_table(event)
        if not self._stopping:
            self.step = self._progress()
        self.state_changed.emit()

    def _progress(self) -> str:
        if self._done == 0:
            told = self._expected
            about = "" if told is None else f", about {time_text(told.seconds)} for all"
            return f"Scene 1 of {self._total}{about} …"
        rest = (self._total - self._done) * (monotonic() - self._started) / self._done
        scene = min(self._done + 1, self._total)
        return f"Scene {scene} of {self._total}, about {time_text(rest)} left …"

    def _tell_table(self, event: ScenePredicted) -> None:
        labels = SceneLabels(
            folder=self._out,
            annotator=self._out.name,
            method="network",
            coverage=event.record.coverage,
        )
        self._session.note_labels(LabelsRead(folder=self._out, scenes={event.scene: labels}))

    def _finished(self, _result: object) -> None:
        self._job, self.step = None, ""
        good = self._done - len(self.failures)
        failed = f", {len(self.failures)} could not be" if self.failures else ""
        stopped = "Stopped: " if self._stopping else ""
        self.outcome = (
            f"{stopped}{good} of {counted(self._total, 'scene')} predicted{failed}. Saved in "
            f"{self._named(self._out)}."
            if good
            else f"{stopped or 'Done: '}no scene was predicted{failed}."
        )
        self.state_changed.emit()

    def _failed(
        self, models: Models, config: PredictConfig, error: BaseException, *, overwrite: bool
    ) -> None:
        self._job, self.step = None, ""
        there = "" if overwrite or self._done else _masks_in(self._out, self._named(self._out))
        if isinstance(error, LabelingError) and there:
            question = (
                f"{there} Replace them with new predictions? Masks of these scenes that were "
                "corrected by hand there are replaced, too."
            )
            if self.ask(question):
                self.run(models, config, overwrite=True)
                return
            self.outcome = f"{there} Nothing was changed. Choose another folder with Save to…"
        else:
            self.problem = str(error) or type(error).__name__
        self.state_changed.emit()

    def _named(self, path: Path) -> str:
        """Write a path so that a narrow dock has room for it."""
        folder = self._session.folder
        inside = folder is not None and path.is_relative_to(folder)
        return str(path.relative_to(folder)) if folder is not None and inside else str(path)

    def _folder_changed(self, _folder: object) -> None:
        if self.running:
            self._cancel()
        self._chosen = None
        self.forget()
        self.state_changed.emit()


def _masks_in(folder: Path, name: str) -> str:
    """Say whose masks a folder holds; empty if none."""
    try:
        if not folder.is_dir() or not find_masks(folder):
            return ""
        info = LabelingFolder.open(folder).info
    except LabelingError:
        info = None
    if info is None:
        return f"{name} holds masks that were not made here."
    if info.method != "network":
        who = f" by {info.annotator}" if info.annotator else ""
        return f"{name} holds masks made {MADE[info.method]}{who}."
    ways = [
        f"{role} by {origin.model}, threshold {origin.threshold:g}, scale {origin.scale}"
        for role, origin in info.ranges.items()
        if isinstance(origin, Network)
    ]
    return f"{name} holds other predictions ({'; '.join(ways)})."


def _no(_question: str) -> bool:
    return False
