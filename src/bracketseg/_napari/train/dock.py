"""The Train dock: networks from brackets and masks, in a process of their own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari.components import ViewerModel
from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.session.runs_folder import runs_folders
from bracketseg._napari.session.session import session_of
from bracketseg._napari.train.baseline import dice_of_all_foreground
from bracketseg._napari.train.controls import TrainControls
from bracketseg._napari.train.order import TrainOrder
from bracketseg._napari.train.progress import TrainProgress
from bracketseg._napari.train.queue import TrainQueue
from bracketseg._napari.train.source import TrainSource
from bracketseg._napari.train.text import (
    details_text,
    ended_text,
    predict_text,
    ready_text,
    resume_text,
    running_text,
)
from bracketseg._napari.train.view import TrainView
from bracketseg._napari.widgets.close_guard import CloseGuard
from bracketseg._napari.widgets.device_choice import DeviceChoice
from bracketseg._napari.widgets.dock_tabs import open_dock
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.errors import BracketSegError
from bracketseg.learning.events import Cached
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import Train

PAINT_MS = 250
"""How often what happens is painted; steps may come a hundred times as fast."""

PLOT_MS = 300
"""How long the import of the curves, half a second in another thread, waits for the dock."""

LOOK_MS = 300
"""How long the labels have to be at rest before they are counted again."""


class TrainDock(QWidget):
    """Trains on the session's brackets and masks, or on others, and shows how it goes.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_folder : callable
        Takes a title and a path to begin at; returns a folder, or None.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.ask: Callable[[str], bool] = self._ask
        self.choose_folder: Callable[[str, Path | None], Path | None] = self._choose_folder
        self._session = session_of(napari_viewer)
        self._source = TrainSource(self._session)
        self._queue = TrainQueue(Worker())
        self._jobs = JobGroup()
        self._progress: TrainProgress | None = None
        self._outcome = ""
        self._known: tuple[Path, ...] = ()
        self._painting = _timer(self, PAINT_MS, self._paint)
        self._looking = _timer(self, LOOK_MS, self._look)
        self._plotting = _timer(self, PLOT_MS, lambda: self._view.load_plot())
        self._controls = TrainControls(self)
        self._order = TrainOrder(self._controls, self._source)
        self._view = TrainView(self._controls, self._session.viewer)
        self._connect()
        self.destroyed.connect(partial(_close, self._queue, self._source, self._view, self._jobs))
        self._source.follow()
        self._plotting.start()

    def _connect(self) -> None:
        controls, session, queue = self._controls, self._session, self._queue
        controls.folder.editingFinished.connect(self._folder_typed)
        controls.browse_folder.triggered.connect(self._browse_folder)
        controls.masks.activated.connect(self._masks_chosen)
        controls.browse_masks.clicked.connect(self._browse_masks)
        controls.browse_out.triggered.connect(self._browse_out)
        controls.out.textChanged.connect(self._settings_changed)
        controls.role.currentIndexChanged.connect(self._settings_changed)
        controls.loss.currentIndexChanged.connect(self._settings_changed)
        controls.form.changed.connect(self._settings_changed)
        controls.reset.clicked.connect(self._reset)
        controls.start.clicked.connect(self._start)
        controls.stop.clicked.connect(self._stop)
        controls.resume.clicked.connect(self._resume)
        controls.predict.clicked.connect(self._predict)
        controls.details_button.clicked.connect(self._toggle_details)
        self._view.run_selected.connect(self._tell)
        self._source.changed.connect(self._source_changed)
        queue.began.connect(self._began)
        queue.event.connect(self._take)
        queue.ended.connect(self._ended)
        queue.over.connect(self._over)
        DeviceChoice(controls.device)
        CloseGuard(self, self._may_close, queue.close)
        join_session(
            self,
            session,
            [
                (session.folder_changed, self._follow),
                (session.scan_finished, self._look_again),
                (session.labeled_changed, self._look_again),
                (session.labeling_changed, self._tell),
            ],
        )

    # What a person does.

    def _folder_typed(self) -> None:
        typed = self._controls.folder.text().strip()
        folder = Path(typed).expanduser().absolute() if typed else None
        if folder is None:
            self._source.follow()
        elif folder != self._source.folder:
            self._outcome = ""
            self._source.choose_folder(folder)

    def _browse_folder(self) -> None:
        folder = self.choose_folder("Folder of brackets", self._source.folder)
        if folder is not None:
            self._outcome = ""
            self._source.choose_folder(folder)

    def _masks_chosen(self, place: int) -> None:
        self._outcome = ""
        self._source.choose_masks(self._controls.masks.itemData(place))

    def _browse_masks(self) -> None:
        folder = self.choose_folder("Folder of masks", self._source.folder)
        if folder is not None:
            self._outcome = ""
            self._source.choose_masks(folder)

    def _browse_out(self) -> None:
        folder = self.choose_folder("Folder of the run", self._source.folder)
        if folder is not None:
            self._controls.out.setText(str(folder))

    def _reset(self) -> None:
        self._controls.form.reset()
        self._controls.role.setCurrentIndex(0)
        self._controls.loss.setCurrentIndex(0)
        self._controls.out.clear()

    def _settings_changed(self, _value: object = None) -> None:
        self._outcome = ""
        self._tell()

    def _start(self) -> None:
        runs, problem = self._order.runs()
        if runs and not problem:
            self._outcome = ""
            self._queue.start(runs)

    def _stop(self) -> None:
        self._queue.stop()
        self._tell()

    def _resume(self) -> None:
        self._outcome = ""
        run = self._view.resumable
        waiting = self._queue.waiting
        if waiting and (run is None or run.path == waiting[0].out):
            self._queue.go_on()
        elif run is not None:
            request = self._order.rest_of(run)
            if request is not None:
                self._queue.start([request])

    def _predict(self) -> None:
        run = self._view.usable
        if run is not None:
            self._session.choose_model(run.path)
            open_dock(self._session.viewer, "Predict")

    def _toggle_details(self) -> None:
        self._controls.details.setVisible(self._controls.details.isHidden())

    def _may_close(self) -> bool:
        if not self._queue.running:
            return True
        return self.ask(
            "A training is running. Stop it and close? It saves its state, and Resume goes on "
            "with it another time."
        )

    # What the training says.

    def _began(self, run: Train) -> None:
        self._known = tuple(dict.fromkeys((*self._known, run.out)))
        history = self._view.records(run.out) if run.resume else ()
        self._progress = TrainProgress(run.config, history)
        self._view.begin(run.out, self._progress)
        self._controls.show_results()
        self._tell()

    def _take(self, event: object) -> None:
        progress = self._progress
        if progress is None:
            return
        progress.take(event)
        run = self._queue.current
        if isinstance(event, Cached) and run is not None:
            self._jobs.run(
                partial(dice_of_all_foreground, run.masks, event.validation, run.config.role),
                on_done=partial(self._have_baseline, progress),
                on_error=lambda _: None,  # the training says what is wrong with the masks
                description="measuring what a constant mask has",
            )
        if not self._painting.isActive():
            self._painting.start()

    def _have_baseline(self, progress: TrainProgress, dice: float | None) -> None:
        progress.baseline = dice
        self._paint()

    def _ended(self, run: Train, error: BracketSegError | None) -> None:
        progress = self._progress
        if progress is None:
            return
        told = ended_text(self._queue, run, progress, error)
        self._outcome = f"{self._outcome}\n{told}".strip() if self._queue.total > 1 else told
        self._paint()
        self._read_runs(select=run.out)
        if (run.out / "best.safetensors").exists():
            self._session.note_run(run.out)

    def _over(self) -> None:
        self._view.end()
        self._source.read()

    # What there is to see.

    def _follow(self, _folder: Path) -> None:
        if not self._queue.running:
            self._outcome = ""
            self._source.follow()

    def _look_again(self, _what: object = None) -> None:
        self._looking.start()

    def _look(self) -> None:
        if not self._queue.running:
            self._source.read()

    def _source_changed(self) -> None:
        source, controls = self._source, self._controls
        controls.folder.setText("" if source.folder is None else str(source.folder))
        with QSignalBlocker(controls.masks):
            controls.masks.clear()
            for masks in () if source.material is None else source.material.masks:
                controls.masks.addItem(masks.title, masks.path)
            if source.masks is not None:
                controls.masks.setCurrentIndex(controls.masks.findData(source.masks.path))
        self._read_runs()
        self._tell()

    def _read_runs(self, select: Path | None = None) -> None:
        folder = self._source.folder
        if folder is not None:
            self._view.read_runs((*runs_folders(folder), *self._known), select)

    def _paint(self) -> None:
        self._view.paint()
        self._tell()

    def _tell(self, _what: object = None) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        controls, queue, progress = self._controls, self._queue, self._progress
        running = queue.current
        controls.settings.setEnabled(running is None)
        controls.stop.setEnabled(running is not None and not queue.stopping)
        if running is not None and progress is not None:
            controls.start.setEnabled(False)
            controls.resume.setEnabled(False)
            text = running_text(running, queue, progress)
        else:
            runs, problem = self._order.runs()
            run = self._view.resumable
            controls.start.setEnabled(bool(runs) and not problem)
            controls.resume.setEnabled(bool(queue.waiting) or run is not None)
            controls.resume.setToolTip(resume_text(run, queue.waiting))
            text = self._outcome or problem or ready_text(self._order.choice(), runs)
        controls.status.setText(text)
        usable = self._view.usable
        controls.predict.setEnabled(usable is not None)
        controls.predict.setToolTip(predict_text(usable))
        title, details = details_text(progress)
        controls.details_button.setVisible(bool(title))
        if controls.details_button.text() != title:
            controls.details_button.setText(title)
            controls.details.setPlainText(details)
        if not title:
            controls.details.hide()

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        return QMessageBox.question(self, "Train", question) == yes

    def _choose_folder(self, title: str, start: Path | None) -> Path | None:
        chosen = QFileDialog.getExistingDirectory(self, title, str(start or Path.home()))
        return Path(chosen) if chosen else None


def _timer(parent: QWidget, interval: int, action: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval)
    timer.timeout.connect(action)
    return timer


def _close(
    queue: TrainQueue,
    source: TrainSource,
    view: TrainView,
    jobs: JobGroup,
    _dock: object = None,
) -> None:
    queue.close()
    source.cancel()
    view.cancel()
    jobs.cancel()
