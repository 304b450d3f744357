"""What is fused: the pixels of the frames that are chosen, and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import frame_layers, scene_of
from bracketseg._napari.layers.picture_place import shape_of
from bracketseg._napari.layers.provenance import Provenance, find_layer, provenance_of
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg.brackets.bracket import Frame
from bracketseg.brackets.exposure import Exposure

_USUAL = {2: (-1.0, 1.0), 3: (-2.0, 0.0, 2.0)}
"""Exposure values where no layer tells them; they are measured, and this is the beginning."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """The frames of one bracket that are open.

    Attributes
    ----------
    scene : str
    layers : tuple of Image
        Low, medium (where there is one) and high.
    pixels : tuple of array
        What they hold, without alpha.
    frames : tuple of Frame
        What is known of each.
    evs_known : bool
        Whether their exposure values come from a file.
    """

    scene: str
    layers: tuple[Image, ...]
    pixels: tuple[NDArray[Any], ...]
    frames: tuple[Frame, ...]
    evs_known: bool

    @property
    def base(self) -> Image:
        """The layer that the fused picture lies on."""
        return self.layers[1] if len(self.layers) == 3 else self.layers[0]

    def same(self, other: "Material | None") -> bool:
        """Whether both are of the same pixels."""
        return (
            other is not None
            and self.scene == other.scene
            and [id(data) for data in self.data] == [id(data) for data in other.data]
        )

    @property
    def data(self) -> list[object]:
        """The arrays of the layers, of which `pixels` are a part."""
        return [pixels if pixels.base is None else pixels.base for pixels in self.pixels]


def material_of(choice: FrameChoice, images: Sequence[Image]) -> Material | str:
    """Gather what is chosen; or say in words what is missing.

    Parameters
    ----------
    choice : FrameChoice
    images : sequence of Image
        All that are open, bottom to top.
    """
    low, high = choice.images.get("low"), choice.images.get("high")
    if low is None or high is None or low is high:
        return "Open a bracket first: its dark and its bright frame, with their masks."
    if low.ndim > 2:
        return "These images are a stack. Fuse its slices from their files: bracketseg fuse."
    if shape_of(low) != shape_of(high):
        return f"{low.name} and {high.name} are of different sizes. Open frames of one size."
    scene = scene_of([low, high])
    medium = _medium(low, high, images)
    layers = (low, high) if medium is None else (low, medium, high)
    frames, known = [], True
    for layer, ev in zip(layers, _USUAL[len(layers)], strict=True):
        ours = provenance_of(layer.metadata)
        known &= ours is not None and ours.get("ev_source") in ("exif", "sidecar")
        frames.append(_frame(layer, ours, ev))
    return Material(
        scene=scene,
        layers=layers,
        pixels=tuple(_pixels(layer) for layer in layers),
        frames=tuple(frames),
        evs_known=known,
    )


def _frame(layer: Image, ours: Provenance | None, usual: float) -> Frame:
    if ours is None:
        return Frame(path=Path(layer.name), ev=usual)
    noted = ours.get("exposure", {})
    return Frame(
        path=Path(ours.get("path", layer.name)),
        ev=ours.get("ev", usual),
        exposure=Exposure(
            time=noted.get("time"), f_number=noted.get("f_number"), iso=noted.get("iso")
        ),
    )


def _medium(low: Image, high: Image, images: Sequence[Image]) -> Image | None:
    """Find the frame between: the one that says so, or the only other image of the size."""
    ours = provenance_of(low.metadata)
    if ours is not None:
        found = find_layer(images, "frame", ours["scene"], "medium")
        return found if isinstance(found, Image) and found not in (low, high) else None
    others = [
        image
        for image in frame_layers(images)
        if image not in (low, high)
        and shape_of(image) == shape_of(low)
        and provenance_of(image.metadata) is None
    ]
    return others[0] if len(others) == 1 else None


def _pixels(layer: Image) -> NDArray[Any]:
    data = np.asarray(layer.data[0] if layer.multiscale else layer.data)
    return data[..., :3] if layer.rgb else data
