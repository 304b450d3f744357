"""Undo and redo for the labelling of a scene."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.prediction import Basis

Kind = Literal["rule", "stroke"]

MAX_STEPS = 1000
"""Steps that are remembered."""

MAX_BYTES = 64 * 2**20
"""Memory for the strokes that are remembered, undone ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Pixels of a stroke and what was there before.

    Attributes
    ----------
    flat : (N,) uint32
        Indices into the frame's pixels, row after row; each once.
    old, new : (N,) int8
        Corrections before and after.
    """

    flat: NDArray[np.uint32]
    old: NDArray[np.int8]
    new: NDArray[np.int8]

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self.flat.nbytes + self.old.nbytes + self.new.nbytes


@dataclass(slots=True)
class Step:
    """What one undo takes back.

    Attributes
    ----------
    kind : {"rule", "stroke"}
    role : {"low", "high"}
    rules : tuple of two Basis, or None
        Before and after.
    patches : list of Patch
        In the order in which they were painted.
    """

    kind: Kind
    role: MaskRole
    rules: tuple[Basis, Basis] | None = None
    patches: list[Patch] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether it changes nothing, as a drag does that ends where it began."""
        return not self.patches and (self.rules is None or self.rules[0] == self.rules[1])

    @property
    def nbytes(self) -> int:
        """Memory that its strokes take."""
        return sum(patch.nbytes for patch in self.patches)


class History:
    """Steps that can be undone, and undone ones that can be made again.

    At most `MAX_STEPS` steps whose strokes take at most `MAX_BYTES`; the oldest are
    forgotten first. The last step is kept whatever its size, 6 bytes for each pixel.
    """

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._open: Step | None = None  # what the next change may go on with
        self._nbytes = 0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return any(not step.idle for step in self._done[-2:])  # only the last one can be idle

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to make again."""
        return bool(self._undone)

    @property
    def nbytes(self) -> int:
        """Memory that the strokes of all steps take."""
        return self._nbytes

    def __len__(self) -> int:
        return len(self._done) + len(self._undone)

    def add_rule(self, role: MaskRole, before: Basis, after: Basis, *, merge: bool) -> None:
        """Remember a change of rule, as a step of its own or as part of the last one."""
        step = self._step("rule", role, merge=merge)
        step.rules = (step.rules[0] if step.rules else before, after)

    def add_start(self, role: MaskRole, before: Basis, after: Basis, taken_off: Patch) -> None:
        """Remember a change of rule that took the strokes off, too, as one step."""
        self.add_rule(role, before, after, merge=False)
        self._add_patch(self._done[-1], taken_off)
        self.close()

    def add_stroke(self, role: MaskRole, patch: Patch, *, merge: bool) -> None:
        """Remember a stroke, as a step of its own or as part of the last one."""
        self._add_patch(self._step("stroke", role, merge=merge), patch)

    def _add_patch(self, step: Step, patch: Patch) -> None:
        step.patches.append(patch)
        self._nbytes += patch.nbytes
        while self._nbytes > MAX_BYTES and len(self._done) > 1:
            self._forget_oldest()

    def close(self) -> None:
        """Let nothing be added to the last step any more."""
        self._open = None

    def undo(self) -> Step | None:
        """Give the step to take back; None where there is none."""
        self._open = None
        self._drop_idle()
        if not self._done:
            return None
        self._undone.append(self._done.pop())
        return self._undone[-1]

    def redo(self) -> Step | None:
        """Give the step to make again; None where there is none."""
        if not self._undone:
            return None
        self._open = None
        self._done.append(self._undone.pop())
        return self._done[-1]

    def _step(self, kind: Kind, role: MaskRole, *, merge: bool) -> Step:
        open_step = self._open
        if merge and open_step and (open_step.kind, open_step.role) == (kind, role):
            return open_step
        self._drop_idle()
        self._nbytes -= sum(step.nbytes for step in self._undone)
        self._undone.clear()
        if len(self._done) == MAX_STEPS:
            self._forget_oldest()
        self._open = Step(kind, role)
        self._done.append(self._open)
        return self._open

    def _drop_idle(self) -> None:
        if self._done and self._done[-1].idle:
            self._done.pop()

    def _forget_oldest(self) -> None:
        self._nbytes -= self._done.pop(0).nbytes
