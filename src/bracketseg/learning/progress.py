"""How far a training has come."""

from __future__ import annotations

import math
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One row of ``history.csv``; see :class:`~bracketseg.learning.events.EpochDone`."""

    epoch: int
    train_loss: float
    validation_loss: float
    validation_dice: float
    validation_jaccard: float
    seconds: float
    # Runs made before it was written have none.
    validation_foreground: float = math.nan

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the header of ``history.csv``."""
        return tuple(f.name for f in fields(cls))

    def row(self) -> tuple[str, ...]:
        """Return the values as text that reads back as the very same numbers."""
        return tuple(repr(value) for value in astuple(self))

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> EpochRecord:
        """Return what :meth:`row` gave, each value under its heading.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a value is missing or no number.
        """
        names = set(cls.columns()) - {"epoch"}
        if "validation_foreground" not in row:
            names.remove("validation_foreground")
        return cls(epoch=int(row["epoch"]), **{name: float(row[name]) for name in names})


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is done, and the running sums of the epoch that is under way.

    Attributes
    ----------
    history
        The epochs that are complete.
    step
        Steps done of the next epoch.
    loss_sum
        Over these steps, the loss of each batch times its images.
    seconds
        What these steps took.
    """

    history: list[EpochRecord] = field(default_factory=list)
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0

    @property
    def epoch(self) -> int:
        """Number of complete epochs."""
        return len(self.history)

    @property
    def best(self) -> EpochRecord | None:
        """The epoch of the highest validation Dice, at a tie the earliest; None without one."""
        return max(self.history, key=lambda e: (e.validation_dice, -e.epoch), default=None)

    def finish_epoch(self, record: EpochRecord) -> bool:
        """Add a complete epoch, start the next one, and say whether this is the best so far."""
        self.history.append(record)
        self.step, self.loss_sum, self.seconds = 0, 0.0, 0.0
        return self.best is record

    def state(self) -> dict[str, Any]:
        """Return plain data for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Progress:
        """Return what :meth:`state` gave, from a checkpoint."""
        history = [EpochRecord(**record) for record in state["history"]]
        return cls(**{**state, "history": history})


def time_text(seconds: float) -> str:
    """Put a length of time into words.

    >>> time_text(4.2), time_text(200), time_text(7500)
    ('4 s', '3 min', '2 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
