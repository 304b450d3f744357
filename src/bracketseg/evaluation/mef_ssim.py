"""MEF-SSIM: how much of the structure of the best exposures a fused picture keeps."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bracketseg.errors import FrameError

WINDOW = 11
"""Side of the square patches, pixels."""

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001)
"""Of the scales from fine to coarse, as in multi-scale SSIM; they are divided by their sum."""

STRONGEST = 10.0
"""The largest power that weighs the frames' structures; then the strongest one alone counts."""

_C = (0.03 * 255) ** 2
_TINY = 1e-6


def mef_ssim(frames: NDArray[np.uint8], fused: NDArray[np.uint8]) -> float:
    """Measure a fused picture against the frames that it was made of, without a reference.

    In each patch the wanted contrast is the greatest among the frames, and the wanted structure
    the mean of theirs, weighted the more by contrast the more they agree; the mean luma of a patch
    does not count. The score of a patch is its SSIM with that wish. Ours are the square patches of
    equal weights instead of Gaussian ones, and only whole patches count.

    Parameters
    ----------
    frames : (K, H, W) uint8
        Luma of the K frames of a bracket.
    fused : (H, W) uint8
        Luma of the fused picture.

    Returns
    -------
    float
        At most 1; 1 where each patch is as wished. A picture too small for three scales is
        measured at those that it has.

    Raises
    ------
    FrameError
        If the shapes do not fit, or a side is shorter than 11.

    References
    ----------
    K. Ma, K. Zeng and Z. Wang, "Perceptual Quality Assessment for Multi-Exposure Image Fusion",
    IEEE Trans. Image Process. 24 (2015) 3345-3356.

    Examples
    --------
    >>> frame = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    >>> round(mef_ssim(frame[None], frame), 6)
    1.0
    """
    if frames.ndim != 3 or frames.shape[1:] != fused.shape or min(frames.shape) == 0:
        raise FrameError(
            f"frames of (K, H, W) and a picture of (H, W) can be compared, but these are "
            f"{frames.shape} and {fused.shape}"
        )
    if min(fused.shape) < WINDOW:
        raise FrameError(f"MEF-SSIM needs {WINDOW} pixels a side, but this is {fused.shape}")
    stack = [frame.astype(np.float64) for frame in (*frames, fused)]
    logarithm = weights = 0.0
    for weight in SCALE_WEIGHTS:
        logarithm += weight * np.log(max(_at_one_scale(stack), _TINY))
        weights += weight
        rows, columns = stack[0].shape
        if min(rows, columns) < 2 * WINDOW:
            break
        half = (columns // 2, rows // 2)
        stack = [cv2.resize(p, half, interpolation=cv2.INTER_AREA) for p in stack]
    return float(np.exp(logarithm / weights))


def _at_one_scale(stack: list[NDArray[np.float64]]) -> float:
    """Mean score over the patches of one scale; the last picture of the stack is the fused one."""
    means = [_patch_mean(picture) for picture in stack]

    def covariance(j: int, k: int) -> NDArray[np.float64]:
        return _patch_mean(stack[j] * stack[k]) - means[j] * means[k]

    count = len(stack) - 1
    # Sums of products of patches without their mean, divided by the number of pixels.
    shared = [[covariance(j, k) for k in range(count)] for j in range(count)]
    contrasts = [np.sqrt(np.maximum(shared[k][k], 0)) for k in range(count)]
    greatest = np.maximum.reduce(contrasts)
    together = np.sqrt(np.maximum(sum(map(sum, shared)), 0))
    agreement = np.minimum((together + _TINY) / (sum(contrasts) + _TINY), 1 - _TINY)
    power = np.minimum(np.tan(np.pi / 2 * agreement), STRONGEST)
    weights = [((c + _TINY) / (greatest + _TINY)) ** power for c in contrasts]
    factors = [w / (c + _TINY) for w, c in zip(weights, contrasts, strict=True)]
    length = sum(factors[j] * factors[k] * shared[j][k] for j in range(count) for k in range(count))
    scale = greatest / (np.sqrt(np.maximum(length, 0)) + _TINY)
    with_fused = scale * sum(factors[k] * covariance(k, count) for k in range(count))
    variance = np.maximum(covariance(count, count), 0)
    score = (2 * with_fused + _C) / (greatest**2 + variance + _C)
    return float(score.mean())


def _patch_mean(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each whole patch."""
    edge = WINDOW // 2
    mean = cv2.blur(picture, (WINDOW, WINDOW))
    return np.asarray(mean[edge:-edge, edge:-edge], np.float64)
