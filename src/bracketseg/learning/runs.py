"""The runs on a disk, for a person to choose from; this module imports no torch."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from bracketseg.errors import LabelingError, ModelError
from bracketseg.labeling.scene_names import check_scene_name
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.model_card import read_card
from bracketseg.learning.progress import EpochRecord
from bracketseg.learning.run_files import BEST, CONFIG, ENVIRONMENT, HISTORY, LAST, METRICS, SPLIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bracketseg.learning.model_card import ModelCard

_LARGEST_FILE = 64 * 2**20
"""Bytes of a file of a run that is read as text; a history of 100,000 epochs takes a sixth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A training that was begun.

    Attributes
    ----------
    path
        Its folder.
    config
        Its role, loss, image size and all other settings.
    card
        Of its model; None before the end of the first epoch.
    masks
        The labelling that it learns; None where it does not say.
    started
        When it was last begun or resumed.
    records
        The epochs that are done.
    finished
        Whether all epochs are done and the best of them is measured.
    resumable
        Whether it has epochs left and a state to go on from.
    """

    path: Path
    config: TrainConfig
    card: ModelCard | None
    masks: Path | None
    started: datetime
    records: tuple[EpochRecord, ...]
    finished: bool
    resumable: bool

    @property
    def best(self) -> EpochRecord | None:
        """The epoch that the model is from; None without a model."""
        epoch = None if self.card is None else self.card.epoch
        return next((record for record in self.records if record.epoch == epoch), None)

    @property
    def ground_truth(self) -> str | None:
        """How the masks were made: the name of a method, ``masks`` where that is not known."""
        return None if self.card is None else str(self.card.ground_truth.get("method", "masks"))


class LeftOutScene(BaseModel):
    """A scene that a run could not use, and why.

    Attributes
    ----------
    scene, reason
    broken
        Whether its files cannot be used; otherwise nobody has labelled it for this role.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    scene: str
    reason: str
    broken: bool = True


class RunSplit(BaseModel):
    """The scenes of a run.

    Attributes
    ----------
    train, validation
        Names of the scenes that it learned from, and of those that it kept back.
    skipped
        Those that it could not use.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    train: tuple[str, ...]
    validation: tuple[str, ...]
    skipped: tuple[LeftOutScene, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRun:
    """A folder that holds files of a run which cannot be used, and why."""

    path: Path
    reason: str


def find_runs(folders: Iterable[Path]) -> tuple[tuple[Run, ...], tuple[BrokenRun, ...]]:
    """List the runs that some folders are or hold.

    Parameters
    ----------
    folders
        Runs, and folders with runs in them; one that does not exist holds none.

    Returns
    -------
    runs
        The newest first.
    broken
        What looks like a run but cannot be read, in the order of its path.
    """
    runs, broken = [], []
    for path in sorted({place.resolve() for folder in folders for place in _places(folder)}):
        try:
            runs.append(read_run(path))
        except ModelError as error:
            broken.append(BrokenRun(path=path, reason=str(error)))
    runs.sort(key=lambda run: run.started, reverse=True)
    return tuple(runs), tuple(broken)


def _places(folder: Path) -> list[Path]:
    """Return `folder` and the folders in it, as far as they hold a run."""
    try:
        inside = [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []
    return [path for path in (folder, *inside) if any((path / n).is_file() for n in (CONFIG, BEST))]


def read_run(path: Path) -> Run:
    """Read what a run folder says of its training, without any weights.

    Raises
    ------
    ModelError
        If a file of it is missing, damaged, or no such file.
    """
    config = _read_config(path / CONFIG)
    card = read_card(path) if (path / BEST).is_file() else None
    if card is not None and (card.role, card.loss) != (config.role, config.loss):
        raise ModelError(
            f"{path}: its model was trained for {card.role} with {card.loss}, but {CONFIG} says "
            f"{config.role} with {config.loss}; choose another run"
        )
    environment = _read_json(path / ENVIRONMENT)
    masks = environment.get("masks")
    finished = _read_json(path / METRICS).get("epochs") == config.epochs
    return Run(
        path=path,
        config=config,
        card=card,
        masks=Path(masks) if isinstance(masks, str) else None,
        started=_time(environment.get("started"), path / CONFIG),
        records=_read_history(path / HISTORY),
        finished=finished,
        resumable=not finished and (path / LAST).is_file(),
    )


def read_split(path: Path) -> RunSplit:
    """Read which scenes a run learned from and which it kept back.

    Raises
    ------
    ModelError
        If it does not say so.
    """
    try:
        split = RunSplit.model_validate(_read_json(path / SPLIT))
        for scene in (*split.train, *split.validation):
            check_scene_name(scene)
    except (ValidationError, LabelingError) as error:
        raise ModelError(
            f"{path / SPLIT} does not say which scenes were kept back; choose another run"
        ) from error
    return split


def read_environment(path: Path) -> dict[str, object]:
    """Read what a run was made with: versions, device, precision; empty where it is not known.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    return _read_json(path / ENVIRONMENT)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ModelError(f"{path} is too large to be a file of a run; choose another run")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); choose another run") from error


def _read_config(path: Path) -> TrainConfig:
    try:
        return TrainConfig.model_validate_json(_read_text(path))
    except ValidationError as error:
        raise ModelError(f"{path} is not the config of a training; choose another run") from error


def _read_json(path: Path) -> dict[str, object]:
    """Read a file that a run has only after a while; empty where it is missing."""
    if not path.exists():
        return {}
    try:
        value = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}); choose another run") from error
    return value if isinstance(value, dict) else {}


def _read_history(path: Path) -> tuple[EpochRecord, ...]:
    if not path.exists():
        return ()
    rows = csv.DictReader(_read_text(path).splitlines())
    try:
        return tuple(EpochRecord.from_row(row) for row in rows)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ModelError(f"{path} is damaged ({error}); choose another run") from error


def _time(written: object, file: Path) -> datetime:
    """Return the time that is on record, else that of a file."""
    if isinstance(written, str):
        try:
            time = datetime.fromisoformat(written)
        except ValueError:
            pass
        else:
            return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
