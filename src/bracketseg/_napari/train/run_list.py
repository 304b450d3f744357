"""The list of runs: a tick shows one's curves, the selection is what Resume goes on with."""

from collections.abc import Sequence
from pathlib import Path

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from bracketseg._napari.train.text import run_tip, run_title
from bracketseg.learning.runs import BrokenRun, Run

# Okabe and Ito's colours. Those that stand for low and high elsewhere come last.
_COLORS = ("#009e73", "#cc79a7", "#f0e442", "#d55e00", "#56b4e9", "#e69f00")
_PATH = Qt.ItemDataRole.UserRole

_MOST = 4
"""Runs that are seen at once."""


class RunList:
    """What the list of runs shows.

    Parameters
    ----------
    widget : QListWidget

    Attributes
    ----------
    current : Path or None
        The run in hand, which has a colour whether it is listed or not.

    Signals
    -------
    changed()
        Another run is selected, or others are ticked.
    """

    changed = Signal()

    def __init__(self, widget: QListWidget) -> None:
        self._widget = widget
        self._runs: dict[Path, Run] = {}
        self._colors: dict[Path, str] = {}
        self._baselines: dict[Path, float | None] = {}
        self.current: Path | None = None
        widget.itemChanged.connect(lambda _: self.changed.emit())
        widget.currentItemChanged.connect(lambda _now, _before: self.changed.emit())

    @property
    def selected(self) -> Run | None:
        """The run that is selected."""
        item = self._widget.currentItem()
        return None if item is None else self._runs.get(item.data(_PATH))

    @property
    def ticked(self) -> list[Run]:
        """The runs whose curves are to be seen."""
        on = Qt.CheckState.Checked
        return [self._runs[item.data(_PATH)] for item in self._items() if item.checkState() == on]

    def color(self, run: Path) -> str:
        """Give a run a colour that no other one in sight has, as long as there are such."""
        if run not in self._colors:
            taken = set(self._colors.values())
            free = [color for color in _COLORS if color not in taken]
            self._colors[run] = free[0] if free else _COLORS[len(self._colors) % len(_COLORS)]
        return self._colors[run]

    def baseline(self, run: Path) -> float | None:
        """Give the Dice of all foreground on the validation scenes of a run, where it is known."""
        return self._baselines.get(run)

    def show_baseline(self, run: Path, dice: float | None) -> None:
        """Show what the Dice of a run has to beat."""
        self._baselines[run] = dice
        with QSignalBlocker(self._widget):
            for item in self._items():
                if item.data(_PATH) == run:
                    self._describe(item)
        self.changed.emit()

    def find(self, path: Path) -> Run | None:
        """Find a run of the list by its folder."""
        return self._runs.get(path)

    def show(
        self, runs: Sequence[Run], broken: Sequence[BrokenRun], select: Path | None = None
    ) -> None:
        """List these runs; ticks and selection stay.

        Where none is selected, the latest is if it was cut short and was not listed before.

        Parameters
        ----------
        runs : sequence of Run
        broken : sequence of BrokenRun
            Are listed with the reason, and can be neither ticked nor selected.
        select : Path, optional
            Of a run that is to be selected and ticked.
        """
        fresh = bool(runs) and runs[0].resumable and runs[0].path not in self._runs
        newest = runs[0].path if fresh else None
        selected = select or (self.selected.path if self.selected else newest)
        # Somebody may be pressing on an item: those of runs that are still there stay.
        known = {item.data(_PATH): item for item in self._items()}
        self._runs = {run.path: run for run in runs}
        with QSignalBlocker(self._widget):
            for row in reversed(range(self._widget.count())):
                item = self._widget.item(row)
                if item is not None and item.data(_PATH) not in self._runs:
                    self._widget.takeItem(row)
            for row, run in enumerate(runs):
                item = known.get(run.path) or _new_item(run)
                if self._widget.row(item) != row:
                    self._widget.takeItem(self._widget.row(item))
                    self._widget.insertItem(row, item)
                self._describe(item)
                if run.path == select:
                    item.setCheckState(Qt.CheckState.Checked)
            current = (item for item in self._items() if item.data(_PATH) == selected)
            self._widget.setCurrentItem(next(current, None))
            for run_folder in broken:
                item = QListWidgetItem(f"⚠ {run_folder.path.name} cannot be read")
                item.setToolTip(run_folder.reason)
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                self._widget.addItem(item)
        line = self._widget.fontMetrics().lineSpacing() + 6
        self._widget.setFixedHeight(min(max(self._widget.count(), 1), _MOST) * line + 4)
        self.paint()
        self.changed.emit()

    def paint(self) -> None:
        """Show the colours of the ticked runs beside them."""
        ticked = {run.path for run in self.ticked}
        kept = ticked | {self.current}
        self._colors = {run: color for run, color in self._colors.items() if run in kept}
        with QSignalBlocker(self._widget):
            for item in self._items():
                path = item.data(_PATH)
                swatch = QPixmap(10, 10)
                swatch.fill(QColor(self.color(path) if path in ticked else "transparent"))
                icon = QIcon(swatch)
                # Else a style mixes the colour of the selected row into it.
                icon.addPixmap(swatch, QIcon.Mode.Selected)
                item.setIcon(icon)

    def _describe(self, item: QListWidgetItem) -> None:
        run = self._runs[item.data(_PATH)]
        item.setText(run_title(run, self.baseline(run.path)))
        item.setToolTip(run_tip(run, self.baseline(run.path)))

    def _items(self) -> list[QListWidgetItem]:
        found = (self._widget.item(row) for row in range(self._widget.count()))
        return [item for item in found if item is not None and item.data(_PATH) in self._runs]


def _new_item(run: Run) -> QListWidgetItem:
    item = QListWidgetItem()
    item.setData(_PATH, run.path)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Unchecked)
    return item
