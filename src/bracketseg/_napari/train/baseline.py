"""What a network has to beat: a mask that is the same everywhere."""

import json
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
from bracketseg.learning.run_files import SPLIT
from bracketseg.learning.runs import Run


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


class Baselines:
    """What the Dice of each run has to beat; masks that several runs share are read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, MaskRole, tuple[str, ...]], float | None] = {}

    def of(self, run: Run) -> float | None:
        """Measure all foreground on the validation scenes of a run.

        Returns
        -------
        float or None
            None where its masks or its split cannot be read any more.
        """
        if run.masks is None:
            return None
        try:
            split = json.loads((run.path / SPLIT).read_text(encoding="utf-8"))
            key = (run.masks, run.config.role, tuple(map(str, split["validation"])))
            if key not in self._known:
                self._known[key] = dice_of_all_foreground(run.masks, key[2], run.config.role)
            return self._known[key]
        except (OSError, ValueError, KeyError, TypeError, LabelingError):
            return None
