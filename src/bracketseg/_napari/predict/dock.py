"""The Predict dock: masks by a trained network, of what is shown or of all scenes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from napari.components import ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from bracketseg._napari.predict.controls import PredictControls
from bracketseg._napari.predict.folder import FolderPrediction
from bracketseg._napari.predict.frames import FramesPrediction
from bracketseg._napari.predict.model_choice import ModelChoice, ModelEntry
from bracketseg._napari.predict.score import GroundTruths
from bracketseg._napari.predict.text import run_obstacle, score_text, status_text
from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.runs_folder import runs_folder
from bracketseg._napari.session.session import session_of
from bracketseg._napari.truth.aligned_regions import limits_of
from bracketseg._napari.truth.predictions import Predictions
from bracketseg._napari.widgets.device_choice import DeviceChoice
from bracketseg._napari.widgets.dock_tabs import open_dock
from bracketseg._napari.widgets.worker_slot import WorkerSlot
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bracketseg.worker.client import Worker

SETTLE_MS = 150
"""After the last move of the threshold the thumbnail and the layer list are drawn anew."""


class PredictDock(QWidget):
    """Predicts the open scene, or whatever Image layers are open, or all scenes.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.

    Attributes
    ----------
    choose_model : callable
        Takes a role; returns a run or a model file, or None.
    choose_folder : callable
        Returns the folder to save all scenes to, or None.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.choose_model: Callable[[MaskRole], Path | None] = self._choose_model
        self.choose_folder: Callable[[], Path | None] = self._choose_folder
        self._said = self._scene = ""
        self._session = session = session_of(napari_viewer)
        self._slot = WorkerSlot()
        self._choice = FrameChoice(session.viewer, session)
        self._models = ModelChoice(session)
        self._frames = FramesPrediction(session.viewer, self._choice, self._slot)
        self._folder = FolderPrediction(session, self._slot)
        self._truths = GroundTruths(session.viewer, session)
        self._predictions = Predictions(session)
        self._view = self._frames.view
        self._choice.later = self._view.later = partial(QTimer.singleShot, 0)
        self._view.regions = lambda subject: limits_of(session, subject)[0]
        self._folder.ask = self._ask
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(SETTLE_MS)
        self._settling.timeout.connect(self._settled)
        self._controls = PredictControls(self)
        DeviceChoice(self._controls.device, lambda: self._slot.make())
        self._connect()
        self._choice.start()
        self._models.refresh()
        self._show_images()
        self._show_models()
        parts = (
            self._frames,
            self._folder,
            self._truths,
            self._predictions,
            self._models,
            self._choice,
        )
        self.destroyed.connect(partial(_close, self._slot, parts))

    @property
    def ask(self) -> Callable[[str], bool]:
        """Takes a question; returns whether the answer is yes."""
        return self._folder.ask

    @ask.setter
    def ask(self, ask: Callable[[str], bool]) -> None:
        self._folder.ask = ask

    @property
    def make_worker(self) -> "Callable[[], Worker]":
        """Gives the worker that predicts."""
        return self._slot.make

    @make_worker.setter
    def make_worker(self, make: "Callable[[], Worker]") -> None:
        self._slot.make = make

    def _connect(self) -> None:
        controls, frames, session = self._controls, self._frames, self._session
        controls.run.clicked.connect(self._run)
        controls.run_all.clicked.connect(self._run_all)
        controls.stop.clicked.connect(self._stop)
        controls.correct.clicked.connect(self._correct)
        self._predictions.changed.connect(self._tell)
        controls.folder.clicked.connect(self._folder_wanted)
        controls.threshold.valueChanged.connect(self._threshold_moved)
        controls.form.changed.connect(self._settings_changed)
        for panel in controls.roles.values():
            panel.image_chosen.connect(self._image_chosen)
            panel.model_chosen.connect(self._model_chosen)
            panel.file_wanted.connect(self._file_wanted)
            panel.touched.connect(self._view.show_only)
        self._choice.listed.connect(self._show_images)
        self._choice.changed.connect(self._show_images)
        self._models.changed.connect(self._show_models)
        frames.state_changed.connect(self._tell)
        self._view.focus_changed.connect(self._tell)
        self._view.masks_changed.connect(self._show_scores)
        self._folder.state_changed.connect(self._tell)
        self._truths.changed.connect(self._show_scores)
        join_session(
            self,
            session,
            [
                (session.notice, self._notice),
                (session.scenes_found, self._tell),
                (session.folder_changed, self._folder_changed),
                (session.scene_changed, self._scene_changed),
                (session.shifts_changed, self._aligned),
                (session.run_saved, self._runs_changed),
                (session.threshold_chosen, self._threshold_chosen),
                (session.model_chosen, self._run_chosen),
            ],
        )
        if session.model is not None:
            self._run_chosen(session.model)
        if session.threshold is not None:
            self._threshold_chosen(session.threshold)

    # What a person does.

    def _run(self) -> None:
        self._forget()
        models = {role: self._models.chosen(role) for role in self._view.roles}
        wanted = {role: model for role, model in models.items() if model is not None}
        painted = self._view.painted(tuple(wanted))
        if painted and not self.ask(
            f"{' and '.join(painted)}: not made here, or painted on since. Replace what is there?"
        ):
            return
        self._frames.run(wanted, self._controls.form.config(), replace=bool(painted))

    def _run_all(self) -> None:
        self._forget()
        models = {role: self._models.chosen(role) for role in MASK_ROLES}
        wanted = {role: model for role, model in models.items() if model is not None}
        self._folder.run(wanted, self._controls.form.config())

    def _stop(self) -> None:
        self._frames.stop()
        self._folder.stop()

    def _correct(self) -> None:
        # Probabilities lie over the frame and over the mask that is to be painted on.
        self._view.put_away()
        self._session.correct(self._predictions.roles(self._view.subject))
        open_dock(self._session.viewer, "Ground truth")

    def _folder_wanted(self) -> None:
        folder = self.choose_folder()
        if folder is not None:
            self._folder.out = folder

    def _image_chosen(self, role: MaskRole, image: object) -> None:
        self._forget()
        self._choice.choose(role, image)

    def _model_chosen(self, role: MaskRole, model: ModelEntry | None) -> None:
        self._forget()
        self._models.choose(role, model)

    def _file_wanted(self, role: MaskRole) -> None:
        self._forget()
        path = self.choose_model(role)
        try:
            if path is not None:
                self._models.add(role, path)
        except ModelError as error:
            self._said = f"⚠ {error}"
        # Also where nothing was chosen: the list shows the model that is taken.
        self._show_models()

    def _forget(self) -> None:
        """Say no more what came of the last action."""
        self._said = ""
        self._frames.forget()
        self._folder.forget()

    def _run_chosen(self, run: Path) -> None:
        self._forget()
        try:
            self._models.take(run)
        except ModelError as error:
            self._said = f"⚠ {error}"
        self._show_models()

    def _threshold_chosen(self, value: float) -> None:
        self._controls.threshold.setValue(value)

    def _threshold_moved(self, value: float) -> None:
        self._view.set_threshold(value, settled=False)
        self._settling.start()

    def _settled(self) -> None:
        self._view.set_threshold(self._controls.threshold.value())

    def _settings_changed(self) -> None:
        self._view.show_probability(on=self._controls.form.config().probability)

    # What there is to see.

    def _show_images(self) -> None:
        images = self._choice.candidates()
        for role, panel in self._controls.roles.items():
            panel.show_images(images, self._choice.images.get(role))

    def _show_models(self) -> None:
        for role, panel in self._controls.roles.items():
            panel.show_models(
                self._models.entries(role),
                self._models.chosen(role),
                left_out=self._models.is_left_out(role),
            )
        self._show_scores()
        self._tell()

    def _aligned(self, _bracket: Bracket) -> None:
        self._view.limit()

    def _runs_changed(self, _run: object) -> None:
        self._models.refresh()

    def _show_scores(self) -> None:
        subject = self._view.subject
        for role, label in self._controls.scores.items():
            mask, layers = self._view.mask(role), self._view.layers(role)
            if subject is None or mask is None or layers is None:
                label.hide()
                continue
            chosen = self._models.chosen(role)
            old = chosen is None or chosen.name != layers.model
            score = self._truths.score(subject, role, mask, layers.model)
            label.setText(score_text(role, score, layers.model if old else ""))
            label.show()

    def _notice(self, text: str) -> None:
        self._said = text
        self._tell()

    def _folder_changed(self, _folder: object) -> None:
        self._said = self._scene = ""
        self._tell()

    def _scene_changed(self, bracket: Bracket) -> None:
        # Another frame of the same scene may be what there is to say something of.
        if bracket.scene != self._scene:
            self._said, self._scene = "", bracket.scene
        self._tell()

    def _tell(self, *_what: object) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        controls, frames, folder = self._controls, self._frames, self._folder
        busy = frames.running or folder.running
        controls.status.setText(status_text(frames, folder, self._models, said=self._said))
        obstacle = run_obstacle(frames, self._models)
        controls.run.setEnabled(not busy and not obstacle)
        controls.run.setToolTip(obstacle or "Predict the masks of the images that are chosen")
        controls.stop.setEnabled(busy)
        controls.stop.setToolTip("" if busy else "Nothing is running")
        predicted = bool(self._predictions.roles(self._view.subject))
        controls.correct.setEnabled(not busy and predicted)
        controls.correct.setToolTip(
            "Take the prediction for the start of ground truth, and correct it with the brush"
            if predicted
            else "Predict the masks first"
        )
        models = any(self._models.chosen(role) is not None for role in MASK_ROLES)
        brackets = len(self._session.brackets)
        controls.run_all.setText(f"All scenes ({brackets})" if brackets else "All scenes")
        controls.run_all.setEnabled(not busy and models and brackets > 0)
        controls.run_all.setToolTip(
            f"Predict every scene of the folder into {folder.out}"
            if brackets
            else "Open a folder of brackets first"
        )
        controls.folder.setEnabled(brackets > 0 and not busy)
        controls.folder.setToolTip(f"All scenes are saved to {folder.out}")
        for role, panel in controls.roles.items():
            panel.show_focus(focused=role == self._view.focus, enabled=role in self._view.roles)
        count = len(folder.failures)
        controls.show_problems.setVisible(bool(count))
        controls.show_problems.setText(f"{count} scene{'' if count == 1 else 's'} failed")
        controls.problems.setPlainText(
            "\n\n".join(f"{scene}: {reason}" for scene, reason in folder.failures)
        )
        if not count:
            controls.problems.hide()

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Predict", question)
        return answer == yes

    def _choose_model(self, role: MaskRole) -> Path | None:
        folder = self._session.folder
        start = str(Path.home() if folder is None else runs_folder(folder))
        chosen, _ = QFileDialog.getOpenFileName(
            self, f"Model for {role}", start, "Model (*.safetensors)"
        )
        return Path(chosen) if chosen else None

    def _choose_folder(self) -> Path | None:
        start = str(self._folder.out or Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "Save all scenes to", start)
        return Path(chosen) if chosen else None


class _Part(Protocol):
    def close(self) -> None: ...


def _close(
    slot: WorkerSlot,
    parts: "Sequence[_Part]",
    _dock: object = None,
) -> None:
    for part in parts:
        part.close()
    slot.close()
