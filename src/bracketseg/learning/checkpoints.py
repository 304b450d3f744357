"""Weights on a disk: a model to predict with, and a training to go on with.

A model is a safetensors file that carries its own description. The state of a training
is written by :func:`torch.save` and read back as plain data only; nothing from a file
is ever unpickled into code.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from bracketseg.brackets.files import write_bytes
from bracketseg.errors import ModelError
from bracketseg.learning.model_card import model_file, read_card
from bracketseg.learning.unet import UNet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bracketseg.learning.model_card import ModelCard


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
    """Write the weights of `unet` and `card` to a safetensors file, atomically."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in unet.state_dict().items()}
    data = save(tensors, metadata=card.metadata())
    write_bytes(path, _with_sorted_header(data))


def _with_sorted_header(data: bytes) -> bytes:
    """Order a safetensors header by its keys: the library's order changes from call to call.

    Thus the same weights and description give the same bytes, and the same digest.
    """
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[start:]


# Also for one who loads it to predict at once: OpenVINO's program is made anew when the weights
# change, and torch does not say so of what was made in its inference mode.
@torch.inference_mode(mode=False)
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
    card, file = read_card(path), model_file(path)
    _check_shapes(file, card)
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise _unreadable(file, error) from error
    for name, values in tensors.items():
        if not bool(torch.isfinite(values).all()):
            raise ModelError(f"{file}: its weights {name} are not finite; choose another model")
    unet = UNet(card.network, initialise=False).to_empty(device="cpu")
    unet.load_state_dict(tensors)
    unet.eval().requires_grad_(False)
    unet.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(unet=unet, card=card, path=file)


_WEIGHT_TYPES = {"F16", "F32"}
"""Models that come with the package are stored at half the size."""


def _check_shapes(file: Path, card: ModelCard) -> None:
    """Refuse weights that do not fit the description, before memory is taken for either."""
    unet = UNet(card.network, initialise=False)
    wanted = {name: list(tensor.shape) for name, tensor in unet.state_dict().items()}
    try:
        with safe_open(file, framework="pt") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            found = {name: part.get_shape() for name, part in slices.items()}
            types = {part.get_dtype() for part in slices.values()}
    except (SafetensorError, OSError) as error:
        raise _unreadable(file, error) from error
    if found != wanted or not types <= _WEIGHT_TYPES:
        raise ModelError(
            f"{file}: the weights do not fit the network that the file describes; train again or "
            "take another model"
        )


def _unreadable(file: Path, error: Exception) -> ModelError:
    return ModelError(f"{file} is not a readable safetensors file ({error}); choose another model")


def save_last(path: Path, state: Mapping[str, Any]) -> None:
    """Write the state of a training (tensors, numbers, strings, lists, dicts), atomically."""
    write_bytes(path, state_bytes(state))


def state_bytes(state: Mapping[str, Any]) -> bytes:
    """Return what `save_last` writes."""
    # torch, writing to a file, prints into the terminal and names no file when the disk is full.
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


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
