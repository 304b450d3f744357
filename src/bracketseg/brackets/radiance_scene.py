"""A radiance map as a bracket: the same picture shown at several exposures."""

import math

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import Bracket, EVSource, Frame
from bracketseg.brackets.exposure import tells_apart
from bracketseg.brackets.images import read_header
from bracketseg.brackets.radiance import read_radiance
from bracketseg.brackets.scene_files import SceneFiles
from bracketseg.brackets.sidecars import sidecar_evs
from bracketseg.errors import BracketError

MIDDLE_GREY = 0.18
"""The linear value at which the medium exposure shows the mean of the map."""

STEPS = (-2.0, 0.0, 2.0)
"""Stops of the low, medium and high exposure, from the one that shows middle grey."""


def radiance_bracket(scene: SceneFiles, name: str) -> Bracket:
    """Make the bracket of one OpenEXR or Radiance HDR.

    Its frames are the map, shown at the exposures that the side-car file of the scene
    lists (two or more, as stops for :func:`~bracketseg.brackets.radiance.displayed`);
    else at 2 stops below, at, and 2 stops above the exposure at which its mean
    lies at middle grey.

    Parameters
    ----------
    scene : SceneFiles
        Of the layout `radiance`, with one picture.
    name : str
        Of the scene.

    Raises
    ------
    FrameError
        If it cannot be read.
    BracketError
        If it is black all over.
    """
    (path,) = scene.images
    header = read_header(path)
    source: EVSource = "sidecar"
    for sidecar in scene.sidecars:
        evs = sidecar_evs(sidecar)
        if evs is not None and len(evs) > 1 and tells_apart(evs):
            break
    else:
        source = "brightness"
        middle = middle_exposure(read_radiance(path))
        if middle is None:
            raise BracketError(f"{path}: is black all over; it shows nothing at any exposure")
        evs = [middle + step for step in STEPS]
    frames = tuple(Frame(path=path, ev=ev, header=header, shown_at=ev) for ev in sorted(evs))
    return Bracket(scene=name, frames=frames, ev_source=source, folder=scene.folder)


def middle_exposure(radiance: NDArray[np.float32]) -> float | None:
    """Find the stops at which the geometric mean of a radiance map is shown as middle grey.

    Parameters
    ----------
    radiance : (H, W) or (H, W, 3) float array
        Linear. What is not above 0 or not finite does not count.

    Returns
    -------
    float or None
        To a tenth of a stop; None if nothing counts.

    References
    ----------
    E. Reinhard et al., Photographic tone reproduction for digital images (2002), eq. 1.
    """
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        light = radiance if radiance.ndim == 2 else radiance @ weights
    counted = light[np.isfinite(light) & (light > 0)]
    if not counted.size:
        return None
    return round(math.log2(MIDDLE_GREY) - float(np.log2(counted).mean(dtype=np.float64)), 1)
