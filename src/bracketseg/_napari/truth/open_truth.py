"""Ground truth that the layers of the viewer show before a scene is opened."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.mask_layers import MaskLayers
from bracketseg._napari.truth.scene_work import WorkPlace
from bracketseg.brackets.bracket import MaskRole


def work_name(place: WorkPlace, subject: Subject) -> str:
    """Name the work on these frames at a place, to sign layers with."""
    frames = {role: str(frame.file or frame.name) for role, frame in subject.frames.items()}
    return repr((place, subject.title, frames))


def left_open(
    masks: MaskLayers, place: WorkPlace, subject: Subject
) -> dict[MaskRole, NDArray[np.bool_]]:
    """Give what the layers show that an earlier dock left open with this very work.

    Returns
    -------
    dict of role to (H, W) bool
    """
    work = work_name(place, subject)
    found = {
        role: masks.signed(subject.title, role, frame, work)
        for role, frame in subject.frames.items()
    }
    # A slice of a stack that nobody has seen is empty in the layer.
    return {
        role: mask
        for role, mask in found.items()
        if mask is not None and (mask.any() or not subject.index)
    }


def opened_by_others(
    masks: MaskLayers, subject: Subject, *, without: Collection[MaskRole]
) -> dict[MaskRole, NDArray[np.bool_]]:
    """Give the masks that somebody else has opened, but those of some roles.

    Returns
    -------
    dict of role to (H, W) bool
    """
    found = {
        role: masks.existing(subject.title, role, frame)
        for role, frame in subject.frames.items()
        if role not in without
    }
    return {role: mask for role, mask in found.items() if mask is not None and mask.any()}
