"""The Metrics dock while it compares all scenes of two labellings."""

from collections.abc import Collection

from psygnal import Signal
from qtpy.QtCore import QModelIndex, Qt, QTimer

from bracketseg._napari.metrics.controls import MetricsControls
from bracketseg._napari.metrics.folders import FolderChoice
from bracketseg._napari.metrics.origin import Origin
from bracketseg._napari.metrics.scene_overlay import SceneOverlay
from bracketseg._napari.metrics.set import SetMetrics
from bracketseg._napari.metrics.set_summary import doubts, mean_rows
from bracketseg._napari.metrics.set_table import MetricsRow, SetTable, WorstFirst
from bracketseg._napari.metrics.text import (
    detail_text,
    joined,
)
from bracketseg._napari.session.runs_folder import own_trainings
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import BracketSegError
from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.curves import Curves
from bracketseg.evaluation.pairs import PairMeasured, SceneMetrics
from bracketseg.wording import counted

GATHER_MS = 200
"""How long rows are gathered before they are shown: each time the whole window is drawn."""


class MetricsOfSet:
    """Fills the controls from two folders of masks.

    Attributes
    ----------
    overlay : SceneOverlay
    folders : FolderChoice

    Signals
    -------
    changed()
        There is something new to tell or to draw.
    """

    changed = Signal()

    def __init__(self, session: Session, controls: MetricsControls) -> None:
        self._session = session
        self._controls = controls
        self.folders = FolderChoice(session)
        self._active = False
        self._notice = ""
        self._set = SetMetrics()
        self._set.origin_read.connect(self._have_origin)
        self._set.added.connect(self._add)
        self._set.changed.connect(self._set_changed)
        self._table, self._means = SetTable(), SetTable()
        self._sorted = WorstFirst()
        self._sorted.setSourceModel(self._table)
        self._rows: list[SceneMetrics] = []
        self._fresh: list[MetricsRow] = []
        self._gathering = self._closed = False
        self.overlay = SceneOverlay(session)
        self.overlay.changed.connect(self._overlay_changed)
        self.overlay.failed.connect(self._broke)
        controls.table.clicked.connect(self._clicked)
        controls.table.activated.connect(self._clicked)

    def close(self) -> None:
        """Stop, and leave the viewer as it was."""
        self._closed = True
        self._set.clear()
        self.overlay.close()

    def activate(self) -> None:
        """Take over the controls, and measure what was not measured yet."""
        self._active = True
        controls = self._controls
        controls.show_scope(everything=True)
        controls.table.setModel(self._sorted)
        controls.means.setModel(self._means)
        header = controls.means.horizontalHeader()
        rows = controls.means.verticalHeader()
        if header is not None and rows is not None:
            header.hide()
            rows.hide()
        controls.set_columns(everything=True)
        controls.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        controls.table.setSortingEnabled(True)
        self._list()
        if not self._set.measured and not self._set.running:
            self.measure()
        else:
            self._show_all()

    def deactivate(self) -> None:
        """Give the controls away; what is being measured goes on."""
        self._active = False
        self.show_overlay(on=False)
        self._controls.detail.hide()

    def forget(self) -> None:
        """Begin with the labellings of another folder."""
        self.folders.forget()
        if self._active:
            self._list()
        self.measure()

    def choose(self, reference: int, prediction: int) -> None:
        """Compare other entries of the lists; the last one asks for a folder."""
        self.folders.choose(reference, prediction)
        self._list()
        self.measure()

    def choose_scenes(self, index: int) -> None:
        """Look at all scenes, or at the validation scenes of a run."""
        self._notice = ""
        try:
            self.folders.choose_scenes(index)
        except BracketSegError as error:
            self._notice = str(error)
        self._list()
        self._show_all()

    def measure(self) -> None:
        """Measure both folders, from the start."""
        self._rows, self._fresh, self._notice = [], [], ""
        self._table.show([])
        self._means.show([])
        self._controls.detail.hide()
        self.overlay.forget()
        reference, prediction = self.folders.reference, self.folders.prediction
        if reference is None or prediction is None or reference == prediction:
            self._set.clear()
            self._set_changed()
            return
        further = (*self._session.runs, *own_trainings(self._session.folder))
        self._set.start(reference, prediction, further)

    def stop(self) -> None:
        """Stop measuring."""
        self._set.stop()

    def show_overlay(self, *, on: bool) -> None:
        """Show or close the picture of the outcomes of the scene that was clicked."""
        self.overlay.on = on

    @property
    def overlay_on(self) -> bool:
        """Whether the overlay is wanted."""
        return self.overlay.on

    @property
    def overlay_lost(self) -> bool:
        """Whether somebody closed the layer of the overlay."""
        return self.overlay.lost

    @property
    def can_overlay(self) -> bool:
        """Whether there is something to show."""
        return self.overlay.scene is not None

    @property
    def running(self) -> bool:
        """Whether masks are being measured."""
        return self._set.running

    @property
    def progress(self) -> tuple[int, int]:
        """How many pairs are done, and of how many."""
        return self._set.done, self._set.total

    def labelings_changed(self, scenes: Collection[str]) -> None:
        """Look again which labellings there are.

        Parameters
        ----------
        scenes : collection of str
            Whose masks may be others.
        """
        if self._session.scanning:
            return
        self._list()
        if not self._set.measured and not self._set.running:
            self.measure()
        else:
            self._set.look_again(scenes)

    def entries(self) -> list[SceneMetrics]:
        """Give what was measured, in the order of the table."""
        rows = range(self._sorted.rowCount())
        found = [self._sorted.mapToSource(self._sorted.index(row, 0)).row() for row in rows]
        return [self._rows[row] for row in found]

    def curves(self) -> dict[MaskRole | None, list[Curves]]:
        """Give the curves of all scenes of each role that has probabilities."""
        found: dict[MaskRole | None, list[Curves]] = {}
        for role in MASK_ROLES:
            lines = [
                event.curves
                for event in self._set.measured
                if event.curves is not None and event.measured.role == role and self._in(event)
            ]
            if lines:
                found[role] = lines
        return found

    def threshold(self) -> float | None:
        """Give the threshold at which the predictions were made, where it is known."""
        return None if self._set.origin is None else self._set.origin.threshold

    def status(self) -> str:
        """Say what is compared, and how far it is."""
        measured = self._set
        reference, prediction = self.folders.reference, self.folders.prediction
        if reference is None or prediction is None:
            return (
                "Choose two folders of masks: labellings below the open folder are in the lists, "
                "and others can be chosen."
            )
        if reference == prediction:
            return "⚠ Both are the same folder: choose another for one of them."
        if measured.error:
            return f"⚠ {measured.error}"
        if measured.running:
            return f"Measuring … {measured.done} of {measured.total or '?'} masks."
        done = counted(len(self._rows), "mask")
        if self.folders.scenes is not None:
            done += f" of the validation scenes of {self.folders.run}"
        elif self.folders.unseen:
            done += " of scenes not used in training"
        text = f"{done} measured: {prediction.name}, held against {reference.name}."
        if measured.stopped:
            text = f"Stopped. {text}"
        return joined(
            [f"⚠ {self._notice}" if self._notice else "", text]
            + doubts(self._rows, self.folders.trained, measured.origin, measured.outdated)
            + ([] if self.overlay.scene else ["Click a scene to see it, a heading to sort."])
        )

    def problems(self) -> list[str]:
        """Say what is not compared, and why."""
        return self._set.problems

    def _list(self) -> None:
        self.folders.show(self._controls.reference, self._controls.prediction)
        self.folders.show_scenes(self._controls.subset)

    def _in(self, event: PairMeasured) -> bool:
        return self.folders.holds(event.measured.scene)

    def _have_origin(self, origin: Origin) -> None:
        self.folders.take(origin)
        if self._active:
            self._list()

    def _add(self, event: PairMeasured) -> None:
        if self._in(event):
            self._rows.append(event.measured)
            self._fresh.append(_row(event.measured))

    def _set_changed(self) -> None:
        if not self._set.running:
            self._flush()
            self._show_means()
            self.changed.emit()
        elif not self._gathering:
            self._gathering = True
            QTimer.singleShot(GATHER_MS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        if not self._closed:
            self._flush()
            self.changed.emit()

    def _flush(self) -> None:
        fresh, self._fresh = self._fresh, []
        self._table.add(fresh)

    def _show_all(self) -> None:
        self._fresh = []
        self._rows = [event.measured for event in self._set.measured if self._in(event)]
        self._table.show([_row(measured) for measured in self._rows])
        self._show_means()
        self.changed.emit()

    def _show_means(self) -> None:
        rows = mean_rows(self._rows)
        self._means.show(rows)
        if self._active:
            self._controls.fit_means(len(rows))

    def _clicked(self, cell: QModelIndex) -> None:
        if not self._active:
            return
        scene = self._rows[self._sorted.mapToSource(cell).row()]
        reference, prediction = self.folders.reference, self.folders.prediction
        if reference is None or prediction is None:
            return
        self._controls.detail.setText(detail_text(scene, *baselines(scene.counts).measured()))
        self._controls.detail.show()
        self._notice = (
            ""
            if self.overlay.in_session(scene.scene)
            else "Open the folder of its frames in the Brackets dock to see them, too."
        )
        self.overlay.show(scene, reference, prediction)
        self.changed.emit()

    def _broke(self, error: Exception) -> None:
        self._notice = str(error)
        self.changed.emit()

    def _overlay_changed(self) -> None:
        if self.overlay.scene is None:
            self._controls.detail.hide()
        self.changed.emit()


def _row(measured: SceneMetrics) -> MetricsRow:
    return MetricsRow(label=measured.role, metrics=measured.metrics, title=measured.scene)
