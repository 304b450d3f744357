"""Where exposure values come from: EXIF, side-cars, names, brightness."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bracketseg.brackets.bracket import EVSource
from bracketseg.brackets.exposure import relative_evs, tells_apart
from bracketseg.brackets.images import ImageHeader, read_thumbnail
from bracketseg.brackets.luma import luma
from bracketseg.brackets.scene_files import SceneFiles
from bracketseg.brackets.sidecars import listed_evs

ROLE_EVS = (-2.0, 0.0, 2.0)
"""Stops that the names short, medium, long (or low, medium, high) stand for."""

_EV_IN_NAME = re.compile(r"(?<![a-z])ev[ _]?(?P<ev>[+-]?\d+(?:\.\d+)?)(?!\d)", re.IGNORECASE)
# Luma below half a step is not told apart from black: it bounds the logarithm.
_DARKEST = 0.5 / 255 / 12.92


def exposure_values(
    scene: SceneFiles, headers: Sequence[ImageHeader]
) -> tuple[EVSource, list[float]] | None:
    """Take the exposure values from the best source that has them.

    EXIF comes first, then side-car files, names, and brightness. A source counts
    only if it has a value for each frame and they are not all equal.

    Parameters
    ----------
    scene : SceneFiles
        The frames and their side-cars.
    headers : sequence of ImageHeader
        Of the frames, in the same order.

    Returns
    -------
    tuple of source and list of float, or None
        Stops, in the order of the frames. None if no source has them; the
        brightness of pictures that may be previews is not looked at.

    Raises
    ------
    FrameError
        If brightness has to tell and a picture cannot be read.
    """
    evs = relative_evs([header.exposure for header in headers])
    if evs is not None:
        return "exif", evs
    for sidecar in scene.sidecars:
        listed = listed_evs(sidecar, scene.images)
        evs = None if listed is None else _of_slots(listed, scene)
        if evs is not None and tells_apart(evs):
            return "sidecar", evs
    if scene.layout != "plain":
        return "names", [ROLE_EVS[slot] for slot in scene.slots]
    evs = name_evs(scene.images)
    if evs is not None:
        return "names", evs
    evs = None if scene.maybe_previews else brightness_evs(scene.images)
    return None if evs is None else ("brightness", evs)


def name_evs(paths: Sequence[Path]) -> list[float] | None:
    """Read the stops that the names of the frames state, as in ``house_EV-2.jpg``.

    Returns
    -------
    list of float or None
        None unless every name states one and they are not all equal.

    Examples
    --------
    >>> name_evs([Path("EV-2.jpg"), Path("EV0.jpg"), Path("EV+1.5.jpg")])
    [-2.0, 0.0, 1.5]
    """
    matches = [_EV_IN_NAME.search(path.stem) for path in paths]
    evs = [float(match["ev"]) for match in matches if match is not None]
    return evs if len(evs) == len(paths) and tells_apart(evs) else None


def brightness_evs(paths: Sequence[Path]) -> list[float] | None:
    """Estimate stops from the pictures: log2 of the mean linear luma of thumbnails.

    The luma is linearized as sRGB. Clipped and black areas make the steps
    smaller than they were; the order holds.

    Returns
    -------
    list of float or None
        None if all pictures are equally bright.

    Raises
    ------
    FrameError
        If a picture cannot be read.

    References
    ----------
    IEC 61966-2-1:1999, section 5.2 (sRGB, from code values to linear light).
    """
    evs = [math.log2(max(_mean_linear_luma(path), _DARKEST)) for path in paths]
    return evs if tells_apart(evs) else None


def _of_slots(listed: list[float], scene: SceneFiles) -> list[float] | None:
    """Pick the values of the frames that are there out of those a side-car lists."""
    if len(listed) == len(scene.slots):
        return listed
    # One without its medium frame still has three exposures listed.
    if scene.layout != "plain" and len(listed) == len(ROLE_EVS):
        return [listed[slot] for slot in scene.slots]
    return None


def _mean_linear_luma(path: Path) -> float:
    encoded = luma(read_thumbnail(path)).astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return float(linear.mean())
