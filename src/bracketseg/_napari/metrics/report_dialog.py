"""The report on finished trainings, asked for and followed in a window of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.session.runs_folder import RUNS_FOLDER, runs_folder
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import Job, JobGroup
from bracketseg._napari.widgets.worker_slot import WorkerSlot
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.learning.events import ScenePredicted
from bracketseg.report.events import ReportEvent, ReportWritten
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import Ready, Report

_REPORT = "report"
_STOPPED = "Stopped."

_QUESTIONS = {"runs": "Folder of finished trainings", "out": "Folder for the report"}


class ReportDialog(QDialog):
    """Asks for a folder of runs and where to write, and has the report made by a worker.

    It stays beside the picture; closing it stops the work. Nothing is written before
    everything is measured.

    Parameters
    ----------
    session : Session
    parent : QWidget

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_folder : callable
        Takes "runs" or "out"; returns a folder, or None.
    show_page : callable
        Takes the finished report, and shows it.
    """

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("report")
        self.setWindowTitle("Report on trainings")
        self.resize(560, 240)
        self.ask: Callable[[str], bool] = self._ask
        self.choose_folder: Callable[[str], Path | None] = self._choose_folder
        self.show_page: Callable[[Path], object] = _open_in_browser
        self._session = session
        self._folder = session.folder
        self._slot = WorkerSlot()
        self._jobs = JobGroup()
        self._job: Job | None = None
        self._ready = self._stopping = False
        self._page: Path | None = None
        self._written = ""
        self._runs, choose_runs = _folder_field(self, "runs")
        self._out, choose_out = _folder_field(self, "out")
        self._frames = QLabel(self)
        self._frames.setObjectName("report.frames")
        self._frames.setWordWrap(True)
        self._frames.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._progress = QProgressBar(self)
        self._progress.setObjectName("report.progress")
        self._start = _button(self, "start", "Make report")
        self._stop = _button(self, "stop", "Stop")
        self._show = _button(self, "show", "Show report")
        self._status = QLabel(self)
        self._status.setObjectName("report.status")
        self._status.setWordWrap(True)
        self._status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._lay_out(choose_runs, choose_out)
        choose_runs.clicked.connect(partial(self._choose, "runs"))
        choose_out.clicked.connect(partial(self._choose, "out"))
        self._start.clicked.connect(self._begin)
        self._stop.clicked.connect(self.stop)
        self._show.clicked.connect(self._show_report)
        self._runs.textChanged.connect(self._tell)
        self._out.textChanged.connect(self._tell)
        self.finished.connect(self.stop)
        self.destroyed.connect(partial(_close, self._jobs, self._slot))
        self._tell()

    @property
    def make_worker(self) -> Callable[[], Worker]:
        """Gives the worker that measures."""
        return self._slot.make

    @make_worker.setter
    def make_worker(self, make: Callable[[], Worker]) -> None:
        self._slot.make = make

    def open(self) -> None:
        """Show the window, with the folders filled in as far as they are known."""
        known = self._session.runs
        folder = self._session.folder
        if folder != self._folder:
            # The trainings of another folder do not go with these frames.
            self._folder = folder
            self._runs.clear()
            self._out.clear()
        guess = known[-1].parent if known else None if folder is None else runs_folder(folder)
        if not self._runs.text() and guess is not None and guess.is_dir():
            self._take("runs", guess)
        self._tell()
        self.show()
        self.raise_()

    def stop(self) -> None:
        """End after the step in hand; no file has been written by then, or all have."""
        if self._job is None or self._stopping:
            return
        if self._ready:
            self._stopping = True
            self._slot.stop()
            self._say("Stopping …")
        else:
            # It is importing torch, which cannot be interrupted, and has written nothing yet.
            self._job.cancel()
            self._slot.kill()
            self._ended(_STOPPED)

    def _lay_out(self, choose_runs: QPushButton, choose_out: QPushButton) -> None:
        fields = QGridLayout()
        rows = (("Trainings", self._runs, choose_runs), ("Write to", self._out, choose_out))
        for row, (title, field, button) in enumerate(rows):
            fields.addWidget(QLabel(title, self), row, 0)
            fields.addWidget(field, row, 1)
            fields.addWidget(button, row, 2)
        fields.addWidget(QLabel("Frames", self), len(rows), 0)
        fields.addWidget(self._frames, len(rows), 1, 1, 2)
        fields.setColumnStretch(1, 1)
        buttons = QHBoxLayout()
        for widget in (self._start, self._stop, self._show):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(fields)
        layout.addWidget(self._progress)
        layout.addWidget(self._status, 1)
        layout.addLayout(buttons)

    def _choose(self, what: str, _checked: bool = False) -> None:
        path = self.choose_folder(what)
        if path is not None:
            self._take(what, path)

    def _take(self, what: str, path: Path) -> None:
        before = self._runs.text()
        if what == "runs" and self._out.text() in ("", str(_beside(Path(before)))):
            self._out.setText(str(_beside(path)))
        (self._runs if what == "runs" else self._out).setText(str(path))

    def _begin(self) -> None:
        # It imports all that makes reports, which the dock can open without.
        from bracketseg.report.writing import tables_in

        runs, out = Path(self._runs.text()), Path(self._out.text())
        there = tables_in(out)
        if there and not self.ask(
            f"{out} holds tables or a report already ({', '.join(there[:3])}"
            f"{' …' if len(there) > 3 else ''}). Replace those of the same names?"
        ):
            return
        self._ready = self._stopping = False
        self._page = None
        self._progress.setRange(0, 0)
        self._job = self._jobs.run(
            partial(self._slot.worker.ask, Report(path=self._session.folder, runs=runs, out=out)),
            on_event=self._event,
            on_error=lambda error: self._ended(f"⚠ {error}"),
            on_done=lambda _result: self._done(),
            description=f"reporting on {runs}",
        )
        self._say("Getting ready …")

    def _event(self, event: Ready | ScenePredicted | SceneFailed | ReportEvent) -> None:
        if isinstance(event, Ready):
            self._ready = True
            return
        self._progress.setRange(0, event.total)
        self._progress.setValue(event.index)
        if isinstance(event, ReportWritten):
            self._page = event.page
            self._written = f"Report on {event.runs} trainings in {event.page}."
            if event.left_out:
                more = len(event.left_out) - 1
                others = f" (and {more} more)" if more else ""
                self._written += f" ⚠ Left out: {event.left_out[0]}{others}; see its last section."
        elif not self._stopping:
            self._say(_doing(event))

    def _done(self) -> None:
        self._ended(self._written if self._page is not None else _STOPPED)

    def _ended(self, text: str) -> None:
        self._job = None
        # Its process holds torch's memory, and a report is wanted rarely.
        self._slot.close()
        self._say(text)

    def _say(self, text: str) -> None:
        self._status.setText(text)
        self._tell()

    def _tell(self, _text: str = "") -> None:
        running = self._job is not None
        self._progress.setVisible(running)
        self._stop.setEnabled(running and not self._stopping)
        self._start.setEnabled(bool(not running and self._runs.text() and self._out.text()))
        self._show.setEnabled(not running and self._page is not None)
        folder = self._session.folder
        self._frames.setText(
            "⚠ No folder is open, so there will be no pictures: open the one that the trainings "
            "learned from in the Brackets dock."
            if folder is None
            else str(folder)
        )
        if not running and not self._status.text():
            self._status.setText(
                "Choose a folder that holds finished trainings: those of several losses and "
                "seeds with otherwise the same settings are compared."
            )

    def _show_report(self) -> None:
        if self._page is not None:
            self.show_page(self._page)

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Report", question)
        return answer == yes

    def _choose_folder(self, what: str) -> Path | None:
        field = self._runs if what == "runs" else self._out
        start = field.text() or str(self._session.folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, _QUESTIONS[what], start)
        return Path(chosen) if chosen else None


def _beside(runs: Path) -> Path:
    """Propose where to write: beside the trainings, among which nobody looks for a report."""
    name = _REPORT if runs.name == RUNS_FOLDER else f"{runs.name}-{_REPORT}"
    return runs.parent / name


def _close(jobs: JobGroup, slot: WorkerSlot, _dialog: object = None) -> None:
    jobs.cancel()
    slot.close()


def _doing(event: ScenePredicted | SceneFailed | ReportEvent) -> str:
    if isinstance(event, ScenePredicted | SceneFailed):
        return f"Predicting what was kept back: scene {event.index} of {event.total} …"
    doing = "" if isinstance(event, ReportWritten) else event.doing
    return f"{doing[:1].upper()}{doing[1:]}: step {event.index} of {event.total} …"


def _folder_field(parent: QWidget, name: str) -> tuple[QLineEdit, QPushButton]:
    field = QLineEdit(parent)
    field.setObjectName(f"report.{name}")
    return field, _button(parent, f"choose_{name}", "Choose…")


def _button(parent: QWidget, name: str, title: str) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName(f"report.{name}")
    button.setAutoDefault(False)
    return button


def _open_in_browser(page: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))
