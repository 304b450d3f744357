"""What a model says of itself; this module imports no torch and reads no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import ModelError
from bracketseg.learning.config import LARGEST_IMAGE, Loss, NetworkConfig
from bracketseg.learning.run_files import BEST

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "1"

_LONGEST_HEADER = 2**20
"""Bytes; that of a model of ours takes some thousands."""

_JSON: TypeAdapter[Any] = TypeAdapter(Any)


class ModelCard(BaseModel):
    """What a model is and where it comes from.

    Attributes
    ----------
    role
        The exposure that it segments.
    network
        The network that its weights fit.
    image_size
        Side in pixels of the images that it was trained on.
    ground_truth
        How its masks were made: a rule's fields, or ``{"method": "masks"}`` where that is
        not known.
    loss, seed
        As it was trained.
    epoch
        The epoch, from 1, that the weights are from.
    metrics
        What they reached on the validation scenes at the training size.
    versions
        Version of each package that made it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: MaskRole
    network: NetworkConfig
    image_size: int = Field(ge=1, le=LARGEST_IMAGE)
    ground_truth: dict[str, Any]
    loss: Loss
    seed: int
    epoch: int
    metrics: dict[str, float]
    versions: dict[str, str]

    def metadata(self) -> dict[str, str]:
        """Return what stands in the header of the model's file: a JSON string for each field."""
        fields = self.model_dump(mode="json")
        described = {name: _JSON.dump_json(value).decode() for name, value in fields.items()}
        return {"bracketseg": _FORMAT, **described}


def model_file(path: Path) -> Path:
    """Return the model in a run folder, or the file itself.

    Raises
    ------
    ModelError
        If there is none.
    """
    file = path / BEST if path.is_dir() else path
    if file.is_file():
        return file
    if file.name == BEST and file.parent.is_dir():
        raise ModelError(
            f"{file.parent} is no finished run: it has no {BEST}; train it for at least one "
            "epoch or choose another folder"
        )
    raise ModelError(f"{file} does not exist; choose a run folder or a .safetensors file")


def read_card(path: Path) -> ModelCard:
    """Read the description of a model.

    Parameters
    ----------
    path
        A run folder (its ``best.safetensors`` is taken) or a safetensors file.

    Raises
    ------
    ModelError
        If the file is missing, damaged or no model of bracketseg.
    """
    file = model_file(path)
    try:
        with file.open("rb") as start:
            length = int.from_bytes(start.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ModelError(
                f"{file} is no model: its header would be {length} bytes long; choose another model"
            )
        with safe_open(file, framework="np") as opened:
            metadata = cast("dict[str, str] | None", opened.metadata()) or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{file} is not a readable safetensors file ({error}); choose another model"
        ) from error
    if metadata.pop("bracketseg", None) != _FORMAT:
        raise ModelError(
            f"{file} was not made by bracketseg, or by a version that this one cannot read; "
            "choose a model that `bracketseg train` left"
        )
    metadata.pop("format", None)
    try:
        return ModelCard.model_validate(
            {name: _JSON.validate_json(value) for name, value in metadata.items()}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{file}: its description is damaged ({'.'.join(map(str, first['loc'])) or 'JSON'}: "
            f"{first['msg']}); choose another model"
        ) from error
