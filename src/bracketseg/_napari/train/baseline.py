"""What a network has to beat: a mask that is the same everywhere."""

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

import numpy as np

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import read_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import dice
from bracketseg.labeling.mask_store import LabelingFolder


def dice_of_all_foreground(masks: Path, scenes: Iterable[str], role: MaskRole) -> float | None:
    """Mean Dice over some scenes of a mask that calls every pixel foreground.

    Parameters
    ----------
    masks : Path
        The labelling, whose masks are taken at their full size.
    scenes : iterable of str
        Those without a readable mask are left out.
    role : {"low", "high"}

    Returns
    -------
    float or None
        None without any mask.
    """
    found = LabelingFolder.open(masks).masks
    values = []
    for path in (found[scene, role] for scene in scenes if (scene, role) in found):
        try:
            mask = read_mask(path)
        except LabelingError:
            continue  # the training leaves it out, too, and says so
        values.append(dice(confusion(mask, np.ones_like(mask))))
    return fmean(values) if values else None
