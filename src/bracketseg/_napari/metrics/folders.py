"""Which two labellings are compared, and which of their scenes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QComboBox

from bracketseg._napari.metrics.controls import fill
from bracketseg._napari.metrics.origin import Origin, validation_scenes
from bracketseg._napari.session.labeled_scenes import labelings_beside
from bracketseg._napari.session.session import Session

_CHOOSE = "Choose a folder…"
_UNSEEN = "Not used in training"
_CHOOSE_RUN = "Validation scenes of a run…"


class FolderChoice:
    """The lists of labellings and runs, and what is chosen of them.

    Attributes
    ----------
    choose_folder : callable
        Takes what the folder is for; returns it, or None.
    reference, prediction : Path or None
    scenes : frozenset of str or None
        Those that are looked at; None for all, and where `unseen` holds.
    run : str
        Whose validation scenes they are.
    unseen : bool
        Only those are looked at that no network of the prediction has learned from.
    trained : frozenset of str
        Those that some network of the prediction has learned from.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.choose_folder: Callable[[str], Path | None] = lambda _what: None
        self.forget()

    def forget(self) -> None:
        """Begin with another folder of brackets."""
        self._folders: list[Path] = []
        self._runs: list[Path] = []
        self.reference: Path | None = None
        self.prediction: Path | None = None
        self.scenes: frozenset[str] | None = None
        self.run = ""
        self.unseen = False
        self.trained: frozenset[str] = frozenset()

    def holds(self, scene: str) -> bool:
        """Whether a scene is one of those that are looked at."""
        if self.unseen:
            return scene not in self.trained
        return self.scenes is None or scene in self.scenes

    def take(self, origin: Origin) -> None:
        """Take in where the prediction comes from."""
        self.trained = origin.trained
        self.unseen = self.unseen and bool(self.trained)
        self._runs += [run for run in origin.runs if run not in self._runs]

    def show(self, reference: QComboBox, prediction: QComboBox) -> None:
        """List the labellings, and guess what nobody has chosen yet."""
        beside, *guessed = guess_labelings(self._session)
        if self.reference is None and guessed[0] != self.prediction:
            self.reference = guessed[0]
        if self.prediction is None and guessed[1] != self.reference:
            self.prediction = guessed[1]
        chosen = (self.reference, self.prediction)
        others = [folder for folder in (*self._folders, *chosen) if folder is not None]
        self._folders = list(dict.fromkeys([*beside, *others]))
        titles = [_title(folder, beside) for folder in self._folders]
        for combo, folder in zip((reference, prediction), chosen, strict=True):
            fill(combo, [*titles, _CHOOSE], -1 if folder is None else self._folders.index(folder))
            combo.setToolTip("" if folder is None else str(folder))

    def choose(self, reference: int, prediction: int) -> None:
        """Take other entries of the lists; the last one asks for a folder."""
        self.reference = self._entry(reference, "reference") or self.reference
        self.prediction = self._entry(prediction, "prediction") or self.prediction

    def show_scenes(self, combo: QComboBox) -> None:
        """List the runs whose validation scenes can be looked at."""
        names = [run.name for run in self._runs]
        unseen = [_UNSEEN] if self.trained else []
        titles = ["All of them", *unseen, *(f"Validation of {name}" for name in names), _CHOOSE_RUN]
        here = 1 if self.unseen else 0
        if self.scenes is not None:
            here = len(unseen) + names.index(self.run) + 1
        fill(combo, titles, here)

    def choose_scenes(self, index: int) -> None:
        """Look at all scenes, at those that no network has seen, or at those of another run.

        Raises
        ------
        LabelingError
            If what was chosen is no run; all scenes are looked at then.
        """
        before = 2 if self.trained else 1
        self.unseen = index == 1 and bool(self.trained)
        place = index - before
        run = self._runs[place] if 0 <= place < len(self._runs) else None
        if place >= len(self._runs):
            run = self.choose_folder("run")
        self.scenes, self.run = None, ""
        if run is not None:
            self.scenes, self.run = validation_scenes(run), run.name
            if run not in self._runs:
                self._runs.append(run)

    def _entry(self, index: int, what: str) -> Path | None:
        if index == len(self._folders):
            return self.choose_folder(what)
        return self._folders[index] if index >= 0 else None


def guess_labelings(session: Session) -> tuple[list[Path], Path | None, Path | None]:
    """List the labellings beside the brackets, and guess which of them are to be compared.

    The reference is the one that is being written, else one by hand, else any but a network's;
    the prediction is a network's, else one by a range that was found, else another.

    Returns
    -------
    folders : list of Path
    reference, prediction : Path or None
    """
    if session.folder is None:
        return [], None, None
    folders = labelings_beside(session.folder)
    methods = {
        labels.folder: labels.method for scene in session.labeled.values() for labels in scene
    }
    folders = [folder for folder in folders if folder in methods or _holds_files(folder)]
    people = [folder for folder in folders if methods.get(folder) in ("manual", None)]
    ours = session.labeling_path
    rules = [folder for folder in folders if methods.get(folder) != "network"]
    reference = ours if ours in people else next(iter(people or rules or folders), None)
    others = [folder for folder in folders if folder != reference]
    last = {"network": 0, "manual": 2, None: 3}
    others.sort(key=lambda folder: last.get(methods.get(folder), 1))
    return folders, reference, others[0] if others else None


def _holds_files(folder: Path) -> bool:
    return next(folder.iterdir(), None) is not None


def _title(folder: Path, beside: Sequence[Path]) -> str:
    return folder.name if folder in beside else f"{folder.parent.name}/{folder.name}"
