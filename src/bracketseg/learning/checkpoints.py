"""Weights on a disk: a model to predict with, and a training to go on with.

A model is a safetensors file that carries its own description. The state of a training
is written by :func:`torch.save` and read back as plain data only; nothing from a file
is ever unpickled into code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.files import atomic_write, write_bytes
from bracketseg.errors import ModelError
from bracketseg.learning.config import Loss, NetworkConfig
from bracketseg.learning.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BEST = "best.safetensors"
LAST = "last.pt"
_FORMAT = "1"


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
    image_size: int
    ground_truth: dict[str, Any]
    loss: Loss
    seed: int
    epoch: int
    metrics: dict[str, float]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """A network with its weights, ready to predict.

    Attributes
    ----------
    unet
        In evaluation mode, on the device that was asked for, channels last.
    card
        Its description.
    path
        The file that it was read from.
    """

    unet: UNet
    card: ModelCard
    path: Path


def save_model(path: Path, unet: UNet, card: ModelCard) -> None:
    """Write the weights of `unet` and `card` to a safetensors file, atomically.

    Each field of the card becomes one JSON string in the file's metadata.
    """
    tensors = {k: v.detach().cpu().contiguous() for k, v in unet.state_dict().items()}
    fields = card.model_dump(mode="json")
    metadata = {name: _JSON.dump_json(value).decode() for name, value in fields.items()}
    data = save(tensors, metadata={"bracketseg": _FORMAT, **metadata})
    write_bytes(path, _with_sorted_header(data))


def _with_sorted_header(data: bytes) -> bytes:
    """Order a safetensors header by its keys: the library's order changes from call to call.

    Thus the same weights and description give the same bytes, and the same digest.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[start:]


def load_model(path: Path, device: torch.device | str = "cpu") -> Model:
    """Read a model from a run folder or from the safetensors file in one.

    Parameters
    ----------
    path
        A run folder (its ``best.safetensors`` is taken) or a file.
    device
        Where its weights go.

    Raises
    ------
    ModelError
        If the file is missing, damaged, no model of bracketseg or does not fit its own
        description.
    """
    file = path / BEST if path.is_dir() else path
    card, tensors = _read(file)
    unet = UNet(card.network)
    try:
        unet.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(
            f"{file}: the weights do not fit the network that the file describes; train again or "
            "take another model"
        ) from error
    unet.eval().requires_grad_(False)
    unet.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(unet=unet, card=card, path=file)


def read_card(path: Path) -> ModelCard:
    """Read the description of a model without its weights; see :func:`load_model`."""
    file = path / BEST if path.is_dir() else path
    return _read(file, weights=False)[0]


def _read(file: Path, *, weights: bool = True) -> tuple[ModelCard, dict[str, torch.Tensor]]:
    if not file.is_file():
        if file.name == BEST and file.parent.is_dir():
            raise ModelError(
                f"{file.parent} is no finished run: it has no {BEST}; train it for at least one "
                "epoch or choose another folder"
            )
        raise ModelError(f"{file} does not exist; choose a run folder or a .safetensors file")
    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            metadata = cast("dict[str, str] | None", opened.metadata()) or {}
            names = opened.keys() if weights else ()
            tensors = {name: opened.get_tensor(name) for name in names}
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
        fields = {name: _JSON.validate_json(value) for name, value in metadata.items()}
        return ModelCard.model_validate(fields), tensors
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{file}: its description is damaged ({'.'.join(map(str, first['loc'])) or 'JSON'}: "
            f"{first['msg']}); choose another model"
        ) from error


_JSON: TypeAdapter[Any] = TypeAdapter(Any)


def save_last(path: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a training (tensors, numbers, strings, lists, dicts), atomically."""
    with atomic_write(path) as temporary:
        torch.save(dict(state), temporary)


def load_last(path: Path) -> dict[str, Any]:
    """Read what :func:`save_last` wrote, onto the CPU.

    Raises
    ------
    ModelError
        If the file is missing, damaged or holds anything but plain data.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes fail in many ways
        raise ModelError(
            f"{path} cannot be read, so the training cannot be resumed; train into a new folder"
        ) from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} does not hold a training; train into a new folder")
    return state
