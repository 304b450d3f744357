"""Manual against Otsu for the whole set, in a window."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QWidget

from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.coverage_plot import CoveragePlot
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg._napari.widgets.report_window import ReportWindow, counted
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

_SHOWN = ("dice_low", "dice_high", "manual_union", "otsu_union", "manual_pieces", "otsu_pieces")
_TITLES = (
    "Dice low",
    "Dice high",
    "Union, manual",
    "Union, Otsu",
    "Pieces, manual",
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
        self.window = ReportWindow(
            "gt.agreement", "Manual and Otsu: the whole set", ("Scene", *_TITLES), parent
        )
        self._plot = CoveragePlot("gt.agreement.plot", self.window)
        self.window.add_plot(self._plot)
        path = session.labeling_path
        labeled = path is not None and path.is_dir() and bool(find_masks(path))
        self.window.set_heading(
            f"Saved masks of {session.annotator or 'this folder'} against Otsu's threshold."
            if labeled
            else "No masks are saved yet: here are the ranges [120, 255] and [0, 200]."
        )
        brackets = list(session.brackets)
        manual = path if labeled else None
        self._job: Job = run_job(
            partial(_compare, brackets, manual),
            on_event=self._add,
            on_done=self._done,
            on_error=self._broke,
            description="comparing with Otsu's threshold",
        )
        # It goes with its dock, and what is still on its way then has nowhere to go.
        self.window.destroyed.connect(lambda *_, job=self._job: job.cancel())
        self.window.stop_wanted.connect(self.stop)
        self.window.export_wanted.connect(self._export)

    def stop(self) -> None:
        """Stop after the scene in hand; what was compared stays."""
        if self._job.running:
            self._job.cancel()
            self._done(None)

    def _add(self, event: SceneCompared | SceneFailed) -> None:
        if isinstance(event, SceneFailed):
            self._failures += 1
            self.window.add_row([event.scene, str(event.error)])
        else:
            self._scenes.append(event)
            row = agreement_row(event.agreement)
            self.window.add_row([event.scene, *(_number(row[name]) for name in _SHOWN)])
            self._plot.add(event.agreement)
        self.window.set_progress(f"{event.index} of {event.total}")

    def _done(self, _result: Any) -> None:
        if self._scenes:
            means = mean_row([scene.agreement for scene in self._scenes])
            self.window.add_row(
                [
                    "Mean",
                    *(_number(means[name], 1 if name.endswith("pieces") else 3) for name in _SHOWN),
                ]
            )
        self.window.end(counted(len(self._scenes), self._failures))

    def _broke(self, error: BaseException) -> None:
        self.window.end(str(error))

    def _export(self, path: Path) -> None:
        self.window.write(path, agreement_csv(self._scenes))


def _compare(brackets: list[Bracket], manual: Path | None) -> Iterator[SceneCompared | SceneFailed]:
    labels = DEFAULT_RANGES if manual is None else LabelingFolder.open(manual)
    return compare_with_otsu(brackets, labels)


def _number(value: float | None, decimals: int = 3) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.{decimals}f}"
