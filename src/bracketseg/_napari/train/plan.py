"""What a press of Start will do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bracketseg._napari.session.runs_folder import runs_folder
from bracketseg._napari.train.material import Masks
from bracketseg.brackets.bracket import MaskRole
from bracketseg.learning.config import Loss, TrainConfig
from bracketseg.worker.requests import Train

MIN_SCENES = 2
"""One to learn from and one to validate on."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen beside the settings of the form.

    Attributes
    ----------
    folder, masks
        Of the brackets, and the labelling.
    roles, losses
        Each loss is trained for each role.
    out : Path or None
        For a single run its folder, for several the folder around theirs; None for new ones
        where :func:`runs_folder` says.
    """

    folder: Path
    masks: Masks
    roles: tuple[MaskRole, ...]
    losses: tuple[Loss, ...]
    out: Path | None

    @property
    def count(self) -> int:
        """How many runs."""
        return len(self.roles) * len(self.losses)


def plan_runs(choice: Choice, config: TrainConfig, now: datetime) -> tuple[Train, ...]:
    """Make the requests, role by role.

    Parameters
    ----------
    choice : Choice
    config : TrainConfig
        Its role and loss are replaced.
    now : datetime
        Names new folders.
    """
    return tuple(
        Train(
            path=choice.folder,
            masks=choice.masks.path,
            config=config.model_copy(update={"role": role, "loss": loss}),
            out=_out(choice, role, loss, now),
        )
        for role in choice.roles
        for loss in choice.losses
    )


def why_not(choice: Choice, runs: Sequence[Train]) -> str:
    """Say why these runs cannot be started; empty if they can."""
    for role in choice.roles:
        count = choice.masks.scenes[role]
        if count < MIN_SCENES:
            have = "no scene has" if not count else "only 1 scene has"
            return (
                f"{choice.masks.path.name}: {have} a {role} mask, and training needs "
                f"{MIN_SCENES} or more. Label scenes in the Ground truth dock, or choose other "
                "masks."
            )
    taken = next((run.out for run in runs if holds_run(run.out)), None)
    if taken is not None:
        return f"{taken} holds a run already. Choose another folder, or go on with it by Resume."
    return ""


def holds_run(folder: Path) -> bool:
    """Whether a training has saved anything in a folder."""
    return any((folder / name).exists() for name in ("last.pt", "best.safetensors"))


def _out(choice: Choice, role: MaskRole, loss: Loss, now: datetime) -> Path:
    if choice.out is None:
        name = f"{role}-{loss}-{now:%Y%m%d-%H%M%S}"
        names = (name, *(f"{name}-{number}" for number in range(2, 100)))
        places = [runs_folder(choice.folder) / name for name in names]
        out = next((place for place in places if not place.exists()), places[0])
    else:
        out = choice.out if choice.count == 1 else choice.out / f"{role}-{loss}"
    # As the list of runs names it.
    return out.resolve()
