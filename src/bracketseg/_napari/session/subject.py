"""The scene that is being labelled: its name and its frames."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import ShownFrame, scene_of, shown_frame
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import FrameError


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """What is being labelled.

    Attributes
    ----------
    scene : str
        Its name in file names; each slice of a stack is a scene.
    title : str
        Its name in the names of layers; all slices of a stack share it.
    frames : mapping of role to ShownFrame
        One role or both, of one size.
    """

    scene: str
    title: str
    frames: Mapping[MaskRole, ShownFrame]

    @property
    def lumas(self) -> dict[MaskRole, NDArray[np.uint8]]:
        """(H, W) uint8 of each role."""
        return {role: frame.luma for role, frame in self.frames.items()}

    @property
    def index(self) -> tuple[int, ...]:
        """The slice of a stack; empty for single pictures."""
        return next(iter(self.frames.values())).index

    def scene_at(self, index: tuple[int, ...]) -> str:
        """Name the scene of another slice of the same stack."""
        return scene_of([frame.layer for frame in self.frames.values()], index)


def subject_of(images: Mapping[MaskRole, Image], viewer: ViewerModel) -> Subject:
    """Read what is shown of the images that were chosen.

    Parameters
    ----------
    images : mapping of role to Image
        One or both.
    viewer : ViewerModel
        Its sliders tell which slice of a stack.

    Raises
    ------
    FrameError
        If the values of an image cannot be used, or the two are of different sizes.
    """
    frames = {role: shown_frame(images[role], viewer) for role in MASK_ROLES if role in images}
    if len({(frame.luma.shape, frame.index) for frame in frames.values()}) > 1:
        sizes = " and ".join(
            f"{frame.layer.name} is {' x '.join(map(str, frame.layer.data.shape))}"
            for frame in frames.values()
        )
        raise FrameError(f"{sizes}: they do not fit together. Choose two pictures of one size.")
    chosen = [frame.layer for frame in frames.values()]
    index = next(iter(frames.values())).index
    return Subject(scene=scene_of(chosen, index), title=scene_of(chosen), frames=frames)
