"""Which models can be taken for a role, and which one is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psygnal import Signal

from bracketseg._napari.session.runs_folder import runs_folders
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import ModelError
from bracketseg.learning.model_card import ModelCard, read_card
from bracketseg.learning.run_files import BEST
from bracketseg.learning.runs import Run, find_runs
from bracketseg.learning.shipped import shipped_model
from bracketseg.wording import counted


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """A model that can be taken.

    Attributes
    ----------
    path : Path
        A run, or a model file.
    role : {"low", "high"}
    name : str
        Of the run or the file.
    title : str
        What it is, in one line.
    finished : bool
        False of a training that was stopped.
    """

    path: Path
    role: MaskRole
    name: str
    title: str
    finished: bool = True


class ModelChoice:
    """Offers the trainings of the folder, newest first, the built-in model, and chosen files.

    As long as nobody has chosen by hand, the first of these that is finished is taken.

    Signals
    -------
    changed()
        Other models are offered or taken.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._jobs = JobGroup()
        self._runs: tuple[ModelEntry, ...] = ()
        self._built_in = tuple(built_in_models())
        self._files: tuple[ModelEntry, ...] = ()
        self._by_hand: dict[MaskRole, Path | None] = {}
        session.folder_changed.connect(self._folder_changed)

    def close(self) -> None:
        """Let go of the session."""
        self._jobs.cancel()
        self._session.folder_changed.disconnect(self._folder_changed)

    def entries(self, role: MaskRole) -> list[ModelEntry]:
        """List the models of a role in the order in which they are offered."""
        # A run of the folder that was chosen before it was found is one of both.
        found = {entry.path for entry in self._runs}
        files = (entry for entry in self._files if entry.path not in found)
        offered = (*files, *self._runs, *self._built_in)
        return [entry for entry in offered if entry.role == role]

    def chosen(self, role: MaskRole) -> ModelEntry | None:
        """Give the model that is taken for a role; None if there is none, or none is wanted."""
        entries = self.entries(role)
        if role in self._by_hand:
            path = self._by_hand[role]
            found = next((entry for entry in entries if entry.path == path), None)
            if found is not None or path is None:
                return found
        return next(
            (entry for entry in entries if entry.finished and entry not in self._files), None
        )

    def is_left_out(self, role: MaskRole) -> bool:
        """Whether somebody does not want this role predicted."""
        return role in self._by_hand and self._by_hand[role] is None

    def choose(self, role: MaskRole, entry: ModelEntry | None) -> None:
        """Take one of the models that are offered, or leave the role out."""
        self._by_hand[role] = None if entry is None else entry.path
        self.changed.emit()

    def add(self, role: MaskRole, path: Path) -> None:
        """Take a run or a model file from anywhere.

        Raises
        ------
        ModelError
            If it is no model, or one for the other exposure.
        """
        entry = model_at(path)
        if entry.role != role:
            raise ModelError(
                f"{entry.name} was trained for the {entry.role} exposure and cannot predict the "
                f"{role} one. Choose a model for {role}."
            )
        self._take(entry)

    def take(self, path: Path) -> None:
        """Take a run or a model file for the role that it was trained for.

        Raises
        ------
        ModelError
            If it is no model.
        """
        self._take(model_at(path))

    def _take(self, entry: ModelEntry) -> None:
        if all(known.path != entry.path for known in self.entries(entry.role)):
            self._files = (entry, *self._files)
        self._by_hand[entry.role] = entry.path
        self.changed.emit()

    def refresh(self) -> None:
        """Look again which trainings there are, in the background."""
        folder = self._session.folder
        beside = () if folder is None else runs_folders(folder)
        self._jobs.cancel()
        self._jobs.run(
            partial(_read_models, (*beside, *self._session.runs)),
            on_done=self._found,
            on_error=lambda _: self._found(()),
            description="looking for trained models",
        )

    def _folder_changed(self, _folder: object) -> None:
        self.refresh()

    def _found(self, runs: Iterable[ModelEntry]) -> None:
        runs = tuple(runs)
        if runs != self._runs:
            self._runs = runs
            self.changed.emit()


def model_at(path: Path) -> ModelEntry:
    """Read what a run or a model file is for; its weights stay where they are.

    Raises
    ------
    ModelError
        If it is no model of ours.
    """
    card = read_card(path)
    own = (path.parent if path.name == BEST else path).resolve()
    return ModelEntry(path=own, role=card.role, name=own.name, title=_title(card, own.name))


def built_in_models() -> list[ModelEntry]:
    """List the models that the package brings, one a role."""
    found = []
    for role in MASK_ROLES:
        path = shipped_model(role)
        if path.is_file():
            card = read_card(path)
            # Its Dice is against these, and says nothing of other ground truth.
            learned = " (manual ranges)" if card.ground_truth.get("method") == "manual" else ""
            title = _title(card, f"built-in{learned}")
            found.append(ModelEntry(path=path, role=role, name="built-in", title=title))
    return found


def _read_models(folders: Sequence[Path]) -> list[ModelEntry]:
    return [
        ModelEntry(
            path=run.path,
            role=run.card.role,
            name=run.path.name,
            title=_title(run.card, _when(run)),
            finished=run.finished,
        )
        for run in find_runs(folders)[0]
        if run.card is not None
    ]


def _when(run: Run) -> str:
    started = f"{run.started.astimezone():%d %b %H:%M}"
    if run.finished:
        return started
    return f"{started}, {len(run.records)} of {counted(run.config.epochs, 'epoch')}"


def _title(card: ModelCard, last: str) -> str:
    dice = [f"Dice {card.metrics['dice']:.3f}"] if "dice" in card.metrics else []
    return " · ".join([f"{card.role} {card.loss}", *dice, last])
