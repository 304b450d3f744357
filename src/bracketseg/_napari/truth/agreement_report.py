"""What was saved against Otsu for the whole set, in a window."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg._napari.widgets.report_window import ReportWindow, done_text
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.masks import find_masks
from bracketseg.labeling.agreement import (
    SceneCompared,
    agreement_csv,
    agreement_row,
    compare_with_otsu,
    mean_row,
)
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES

if TYPE_CHECKING:
    from bracketseg._napari.widgets.coverage_plot import CoveragePlot

_SHOWN = ("dice_low", "dice_high", "manual_union", "otsu_union", "manual_pieces", "otsu_pieces")
_TITLES = (
    "Dice low",
    "Dice high",
    "Union, yours",
    "Union, Otsu",
    "Pieces, yours",
    "Pieces, Otsu",
)


class AgreementReport:
    """Compares every scene of the session with Otsu's masks, in a window.

    Parameters
    ----------
    session : Session
    parent : QWidget
    """

    def __init__(self, session: Session, parent: QWidget) -> None:
        self._scenes: list[SceneCompared] = []
        self._failures = 0
        self._running = True
        self.window = ReportWindow(
            "gt.agreement", "Your masks and Otsu's: the whole set", ("Scene", *_TITLES), parent
        )
        self._plot: CoveragePlot | None = None
        self._jobs = JobGroup()
        self._annotator = session.annotator
        self._jobs.run(
            partial(_compare, list(session.brackets), session.labeling_path),
            on_event=self._take,
            on_done=self._done,
            on_error=self._broke,
            description="comparing with Otsu's threshold",
        )
        # With what draws it the window would come half a second later.
        self._jobs.run(
            partial(import_module, "bracketseg._napari.widgets.coverage_plot"),
            on_done=self._add_plot,
            description="getting ready to plot",
        )
        # They go with the dock, and what is still on its way then has nowhere to go.
        self.window.destroyed.connect(lambda *_, jobs=self._jobs: jobs.cancel())
        self.window.stop_wanted.connect(self.stop)
        self.window.export_wanted.connect(self._export)

    def stop(self) -> None:
        """Stop after the scene in hand; what was compared stays."""
        if self._running:
            self._jobs.cancel()
            self._done(None)

    def _add_plot(self, module: ModuleType) -> None:
        plot: CoveragePlot = module.CoveragePlot("gt.agreement.plot", self.window)
        self.window.add_plot(plot)
        for scene in self._scenes:
            plot.add(scene.agreement)
        self._plot = plot

    def _take(self, event: "_Begun | SceneCompared | SceneFailed") -> None:
        if isinstance(event, _Begun):
            self.window.set_heading(
                f"Saved masks of {self._annotator or 'this folder'} against Otsu's threshold."
                if event.labeled
                else "No masks are saved yet: here are the ranges [120, 255] and [0, 200]."
            )
            return
        if isinstance(event, SceneFailed):
            self._failures += 1
            self.window.add_row([event.scene, str(event.error)])
        else:
            self._scenes.append(event)
            row = agreement_row(event.agreement)
            self.window.add_row([event.scene, *(_number(row[name]) for name in _SHOWN)])
            if self._plot is not None:
                self._plot.add(event.agreement)
        self.window.set_progress(f"{event.index} of {event.total}")

    def _done(self, _result: Any) -> None:
        self._running = False
        if self._scenes:
            means = mean_row([scene.agreement for scene in self._scenes])
            self.window.add_row(
                [
                    "Mean",
                    *(_number(means[name], 1 if name.endswith("pieces") else 3) for name in _SHOWN),
                ]
            )
        self.window.end(done_text(len(self._scenes), self._failures))

    def _broke(self, error: BaseException) -> None:
        self._running = False
        self.window.end(str(error))

    def _export(self, path: Path) -> None:
        self.window.write(path, agreement_csv(self._scenes))


@dataclass(frozen=True)
class _Begun:
    labeled: bool


def _compare(
    brackets: list[Bracket], manual: Path | None
) -> Iterator[_Begun | SceneCompared | SceneFailed]:
    labeled = manual is not None and manual.is_dir() and bool(find_masks(manual))
    yield _Begun(labeled)
    known = LabelingFolder.open(manual) if manual is not None and labeled else DEFAULT_RANGES
    yield from compare_with_otsu(brackets, known)


def _number(value: float | None, decimals: int = 3) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.{decimals}f}"
