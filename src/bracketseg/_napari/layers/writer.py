"""Save a Labels layer as a mask."""

from pathlib import Path
from typing import Any

import numpy as np
from napari.utils.notifications import show_warning
from numpy.typing import NDArray

from bracketseg._napari.layers.provenance import provenance_of
from bracketseg.brackets import masks
from bracketseg.errors import LabelingError

_TIFF_SUFFIXES = (".tif", ".tiff")


def write_mask(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one Labels layer as a PNG or TIFF of 0 and 255; every label but 0 is foreground.

    Parameters
    ----------
    path : str
        Without a suffix it becomes a PNG, which must not exist yet: the save dialog asks
        about the name that was typed, not about the one with the suffix.
    data : (H, W) array of integers
        `layer.data`.
    attributes : dict
        The layer's name, metadata and the like, as napari hands them over.

    Returns
    -------
    list of str
        The path that was written.

    Raises
    ------
    LabelingError
        If the data are no single picture, hold several labels that a TIFF by napari's own
        writer would keep apart, or the file cannot be written.
    """
    name = attributes["name"]
    labels = np.asarray(data)
    if labels.ndim != 2:
        raise LabelingError(
            f"{name}: has {labels.ndim} axes of shape {labels.shape}, and a mask is one picture "
            "of (height, width). Make a Labels layer of one slice, as in "
            "viewer.add_labels(layer.data[0]), and save that."
        )
    target = Path(path)
    if not target.suffix:
        target = Path(f"{path}.png")
        if target.exists():
            raise LabelingError(f"{target}: exists. To replace it, type its whole name.")
    merges = provenance_of(attributes.get("metadata", {})) is None and _holds_several(labels)
    if merges and target.suffix.lower() in _TIFF_SUFFIXES:
        # For a TIFF napari may choose this writer by itself in place of its own, and the
        # numbers of somebody's cells would be lost.
        raise LabelingError(
            f"{name}: holds several labels, and a mask keeps none of them apart. To keep "
            "them, save with napari's own writer: 'napari builtins labels' in the save "
            "dialog, or plugin='napari'. To save them as one mask, choose a PNG."
        )
    masks.write_mask(target, labels != 0)
    if merges:
        show_warning(f"{name}: its labels were saved as one foreground in {target.name}.")
    return [str(target)]


def _holds_several(labels: NDArray[np.integer[Any]]) -> bool:
    foreground = labels[labels != 0]
    return foreground.size > 0 and bool(foreground.min() != foreground.max())
