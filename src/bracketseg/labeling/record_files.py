"""The JSON files of a labelling: `labeling.json` and one `<scene>.json` a scene."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bracketseg.brackets.files import cannot_write, write_text
from bracketseg.errors import LabelingError
from bracketseg.labeling.records import LabelingInfo, SceneRecord

INFO_NAME = "labeling.json"

_MAX_BYTES = 1 << 20  # a longer one was not written here

_Model = TypeVar("_Model", bound=BaseModel)


def read_info(folder: Path) -> LabelingInfo | None:
    """Read how a labelling was made; None where nothing is known.

    Raises
    ------
    LabelingError
        If the file is there and broken.
    """
    path = folder / INFO_NAME
    return _parse(path, LabelingInfo) if path.is_file() else None


def write_info(folder: Path, info: LabelingInfo) -> None:
    """Write how a labelling is made.

    Raises
    ------
    LabelingError
        If the file cannot be written.
    """
    write_labeling_text(folder / INFO_NAME, _json(info))


def read_record(folder: Path, scene: str) -> SceneRecord | None:
    """Read how the masks of a scene were made; None where nothing is known.

    Raises
    ------
    LabelingError
        If the file is there and broken.
    """
    path = folder / f"{scene}.json"
    return _parse(path, SceneRecord) if path.is_file() else None


def write_record(folder: Path, record: SceneRecord) -> None:
    """Write how the masks of a scene were made.

    Raises
    ------
    LabelingError
        If the file cannot be written.
    """
    write_labeling_text(folder / f"{record.scene}.json", _json(record))


def write_labeling_text(path: Path, text: str) -> None:
    """Write a file of a labelling.

    Raises
    ------
    LabelingError
        If it cannot be written.
    """
    try:
        write_text(path, text)
    except OSError as error:
        raise LabelingError(cannot_write(path, error)) from error


def _json(model: BaseModel) -> str:
    return model.model_dump_json(indent=2) + "\n"


def _parse(path: Path, kind: type[_Model]) -> _Model:
    try:
        with path.open("rb") as file:
            return kind.model_validate_json(file.read(_MAX_BYTES))
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise LabelingError(
            f"{path}: not a record that bracketseg wrote ({reason}). Restore the file, or "
            "delete it: the masks themselves can be read without it."
        ) from error
