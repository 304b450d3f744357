"""How near a merged radiance comes to the true one."""

import math

import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import FrameError

MU = 5000.0
"""Strength of the mu-law compression, as in the NTIRE 2021 challenge on HDR imaging."""


def mu_law(radiance: NDArray[np.floating], white: float) -> NDArray[np.float64]:
    """Compress a radiance as the eye does: ``log(1 + mu r) / log(1 + mu)`` with r in 0..1.

    Parameters
    ----------
    radiance : array
        Linear.
    white : float
        The radiance that becomes 1; what is above it becomes 1 too, and what is below 0 becomes 0.

    Examples
    --------
    >>> float(mu_law(np.array([4.0]), white=4.0)[0])
    1.0
    """
    relative = np.clip(np.asarray(radiance, np.float64) / white, 0, 1)
    return np.asarray(np.log1p(MU * relative) / math.log1p(MU))


def psnr_mu(truth: NDArray[np.floating], merged: NDArray[np.floating], white: float) -> float:
    """Peak signal-to-noise ratio after mu-law compression, in dB; infinite for equal pictures.

    Parameters
    ----------
    truth, merged : arrays of one shape
        Linear radiance.
    white : float
        As for :func:`mu_law`: what the darkest frame of a bracket can hold at most.

    Raises
    ------
    FrameError
        If the shapes differ or there is no pixel.
    """
    _check(truth, merged)
    error = float(np.mean((mu_law(truth, white) - mu_law(merged, white)) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def log_radiance_error(
    truth: NDArray[np.floating], merged: NDArray[np.floating], white: float
) -> float:
    """Root mean square of the difference in stops.

    Parameters
    ----------
    truth, merged : arrays of one shape
        Linear radiance. Both are taken as within 12 stops below `white`, where cameras see noise
        only.
    white : float
        As for :func:`mu_law`.

    Raises
    ------
    FrameError
        If the shapes differ or there is no pixel.
    """
    _check(truth, merged)
    one, other = (np.log2(np.clip(picture / white, 2.0**-12, 1)) for picture in (truth, merged))
    return float(np.sqrt(np.mean((one - other) ** 2)))


def _check(truth: NDArray[np.floating], merged: NDArray[np.floating]) -> None:
    if truth.shape != merged.shape or truth.size == 0:
        raise FrameError(
            f"two radiances of one shape can be compared, but these are {truth.shape} and "
            f"{merged.shape}"
        )
