"""Thresholds from the histogram of one frame, after ideas of papers that the paper names.

The papers cut one picture into regions of luminance, for other ends; their code is not at hand.
Each class says what is theirs and what is ours.
"""

from abc import ABC, abstractmethod
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.ranges import Bounds

TAIL = 0.005
"""The part of the pixels at either end of the histogram that histogram division passes over."""

NARROWEST = 1.0
"""The smallest standard deviation of a Gaussian, in luma: one value alone is no cluster."""

ROUNDS = 200
"""The most steps of the estimation of a mixture."""

REACH = 32
"""How far to either side the slopes of a valley are measured, in luma."""


class HistogramRule(BaseModel, ABC):
    """A threshold t of the frame itself: low keeps Y > t, high keeps Y <= t."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def threshold(self, counts: NDArray[np.float64]) -> int:
        """Find t.

        Parameters
        ----------
        counts : (256,) float64
            Pixels of each luma; at least one.

        Returns
        -------
        int
            0..255.
        """

    def bounds(self, luma: NDArray[np.uint8], role: MaskRole) -> Bounds:
        """Find the threshold of this frame and express it as bounds, as Otsu's are.

        Parameters
        ----------
        luma : (H, W) uint8
            Full-range BT.601 luma.
        role : {"low", "high"}
            The dark exposure keeps its brighter side, the bright one its darker side.
        """
        counts = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().astype(np.float64)
        threshold = self.threshold(counts)
        if role == "low":
            return Bounds(lo=threshold + 1, hi=255)
        return Bounds(lo=0, hi=threshold)


class HistogramDivision(HistogramRule):
    """The middle of the range of luma that the frame takes up.

    Theirs: the luminance range of a scene is divided into equal parts, and each part is a region.
    Ours: two parts, on the luma of one frame, whose range leaves 0.5 % of the pixels at either end.

    References
    ----------
    Y. Kinoshita and H. Kiya, "Scene Segmentation-Based Luminance Adjustment for Multi-Exposure
    Image Fusion", IEEE Trans. Image Process. 28 (2019) 4101-4116, DOI 10.48550/arXiv.1903.07428
    (of the preprint).
    """

    method: Literal["division"] = "division"

    def threshold(self, counts: NDArray[np.float64]) -> int:
        """Find the middle; a half is rounded down."""
        below = np.cumsum(counts) / counts.sum()
        darkest, brightest = np.searchsorted(below, [TAIL, 1 - TAIL])
        return int(darkest + brightest) // 2


class Mixture(HistogramRule):
    """The luma at which the brighter of two Gaussians becomes the more likely one.

    Theirs: a mixture of Gaussians is fitted to the distribution of luminance, and each pixel
    belongs to the component that is most likely for it. Ours: two components, fitted by
    expectation maximization to the 256-bin histogram of the luma, from the quartiles of the
    pixels; theirs takes more components and lets the data decide how many.

    References
    ----------
    Y. Kinoshita and H. Kiya, "Automatic exposure compensation using an image segmentation method
    for single-image-based multi-exposure fusion", APSIPA Trans. Signal Inf. Process. 7 (2018) e22,
    https://www.cambridge.org/core/product/48592C697600A1889FCC3EDD5D5570B3.
    """

    method: Literal["mixture"] = "mixture"

    def threshold(self, counts: NDArray[np.float64]) -> int:
        """Find the last luma between the two means at which the darker Gaussian is as likely."""
        values = np.arange(256.0)
        below = np.cumsum(counts) / counts.sum()
        means = np.searchsorted(below, [0.25, 0.75]).astype(np.float64)
        mean = counts @ values / counts.sum()
        spread = counts @ (values - mean) ** 2 / counts.sum()
        variances = np.full(2, max(NARROWEST**2, spread / 4))
        parts = np.full(2, 0.5)
        for _ in range(ROUNDS):
            density = _log_density(values, parts, means, variances)
            shares = np.exp(density - np.logaddexp.reduce(density, axis=0)) * counts
            sums = np.maximum(shares.sum(axis=1), 1e-9)
            before = means
            means = (shares @ values) / sums
            spreads = (shares * (values - means[:, None]) ** 2).sum(axis=1) / sums
            variances, parts = np.maximum(spreads, NARROWEST**2), sums / sums.sum()
            if np.abs(means - before).max() < 1e-3:
                break
        order = np.argsort(means)
        dark, bright = _log_density(values, parts, means, variances)[order]
        first, last = (int(np.floor(mean)) for mean in means[order])
        brighter = np.flatnonzero(bright[first : last + 1] > dark[first : last + 1])
        return first + int(brighter[0]) - 1 if brighter.size and first + brighter[0] else first


class Valley(HistogramRule):
    """The luma from which the histogram rises most steeply to both sides.

    Theirs: the valley point between dark and bright regions is found from the slopes between the
    count of a value and those of its neighbours. Ours: the counts are smoothed (standard deviation
    4), the slopes to the neighbours within 32 values are averaged on either side, and the lesser of
    the two averages decides; a histogram without a valley gives its flattest place.

    References
    ----------
    B. D. Lee and M. H. Sunwoo, "HDR Image Reconstruction Using Segmented Image Learning", IEEE
    Access 9 (2021) 142729-142742, DOI 10.1109/ACCESS.2021.3119586.
    """

    method: Literal["valley"] = "valley"

    def threshold(self, counts: NDArray[np.float64]) -> int:
        """Find the valley; of equal ones the darkest."""
        smooth = cv2.GaussianBlur(counts[None] / counts.sum(), (0, 0), 4)[0]
        inner = np.arange(REACH, 256 - REACH)
        away = np.arange(1, REACH + 1)
        left = (smooth[inner[:, None] - away] - smooth[inner, None]) / away
        right = (smooth[inner[:, None] + away] - smooth[inner, None]) / away
        rise = np.minimum(left.mean(axis=1), right.mean(axis=1))
        return int(inner[np.argmax(rise)])


def _log_density(
    values: NDArray[np.float64],
    parts: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Logarithm of each weighted Gaussian at each value, (2, 256), but for a constant."""
    weights = np.log(np.maximum(parts, 1e-12)) - np.log(variances) / 2
    distances = (values - means[:, None]) ** 2 / variances[:, None]
    return np.asarray(weights[:, None] - distances / 2)
