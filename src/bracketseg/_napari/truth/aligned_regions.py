"""What all frames of the scene on show have in common, where they are aligned."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.placement import valid_regions

Limits = tuple[Mapping[MaskRole, NDArray[np.bool_]], Literal["shift", "homography"] | None]


def limits_of(session: Session, subject: Subject) -> Limits:
    """Find where the masks of a scene have to be empty.

    Returns
    -------
    regions : mapping of role to (H, W) bool
        Of the frames of `subject` that the session has aligned.
    aligned : {"shift", "homography"} or None
    """
    shifts = session.shifts
    if session.align == "off" or not shifts:
        return {}, None
    files = {role: frame.file for role, frame in subject.frames.items()}
    shape = next(iter(subject.frames.values())).luma.shape
    by_file = dict(zip(shifts, valid_regions(shape, list(shifts.values())), strict=True))
    regions = {role: by_file[file] for role, file in files.items() if file in by_file}
    return regions, session.align if regions else None
