"""The Metrics dock: masks held against masks, in the window and on the disk."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog, QMessageBox, QWidget

from bracketseg._napari.layers.error_overlay import LEGEND
from bracketseg._napari.metrics.controls import MetricsControls
from bracketseg._napari.metrics.of_layers import MetricsOfLayers
from bracketseg._napari.metrics.of_set import MetricsOfSet
from bracketseg._napari.metrics.report_dialog import ReportDialog
from bracketseg._napari.metrics.text import NO_CURVES, threshold_text
from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg._napari.widgets.legend import legend_text
from bracketseg.brackets.files import write_bytes
from bracketseg.evaluation.curves import best_threshold, mean_curves
from bracketseg.evaluation.spreadsheet import HEADER, metric_rows, spreadsheet_bytes, table_text
from bracketseg.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from bracketseg._napari.layers.curve_plots import CurvePlots

_QUESTIONS = {
    "reference": "Folder of the reference masks",
    "prediction": "Folder of the predicted masks",
    "run": "Folder of a training",
}


class MetricsDock(QWidget):
    """Measures open layers as they are painted, or all scenes of two labellings.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_file : callable
        Takes a proposal; returns the file to save to, or None.
    choose_folder : callable
        Takes "reference", "prediction" or "run"; returns a folder, or None.
    report : ReportDialog
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.ask: Callable[[str], bool] = self._ask
        self.choose_file: Callable[[Path], Path | None] = self._choose_file
        self.choose_folder: Callable[[str], Path | None] = self._choose_folder
        self._session = session_of(napari_viewer)
        self._controls = MetricsControls(self)
        later = partial(QTimer.singleShot, 0)
        self._layers = MetricsOfLayers(self._session, self._controls, later)
        self._set = MetricsOfSet(self._session, self._controls)
        self._set.folders.choose_folder = lambda what: self.choose_folder(what)
        self._shown: MetricsOfLayers | MetricsOfSet = self._layers
        self._plots: CurvePlots | None = None
        self._jobs = JobGroup()
        self.report = ReportDialog(self._session, self)
        self._best: float | None = None
        self._said = ""
        self._in_sight = True
        self._changed_scenes: set[str] = set()
        self._connect()
        self._layers.start()
        self._layers.activate()
        self._tell()
        self.destroyed.connect(partial(_close, self._layers, self._set, self._jobs))

    def _connect(self) -> None:
        controls = self._controls
        controls.scope.currentIndexChanged.connect(self._scope_chosen)
        controls.reference.currentIndexChanged.connect(self._masks_chosen)
        controls.prediction.currentIndexChanged.connect(self._masks_chosen)
        controls.subset.currentIndexChanged.connect(self._set.choose_scenes)
        controls.overlay.toggled.connect(self._overlay_wanted)
        controls.curves.toggled.connect(self._curves_wanted)
        controls.take_over.clicked.connect(self._taken_over)
        controls.copy.clicked.connect(self._copy_all)
        controls.export.clicked.connect(self._export)
        controls.report.clicked.connect(self.report.open)
        controls.run.clicked.connect(self._set.measure)
        controls.stop.clicked.connect(self._set.stop)
        controls.show_problems.clicked.connect(self._toggle_problems)
        controls.table.copy_wanted.connect(self._copy_marked)
        controls.legend.setText(legend_text(LEGEND))
        self._layers.changed.connect(self._changed)
        self._set.changed.connect(self._changed)
        session = self._session
        join_session(
            self,
            session,
            [
                (session.folder_changed, self._folder_changed),
                (session.scan_finished, self._scan_finished),
                (session.labeled_changed, self._labelings_changed),
            ],
        )

    # What a person does.

    def _scope_chosen(self, index: int) -> None:
        self._said = ""
        self._shown.deactivate()
        self._shown = self._set if index else self._layers
        self._controls.overlay.setChecked(False)
        self._shown.activate()
        self._labelings_changed(frozenset())
        self._changed()

    def _masks_chosen(self, _index: int) -> None:
        self._said = ""
        controls = self._controls
        self._shown.choose(controls.reference.currentIndex(), controls.prediction.currentIndex())
        self._changed()

    def _overlay_wanted(self, on: bool) -> None:
        self._shown.show_overlay(on=on)
        self._tell()

    def _curves_wanted(self, on: bool) -> None:
        self._controls.show_curves(on=on)
        if on and self._plots is None:
            # It takes a while to load, and many never ask for it.
            self._jobs.run(
                partial(import_module, "pyqtgraph"),
                on_done=self._add_plots,
                description="getting ready to plot",
            )
        self._draw_curves()

    def _add_plots(self, _module: object) -> None:
        from bracketseg._napari.layers.curve_plots import CurvePlots

        self._plots = CurvePlots(self)
        self._controls.add_plots(self._plots)
        self._controls.show_curves(on=self._controls.curves.isChecked())
        self._draw_curves()

    def _taken_over(self) -> None:
        if self._best is not None:
            self._session.choose_threshold(self._best)
            self._say(f"The threshold {self._best:.2f} was handed to the Predict dock.")

    def _copy_marked(self) -> None:
        table = self._controls.table
        marked = table.selectedIndexes()
        if not marked:
            self._copy_all()
            return
        rows = sorted({cell.row() for cell in marked})
        columns = sorted({cell.column() for cell in marked})
        there = {(cell.row(), cell.column()): cell for cell in marked}
        cells = [[there.get((row, column)) for column in columns] for row in rows]
        text = table_text(
            [[c.data(Qt.ItemDataRole.UserRole) if c else None for c in row] for row in cells],
            separator="\t",
        )
        self._put_on_clipboard(text, counted(len(marked), "value"))

    def _copy_all(self) -> None:
        rows = metric_rows(self._shown.entries())
        if rows:
            text = table_text([HEADER, *rows], separator="\t")
            self._put_on_clipboard(text, counted(len(rows), "row"))

    def _put_on_clipboard(self, text: str, what: str) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
            self._say(f"Copied {what}.")

    def _export(self) -> None:
        rows = metric_rows(self._shown.entries())
        folder = self._session.folder
        path = self.choose_file((folder or Path.home()) / "metrics.csv")
        if path is None or not rows:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        if path.exists() and not self.ask(f"{path} exists. Replace it?"):
            return
        try:
            write_bytes(path, spreadsheet_bytes(rows))
        except OSError as error:
            self._say(
                f"⚠ {path}: cannot be written ({error.strerror or error}). Choose another place."
            )
        else:
            self._say(f"Saved {counted(len(rows), 'row')} in {path}.")

    def _toggle_problems(self) -> None:
        self._controls.problems.setVisible(self._controls.problems.isHidden())

    # What there is to see.

    def _folder_changed(self, _folder: Path) -> None:
        self._set.forget()
        self._changed()

    def _scan_finished(self, _problems: object) -> None:
        self._labelings_changed(frozenset())

    def _labelings_changed(self, scenes: frozenset[str]) -> None:
        self._changed_scenes |= scenes
        if self._shown is self._set and self._in_sight:
            self._set.labelings_changed(self._changed_scenes)
            self._changed_scenes = set()

    def event(self, a0: QEvent | None) -> bool:
        """Hear from the frame, once there is one, whether the dock is in front of others."""
        frame = self.parentWidget()
        parted = a0 is not None and a0.type() == QEvent.Type.ParentChange
        if parted and isinstance(frame, QDockWidget):
            frame.visibilityChanged.connect(self._came_in_sight)
        return super().event(a0)

    def _came_in_sight(self, on: bool) -> None:
        self._in_sight = on
        self._layers.show(on=on)
        if on and self._changed_scenes:
            self._labelings_changed(frozenset())

    def _changed(self) -> None:
        if self._shown.overlay_lost:
            self._controls.overlay.setChecked(False)
        self._draw_curves()
        self._tell()

    def _draw_curves(self) -> None:
        found = self._shown.curves()
        if not self._controls.curves.isChecked() or (
            self._shown is self._set and self._set.running
        ):
            return
        means = {role: mean_curves(curves) for role, curves in found.items()}
        best = {role: best_threshold(curves) for role, curves in means.items()}
        threshold = self._shown.threshold()
        together = mean_curves([c for curves in found.values() for c in curves]) if found else None
        self._best = None if together is None else best_threshold(together).threshold
        text = threshold_text(means, best, together, threshold)
        # Without anything measured the status line says what there has to be first.
        self._controls.curves_text.setText(text if self._shown.entries() else NO_CURVES)
        self._controls.take_over.setEnabled(self._best is not None)
        self._controls.take_over.setText(
            "Take over" if self._best is None else f"Take over {self._best:.2f}"
        )
        if self._plots is not None:
            from bracketseg._napari.layers.curve_plots import Line

            lines = {role: Line(curves=means[role], best=best[role]) for role in means}
            self._plots.show_lines(lines, threshold)
            # Without a curve they are empty axes above words that say why.
            self._plots.setVisible(bool(lines))

    def _say(self, text: str) -> None:
        self._said = text
        self._tell()

    def _tell(self) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        controls, shown = self._controls, self._shown
        there = bool(shown.entries())
        for button in (controls.copy, controls.export):
            button.setEnabled(there)
        controls.overlay.setEnabled(shown.can_overlay or controls.overlay.isChecked())
        if shown is self._set and shown.overlay_on != controls.overlay.isChecked():
            controls.overlay.blockSignals(True)
            controls.overlay.setChecked(shown.overlay_on)
            controls.overlay.blockSignals(False)
        controls.legend.setVisible(controls.overlay.isChecked())
        everything = shown is self._set
        running = everything and self._set.running
        controls.stop.setVisible(running)
        controls.run.setVisible(everything)
        controls.run.setEnabled(not running)
        controls.progress.setVisible(running)
        controls.progress.setMaximum(self._set.progress[1])
        controls.progress.setValue(self._set.progress[0])
        problems = self._set.problems() if everything else []
        controls.show_problems.setVisible(bool(problems))
        controls.show_problems.setText(f"Not compared: {len(problems)}")
        if controls.problems.toPlainText() != "\n".join(problems):
            controls.problems.setPlainText("\n".join(problems))
        if not problems:
            controls.problems.hide()
        status = shown.status()
        controls.status.setText(f"{self._said} {status}" if self._said else status)

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Metrics", question)
        return answer == yes

    def _choose_file(self, proposal: Path) -> Path | None:
        # We ask about a file that is there ourselves, once its name is complete.
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "Save the table",
            str(proposal),
            "Table (*.csv)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return Path(chosen) if chosen else None

    def _choose_folder(self, what: str) -> Path | None:
        start = str(self._session.folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, _QUESTIONS[what], start)
        return Path(chosen) if chosen else None


def _close(
    layers: MetricsOfLayers, found: MetricsOfSet, jobs: JobGroup, _dock: object = None
) -> None:
    jobs.cancel()
    layers.close()
    found.close()
