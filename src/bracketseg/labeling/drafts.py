"""Unfinished labellings on a disk, so that nothing is lost when a program ends early."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.files import cannot_write, sweep, write_bytes
from bracketseg.brackets.natural_order import natural_key
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.corrections import (
    corrections_name,
    read_corrections,
    write_corrections,
)
from bracketseg.labeling.draft import Draft, frames_of, mark_of
from bracketseg.labeling.draft_record import DraftRecord, DraftRoleRecord
from bracketseg.labeling.prediction import (
    Basis,
    Prediction,
    prediction_name,
    read_prediction,
    write_prediction,
)
from bracketseg.labeling.records import Network
from bracketseg.labeling.scene_names import check_scene_name

_MAX_BYTES = 100_000  # of the JSON; a longer one was not written here


class DraftStore:
    """Drafts in a folder of their own: `<scene>.json`, and strokes and predictions as PNG.

    Each file appears whole. One that was kept while the program was killed has the
    strokes of that moment with the rules of that moment or of the one before.

    What is written last lies in the folder itself. A draft of the same scene that is
    somebody else's, or on other frames, is set aside in a folder below, under its mark.

    Parameters
    ----------
    folder : Path
        Made when the first draft is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def save(self, annotation: SceneAnnotation, annotator: str) -> Draft:
        """Keep a labelling as it is now.

        Raises
        ------
        LabelingError
            If the folder or a file cannot be written, or the scene's name cannot be
            part of a file name. What was kept before stays.
        """
        draft = Draft.of(annotation, annotator)
        self.write(draft)
        return draft

    def write(self, draft: Draft) -> None:
        """Keep a draft that :meth:`Draft.of` took; for a thread that works beside.

        Raises
        ------
        LabelingError
            As :meth:`save`.
        """
        self._set_aside_before(draft)
        self._write(draft)
        aside = self._aside(draft.mark)
        if aside.folder.is_dir():
            aside.discard(draft.scene)

    def find(
        self, scene: str, annotator: str, lumas: Mapping[MaskRole, NDArray[np.uint8]]
    ) -> Draft | None:
        """Read the draft of an annotator on these very frames; None where there is none.

        Parameters
        ----------
        scene, annotator : str
        lumas : mapping of role to (H, W) uint8

        Raises
        ------
        LabelingError
            As :meth:`load`.
        """
        if not self.folder.is_dir():
            return None
        last = self.load(scene)
        if last is None and not self._is_aside(scene):
            # To know these frames again takes a digest of all their pixels.
            return None
        mark = mark_of(annotator, frames_of(lumas))
        if last is not None and last.mark == mark:
            return last
        return self._aside(mark).load(scene)

    def _aside(self, mark: str) -> "DraftStore":
        return DraftStore(self.folder / mark)

    def _is_aside(self, scene: str) -> bool:
        """Whether any draft of a scene was set aside."""
        name = self._path(scene).name
        with suppress(OSError), os.scandir(self.folder) as entries:
            return any(Path(entry, name).is_file() for entry in entries if entry.is_dir())
        return False

    def _set_aside_before(self, draft: Draft) -> None:
        """Keep a draft of the same scene that another one is about to take the place of."""
        try:
            stored = self._stored(draft.scene)
            same = stored is None or mark_of(stored.annotator, stored.frames) == draft.mark
            last = None if same else self.load(draft.scene)
        except LabelingError:
            # One that is broken is of no use to anybody.
            return
        if last is not None:
            self._aside(last.mark).write(last)
            # Its record must not stand with the strokes of the other, not for a moment.
            self.discard(draft.scene)

    def _write(self, draft: Draft) -> None:
        path = self._path(draft.scene)
        if self.folder.is_symlink():
            raise LabelingError(
                f"{self.folder}: is a link, and drafts are written into the labelling itself only. "
                "Remove the link."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for role, rule in draft.rules.items():
                if isinstance(rule, Prediction):
                    write_prediction(self._prediction(draft.scene, role), rule.mask)
                write_corrections(self._strokes(draft.scene, role), draft.corrections.get(role))
            write_bytes(path, (DraftRecord.of(draft).model_dump_json(indent=2) + "\n").encode())
            # Not before: until then the draft may begin from it.
            for role, rule in draft.rules.items():
                if not isinstance(rule, Prediction):
                    write_prediction(self._prediction(draft.scene, role), None)
        except OSError as error:
            raise LabelingError(cannot_write(path, error)) from error

    def load(self, scene: str) -> Draft | None:
        """Read the draft of a scene; None where there is none.

        Raises
        ------
        LabelingError
            If it is there and is not what was written. The message names the file.
        """
        stored = self._stored(scene)
        if stored is None:
            return None
        corrections = {}
        rules: dict[MaskRole, Basis] = {}
        for role, kept in stored.roles.items():
            rules[role] = self._basis(scene, role, kept)
            strokes = self._strokes(scene, role)
            if not strokes.is_file():
                continue
            corrections[role] = read_corrections(strokes)
            if corrections[role].shape != kept.shape:
                raise LabelingError(
                    f"{strokes}: is {corrections[role].shape}, but the draft was made on a frame "
                    f"of {kept.shape} (rows, columns). Discard it to go on without."
                )
        return stored.draft(rules, corrections, self._path(scene))

    def discard(self, scene: str) -> None:
        """Remove the draft of a scene, if there is one, and the folder after the last.

        Raises
        ------
        LabelingError
            If a file cannot be removed.
        """
        # The JSON first: without it the rest is no draft.
        path = self._path(scene)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LabelingError(
                f"{path}: cannot be removed ({error.strerror or error}). Remove it."
            ) from error
        for role in MASK_ROLES:
            write_corrections(self._strokes(scene, role), None)
            write_prediction(self._prediction(scene, role), None)
        sweep(self.folder)
        with suppress(OSError):  # There are others, or there was none.
            self.folder.rmdir()

    def scenes(self, annotator: str | None = None) -> tuple[str, ...]:
        """List the scenes that have a draft, in their natural order.

        Parameters
        ----------
        annotator : str, optional
            Leave out the drafts of everybody else.

        Raises
        ------
        LabelingError
            If the folder is there and cannot be listed.
        """
        try:
            found = [
                path.stem
                for path in self.folder.iterdir()
                if path.suffix == ".json" and not path.name.startswith(".") and path.is_file()
            ]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise LabelingError(
                f"{self.folder}: the drafts cannot be listed ({error.strerror or error}). Check "
                "that it is a folder and may be read."
            ) from error
        mine = [scene for scene in found if annotator is None or self._is_by(scene, annotator)]
        return tuple(sorted(mine, key=natural_key))

    def _is_by(self, scene: str, annotator: str) -> bool:
        try:
            stored = self._stored(scene)
        except LabelingError:
            # Nobody can tell; whoever opens the scene is told what is wrong.
            return True
        return stored is not None and stored.annotator == annotator

    def _stored(self, scene: str) -> DraftRecord | None:
        path = self._path(scene)
        try:
            if not path.is_file():
                return None
            with path.open("rb") as file:
                stored = DraftRecord.model_validate_json(file.read(_MAX_BYTES))
        except (OSError, ValidationError) as error:
            reason = str(error).splitlines()[0]
            raise LabelingError(
                f"{path}: not a draft that bracketseg wrote ({reason}). Discard it to go on "
                "without."
            ) from error
        if stored.scene != scene:
            raise LabelingError(
                f"{path}: is the draft of another scene, {stored.scene}. Name the file as it "
                "was, or discard it."
            )
        return stored

    def _path(self, scene: str) -> Path:
        check_scene_name(scene)
        return self.folder / f"{scene}.json"

    def _strokes(self, scene: str, role: MaskRole) -> Path:
        return self.folder / corrections_name(scene, role)

    def _prediction(self, scene: str, role: MaskRole) -> Path:
        return self.folder / prediction_name(scene, role)

    def _basis(self, scene: str, role: MaskRole, kept: DraftRoleRecord) -> Basis:
        if not isinstance(kept.rule, Network):
            return kept.rule
        path = self._prediction(scene, role)
        mask = read_prediction(path)
        if mask is None or mask.shape != kept.shape:
            found = "is missing" if mask is None else f"is {mask.shape} (rows, columns)"
            raise LabelingError(
                f"{path}: {found}, but the draft began from a prediction of {kept.shape}. "
                "Discard it to go on without."
            )
        return Prediction(origin=kept.rule, mask=mask)
