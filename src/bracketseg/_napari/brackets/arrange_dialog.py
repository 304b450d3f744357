"""Which photographs are which bracket, changed by hand in a window of its own."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.brackets.arrange_tree import ICON, NO_BRACKET, ArrangeTree
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.arrangement import Arrangement, Photograph, arrangement_of
from bracketseg.brackets.decisions import DECISION_NAME, Decision, keep_decision
from bracketseg.brackets.images import read_thumbnail
from bracketseg.errors import FrameError

_HINT = (
    "Drag photographs to another bracket, or select some (Ctrl, Shift) and press a button. "
    "Your files stay as and where they are."
)


class ArrangeDialog(QDialog):
    """Shows how the photographs of a folder are parted, and keeps what a person changes.

    Nothing is written before *Save*, which writes one file beside the pictures.

    Parameters
    ----------
    folder : Path
        That of the pictures.
    scene : str
        The bracket to begin with.
    parent : QWidget

    Attributes
    ----------
    ask : callable
        Takes a question; returns whether the answer is yes.

    Signals
    -------
    saved(Path)
        The brackets of this folder are others now.
    """

    saved = Signal(object)

    def __init__(self, folder: Path, scene: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("arrange")
        self.setWindowTitle(f"Brackets in {folder.name}")
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 620)
        self.ask: Callable[[str], bool] = self._ask
        self._folder = folder
        self._scene = scene
        self._jobs = JobGroup()
        self._arrangement: Arrangement | None = None
        # What was decided, the last of them now, and whether that is what nobody decided.
        self._states: list[tuple[Decision, bool]] = []
        self._error = ""
        self._build()
        self.destroyed.connect(self._jobs.cancel)
        self._read(by_itself=False)

    def reject(self) -> None:
        """Close without saving; asks if something was changed."""
        if len(self._states) > 1 and not self.ask("Close without saving what you changed?"):
            return
        self._jobs.cancel()
        super().reject()

    def _build(self) -> None:
        hint = _label(_HINT)
        self._tree = ArrangeTree(self)
        self._tree.setObjectName("arrange.tree")
        self._tree.dropped.connect(self._drop)
        self._tree.itemSelectionChanged.connect(self._tell)
        self._status = _label("")
        self._status.setObjectName("arrange.status")
        changes = (
            ("merge", "One bracket", "Make one bracket of all that is selected", self._merge),
            ("split", "New bracket", "Make a bracket of the selected photographs", self._split),
            ("leave_out", "Leave out", "Take the selection out of all brackets", self._leave_out),
            ("darker", "Darker", "Move the photograph towards the dark end", self._darker),
            ("brighter", "Brighter", "Move the photograph towards the bright end", self._brighter),
            ("undo", "Undo", "Take the last change back", self._undo),
            ("by_itself", "By itself", "Group all photographs without your changes", self._forget),
        )
        self._buttons = {
            name: self._button(name, title, tip, action) for name, title, tip, action in changes
        }
        self._buttons["undo"].setShortcut(QKeySequence(QKeySequence.StandardKey.Undo))
        self._save = self._button("save", "Save", f"Keep this in {DECISION_NAME}", self._keep)
        self._save.setDefault(True)
        cancel = self._button("cancel", "Cancel", "Close without saving", self.reject)
        row = QHBoxLayout()
        for button in self._buttons.values():
            row.addWidget(button)
        end = QHBoxLayout()
        end.addWidget(self._status, 1)
        end.addWidget(self._save)
        end.addWidget(cancel)
        layout = QVBoxLayout(self)
        layout.addWidget(hint)
        layout.addWidget(self._tree, 1)
        layout.addLayout(row)
        layout.addLayout(end)

    def _button(self, name: str, title: str, tip: str, action: Callable[[], object]) -> QPushButton:
        button = QPushButton(title, self)
        button.setObjectName(f"arrange.{name}")
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: action())
        return button

    # Reading.

    def _read(self, *, by_itself: bool) -> None:
        self._jobs.run(
            partial(arrangement_of, self._folder, by_itself=by_itself),
            on_done=partial(self._show, by_itself=by_itself),
            on_error=self._failed,
            description=f"reading the photographs of {self._folder}",
        )
        self._tell()

    def _show(self, arrangement: Arrangement, *, by_itself: bool) -> None:
        first = self._arrangement is None
        self._arrangement = arrangement
        self._change(arrangement.decision, by_itself=by_itself or arrangement.by_itself)
        if first:
            self._tree.select_bracket(self._scene)
            self._jobs.run(
                partial(_thumbnails, list(arrangement.photographs.values())),
                on_event=lambda read: self._tree.show_thumbnail(*read),
                description="reading thumbnails",
            )

    def _failed(self, error: Exception) -> None:
        self._error = str(error)
        self._tell()

    # Changing.

    @property
    def _decision(self) -> Decision:
        return self._states[-1][0] if self._states else Decision()

    def _change(self, decision: Decision, *, by_itself: bool = False) -> None:
        if self._arrangement is None or [(decision, by_itself)] == self._states[-1:]:
            return
        self._error = ""
        self._states.append((decision, by_itself))
        self._tree.show_arrangement(self._arrangement, decision)
        self._tell()

    def _drop(self, pictures: Sequence[str], name: str) -> None:
        if name == NO_BRACKET:
            self._change(self._decision.leave_out(*pictures))
        else:
            self._change(self._decision.put(name or self._new_name(pictures[0]), *pictures))

    def _merge(self) -> None:
        brackets, pictures = self._tree.selected_brackets(), self._tree.selected_pictures()
        holding = [
            bracket.name for bracket in self._decision.brackets if {*bracket.frames} & {*pictures}
        ]
        into = (brackets or holding)[0]
        self._change(self._decision.put(into, *pictures).merge(into, *brackets[1:]))
        self._tree.select_bracket(into)

    def _split(self) -> None:
        pictures = self._tree.selected_pictures()
        self._change(self._decision.put(self._new_name(pictures[0]), *pictures))
        self._tree.select_pictures(pictures)

    def _leave_out(self) -> None:
        gone = {*self._tree.selected_brackets()}
        held = [b.frames for b in self._decision.brackets if b.name in gone]
        pictures = [*(name for frames in held for name in frames), *self._tree.selected_pictures()]
        self._change(self._decision.leave_out(*dict.fromkeys(pictures)))

    def _darker(self) -> None:
        self._move(-1)

    def _brighter(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        place = self._place()
        if place is None:
            return
        name, order, at = place
        order[at], order[at + by] = order[at + by], order[at]
        self._change(self._decision.reorder(name, order))

    def _place(self) -> tuple[str, list[str], int] | None:
        """Give the bracket, its order and the place of the one photograph that is selected."""
        pictures = self._tree.selected_pictures()
        if self._arrangement is None or len(pictures) != 1:
            return None
        for bracket in self._decision.brackets:
            if pictures[0] in bracket.frames:
                order = list(self._arrangement.in_order(bracket))
                return bracket.name, order, order.index(pictures[0])
        return None

    def _undo(self) -> None:
        if self._arrangement is not None and len(self._states) > 1:
            self._states.pop()
            self._tree.show_arrangement(self._arrangement, self._decision)
            self._tell()

    def _forget(self) -> None:
        self._read(by_itself=True)

    def _new_name(self, picture: str) -> str:
        taken = {bracket.name for bracket in self._decision.brackets}
        stem, count = Path(picture).stem, 2
        name = stem
        while name in taken:
            name, count = f"{stem}-{count}", count + 1
        return name

    # Keeping.

    def _keep(self) -> None:
        decision, by_itself = self._states[-1]
        self._save.setEnabled(False)
        self._jobs.run(
            partial(keep_decision, self._folder, Decision() if by_itself else decision),
            on_done=lambda _: self._kept(),
            on_error=self._failed,
            description=f"keeping the brackets of {self._folder}",
        )

    def _kept(self) -> None:
        self._states = self._states[-1:]
        self.saved.emit(self._folder)
        self.accept()

    def _tell(self) -> None:
        pictures, brackets = self._tree.selected_pictures(), self._tree.selected_brackets()
        place = self._place()
        held = [b for b in self._decision.brackets if {*b.frames} & {*pictures}]
        enabled = {
            "merge": len({*brackets, *(b.name for b in held)}) > 1
            or bool(brackets and pictures and not held),
            "split": bool(pictures),
            "leave_out": bool(pictures or brackets),
            "darker": place is not None and place[2] > 0,
            "brighter": place is not None and place[2] + 1 < len(place[1]),
            "undo": len(self._states) > 1,
            "by_itself": bool(self._states) and not self._states[-1][1],
        }
        for name, on in enabled.items():
            self._buttons[name].setEnabled(on)
        faults = self._faults()
        self._save.setEnabled(len(self._states) > 1 and not faults)
        self._status.setText(self._state(faults))

    def _faults(self) -> list[str]:
        if self._arrangement is None or (self._states and self._states[-1][1]):
            return []  # What grouping leaves is told in the dock.
        faults = [(b.name, self._arrangement.fault(b)) for b in self._decision.brackets]
        return [f"{name}: {fault}" for name, fault in faults if fault]

    def _state(self, faults: Sequence[str]) -> str:
        if self._error:
            return f"⚠ {self._error}"
        if self._arrangement is None:
            return "Reading …"
        if faults:
            return f"⚠ {faults[0]}. Mend or leave it out to save."
        found = len(self._decision.brackets)
        left = len(self._arrangement.in_none(self._decision))
        rest = f", {left} photograph{'' if left == 1 else 's'} in none" if left else ""
        return f"{found} bracket{'' if found == 1 else 's'}{rest}."

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        answer = QMessageBox.question(self, "Brackets", question)
        return answer == yes


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def _thumbnails(photographs: Sequence[Photograph]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for photograph in photographs:
        try:
            yield photograph.path.name, read_thumbnail(photograph.path, ICON)
        except FrameError:
            continue  # Its row says so.
