"""Image layers as frames: which of them can be labelled, and the luma of what they show."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy.typing import NDArray

from bracketseg._napari.layers.pixel_lumas import dense_luma, kept_luma
from bracketseg._napari.layers.provenance import provenance_of
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import FrameError

_ROLE_WORDS: dict[MaskRole, frozenset[str]] = {
    "low": frozenset({"low", "short", "dark", "under", "underexposed"}),
    "high": frozenset({"high", "long", "bright", "over", "overexposed"}),
}
_WORDS = re.compile(r"[A-Za-z]+|\d+")
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_SAMPLE = 64


@dataclass(frozen=True, kw_only=True)
class ShownFrame:
    """What an Image layer shows of itself at the viewer's sliders.

    Attributes
    ----------
    layer : Image
    index : tuple of int
        Position on the axes before the picture's two; empty for a single picture.
    luma : (H, W) uint8
    name : str
        Of the layer or its file, as it was then: layers are filled with other scenes.
    file : Path or None
        What it was read from.
    """

    layer: Image
    index: tuple[int, ...]
    luma: NDArray[np.uint8]
    name: str
    file: Path | None

    @property
    def called(self) -> str:
        """What a person calls it: its file, or the layer where there is none."""
        return self.file.name if self.file is not None else self.name


def frame_layers(layers: Iterable[Layer]) -> list[Image]:
    """List the Image layers that can be labelled, bottom to top.

    Probabilities are no pictures, and a picture has at least two axes.
    """
    found = []
    for layer in layers:
        ours = provenance_of(layer.metadata)
        if isinstance(layer, Image) and layer.ndim >= 2 and (not ours or ours["kind"] == "frame"):
            found.append(layer)
    return found


def guess_roles(images: Sequence[Image]) -> dict[MaskRole, Image]:
    """Tell which of the open images is the dark and which the bright one.

    What a layer says of itself counts first, then a word in its name (low, short, dark;
    high, long, bright), then the brightness: the darkest and the brightest image.

    Parameters
    ----------
    images : sequence of Image
        Bottom to top; of several alike the topmost is taken.

    Returns
    -------
    dict of role to Image
        Both roles, or `low` alone where there is a single image; empty without any.
    """
    found: dict[MaskRole, Image] = {}
    for role in MASK_ROLES:
        named = [image for image in images if _says(image, role)]
        if named:
            found[role] = named[-1]
    # Frames of two scenes are not one bracket: those of the topmost one belong together.
    scenes = {role: scene_of([image]) for role, image in found.items()}
    if len(set(scenes.values())) > 1:
        top = max(found.values(), key=images.index)
        found = {
            role: next((i for i in reversed(images) if _says(i, role) and _same(i, top)), image)
            for role, image in found.items()
        }
    left = [image for image in images if image not in found.values()]
    by_brightness = sorted(left, key=_brightness) if len(found) < len(MASK_ROLES) else []
    if "low" not in found and by_brightness:
        found["low"] = by_brightness.pop(0)
    if "high" not in found and by_brightness:
        found["high"] = by_brightness.pop()
    return found


def scene_of(images: Sequence[Image], index: tuple[int, ...] = ()) -> str:
    """Name the scene that images belong to, as a part of file names.

    Parameters
    ----------
    images : sequence of Image
        One, or the dark and the bright one.
    index : tuple of int
        Slice of a stack; it becomes part of the name, as each slice is a scene.

    Returns
    -------
    str
        What the layers say themselves, or what their names have in common without the
        word for the role.
    """
    ours = provenance_of(images[0].metadata)
    names = [ours["scene"]] if ours else [_without_role(image.name) for image in images]
    name = _UNSAFE.sub("_", names[0]).strip(" .") or "scene"
    return "_".join([name, *(f"{position:04d}" for position in index)])


def source_of(image: Image) -> Path | None:
    """Give the file that a layer was read from; None for what was never on a disk.

    One of our own frames keeps its file where that has vanished.
    """
    ours = provenance_of(image.metadata)
    if ours is not None:
        return Path(ours["path"]) if "path" in ours else None
    path = Path(image.source.path) if image.source.path else None
    return path if path is not None and path.is_file() else None


def index_of(image: Image, viewer: ViewerModel) -> tuple[int, ...]:
    """Give the slice of a layer that the viewer's sliders stand at.

    Returns
    -------
    tuple of int
        One for each axis before the picture's two.
    """
    leading = image.ndim - 2
    if leading == 0:
        return ()
    point = image.world_to_data(viewer.dims.point)
    shape = _pixels(image).shape
    return tuple(int(np.clip(round(point[i]), 0, shape[i] - 1)) for i in range(leading))


def shown_frame(image: Image, viewer: ViewerModel) -> ShownFrame:
    """Read the luma of the slice that is shown.

    Raises
    ------
    FrameError
        If its values cannot be used; the message names the layer.
    """
    index = index_of(image, viewer)
    values = kept_luma(_pixels(image))
    try:
        if values is None or index:
            values = dense_luma(slice_of(image, index)())
    except FrameError as error:
        raise FrameError(f"{image.name}: {error}") from error
    return ShownFrame(layer=image, index=index, luma=values, name=image.name, file=source_of(image))


def slice_of(image: Image, index: tuple[int, ...]) -> Callable[[], NDArray[Any]]:
    """Give a function that reads the pixels of a slice, in any thread.

    It reads what the layer holds now, also once the layer has been filled with another scene.
    """
    pixels = _pixels(image)

    def read() -> NDArray[Any]:
        values = np.asarray(pixels[index])
        return values.astype(np.uint8) * np.uint8(255) if values.dtype == np.bool_ else values

    return read


def pixel_at(image: Image, position: Sequence[float]) -> tuple[int, int]:
    """Give row and column of a layer under a position in world coordinates."""
    row, column = image.world_to_data(position)[-2:]
    return round(float(row)), round(float(column))


def _pixels(image: Image) -> Any:
    return image.data[0] if image.multiscale else image.data


def _says(image: Image, role: MaskRole) -> bool:
    ours = provenance_of(image.metadata)
    if ours is not None:
        return ours["role"] == role
    return bool(_ROLE_WORDS[role] & {word.lower() for word in _WORDS.findall(image.name)})


def _same(image: Image, other: Image) -> bool:
    return scene_of([image]) == scene_of([other])


def _without_role(name: str) -> str:
    roles = _ROLE_WORDS["low"] | _ROLE_WORDS["high"]
    kept = _WORDS.sub(lambda word: "" if word[0].lower() in roles else word[0], name)
    return kept.strip(" _-.") or name


def _brightness(image: Image) -> float:
    """Mean of a sample of the first slice, relative to the white of its type."""
    pixels = _pixels(image)
    plane = pixels[(0,) * (image.ndim - 2)]
    rows, columns = (max(1, size // _SAMPLE) for size in plane.shape[:2])
    sample = np.asarray(plane[::rows, ::columns])
    if image.rgb:
        sample = sample[..., :3]
    white = np.iinfo(sample.dtype).max if sample.dtype.kind in "ui" else 1
    return float(sample.mean()) / white
