"""What a network is made of and how it is trained, as frozen, validated settings.

This module imports no torch, so that a form or a command line can be made from
it without waiting for torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bracketseg.brackets.bracket import MaskRole

Loss = Literal["bce", "focal", "dice-bce"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Scale = Literal["train", "full"]
UsedEngine = Literal["torch", "openvino"]
Engine = Literal["auto", UsedEngine]

LOSSES: tuple[Loss, ...] = get_args(Loss)
"""The names of the losses, in the order of the paper's tables."""

SIZE_STEP = 16
"""An image size is a multiple of this: the network of the paper halves it four times."""


LARGEST_IMAGE = 8192
"""Side in pixels of the largest images that a network learns from."""


def _check_filters(filters: tuple[int, ...]) -> tuple[int, ...]:
    if any(n < 1 or n > 4096 for n in filters):
        raise ValueError("each number of filters must lie between 1 and 4096")
    return filters


Filters = Annotated[tuple[int, ...], AfterValidator(_check_filters)]


Device = Annotated[
    str,
    Field(
        pattern=r"^(auto|cpu|mps|cuda|cuda:\d+)$",
        description="auto (the best there is), cpu, cuda, cuda:N or mps.",
    ),
]


class _Config(BaseModel):
    """Frozen, keyword-only settings that refuse names they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NetworkConfig(_Config):
    """The shape of a U-Net (section 2.2 of the paper).

    The defaults are the paper's network for RGB, which has 2,158,705 parameters.
    """

    in_channels: int = Field(default=3, ge=1, le=64, description="Channels of the input image.")
    filters: Filters = Field(
        default=(16, 32, 64, 128, 256),
        min_length=1,
        max_length=8,
        description="Filters of each encoder block, from full resolution downwards.",
    )
    dropout: float = Field(
        default=0.1, ge=0.0, lt=1.0, description="Fraction of activations dropped in training."
    )


class TrainConfig(_Config):
    """One training; the defaults are those of section 3.4 of the paper.

    Where the paper says nothing (dropout, validation split of unseen scenes, seed,
    augmentation, device) the project decides.
    """

    role: MaskRole = Field(
        default="low", description="The exposure to learn: the dark one (low) or the bright (high)."
    )
    loss: Loss = Field(
        default="bce",
        description="Binary cross-entropy (eq. 1), focal (eq. 2) or Dice + cross-entropy (eq. 4).",
    )
    epochs: int = Field(
        default=50, ge=1, le=100_000, description="Passes over all training images."
    )
    batch_size: int = Field(
        default=32, ge=1, le=4096, description="Images in one step; fewer take less memory."
    )
    image_size: int = Field(
        default=512,
        ge=SIZE_STEP,
        le=LARGEST_IMAGE,
        multiple_of=SIZE_STEP,
        description="Side in pixels to which each image is resized; a multiple of 16.",
    )
    learning_rate: float = Field(
        default=1e-3, gt=0.0, le=1.0, description="Step size of the Adam optimiser."
    )
    dropout: float = Field(
        default=0.1, ge=0.0, lt=1.0, description="Fraction of activations dropped in training."
    )
    validation: float = Field(
        default=0.15,
        gt=0.0,
        lt=1.0,
        description="Fraction of the scenes kept back to choose the best epoch.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Fixes the split, the first weights, the order of the images and the dropout.",
    )
    augment: bool = Field(
        default=True, description="Show the images flipped and turned by quarter turns."
    )
    filters: Filters = Field(
        default=(16, 32, 64, 128, 256),
        min_length=1,
        max_length=8,
        description="Filters of each encoder block, from full resolution downwards.",
    )
    device: Device = "auto"
    precision: Precision = Field(
        default="auto",
        description="Number format of the network's arithmetic; auto takes what the device is "
        "fast in.",
    )

    @property
    def network(self) -> NetworkConfig:
        """The network that this training makes, for RGB images."""
        return NetworkConfig(in_channels=3, filters=self.filters, dropout=self.dropout)

    def fixed(self) -> dict[str, Any]:
        """Return the settings that decide the result, as JSON values.

        A run can be resumed with another number of epochs and on another device or
        in another precision, so those three are left out.
        """
        return self.model_dump(mode="json", exclude={"epochs", "device", "precision"})


class PredictConfig(_Config):
    """How masks are predicted."""

    threshold: float = Field(
        default=0.5, ge=0.0, le=1.0, description="Probabilities at or above it are foreground."
    )
    scale: Scale = Field(
        default="full",
        description="Show the network the frame at its training size (fast) or at full "
        "resolution (better masks).",
    )
    probability: bool = Field(
        default=False, description="Also write the probabilities, as 16-bit PNG."
    )
    device: Device = "auto"
    precision: Precision = Field(
        default="auto",
        description="Number format of the network's arithmetic; auto takes what the device is "
        "fast in, which changes less than 0.1 % of the pixels.",
    )
    engine: Engine = Field(
        default="auto",
        description="What calculates: auto takes OpenVINO on a CPU where it is installed, else "
        "torch.",
    )
