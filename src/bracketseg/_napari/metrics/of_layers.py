"""The Metrics dock while it compares two open layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from bracketseg._napari.layers.provenance import provenance_of
from bracketseg._napari.metrics.choice import PairChoice
from bracketseg._napari.metrics.controls import MetricsControls, fill
from bracketseg._napari.metrics.layers import (
    LayerPair,
    refusal,
    remark,
    threshold_of,
    title_of,
)
from bracketseg._napari.metrics.live import LiveMetrics, Measured
from bracketseg._napari.metrics.origin import trained_scenes
from bracketseg._napari.metrics.pair_overlay import PairOverlay
from bracketseg._napari.metrics.pair_table import COLUMNS, PairTable
from bracketseg._napari.metrics.text import (
    better_text,
    elsewhere_text,
    empty_text,
    joined,
    seen_text,
)
from bracketseg._napari.session.runs_folder import runs_folders
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import MaskRole
from bracketseg.evaluation.baselines import baselines
from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.curves import Curves
from bracketseg.evaluation.metrics import Metrics

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEntry:
    """A pair as a row of an exported table.

    Attributes
    ----------
    scene, role : str
    counts : Confusion
    metrics : Metrics
    """

    scene: str
    role: str
    counts: Confusion
    metrics: Metrics


class MetricsOfLayers:
    """Fills the controls from the layers that are chosen, and follows what is painted.

    Signals
    -------
    changed()
        There is something new to tell or to draw.
    """

    changed = Signal()

    def __init__(
        self,
        session: Session,
        controls: MetricsControls,
        later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._session = session
        self._controls = controls
        self._active = False
        self._measured: dict[int, Measured] = {}
        self._problems: dict[int, str] = {}
        self._pairs: list[LayerPair] = []
        self._masks: list[Labels] = []
        self._names: list[str] = []
        self._table = PairTable()
        self._overlay = PairOverlay(session.viewer, later)
        self._overlay.changed.connect(self.changed.emit)
        self._in_sight = True
        # What was read of a run, by its name.
        self._trained: dict[str, frozenset[str]] = {}
        self._live = LiveMetrics(session)
        self._live.measured.connect(self._take)
        self._live.failed.connect(self._failed)
        self._choice = PairChoice(session)
        self._choice.later = later
        self._choice.listed.connect(self._list)
        self._choice.changed.connect(self._follow)

    def start(self) -> None:
        """Begin to follow the layers."""
        self._choice.start()

    def close(self) -> None:
        """Let go of the viewer, and leave it as it was."""
        self._live.close()
        self._choice.close()
        self._overlay.close()

    def activate(self) -> None:
        """Take over the controls."""
        self._active = True
        self._controls.show_scope(everything=False)
        self._controls.table.setModel(self._table)
        self._list()
        self._follow()

    def deactivate(self) -> None:
        """Give the controls away."""
        self._active = False
        self._live.follow([])
        self.show_overlay(on=False)
        self._overlay.show(None)

    def choose(self, reference: int, prediction: int) -> None:
        """Compare other entries of the lists; -1 is none."""
        chosen = (self._masks[i] if i >= 0 else None for i in (reference, prediction))
        self._choice.choose(*chosen)

    def show_overlay(self, *, on: bool) -> None:
        """Show or close the picture of the outcomes."""
        self._overlay.on = on
        self._wake()

    def show(self, *, on: bool) -> None:
        """Say whether somebody sees the dock: what nobody sees is not measured."""
        self._in_sight = on
        self._wake()

    def _wake(self) -> None:
        self._live.awake = self._in_sight or self._overlay.on

    @property
    def overlay_lost(self) -> bool:
        """Whether somebody closed the layer of the overlay."""
        return self._overlay.lost

    @property
    def can_overlay(self) -> bool:
        """Whether there is something to show."""
        return self._main() is not None

    def entries(self) -> list[PairEntry]:
        """Give what was measured, low before high."""
        return [
            PairEntry(
                scene=self._scene(found.pair),
                role=found.pair.role or "",
                counts=found.counts,
                metrics=found.metrics,
            )
            for found in self._shown()
        ]

    def curves(self) -> dict[MaskRole | None, list[Curves]]:
        """Give the curves of each role that has a probability."""
        return {
            found.pair.role: [found.curves] for found in self._shown() if found.curves is not None
        }

    def threshold(self) -> float | None:
        """Give the threshold at which the prediction was made, where it is known."""
        pair = self._choice.pair
        return None if pair is None else threshold_of(pair.prediction)

    def status(self) -> str:
        """Say what is compared, and what a person should know about it."""
        pair = self._choice.pair
        if pair is None:
            return self._missing()
        why_not = refusal(pair) or next(iter(self._problems.values()), "")
        if why_not:
            return f"⚠ {why_not}"
        found = self._main()
        if found is None:
            return "Measuring …"
        text = f"{title_of(pair.prediction)}, held against {title_of(pair.reference)}."
        several = [
            f"{name} holds several labels; each counts as foreground." for name in found.several
        ]
        return joined(
            [
                text,
                better_text(found.metrics, *baselines(found.counts).measured()),
                empty_text(found.metrics),
                *several,
                remark(pair),
                elsewhere_text(pair.role) if self._overlay.elsewhere else "",
                seen_text(pair.prediction.name) if self._was_seen(pair) else "",
                found.problem,
            ]
        )

    def _was_seen(self, pair: LayerPair) -> bool:
        """Whether the network learned from the scene whose prediction is measured."""
        ours = provenance_of(pair.prediction.metadata)
        model = ours.get("model", "") if ours is not None else ""
        folder = self._session.folder
        if not ours or not model or folder is None:
            return False
        if model not in self._trained:
            beside = [runs / model for runs in runs_folders(folder)]
            runs = (*beside, *self._session.runs)
            scenes = [trained_scenes(run) for run in runs if run.name == model]
            self._trained[model] = frozenset().union(*scenes)
        return ours["scene"] in self._trained[model]

    def _missing(self) -> str:
        chosen = (self._choice.reference, self._choice.prediction)
        if chosen[0] is not None and chosen[0] is chosen[1]:
            return "Reference and prediction are the same layer: choose another for one of them."
        if not self._masks:
            return (
                "No masks yet: label in the Ground truth dock and predict in the Predict dock, "
                "open two masks, or compare all scenes of two folders."
            )
        if len(self._masks) == 1:
            return (
                f"{self._masks[0].name} is the only mask that is open: open or predict another, "
                "or compare all scenes."
            )
        if chosen[0] is None:
            return (
                "No ground truth is open: open that of the scene in the Ground truth dock, choose "
                "another layer as the reference, or compare all scenes."
            )
        return "Choose the prediction among the open Labels layers."

    def _scene(self, pair: LayerPair) -> str:
        return pair.title.removesuffix(f" {pair.role}") if pair.role else pair.title

    def _main(self) -> Measured | None:
        pair = self._choice.pair
        return next((found for found in self._measured.values() if found.pair == pair), None)

    def _shown(self) -> list[Measured]:
        return [self._measured[i] for i in range(len(self._pairs)) if i in self._measured]

    def _list(self) -> None:
        if not self._active:
            return
        self._masks = self._choice.candidates()
        self._names = names = [title_of(mask) for mask in self._masks]
        for combo, chosen in (
            (self._controls.reference, self._choice.reference),
            (self._controls.prediction, self._choice.prediction),
        ):
            fill(combo, names, self._masks.index(chosen) if chosen in self._masks else -1)
        self.changed.emit()

    def _follow(self) -> None:
        if not self._active:
            return
        self._list()
        self._pairs = self._choice.pairs()
        self._measured, self._problems, self._trained = {}, {}, {}
        if not self._pairs:
            self._show_table()
            self._overlay.show(None)
        self._live.follow(self._pairs)
        self.changed.emit()

    def _take(self, found: Measured) -> None:
        number = self._pairs.index(found.pair)
        before = self._measured.get(number)
        self._measured[number] = found
        self._problems.pop(number, None)
        self._show_table()
        if self._names != [title_of(mask) for mask in self._masks]:
            # Ground truth can begin from a prediction while it is measured.
            self._list()
        if found.pair == self._choice.pair and not _is_second(before, found):
            self._overlay.show(found)
        self.changed.emit()

    def _failed(self, pair: LayerPair, error: Exception) -> None:
        number = self._pairs.index(pair)
        self._measured.pop(number, None)
        self._problems[number] = str(error)
        self._show_table()
        self._overlay.show(None)
        self.changed.emit()

    def _show_table(self) -> None:
        before = self._table.columnCount()
        self._table.show(self._shown())
        if self._table.columnCount() != before:
            self._controls.table.clearSpans()
            for row, column in self._table.spans():
                self._controls.table.setSpan(row, column, 1, COLUMNS)
            self._controls.set_columns(everything=False)


def _is_second(before: Measured | None, found: Measured) -> bool:
    """Whether this is what was measured before, with its curves."""
    return before is not None and before.composed is found.composed
