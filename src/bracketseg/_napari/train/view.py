"""What the Train dock shows of the run in hand, and of earlier ones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.train.baseline import Baselines
from bracketseg._napari.train.controls import TrainControls
from bracketseg._napari.train.examples import ExampleLayers, ExamplesView
from bracketseg._napari.train.progress import TrainProgress
from bracketseg._napari.train.run_list import RunList
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.learning.progress import EpochRecord
from bracketseg.learning.runs import BrokenRun, Run, find_runs

if TYPE_CHECKING:
    from bracketseg._napari.train.plot import TrainPlot
    from bracketseg.learning.events import ExamplesSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    run: Path
    dice: float | None


_Found = tuple[tuple[Run, ...], tuple[BrokenRun, ...]] | _Baseline


class TrainView:
    """Curves, the list of runs, and examples.

    Parameters
    ----------
    controls : TrainControls
    viewer : ViewerModel
        Gets the examples as layers, where somebody wants them.

    Signals
    -------
    run_selected()
        Another run of the list is selected, or the list is another.
    """

    run_selected = Signal()

    def __init__(self, controls: TrainControls, viewer: ViewerModel) -> None:
        self._controls = controls
        self._jobs = JobGroup()
        self._plot: TrainPlot | None = None
        self._seen: ExamplesSeen | None = None
        self._run: Path | None = None
        self._progress: TrainProgress | None = None
        self._examples = ExamplesView("train.examples", self._as_layers, controls.tabs)
        controls.tabs.addTab(self._examples, "Examples")
        self._baselines = Baselines()
        self._layers = ExampleLayers(viewer)
        self._runs = RunList(controls.runs)
        self._runs.changed.connect(self._runs_changed)

    def load_plot(self) -> None:
        """Import what draws the curves, in the background; until then there are none."""
        self._jobs.run(
            partial(import_module, "bracketseg._napari.train.plot"),
            on_done=self._have_plot,
            description="getting ready to plot",
        )

    @property
    def resumable(self) -> Run | None:
        """The run that is selected, if there is something left to do of it."""
        run = self._runs.selected
        return run if run is not None and run.resumable else None

    @property
    def usable(self) -> Run | None:
        """The run that is selected, if it has a model."""
        run = self._runs.selected
        return run if run is not None and run.card is not None else None

    def records(self, run: Path) -> Sequence[EpochRecord]:
        """Give the epochs of a run of the list, or of the one that was followed; else none."""
        known = self._runs.find(run)
        listed = () if known is None else known.records
        # A run that has just been stopped may not have been read anew.
        followed = self._progress.records if self._progress and run == self._run else ()
        return max(listed, followed, key=len)

    def read_runs(self, folders: Iterable[Path], select: Path | None = None) -> None:
        """List the runs that some folders are or hold; one may be selected."""
        self._jobs.run(
            partial(_read_runs, tuple(folders), self._baselines),
            on_event=partial(self._have_runs, select),
            description="reading the runs",
        )

    def _have_runs(self, select: Path | None, found: _Found) -> None:
        if isinstance(found, _Baseline):
            self._runs.show_baseline(found.run, found.dice)
        else:
            self._runs.show(found[0], found[1], select)

    def begin(self, run: Path, progress: TrainProgress) -> None:
        """Show this run from now on."""
        self._runs.current = self._run = run
        self._progress = progress
        self.paint()

    def end(self) -> None:
        """Show the run in hand no longer; it is one of the list by then."""
        self._runs.current = None

    def cancel(self) -> None:
        """Stop all reading, and show nothing more."""
        self._jobs.cancel()
        self._layers.cancel()

    def paint(self) -> None:
        """Show what is new of the run in hand."""
        progress = self._progress
        examples = None if progress is None else progress.examples
        if progress is not None and examples is not None and examples is not self._seen:
            self._seen = examples
            config = progress.config
            run = f"{config.role}, {config.loss}"
            self._examples.show_examples(examples, run, progress.fractions())
            if self._layers.shown:
                self._layers.show(examples)
        self._draw()

    def _as_layers(self) -> None:
        if self._seen is not None:
            self._layers.show(self._seen)

    def _runs_changed(self) -> None:
        self._runs.paint()
        self._controls.runs.setVisible(self._controls.runs.count() > 0)
        self._draw()
        self.run_selected.emit()

    def _have_plot(self, module: Any) -> None:
        holder = self._controls.plot
        layout = holder.layout()
        if layout is not None:
            self._plot = module.TrainPlot(holder)
            layout.addWidget(self._plot)
        self._draw()

    def _draw(self) -> None:
        if self._plot is None:
            return
        from bracketseg._napari.train.plot import Curves

        current, progress = self._runs.current, self._progress
        shown: dict[Path, Sequence[EpochRecord]] = {
            run.path: run.records for run in self._runs.ticked
        }
        if current is not None and progress is not None:
            shown[current] = progress.records
        curves = []
        for run, records in shown.items():
            followed = progress if run == self._run else None
            curves.append(
                Curves(
                    run=run,
                    color=self._runs.color(run),
                    records=records,
                    steps=followed.steps if followed else (),
                    baseline=followed.baseline if followed else self._runs.baseline(run),
                )
            )
        self._plot.show_curves(curves)
        self._plot.setVisible(bool(curves))
        self._controls.plot_hint.setVisible(not curves)


def _read_runs(folders: tuple[Path, ...], baselines: Baselines) -> Iterator[_Found]:
    """List the runs, and then tell of each what its Dice has to beat, which takes longer."""
    runs, broken = find_runs(folders)
    yield runs, broken
    for run in runs:
        yield _Baseline(run=run.path, dice=baselines.of(run))
