"""Metrics of open layers that follow what is painted on them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from bracketseg._napari.layers.frames import index_of
from bracketseg._napari.metrics.layers import LayerPair, plane, probability_of, refusal
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.masks import read_probability
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.evaluation.confusion import Confusion, confusion
from bracketseg.evaluation.curves import Curves, curves
from bracketseg.evaluation.metrics import Metrics, measure
from bracketseg.evaluation.overlay import compose

DELAY_MS = 30
"""How long changes are gathered before they are measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What was measured of a pair of layers.

    Attributes
    ----------
    pair : LayerPair
    counts : Confusion
    metrics : Metrics
    several : tuple of str
        Names of layers that hold several labels, all of which count as foreground.
    composed : (H, W) uint8
        The picture of the four outcomes.
    curves : Curves or None
        None without a probability, and until it has been looked at.
    pending : bool
        Whether the probability is still to be looked at.
    problem : str
        What is wrong with the probability; empty where nothing is.
    """

    pair: LayerPair
    counts: Confusion
    metrics: Metrics
    several: tuple[str, ...]
    composed: NDArray[np.uint8]
    curves: Curves | None = None
    pending: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    pair: LayerPair
    names: tuple[str, str]
    masks: tuple[Any, Any]
    probability: Any | Path | None


class LiveMetrics:
    """Measures pairs of layers in the background, again whenever something is painted.

    Signals
    -------
    measured(Measured)
        The counts first; once more when the probability has been looked at.
    failed(LayerPair, Exception)
        A pair that cannot be measured.
    """

    measured = Signal(object)
    failed = Signal(object, object)

    def __init__(self, session: Session) -> None:
        self._viewer = session.viewer
        self._pairs: list[LayerPair] = []
        self._due: set[int] = set()
        self._job: Job | None = None
        self._at_work: set[int] = set()
        self._watched: list[Labels] = []
        self._indices: list[tuple[int, ...]] = []
        self._gathering = False
        self._awake = True
        self._viewer.dims.events.point.connect(self._slider_moved)

    @property
    def busy(self) -> bool:
        """Whether what was measured last is out of date."""
        return bool(self._due) or self._job is not None

    @property
    def awake(self) -> bool:
        """Whether changes are measured; those in between are once it is so again."""
        return self._awake

    @awake.setter
    def awake(self, on: bool) -> None:
        self._awake = on
        self._begin()

    def follow(self, pairs: Sequence[LayerPair]) -> None:
        """Measure these from now on."""
        self._cancel()
        self._unwatch()
        self._pairs = list(pairs)
        layers = [layer for pair in self._pairs for layer in (pair.reference, pair.prediction)]
        self._watched = list(dict.fromkeys(layers))
        for layer in self._watched:
            for event in _events(layer):
                event.connect(self._layer_changed)
        self._indices = self._indices_now()
        self._due = set(range(len(self._pairs)))
        if self._due:
            self._begin()

    def close(self) -> None:
        """Stop, and let go of the layers."""
        self._cancel()
        self._unwatch()
        self._pairs = []
        self._viewer.dims.events.point.disconnect(self._slider_moved)

    def _unwatch(self) -> None:
        for layer in self._watched:
            for event in _events(layer):
                event.disconnect(self._layer_changed)
        self._watched = []

    def _layer_changed(self, event: Any) -> None:
        layer = event.source
        for number, pair in enumerate(self._pairs):
            if layer in (pair.reference, pair.prediction):
                self._due.add(number)
        if not self._gathering:
            self._gathering = True
            QTimer.singleShot(DELAY_MS, self._gathered)

    def _slider_moved(self, _event: Any) -> None:
        if any(self._indices) and self._indices_now() != self._indices:
            self.follow(self._pairs)

    def _indices_now(self) -> list[tuple[int, ...]]:
        return [index_of(layer, self._viewer) for layer in self._watched]

    def _gathered(self) -> None:
        self._gathering = False
        self._begin()

    def _begin(self) -> None:
        if self._job is not None or not self._due or not self._awake:
            return
        self._at_work, self._due = self._due, set()
        tasks = {}
        for number in sorted(self._at_work):
            pair = self._pairs[number]
            why_not = refusal(pair)
            if why_not:
                self.failed.emit(pair, LabelingError(why_not))
            else:
                tasks[number] = self._task(pair)
        self._job = run_job(
            lambda: _measure(tasks),
            on_event=self._tell,
            on_done=self._ended,
            on_error=self._broke,
            description="measuring masks",
        )

    def _task(self, pair: LayerPair) -> _Task:
        layers = (pair.reference, pair.prediction)
        index = index_of(pair.prediction, self._viewer)
        found = probability_of(pair, self._viewer.layers)
        return _Task(
            pair=pair,
            names=(pair.reference.name, pair.prediction.name),
            masks=(plane(layers[0], index_of(layers[0], self._viewer)), plane(layers[1], index)),
            probability=found if found is None or isinstance(found, Path) else found[index],
        )

    def _tell(self, event: Measured | tuple[LayerPair, Exception]) -> None:
        if isinstance(event, tuple):
            self.failed.emit(*event)
            return
        self.measured.emit(event)
        if event.pending and self._due:
            # Somebody goes on painting: the counts of the new strokes go before the rest.
            self._due |= self._at_work
            if self._job is not None:
                self._job.cancel()
            self._job = None
            self._begin()

    def _ended(self, _result: object) -> None:
        self._job = None
        self._at_work = set()
        self._begin()

    def _broke(self, error: Exception) -> None:
        for number in self._at_work:
            self.failed.emit(self._pairs[number], error)
        self._ended(None)

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job = None
        self._due, self._at_work = set(), set()


def _events(layer: Labels) -> tuple[Any, ...]:
    events = layer.events
    # Polygons and scripts are announced before they are drawn, and drawn with the last two.
    return events.paint, events.data, events.labels_update, events.set_data


def _measure(
    tasks: dict[int, _Task],
) -> Generator[Measured | tuple[LayerPair, Exception], None, None]:
    first: dict[int, tuple[Measured, NDArray[np.bool_]]] = {}
    for number, task in tasks.items():
        try:
            found, reference = _count(task)
        except BracketSegError as error:
            yield task.pair, error
            continue
        first[number] = found, reference
        yield found
    for number, (found, reference) in first.items():
        if found.pending:
            yield _with_curves(found, reference, tasks[number].probability)


def _count(task: _Task) -> tuple[Measured, NDArray[np.bool_]]:
    several = []
    masks = []
    for name, labels in zip(task.names, task.masks, strict=True):
        numbers = np.asarray(labels)
        mask = numbers != 0
        label = numbers.max() or numbers.min()
        if numbers.dtype != np.bool_ and np.any(mask & (numbers != label)):
            several.append(name)
        masks.append(mask)
    counts = confusion(*masks)
    found = Measured(
        pair=task.pair,
        counts=counts,
        metrics=measure(counts),
        several=tuple(several),
        composed=compose(*masks),
        pending=task.probability is not None,
    )
    return found, masks[0]


def _with_curves(
    found: Measured, reference: NDArray[np.bool_], probability: Any | Path
) -> Measured:
    lines, problem = None, ""
    try:
        read = (
            read_probability(probability)
            if isinstance(probability, Path)
            else np.asarray(probability)
        )
        lines = curves(reference, read)
    except BracketSegError as error:
        problem = f"No ROC AUC: {error}"
    return Measured(
        pair=found.pair,
        counts=found.counts,
        metrics=measure(found.counts, None if lines is None else lines.area),
        several=found.several,
        composed=found.composed,
        curves=lines,
        problem=problem,
    )
