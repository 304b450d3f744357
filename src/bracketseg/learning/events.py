"""What a training, a comparison or a prediction reports; this module imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.errors import BracketSegError
    from bracketseg.evaluation.metrics import Metrics
    from bracketseg.labeling.records import SceneRecord
    from bracketseg.learning.config import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The training can start; nothing has been read yet.

    Attributes
    ----------
    scenes
        Scenes that have a frame and a mask of the role.
    cache_bytes
        Main memory that their resized images and masks will take.
    memory_bytes
        The most memory that the training will take, estimated: that of the process on the
        CPU, and on another device what lies there.
    device, device_name
        As torch calls it (``cuda:0``), and as a person does.
    precision
        ``float32``, ``bfloat16`` or ``float16``.
    parameters
        Number of weights of the network.
    """

    scenes: int
    cache_bytes: int
    memory_bytes: int
    device: str
    device_name: str
    precision: str
    parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCached:
    """A scene was read, or found unusable; `done` of `total` scenes are through."""

    scene: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedScene:
    """A scene that cannot take part, and the reason with what to do about it.

    Attributes
    ----------
    scene
        Its name.
    reason
        For a person to read.
    broken
        Whether something is wrong with its files; else it just has no mask of the role.
    """

    scene: str
    reason: str
    broken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenesSkipped:
    """All scenes that are left out; reported once, if there are any."""

    scenes: tuple[SkippedScene, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """Images and masks are in memory and split; no file is read from here on.

    Attributes
    ----------
    train, validation
        The scenes of each side.
    bytes
        Main memory that they take.
    rethresholded
        Scenes whose mask was made anew from the resized image by the rule on record;
        the masks of the others were resized.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    bytes: int
    rethresholded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """How long the epochs to come will take, about; not told of a short training.

    Attributes
    ----------
    seconds
        From here to the end.
    """

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """The training goes on, but a person should know this."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """A batch does not fit into memory at once: from here on it is learned in parts.

    Their gradients are added up, so that the batch is learned as if it were whole.

    Attributes
    ----------
    images
        The most images in one part.
    batch_size
        Images in a batch, as before.
    """

    images: int
    batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """One batch was learned.

    Attributes
    ----------
    epoch, epochs, step, steps
        All from 1.
    loss
        Of this batch, before its weights were changed.
    images_per_second
        Over the steps of this epoch, without what the receiver of the events does.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    images_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochDone:
    """All training images were learned once and the validation scenes looked at.

    Attributes
    ----------
    epoch, epochs
        From 1.
    train_loss, validation_loss
        Means over the images.
    validation_dice, validation_jaccard
        Means over the scenes, at the training size.
    seconds
        What the epoch took, validation included.
    best
        Whether its Dice is above that of every epoch before; at a tie the earlier epoch
        stays the best.
    validation_foreground
        The predicted share of foreground, 0 to 1: mean over the scenes.
    """

    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    validation_dice: float
    validation_jaccard: float
    seconds: float
    best: bool
    validation_foreground: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExamplesSeen:
    """What the network says of the first validation scenes; about 20 times in a training.

    The scenes, their images and their masks are the same each time.

    Attributes
    ----------
    epoch
        From 1; the probabilities are those of its end.
    scenes
        Their names, at most 4.
    images : (N, S, S, 3) uint8
        What the network sees; S is the training size, or up to 512 where that is larger.
    masks : (N, S, S) bool
        Their ground truth.
    probabilities : (N, S, S) uint8
        Of foreground, 0 to 255.
    """

    epoch: int
    scenes: tuple[str, ...]
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    probabilities: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed:
    """The state was saved: `epoch` epochs and `step` steps of the next one are done."""

    path: Path
    epoch: int
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The training was asked to stop, and did; `epoch` and `step` are as in Checkpointed.

    Attributes
    ----------
    resumable
        Whether the run folder holds a state to go on from. It does not if the training
        was stopped while the images were read for the first time.
    """

    run: Path
    epoch: int
    step: int
    resumable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All epochs are done.

    Attributes
    ----------
    run
        The run folder.
    best_epoch
        The epoch, from 1, whose weights are in ``best.safetensors``.
    metrics
        Means over the validation scenes, at the training size, of these weights.
    """

    run: Path
    best_epoch: int
    metrics: Metrics


TrainEvent = (
    Planned
    | SceneCached
    | ScenesSkipped
    | Cached
    | Estimated
    | Warned
    | MicroBatch
    | StepDone
    | EpochDone
    | ExamplesSeen
    | Checkpointed
    | Stopped
    | Finished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """One of the trainings begins.

    Attributes
    ----------
    role : {"low", "high"}
    loss : {"bce", "focal", "dice-bce"}
    seed : int
    index, total : int
        This is training number `index` of `total`, counted from 1.
    """

    role: MaskRole
    loss: Loss
    seed: int
    index: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """One of the trainings broke on its way; the others go on.

    Attributes
    ----------
    run : Path
    error : BracketSegError
    """

    run: Path
    error: BracketSegError


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a prediction will take, about; not told of a short one.

    Attributes
    ----------
    frames
        All of them.
    seconds
        One frame after the other.
    memory_bytes
        Of the process, at its most; None where the network is not on the CPU.
    """

    frames: int
    seconds: float
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePredicted:
    """The masks of one scene, and its probabilities where asked for, are on disk.

    Attributes
    ----------
    scene : str
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    seconds : float
        From reading its frames to its last file.
    foreground : mapping of role to float
        Fraction of the frame, 0..1, that the mask covers.
    record : SceneRecord
        As it stands beside the masks.
    """

    scene: str
    index: int
    total: int
    seconds: float
    foreground: Mapping[MaskRole, float]
    record: SceneRecord
