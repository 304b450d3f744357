"""What is not written over without asking: others' labellings, and what a person did."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.masks import find_masks, read_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Origin


def refuse_other_way(path: Path, info: LabelingInfo, there: LabelingInfo | None) -> None:
    """Refuse to write into a folder of masks that were made in another way.

    Parameters
    ----------
    path : Path
    info : LabelingInfo
        How masks are about to be made.
    there : LabelingInfo or None
        How those were made that are there; None where nothing is known.

    Raises
    ------
    LabelingError
        If the two do not agree.
    """
    if there is None:
        if find_masks(path):
            raise LabelingError(
                f"{path}: holds masks that were not made here. Write to another folder, or "
                "ask for them to be overwritten (--overwrite)."
            )
    elif not info.same_way(there):
        who = f" by {there.annotator}" if there.annotator else ""
        raise LabelingError(
            f"{path}: holds a labelling made in another way ({there.method}{who}). Write to "
            "another folder, or ask for it to be overwritten (--overwrite)."
        )


def refuse_edited(
    path: Path,
    mask: NDArray[np.bool_],
    origin: Origin,
    old: MaskRecord | None,
    *,
    as_recorded: bool,
    painted: bool,
    revise: bool,
) -> None:
    """Refuse to replace a mask that a person, or another program, worked on.

    Parameters
    ----------
    path : Path
        The mask that is there.
    mask : (H, W) bool
        What is about to be written.
    origin : Origin
        How it was made.
    old : MaskRecord or None
        How the mask was made that is there, as far as the record of the scene says.
    as_recorded : bool
        Whether the file is the very one that `old` speaks of.
    painted : bool
        Whether there are strokes of a person beside it.
    revise : bool
        Whether the person whose labelling this is changes it.

    Raises
    ------
    LabelingError
        If the mask that is there is to be kept.
    """
    # A save that was cut short left the mask, but no record of it.
    if not as_recorded and not holds_mask(path, mask):
        reason = "was made or corrected by hand in another program"
    elif revise:
        return
    elif painted or (old is not None and old.edited_pixels):
        reason = "was corrected by hand"
    elif old is not None and old.origin != origin:
        reason = "was made by a rule of its own"
    else:
        return
    raise LabelingError(
        f"{path}: this mask {reason} and is kept. Write to another folder, or ask for "
        "it to be overwritten (--overwrite)."
    )


def holds_mask(path: Path, mask: NDArray[np.bool_]) -> bool:
    """Whether a file has the very pixels of a mask; False also where it cannot be read."""
    try:
        return np.array_equal(read_mask(path), mask)
    except LabelingError:
        return False
