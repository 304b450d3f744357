"""Which frame the mask of a layer was made on."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from napari.layers import Labels

from bracketseg._napari.layers.provenance import provenance_of
from bracketseg.errors import LabelingError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.saved_scene import other_frame

if TYPE_CHECKING:
    from bracketseg.brackets.bracket import MaskRole


def made_on_other(layer: Labels, file: Path | None) -> str:
    """Name the frame that the mask of a layer was made on, if it is known to be another one.

    Parameters
    ----------
    layer : Labels
        It says so itself, or the labelling that its file lies in does.
    file : Path or None
        The frame that plays its role now; None for what was never on a disk.

    Returns
    -------
    str
        Its file's name; empty where it is this frame, or nobody knows.
    """
    ours = provenance_of(layer.metadata)
    if ours is None or file is None:
        return ""
    if "path" in ours:
        with suppress(LabelingError):
            labeling = LabelingFolder.open(Path(ours["path"]).parent)
            return other_frame(labeling, ours["scene"], cast("MaskRole", ours["role"]), file)
    made_on = Path(ours.get("frame", file))
    return "" if made_on == file else made_on.name
