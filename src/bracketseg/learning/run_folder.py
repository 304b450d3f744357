"""The folder that one training leaves."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from safetensors import SafetensorError

from bracketseg import __version__
from bracketseg.brackets.files import write_json, write_text
from bracketseg.brackets.folder_lock import hold_folder
from bracketseg.errors import ModelError, TrainingError
from bracketseg.learning.checkpoints import load_last, save_last, save_model, state_bytes
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.progress import EpochRecord
from bracketseg.learning.run_files import BEST, CONFIG, ENVIRONMENT, HISTORY, LAST
from bracketseg.learning.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from bracketseg.learning.model_card import ModelCard

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "safetensors")


def versions() -> dict[str, str]:
    """Return the versions of Python, bracketseg and the packages that decide a result."""
    found = {"python": platform.python_version(), "bracketseg": __version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # such as another build of OpenCV
            continue
    return found


class RunFolder:
    """Reads and writes the files of one run; each is replaced as a whole.

    ``last.pt`` holds everything that the other files of a training under way are made
    from, and is written before them.

    Parameters
    ----------
    path
        The folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._let_go: Callable[[], None] = lambda: None

    def begin(self, config: TrainConfig, *, resume: bool) -> dict[str, Any] | None:
        """Check that a training may start here, and return the state to go on from.

        Parameters
        ----------
        config
            Of the training.
        resume
            Whether to go on with the run that is here.

        Returns
        -------
        dict or None
            What ``last.pt`` holds; None to start from the beginning. That is also so for
            a run that was interrupted before its first checkpoint.

        Raises
        ------
        TrainingError
            If there is a run and `resume` is false, if there is none and it is true, or
            if the run was started with other settings.
        ModelError
            If a file of the run is damaged.
        """
        has_state = self.has_state()
        if not resume:
            if has_state or (self.path / BEST).exists():
                raise TrainingError(
                    f"{self.path} holds a run already; resume it (--resume) or choose another "
                    "folder"
                )
            if (self.path / CONFIG).exists():
                self.read_config()
            return None
        if not (self.path / CONFIG).exists():
            raise TrainingError(
                f"{self.path} holds no run to resume; start one without --resume or choose the "
                "folder of a run"
            )
        recorded = self.read_config()
        if not has_state:
            return None
        before, now = recorded.fixed(), config.fixed()
        changed = [f"{k} (was {before[k]}, is {now[k]})" for k in before if before[k] != now[k]]
        if changed:
            raise TrainingError(
                f"{self.path} was started with other settings: {'; '.join(changed)}; resume it "
                "with the same ones or train into another folder"
            )
        return load_last(self.path / LAST)

    def read_config(self) -> TrainConfig:
        """Read ``config.json``.

        Raises
        ------
        ModelError
            If it is missing or was not written by a training.
        """
        path = self.path / CONFIG
        try:
            return TrainConfig.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelError(
                f"{path} is not the config of a training; choose another folder for the run"
            ) from error

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the JSON files of the run.

        Raises
        ------
        ModelError
            If it is missing or damaged.
        """
        path = self.path / name
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} cannot be read ({error}); train into a new folder") from error
        if not isinstance(value, dict):
            raise ModelError(f"{path} does not hold what a training writes there; train anew")
        return value

    def began(self) -> dict[str, Any]:
        """Give when the run was started and resumed, as on record; empty where it is not."""
        try:
            known = self.read_json(ENVIRONMENT)
        except ModelError:  # what is on record is written anew in any case
            return {}
        started, resumed = known.get("started"), known.get("resumed", [])
        if not isinstance(started, str) or not isinstance(resumed, list):
            return {}
        return {"started": started, "resumed": resumed}

    def make(self) -> None:
        """Make the folder, and keep other processes from training into it.

        Thus a place where nothing can be written is known at once.

        Raises
        ------
        TrainingError
            If it cannot be made, or another process trains into it.
        """
        with self._writing(CONFIG):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                self._let_go = hold_folder(self.path)
            except BlockingIOError as error:
                raise TrainingError(
                    f"{self.path}: another training writes into this folder; wait for it, stop it, "
                    "or train into another folder"
                ) from error

    def release(self) -> None:
        """Let other processes train into the folder."""
        self._let_go()
        self._let_go = lambda: None

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write one of the JSON files of the run, and make the folder where it is missing."""
        with self._writing(name) as path:
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(path, value)

    def write_history(self, history: Sequence[EpochRecord]) -> None:
        """Write ``history.csv``: one row an epoch."""
        text = io.StringIO(newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(EpochRecord.columns())
        rows.writerows(record.row() for record in history)
        with self._writing(HISTORY) as path:
            write_text(path, text.getvalue())

    def write_state(self, state: Mapping[str, Any]) -> Path:
        """Write ``last.pt`` and return its path."""
        with self._writing(LAST) as path:
            save_last(path, state)
        return path

    def rehearse_state(self, state: Mapping[str, Any]) -> None:
        """Write as much as `write_state` does, to nowhere that lasts."""
        with self._writing(LAST), TemporaryFile(dir=self.path) as file:
            file.write(state_bytes(state))
            file.flush()
            os.fsync(file.fileno())

    def write_best(self, weights: Mapping[str, Tensor], card: ModelCard) -> None:
        """Write ``best.safetensors``."""
        unet = UNet(card.network)
        unet.load_state_dict(weights)
        with self._writing(BEST) as path:
            save_model(path, unet, card)

    def has_state(self) -> bool:
        """Say whether there is a checkpoint to go on from."""
        return (self.path / LAST).exists()

    @contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        path = self.path / name
        try:
            yield path
        # torch reports a full disk as a RuntimeError.
        except (OSError, RuntimeError, SafetensorError) as error:
            raise TrainingError(
                f"{path} cannot be written ({error}); check that the folder can be written to and "
                "that the disk has room"
            ) from error


class ReadRunFolder(RunFolder):
    """The run folder as those processes of a training see it that leave the writing to another."""

    def make(self) -> None:
        """Leave it to the process that writes."""

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Leave it to the process that writes."""

    def write_history(self, history: Sequence[EpochRecord]) -> None:
        """Leave it to the process that writes."""

    def write_state(self, state: Mapping[str, Any]) -> Path:  # noqa: ARG002 - as the writer has it
        """Leave it to the process that writes."""
        return self.path / LAST

    def rehearse_state(self, state: Mapping[str, Any]) -> None:
        """Leave it to the process that writes."""

    def write_best(self, weights: Mapping[str, Tensor], card: ModelCard) -> None:
        """Leave it to the process that writes."""
