"""What a worker can be asked to do, and what it answers beside the events of learning.

This module imports no torch: it is the half that the window knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.bracket import MaskRole
    from bracketseg.learning.config import PredictConfig, TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDevices:
    """Answered by one :class:`DevicesListed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Answered by the events of `bracketseg.learning.training.train`.

    Attributes
    ----------
    path : Path
        A folder of brackets.
    masks : Path
        A labelling of them.
    config : TrainConfig
    out : Path
        The run folder.
    resume : bool
        Go on with the run in `out`.
    """

    path: Path
    masks: Path
    config: TrainConfig
    out: Path
    resume: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictFolder:
    """Answered by the events of `bracketseg.learning.predict_folder.predict_brackets`.

    Attributes
    ----------
    path : Path
        A folder of brackets.
    models : mapping of role to Path
        A run or model file for each role that is to be predicted.
    out : Path
        The labelling folder.
    config : PredictConfig
    align : {"off", "shift", "homography"}
        As of `bracketseg.learning.predict_folder.predict_brackets`.
    overwrite : bool
        Replace masks that were made in another way.
    """

    path: Path
    models: Mapping[MaskRole, Path]
    out: Path
    config: PredictConfig
    align: AlignMethod = "off"
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictFrames:
    """Answered by a :class:`FramePredicted` for each frame, low before high.

    Attributes
    ----------
    frames : mapping of role to (H, W) or (H, W, 3) uint8, uint16 or float array
        Display-referred pictures, as `bracketseg.learning.prediction.predict_probability`
        takes them.
    models : mapping of role to Path
        A run or model file for each of these roles.
    config : PredictConfig
        Its threshold is left to whoever gets the probabilities.
    """

    frames: Mapping[MaskRole, NDArray[np.generic]]
    models: Mapping[MaskRole, Path]
    config: PredictConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Answered by the events of `bracketseg.report.writing.write_report`.

    Validation scenes that a run has not predicted at full resolution yet are predicted
    first, each answered by a ScenePredicted or SceneFailed.

    Attributes
    ----------
    path : Path or None
        The folder of brackets that the runs were trained on; without it nothing is predicted,
        and the report has no pictures.
    runs : Path
        A folder of runs.
    out : Path
        The folder for the report.
    """

    path: Path | None
    runs: Path
    out: Path


Request: TypeAlias = "ListDevices | Train | PredictFolder | PredictFrames | Report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The first answer to each request: torch is imported, and the work begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesListed:
    """The devices of this machine, the fastest kind first.

    Attributes
    ----------
    devices : tuple of (str, str)
        The name that a config takes, and what a person calls it.
    """

    devices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePredicted:
    """What a network says of one frame.

    Attributes
    ----------
    role : {"low", "high"}
    probability : (H, W) float32, 0..1
    seconds : float
        What the network took.
    model_sha256 : str
        Of the weights file that was read.
    loss : str
        That the model was trained with.
    """

    role: MaskRole
    probability: NDArray[np.float32]
    seconds: float
    model_sha256: str
    loss: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The last answer to a request that could not be fulfilled.

    Attributes
    ----------
    error : BracketSegError
    """

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The last answer to a request that was fulfilled, or stopped on demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Sent while a request is worked on: end it after the step in hand."""
