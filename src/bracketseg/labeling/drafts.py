"""Unfinished labellings on a disk, so that nothing is lost when a program ends early."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.files import cannot_write, write_bytes
from bracketseg.brackets.natural_order import natural_key
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.corrections import (
    corrections_name,
    read_corrections,
    write_corrections,
)
from bracketseg.labeling.prediction import (
    Basis,
    Prediction,
    prediction_name,
    read_prediction,
    write_prediction,
)
from bracketseg.labeling.records import Network, Origin
from bracketseg.labeling.scene_names import check_scene_name

_MAX_BYTES = 100_000  # of the JSON; a longer one was not written here


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person had done to a scene when it was last kept.

    Attributes
    ----------
    scene : str
    annotator : str
    time : datetime
        When it was kept, with its time zone.
    rules : mapping of role to Basis
    shapes : mapping of role to (int, int)
        Height and width of the frames that it was made on.
    corrections : mapping of role to (H, W) int8
        1 painted in, -1 painted out, 0 untouched; roles without strokes are left out.
    path : Path or None
        The file that it was read from.
    """

    scene: str
    annotator: str
    time: datetime
    rules: Mapping[MaskRole, Basis]
    shapes: Mapping[MaskRole, tuple[int, int]]
    corrections: Mapping[MaskRole, NDArray[np.int8]]
    path: Path | None = None

    @classmethod
    def of(cls, annotation: SceneAnnotation, annotator: str) -> Self:
        """Take a copy of a labelling as it is now.

        Whatever happens to the labelling afterwards, the copy stays: it can be written
        by another thread.
        """
        strokes = {role: annotation.corrections(role) for role in annotation.roles}
        shapes = {role: annotation.luma(role).shape for role in annotation.roles}
        return cls(
            scene=annotation.scene,
            annotator=annotator,
            time=datetime.now(UTC),
            rules={role: annotation.rule(role) for role in annotation.roles},
            shapes={role: (height, width) for role, (height, width) in shapes.items()},
            corrections={role: found for role, found in strokes.items() if found is not None},
        )

    def restore(self, lumas: Mapping[MaskRole, NDArray[np.uint8]]) -> SceneAnnotation:
        """Make the labelling again, with an empty history.

        Parameters
        ----------
        lumas : mapping of role to (H, W) uint8
            Of the same roles and sizes as when the draft was made.

        Raises
        ------
        LabelingError
            If the frames are other ones; the message names the draft's file.
        """
        now = {role: lumas[role].shape for role in MASK_ROLES if role in lumas}
        if now != {role: self.shapes[role] for role in MASK_ROLES if role in self.shapes}:
            raise LabelingError(
                f"{self.path or self.scene}: this draft was made on {_sizes(self.shapes)}, but "
                f"the frames are {_sizes(now)}. Choose the frames that it was made on, or "
                "discard the draft."
            )
        return SceneAnnotation(self.scene, lumas, self.rules, self.corrections)


class DraftStore:
    """Drafts in a folder of their own: `<scene>.json`, and strokes and predictions as PNG.

    Each file appears whole. One that was kept while the program was killed has the
    strokes of that moment with the rules of that moment or of the one before.

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
        path = self._path(draft.scene)
        stored = _StoredDraft(
            scene=draft.scene,
            annotator=draft.annotator,
            time=draft.time,
            roles={
                role: _StoredRole(rule=_origin(rule), shape=draft.shapes[role])
                for role, rule in draft.rules.items()
            },
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for role, rule in draft.rules.items():
                if isinstance(rule, Prediction):
                    write_prediction(self._prediction(draft.scene, role), rule.mask)
                write_corrections(self._strokes(draft.scene, role), draft.corrections.get(role))
            write_bytes(path, (stored.model_dump_json(indent=2) + "\n").encode())
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
        path = self._path(scene)
        try:
            if not path.is_file():
                return None
            with path.open("rb") as file:
                stored = _StoredDraft.model_validate_json(file.read(_MAX_BYTES))
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
        return Draft(
            scene=scene,
            annotator=stored.annotator,
            time=stored.time,
            rules=rules,
            shapes={role: kept.shape for role, kept in stored.roles.items()},
            corrections=corrections,
            path=path,
        )

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
        with suppress(OSError):  # There are others, or there was none.
            self.folder.rmdir()

    def scenes(self) -> tuple[str, ...]:
        """List the scenes that have a draft, in their natural order.

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
        return tuple(sorted(found, key=natural_key))

    def _path(self, scene: str) -> Path:
        check_scene_name(scene)
        return self.folder / f"{scene}.json"

    def _strokes(self, scene: str, role: MaskRole) -> Path:
        return self.folder / corrections_name(scene, role)

    def _prediction(self, scene: str, role: MaskRole) -> Path:
        return self.folder / prediction_name(scene, role)

    def _basis(self, scene: str, role: MaskRole, kept: "_StoredRole") -> Basis:
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


class _StoredRole(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Origin
    shape: tuple[int, int]


class _StoredDraft(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["draft"] = "draft"
    scene: str
    annotator: str
    time: datetime
    roles: dict[MaskRole, _StoredRole] = Field(min_length=1)


def _origin(rule: Basis) -> Origin:
    return rule.origin if isinstance(rule, Prediction) else rule


def _sizes(shapes: Mapping[MaskRole, tuple[int, ...]]) -> str:
    sizes = [f"{role} {shape[0]} x {shape[1]}" for role, shape in shapes.items()]
    return " and ".join(sizes) or "no frame"
