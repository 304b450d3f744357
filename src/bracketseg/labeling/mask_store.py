"""A labelling on disk: masks, how each was made, and what they cover."""

import csv
import hashlib
import io
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.files import cannot_write
from bracketseg.brackets.folder_lock import hold_folder
from bracketseg.brackets.masks import find_mask, find_masks, mask_name, read_mask, write_mask
from bracketseg.brackets.natural_order import natural_key
from bracketseg.errors import LabelingError
from bracketseg.labeling.corrections import (
    corrections_name,
    read_corrections,
    write_corrections,
)
from bracketseg.labeling.coverage import Coverage, coverage
from bracketseg.labeling.decoded_files import DecodedFiles
from bracketseg.labeling.prediction import prediction_name, write_prediction
from bracketseg.labeling.record_files import (
    INFO_NAME,
    read_info,
    read_record,
    write_info,
    write_labeling_text,
    write_record,
)
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord
from bracketseg.labeling.replacing import refuse_edited, refuse_other_way
from bracketseg.labeling.rules import Rule
from bracketseg.labeling.scene_names import check_scene_name

COVERAGE_NAME = "coverage.csv"

COVERAGE_COLUMNS = ("scene", "low", "high", "union", "remainder")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises
    ------
    LabelingError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LabelingError(
            f"{path}: cannot be read ({error.strerror or error}). Check that the file is still "
            "there."
        ) from error


class LabelingFolder:
    """A folder of masks made in one way.

    Use :meth:`open` to read one, also a plain folder of masks that some other program
    wrote, and :meth:`create` to write one.

    Attributes
    ----------
    path : Path
    info : LabelingInfo or None
        None for a plain folder of masks.
    """

    def __init__(
        self,
        path: Path,
        info: LabelingInfo | None,
        *,
        overwrite: bool = False,
        decoded: DecodedFiles | None = None,
    ) -> None:
        self.path = path
        self.info = info
        self._masks: dict[tuple[str, MaskRole], Path] | None = None
        self._overwrite = overwrite
        self._decoded = decoded

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a folder of masks for reading.

        Raises
        ------
        LabelingError
            If there is no such folder, no mask in it, or its `labeling.json` is broken.
        """
        if not path.is_dir():
            raise LabelingError(f"{path}: no such folder. Name the folder that holds the masks.")
        folder = cls(path, read_info(path))
        if not folder.masks:
            raise LabelingError(
                f"{path}: no masks found. They are named <scene>_low.png and <scene>_high.png."
            )
        return folder

    @classmethod
    def create(cls, path: Path, info: LabelingInfo, *, overwrite: bool = False) -> Self:
        """Start a labelling, or go on with one that was made in the same way.

        Parameters
        ----------
        path : Path
            Made where it is missing.
        info : LabelingInfo
        overwrite : bool
            Replace masks that were made in another way or corrected by hand.

        Raises
        ------
        LabelingError
            If the folder holds masks made in another way, cannot be written, or another
            process writes to it; this one has it for as long as what is returned is in use.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            release = hold_folder(path, again=True)
        except BlockingIOError as error:
            raise LabelingError(
                f"{path}: another process writes to this labelling. Wait for it, stop it, or write "
                "to another folder."
            ) from error
        except OSError as error:
            raise LabelingError(cannot_write(path, error)) from error
        labeling = cls(path, info, overwrite=overwrite)
        weakref.finalize(labeling, release)
        try:
            there = read_info(path)
        except LabelingError:
            if not overwrite:
                raise
            there = None
        if not overwrite:
            refuse_other_way(path, info, there)
        if there is not None:
            labeling.info = info.model_copy(update={"ranges": there.ranges | info.ranges})
        write_info(path, labeling.info or info)
        return labeling

    @classmethod
    def at(cls, path: Path, *, decoded: DecodedFiles | None = None) -> Self:
        """Open a folder for what will be asked of it by name, also one without any mask yet.

        Nothing is listed, which takes long where there are thousands of masks.

        Parameters
        ----------
        path : Path
        decoded : DecodedFiles, optional
            Where the pixels of masks and of what belongs to them are kept; arrays that come
            from there are read-only.

        Raises
        ------
        LabelingError
            If its `labeling.json` is broken.
        """
        return cls(path, read_info(path), decoded=decoded)

    @property
    def masks(self) -> dict[tuple[str, MaskRole], Path]:
        """The mask files by scene and role; listed once.

        Raises
        ------
        LabelingError
            If the folder cannot be listed.
        """
        if self._masks is None:
            self._masks = find_masks(self.path)
        return self._masks

    def path_of(self, scene: str, role: MaskRole) -> Path | None:
        """Give the file of one mask; None where there is none."""
        if self._masks is not None:
            return self._masks.get((scene, role))
        return find_mask(self.path, scene, role)

    def mask(self, scene: str, role: MaskRole) -> NDArray[np.bool_]:
        """Read one mask.

        Returns
        -------
        (H, W) bool

        Raises
        ------
        LabelingError
            If there is none or it cannot be read.
        """
        path = self.path_of(scene, role)
        if path is None:
            raise LabelingError(f"{self.path / mask_name(scene, role)}: no such mask")
        return self._pixels(path, read_mask)

    def record(self, scene: str) -> SceneRecord | None:
        """How the masks of a scene were made; None where nothing is known.

        Raises
        ------
        LabelingError
            If the record is there and broken.
        """
        return read_record(self.path, scene)

    def rule(self, scene: str, role: MaskRole) -> Rule | None:
        """Give the rule whose very result the mask file is.

        None where the mask was predicted, corrected by hand, cut to what aligned frames
        have in common, or is not the file that the record speaks of.
        """
        record = self.record(scene)
        mask = record.masks.get(role) if record is not None else None
        if mask is None or isinstance(mask.origin, Network) or mask.edited_pixels or mask.aligned:
            return None
        return mask.origin if self.is_as_recorded(scene, role, mask) else None

    def is_as_recorded(self, scene: str, role: MaskRole, record: MaskRecord) -> bool:
        """Whether a mask file is there and is the very file that its record speaks of."""
        path = self.path_of(scene, role)
        return path is not None and file_sha256(path) == record.mask_sha256

    def corrections(self, scene: str, role: MaskRole) -> NDArray[np.int8] | None:
        """Read what a person painted over a mask.

        Returns
        -------
        (H, W) int8 or None
            1 painted in, -1 painted out, 0 untouched; None where nothing was painted.

        Raises
        ------
        LabelingError
            If the corrections are there and cannot be read.
        """
        path = self.path / corrections_name(scene, role)
        return self._pixels(path, read_corrections) if path.is_file() else None

    def prediction(self, scene: str, role: MaskRole) -> NDArray[np.bool_] | None:
        """Read the predicted mask that a person corrected.

        Returns
        -------
        (H, W) bool or None
            None where the mask did not begin from a prediction.

        Raises
        ------
        LabelingError
            If it is there and cannot be read.
        """
        path = self.path / prediction_name(scene, role)
        return self._pixels(path, read_mask) if path.is_file() else None

    def _pixels(self, path: Path, read: Callable[[Path], NDArray[Any]]) -> NDArray[Any]:
        return read(path) if self._decoded is None else self._decoded.read(path, read)

    def save_scene(
        self,
        masks: Mapping[MaskRole, NDArray[np.bool_]],
        record: SceneRecord,
        *,
        corrections: Mapping[MaskRole, NDArray[np.int8]] | None = None,
        predictions: Mapping[MaskRole, NDArray[np.bool_]] | None = None,
        revise: bool = False,
    ) -> SceneRecord:
        """Write the masks of one scene and their record; each file appears whole.

        Parameters
        ----------
        masks : mapping of role to (H, W) bool
        record : SceneRecord
            Digests of the masks and the coverage are filled in here.
        corrections : mapping of role to (H, W) int8, optional
            What a person painted: 1 in, -1 out, 0 untouched. Those that an earlier
            mask of these roles had go with it.
        predictions : mapping of role to (H, W) bool, optional
            What a person began from, where that was a prediction; likewise.
        revise : bool
            The person whose labelling this is changes the scene: corrections and rules
            that were saved before make way. A mask file that something else wrote to
            does not.

        Returns
        -------
        SceneRecord
            As it was written.

        Raises
        ------
        LabelingError
            If a mask on disk was corrected by hand or made by a rule of its own, and
            neither revising nor overwriting was asked for; if it was changed by
            something else; or if a file cannot be written.
        """
        scene = record.scene
        check_scene_name(scene)
        if f"{scene}.json".casefold() == INFO_NAME:
            raise LabelingError(
                f"{scene}: this name is taken by {INFO_NAME}. Rename the scene's folder or files."
            )
        known = self.record(scene)
        before = {} if known is None else known.masks
        if not self._overwrite:
            for role, mask in masks.items():
                there, old = self.path_of(scene, role), before.get(role)
                if there is not None:
                    refuse_edited(
                        there,
                        mask,
                        record.masks[role].origin,
                        old,
                        as_recorded=old is not None and self.is_as_recorded(scene, role, old),
                        painted=(self.path / corrections_name(scene, role)).is_file(),
                        revise=revise,
                    )
        others = {
            role: mask
            for role, mask in before.items()
            if role not in masks and self.is_as_recorded(scene, role, mask)
        }
        made = others | record.masks
        for role, mask in masks.items():
            path = self.path / mask_name(scene, role)
            write_mask(path, mask)
            made[role] = made[role].model_copy(update={"mask_sha256": file_sha256(path)})
            if self._masks is not None:
                self._masks[scene, role] = path
            painted = (corrections or {}).get(role)
            write_corrections(self.path / corrections_name(scene, role), painted)
            began_from = (predictions or {}).get(role)
            write_prediction(self.path / prediction_name(scene, role), began_from)
        both = {role: masks[role] if role in masks else self.mask(scene, role) for role in made}
        written = record.model_copy(update={"masks": made, "coverage": _coverage(both)})
        write_record(self.path, written)
        return written

    def write_coverage(self) -> None:
        """Write `coverage.csv` from the records of all scenes, in their natural order.

        A record that is broken costs its own row only.

        Raises
        ------
        LabelingError
            If the file cannot be written.
        """
        table = io.StringIO(newline="")
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(COVERAGE_COLUMNS)
        for scene in sorted({scene for scene, _ in self.masks}, key=natural_key):
            try:
                record = self.record(scene)
            except LabelingError:
                continue
            if record is not None and record.coverage is not None:
                values = (getattr(record.coverage, name) for name in COVERAGE_COLUMNS[1:])
                rows.writerow([scene, *(f"{value:.6f}" for value in values)])
        write_labeling_text(self.path / COVERAGE_NAME, table.getvalue())


def _coverage(masks: Mapping[MaskRole, NDArray[np.bool_]]) -> Coverage | None:
    if len(masks) < len(MASK_ROLES) or masks["low"].shape != masks["high"].shape:
        return None
    return coverage(masks["low"], masks["high"])
