"""The Ground truth dock: masks by range, by Otsu and by brush, one scene after the other."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from qtpy.QtCore import QCoreApplication, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.truth.controls import TruthControls
from bracketseg._napari.truth.ground_truth import GroundTruth
from bracketseg._napari.truth.keys import (
    ACCEPT,
    COMPARE,
    MERGED,
    OTHER_ROLE,
    PICK,
    REDO,
    SKIP,
    UNDO,
    bind_keys,
    free_keys,
)
from bracketseg._napari.truth.role_panel import Method
from bracketseg._napari.truth.text import accept_tip, coverage_text, status_text, view_text
from bracketseg._napari.truth.view_switch import View, ViewSwitch
from bracketseg._napari.widgets.close_guard import CloseGuard
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.placement import is_still

if TYPE_CHECKING:
    from collections.abc import Callable

    from bracketseg._napari.widgets.shortcuts import Shortcut

AUTOSAVE_MS = 1000
"""How often what was done is handed to the disk; it is to be there within two seconds."""

COUNT_MS = 100
"""How often the coverage is counted while a bound is dragged."""

DRAW_MS = 40
"""How long the coverage of another scene waits for the scene to be drawn."""


class GroundTruthDock(QWidget):
    """Labels the open scene, or whatever Image layers are open.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.
    choose_folder : callable
        Returns the folder to save to, or None.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.ask: Callable[[str], bool] = self._ask
        self.choose_folder: Callable[[], Path | None] = self._choose_folder
        self._truth = GroundTruth(napari_viewer)
        self._truth.ask = lambda question: self.ask(question)
        self._truth.choose_folder = lambda: self.choose_folder()
        self._truth.choice.later = partial(QTimer.singleShot, 0)
        self._editor = self._truth.editor
        self._views = ViewSwitch(self._truth.session.viewer, self._editor)
        self._said = self._scene = ""
        # Whether it was said before the last scene was left.
        self._said_before = False
        self._report: object = None
        self._autosave = QTimer(self)
        self._autosave.setInterval(AUTOSAVE_MS)
        self._autosave.timeout.connect(self._write)
        self._counting = QTimer(self)
        self._counting.setSingleShot(True)
        self._counting.setInterval(COUNT_MS)
        self._counting.timeout.connect(partial(self._show_coverage, settled=False))
        self._counting_all = QTimer(self)
        self._counting_all.setSingleShot(True)
        self._counting_all.setInterval(DRAW_MS)
        self._counting_all.timeout.connect(partial(self._show_coverage, settled=True))
        self._controls = TruthControls(self, self._truth.session.shortcuts)
        self._controls.annotator.setText(self._truth.session.annotator)
        self._connect()
        self._bind_keys()
        self._show_images()
        self._show_subject()
        # The first Labels layer of a napari loads pandas, which takes longer than all of
        # this: the dock is there at once, and the window does not stand still meanwhile.
        self._opening = run_job(
            partial(import_module, "pandas"),
            on_done=self._start,
            on_error=self._start,
            description="getting ready to label",
        )
        CloseGuard(self, self._may_close, self._truth.writer.finish)
        self.destroyed.connect(partial(_close, self._truth, self._views, self._opening))

    def _connect(self) -> None:
        truth, editor = self._truth, self._editor
        self._controls.annotator.editingFinished.connect(self._annotator_named)
        self._controls.annotator.returnPressed.connect(self._controls.annotator.clearFocus)
        self._controls.folder.clicked.connect(self._folder_wanted)
        self._controls.accept.clicked.connect(self._accepted)
        self._controls.skip.clicked.connect(truth.next.go)
        self._controls.undo.clicked.connect(editor.undo)
        self._controls.clear.clicked.connect(editor.clear_corrections)
        self._controls.merged.toggled.connect(partial(self._view_wanted, "merged"))
        self._controls.compare.toggled.connect(partial(self._view_wanted, "compared"))
        self._controls.compare_set.clicked.connect(self._set_compared)
        self._controls.average.clicked.connect(self._averaged)
        for role, panel in self._controls.panels.items():
            panel.image_chosen.connect(partial(truth.choose, role))
            panel.method_chosen.connect(partial(self._method_chosen, role))
            panel.range_moved.connect(partial(editor.set_range, role, settled=False))
            panel.range_settled.connect(partial(editor.set_range, role))
            panel.pick_wanted.connect(partial(self._pick_wanted, role))
            panel.touched.connect(partial(editor.focus.set, role))
        self._controls.from_prediction.toggled.connect(self._from_prediction_wanted)
        truth.predictions.changed.connect(self._show_predicted)
        truth.choice.listed.connect(self._show_images)
        truth.choice.changed.connect(self._show_images)
        truth.choice.leaving.connect(self._leaving)
        truth.ranges.changed.connect(self._show_rules)
        truth.state_changed.connect(self._tell)
        truth.notice.connect(self._notice)
        editor.subject_changed.connect(self._show_subject)
        editor.mask_changed.connect(self._mask_changed)
        editor.focus.changed.connect(self._show_focus)
        editor.picking.changed.connect(self._show_focus)
        self._views.changed.connect(self._view_changed)
        session = truth.session
        join_session(
            self,
            session,
            [
                (session.notice, self._notice),
                (session.labeling_changed, self._labeling_changed),
                (session.scenes_found, self._tell),
                (session.labeled_changed, self._tell),
                (session.scene_loading, self._tell),
                (session.shifts_changed, self._shifts_changed),
            ],
        )
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(truth.writer.finish)

    def _bind_keys(self) -> None:
        actions: dict[Shortcut, Callable[[], object]] = {
            ACCEPT: self._accepted,
            SKIP: self._truth.next.go,
            OTHER_ROLE: self._editor.focus.turn,
            PICK: self._editor.picking.toggle,
            MERGED: self._controls.merged.toggle,
            COMPARE: self._controls.compare.toggle,
            UNDO: self._editor.undo,
            REDO: self._editor.redo,
        }
        bind_keys(self._truth.session.shortcuts, actions)

    def _start(self, _result: object = None) -> None:
        self._truth.start()

    # What a person does.

    def _annotator_named(self) -> None:
        self._truth.session.annotator = self._controls.annotator.text()

    def _folder_wanted(self) -> None:
        folder = self.choose_folder()
        if folder is not None:
            self._truth.save_to(folder)

    def _accepted(self) -> None:
        self._said = ""
        self._truth.accept()
        self._autosave.start()
        self._tell()

    def _pick_wanted(self, role: MaskRole, on: bool) -> None:
        self._editor.focus.set(role)
        self._editor.picking.on = on

    def _method_chosen(self, role: MaskRole, method: Method) -> None:
        self._truth.set_method(role, method)
        # Also where nothing came of it.
        self._show_rules()

    def _from_prediction_wanted(self, on: bool) -> None:
        self._truth.from_prediction = on

    def _view_wanted(self, view: View, on: bool) -> None:
        if on:
            self._views.view = view
        elif self._views.view == view:
            self._views.view = "masks"

    def _set_compared(self) -> None:
        # With its plot it takes a while to load, and many never ask for it.
        from bracketseg._napari.truth.agreement_report import AgreementReport

        self._report = AgreementReport(self._truth.session, self)
        self._report.window.show()

    def _averaged(self) -> None:
        from bracketseg._napari.truth.consensus_report import ConsensusReport

        if isinstance(self._report, ConsensusReport) and self._report.busy:
            return
        report = ConsensusReport(
            self._truth.session, self, self._truth.writer, ask=self.ask, tell=self._notice
        )
        self._report = report
        report.start()

    # What there is to see.

    def _show_images(self) -> None:
        choice = self._truth.choice
        images = choice.candidates()
        for role, panel in self._controls.panels.items():
            panel.show_images(images, choice.images.get(role))

    def _show_subject(self) -> None:
        subject = self._editor.subject
        title = subject.title if subject is not None else ""
        if title != self._scene and self._said_before:
            self._said = ""
        self._scene = title
        for role, panel in self._controls.panels.items():
            panel.show_counts(self._editor.histogram(role))
        self._show_rules()
        self._show_predicted()
        self._show_focus()
        # When the scene has been drawn: that and this together would hold up the window.
        self._counting_all.start()
        self._tell()

    def _show_rules(self, *roles: MaskRole) -> None:
        """Show how the masks of some roles are made, or of both."""
        for role in roles or MASK_ROLES:
            panel = self._controls.panels[role]
            if role in self._truth.ranges.pending:
                panel.show_finding()
            else:
                panel.show_rule(self._editor.rule(role), self._editor.bounds(role))

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Offer what was predicted meanwhile, in a layer that was there before."""
        super().showEvent(event)
        self._show_predicted()

    def _show_predicted(self) -> None:
        there = {*self._truth.predictions.roles(self._editor.subject), *self._editor.predicted}
        for role, panel in self._controls.panels.items():
            panel.show_predicted(there=role in there)

    def _show_focus(self, *_what: object) -> None:
        for role, panel in self._controls.panels.items():
            focused = role == self._editor.focus.role and role in self._editor.roles
            panel.show_focus(focused=focused)
            panel.show_picking(picking=focused and self._editor.picking.on)
        self._tell()

    def _mask_changed(self, role: MaskRole, settled: bool) -> None:
        self._show_rules(role)
        if self._editor.annotation is not None and self._editor.annotation.revision:
            self._said = ""
        if settled:
            self._counting.stop()
            self._show_coverage(settled=True)
            self._tell()
        elif not self._counting.isActive():
            self._counting.start()
        if not self._autosave.isActive():
            self._autosave.start()

    def _show_coverage(self, *, settled: bool) -> None:
        self._counting_all.stop()
        annotation = self._editor.annotation
        aligned = self._truth.place.in_session and any(
            not is_still(placement.matrix) for placement in self._truth.session.shifts.values()
        )
        text = coverage_text(annotation, settled=settled, aligned=aligned)
        self._controls.coverage.setText(text)
        if settled:
            agreement = self._views.agreement() if self._views.view == "compared" else None
            self._controls.legend.setText(view_text(self._views.legend, agreement))
            self._controls.legend.setVisible(bool(self._views.legend))

    def _view_changed(self, view: View) -> None:
        for button, mine in (
            (self._controls.merged, "merged"),
            (self._controls.compare, "compared"),
        ):
            button.blockSignals(True)
            button.setChecked(view == mine)
            button.blockSignals(False)
        self._show_coverage(settled=True)
        self._tell()

    def _shifts_changed(self, _bracket: Bracket) -> None:
        self._views.update()
        self._show_coverage(settled=True)
        self._tell()

    def _labeling_changed(self, _path: Path | None) -> None:
        if not self._controls.annotator.hasFocus():
            self._controls.annotator.setText(self._truth.session.annotator)
        self._tell()

    def _leaving(self) -> None:
        self._said_before = True

    def _notice(self, text: str) -> None:
        self._said, self._said_before = text, False
        self._tell()

    def _tell(self, *_what: object) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        annotation, subject = self._editor.annotation, self._editor.subject
        self._controls.status.setText(status_text(self._truth, said=self._said))
        self._controls.status.setProperty("error", bool(self._truth.problem))
        painted = annotation is not None and any(
            annotation.corrections(role) is not None for role in annotation.roles
        )
        self._controls.accept.setEnabled(annotation is not None or self._truth.state == "starting")
        self._controls.skip.setEnabled(self._truth.next.is_one)
        self._controls.undo.setEnabled(annotation is not None and annotation.can_undo)
        self._controls.clear.setEnabled(painted)
        self._controls.merged.setEnabled(len(self._editor.roles) == len(MASK_ROLES))
        self._controls.compare.setEnabled(annotation is not None)
        self._controls.compare_set.setEnabled(bool(self._truth.session.brackets))
        self._controls.average.setEnabled(bool(self._truth.session.brackets))
        self._controls.accept.setToolTip(f"{accept_tip(self._truth)} ({ACCEPT.text})")
        folder = self._truth.place.folder
        self._controls.folder.setEnabled(subject is not None)
        self._controls.folder.setToolTip(f"Saves to {folder}" if folder else "Choose where to save")

    def _write(self) -> None:
        if self._truth.writer.idle:
            self._autosave.stop()
        else:
            self._truth.writer.flush()

    def _may_close(self) -> bool:
        """Ask before work goes that could not be written."""
        self._truth.writer.finish()
        return self._truth.writer.idle or self.ask(
            f"Not saved: {self._truth.problem} Close anyway, and lose that work?"
        )

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Ground truth", question)
        return answer == yes

    def _choose_folder(self) -> Path | None:
        start = str(self._truth.place.folder or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Save the masks to", start)
        return Path(chosen) if chosen else None


def _close(truth: GroundTruth, views: ViewSwitch, opening: Job, _dock: object = None) -> None:
    opening.cancel()
    free_keys(truth.session.shortcuts)
    application = QCoreApplication.instance()
    if application is not None:
        application.aboutToQuit.disconnect(truth.writer.finish)
    views.changed.disconnect()
    truth.close()
