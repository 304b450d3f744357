"""What is fused: the pixels of the frames that are chosen, and what is known of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray

from bracketseg._napari.layers.frames import frame_layers, index_of, scene_of, slice_of
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
        Its name in file names; each slice of a stack is a scene.
    title : str
        Its name in the names of layers; all slices of a stack share it.
    index : tuple of int
        The slice of a stack; empty for pictures.
    layers : tuple of Image
        Low, medium (where there is one) and high.
    sources : tuple of object
        What they held when they were chosen.
    frames : tuple of Frame
        What is known of each.
    evs_known : bool
        Whether their exposure values come from a file.
    """

    scene: str
    title: str
    index: tuple[int, ...]
    layers: tuple[Image, ...]
    sources: tuple[object, ...]
    readers: tuple[Callable[[], NDArray[Any]], ...]
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
            and [id(source) for source in self.sources] == [id(s) for s in other.sources]
        )

    def pixels(self) -> tuple[NDArray[Any], ...]:
        """Read what the layers held, (H, W) or (H, W, 3) each, in any thread."""
        planes = (read() for read in self.readers)
        return tuple(
            plane[..., :3] if layer.rgb else plane
            for plane, layer in zip(planes, self.layers, strict=True)
        )


def material_of(
    choice: FrameChoice, images: Sequence[Image], viewer: ViewerModel
) -> Material | str:
    """Gather what is chosen; or say in words what is missing.

    Parameters
    ----------
    choice : FrameChoice
    images : sequence of Image
        All that are open, bottom to top.
    viewer : ViewerModel
        Its sliders tell which slice of a stack.
    """
    low, high = choice.images.get("low"), choice.images.get("high")
    if low is None or high is None or low is high:
        return "Open a bracket first: its dark and its bright frame, with their masks."
    if shape_of(low) != shape_of(high):
        return f"{low.name} and {high.name} are of different sizes. Open frames of one size."
    index = index_of(low, viewer)
    medium = _medium(low, high, images)
    layers = (low, high) if medium is None else (low, medium, high)
    frames, known = [], True
    for layer, ev in zip(layers, _USUAL[len(layers)], strict=True):
        ours = provenance_of(layer.metadata)
        known &= ours is not None and ours.get("ev_source") in ("exif", "sidecar")
        frames.append(_frame(layer, ours, ev))
    return Material(
        scene=scene_of([low, high], index),
        title=scene_of([low, high]),
        index=index,
        layers=layers,
        sources=tuple(_source(layer) for layer in layers),
        readers=tuple(slice_of(layer, index) for layer in layers),
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


def _source(layer: Image) -> object:
    return layer.data[0] if layer.multiscale else layer.data
