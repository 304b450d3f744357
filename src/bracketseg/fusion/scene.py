"""A bracket and its masks read from the disk, ready to be fused."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, Frame, MaskRole
from bracketseg.brackets.masks import ghosts_name, mask_name, read_mask
from bracketseg.errors import FrameError, LabelingError
from bracketseg.fusion.config import FusionConfig
from bracketseg.fusion.exposures import Exposures, Weight
from bracketseg.fusion.laid_frames import LaidFrames, lay_frames
from bracketseg.fusion.masks_of_scene import weight_of
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.saved_scene import refuse_other_frame


def read_scene(
    bracket: Bracket, labels: LabelingFolder, config: FusionConfig
) -> tuple[LaidFrames, Exposures]:
    """Read the frames that play a role, and their masks.

    Parameters
    ----------
    bracket : Bracket
    labels : LabelingFolder
        Masks of its low and its high frame.
    config : FusionConfig

    Returns
    -------
    LaidFrames
    Exposures
        The same with the masks; in the pixels of the medium frame, or, where there is none, of
        the low one.

    Raises
    ------
    FrameError
        If a frame cannot be read, or the frames are of different sizes.
    LabelingError
        If a mask is missing, does not fit its frame or was made on another one, or the ghost map
        is missing.
    """
    frames = tuple(bracket.roles.values())
    images = {frame: frame.read() for frame in frames}
    weights = {role: _weight(bracket, labels, role, images) for role in MASK_ROLES}
    try:
        laid = lay_frames(
            tuple(images.values()),
            [frame.ev for frame in frames],
            method=config.align,
            deghost=config.deghost,
            ghosts=_map_in(config, bracket.scene, images[frames[0]].shape[:2]),
        )
        return laid, laid.exposures(weights["low"], weights["high"])
    except FrameError as error:
        raise FrameError(f"{bracket.folder}: scene {bracket.scene}: {error}") from error


def _weight(
    bracket: Bracket,
    labels: LabelingFolder,
    role: MaskRole,
    images: dict[Frame, NDArray[Any]],
) -> Weight:
    frame = bracket.frame(role)
    weight = weight_of(labels, bracket.scene, role)
    refuse_other_frame(labels, bracket.scene, role, frame.path)
    shape = images[frame].shape[:2]
    if weight.shape != shape:
        raise LabelingError(
            f"{labels.path / mask_name(bracket.scene, role)}: is {weight.shape}, but its frame "
            f"{frame.path.name} is {shape} (rows, columns); label this scene again"
        )
    return weight


def _map_in(config: FusionConfig, scene: str, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    if config.ghosts is None:
        return None
    path = config.ghosts / ghosts_name(scene)
    if not path.is_file():
        raise LabelingError(
            f"{path}: is missing; make it with `bracketseg ghosts`, or have it found with --deghost"
        )
    found = read_mask(path)
    if found.shape != shape:
        raise LabelingError(
            f"{path}: is {found.shape}, but the frames are {shape} (rows, columns); make it of "
            "these frames with `bracketseg ghosts`"
        )
    return found
