"""Where an image lies and what shape it has, for the layers that are made from it."""

from typing import Any

import numpy as np
from napari.layers import Image, Layer
from napari.utils.transforms import Affine


def shape_of(image: Image) -> tuple[int, ...]:
    """Give the shape of an image without its colours, at full resolution."""
    data = image.data[0] if image.multiscale else image.data
    return tuple(data.shape[: image.ndim])


def place_of(image: Image) -> dict[str, Any]:
    """Say where an image lies, to pass to a new layer; of a stack all axes are taken."""
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    return {name: getattr(image, name) for name in names}


def put_over(layer: Layer, image: Image) -> None:
    """Move a layer to where an image lies."""
    _set(layer, place_of(image))


def lay_on(layer: Layer, image: Image) -> None:
    """Move a layer that was made from an image to where that lies now.

    A picture of one slice of a stack lies on the slice's two axes.
    """
    if layer.ndim == image.ndim:
        put_over(layer, image)
        return
    for name in ("scale", "translate"):
        value = np.concatenate([getattr(layer, name)[:-2], getattr(image, name)[-2:]])
        _set(layer, {name: value})


def _set(layer: Layer, place: dict[str, Any]) -> None:
    for name, value in place.items():
        # Each that is set has the window draw its list of layers anew.
        if not _same(getattr(layer, name), value):
            setattr(layer, name, value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Affine) and isinstance(other, Affine):
        one, other = one.affine_matrix, other.affine_matrix
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else bool(one == other)
