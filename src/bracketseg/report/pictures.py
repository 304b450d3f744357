"""Example pictures as in figs. 5 to 7: frame, ground truth, and what each loss makes of it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import Bracket, MaskRole
from bracketseg.brackets.luma import to_uint8
from bracketseg.brackets.masks import mask_name, read_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.overlay import OUTCOMES, compose
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.saved_scene import refuse_other_frame
from bracketseg.learning.config import Loss
from bracketseg.learning.run_files import PREDICTIONS
from bracketseg.learning.runs import Run
from bracketseg.report.results import RoleResults

SIZE = 360
"""Longest side of a picture in pixels."""

_JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A scene that is shown.

    Attributes
    ----------
    why : str
        The rule that it was chosen by.
    scene : str
    seed : int
        The smallest seed that has it.
    """

    why: str
    scene: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a loss makes of a scene.

    Attributes
    ----------
    dice : float
    prediction, errors : str
        Pictures as ``data:`` addresses.
    """

    dice: float
    prediction: str
    errors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A scene and what the losses make of it.

    Attributes
    ----------
    choice : Choice
    role : {"low", "high"}
    frame, truth : str
        Pictures as ``data:`` addresses.
    foreground : float
        The part of the frame that the ground truth covers, 0..1.
    losses : dict of loss to Shown
    """

    choice: Choice
    role: MaskRole
    frame: str
    truth: str
    foreground: float
    losses: dict[Loss, Shown]


def choose_scenes(results: RoleResults) -> list[Choice]:
    """Choose the scenes of the best, the median and the worst Dice.

    It is the mean over losses and seeds that counts; of equal ones the first name, and of an
    even number the lower median. Of fewer than three scenes each is there once. Scenes whose
    ground truth is empty, where Dice is all or nothing, are passed over if there are others.
    """
    dice = results.dice()
    counts = results.any_counts().values()
    telling = {
        name
        for scenes in counts
        for name, found in scenes.items()
        if found.counts.tp + found.counts.fn
    }
    ordered = sorted(
        telling or results.scenes,
        key=lambda scene: (sum(found[scene] for found in dice.values()), scene),
    )
    chosen: dict[str, str] = {}
    middle = ordered[(len(ordered) - 1) // 2]
    for why, scene in (("Best", ordered[-1]), ("Median", middle), ("Worst", ordered[0])):
        chosen.setdefault(scene, why)
    return [
        Choice(
            why=why,
            scene=scene,
            seed=min(seed for seed, scenes in results.scenes_of.items() if scene in scenes),
        )
        for scene, why in chosen.items()
    ]


def make_example(
    choice: Choice,
    bracket: Bracket,
    results: RoleResults,
    runs: Mapping[Loss, Run],
    masks: LabelingFolder,
) -> Example:
    """Make the pictures of one scene.

    Parameters
    ----------
    choice : Choice
    bracket : Bracket
        Of that scene.
    results : RoleResults
    runs : mapping of loss to Run
        Of the seed of the choice.
    masks : LabelingFolder
        The ground truth.

    Raises
    ------
    BracketSegError
        If a picture or a mask cannot be read, their sizes differ, or the ground truth was
        made on another frame.
    """
    role, scene = results.role, choice.scene
    refuse_other_frame(masks, scene, role, bracket.frame(role).path)
    frame = to_uint8(bracket.frame(role).read())
    truth = masks.mask(scene, role)
    shown = {}
    for loss in results.losses:
        path = runs[loss].path / PREDICTIONS / mask_name(scene, role)
        predicted = read_mask(path)
        if not predicted.shape == truth.shape == frame.shape[:2]:
            raise LabelingError(
                f"{path}: is {predicted.shape}, its ground truth {truth.shape} and its frame "
                f"{frame.shape[:2]} (rows, columns). Make all from the same frame."
            )
        shown[loss] = Shown(
            dice=results.measured[loss][choice.seed][scene].metrics.dice,
            prediction=mask_picture(predicted),
            errors=error_picture(truth, predicted),
        )
    return Example(
        choice=choice,
        role=role,
        frame=_address(_small(frame), ".jpg"),
        truth=mask_picture(truth),
        foreground=float(truth.mean()),
        losses=shown,
    )


def mask_picture(mask: NDArray[np.bool_]) -> str:
    """Make a small picture of a mask, foreground white, as a ``data:`` address."""
    return _address(_small(mask.astype(np.uint8) * np.uint8(255)), ".png")


def error_picture(truth: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> str:
    """Make a small picture of the four outcomes in their colours, as a ``data:`` address."""
    colors = np.zeros((max(outcome.number for outcome in OUTCOMES) + 1, 3), np.uint8)
    for outcome in OUTCOMES:
        colors[outcome.number] = tuple(bytes.fromhex(outcome.color.removeprefix("#")))
    return _address(_small(colors[compose(truth, prediction)]), ".png")


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink by the mean of the area that a pixel stands for; small pictures stay as they are."""
    height, width = image.shape[:2]
    scale = SIZE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _address(image: NDArray[np.uint8], suffix: str) -> str:
    stored = image[..., ::-1] if image.ndim == 3 else image  # OpenCV writes BGR
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix == ".jpg" else []
    data = cv2.imencode(suffix, np.ascontiguousarray(stored), options)[1].tobytes()
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{b64encode(data).decode('ascii')}"
