"""Masks at the size of the picture that follows the brush."""

import cv2
import numpy as np
import pytest

from bracketseg._napari.fusion.fusing import MaskArrays
from bracketseg.fusion.exposures import smaller


class Counted:
    """An array that knows how much of it was read."""

    def __init__(self, values):
        self.values, self.shape, self.read = values, values.shape, 0

    def __getitem__(self, key):
        some = self.values[key]
        self.read += some.size
        return some


@pytest.fixture
def mask(rng):
    """Blobs, (1200, 1800) uint8."""
    smooth = cv2.resize(rng.normal(size=(12, 18)), (1800, 1200), interpolation=cv2.INTER_CUBIC)
    return (smooth > 0).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1200, 1800), (1000, 1500), (500, 750), (144, 216)])
@pytest.mark.parametrize("soft", [False, True])
def test_a_preview_is_about_the_mean_of_what_each_pixel_stands_for(mask, shape, soft):
    probability = None
    if soft:
        probability = cv2.blur(mask.astype(np.float32), (15, 15))
    arrays = MaskArrays(labels=mask, probability=probability)
    found = arrays.preview(shape)
    assert (found.shape, found.dtype) == (shape, np.float32)
    wanted = smaller(arrays.weight(), shape)
    assert np.abs(found - wanted).mean() < 0.02


@pytest.mark.parametrize("shape", [(500, 750), (144, 216)])
def test_a_preview_is_not_moved(shape):
    ramp = np.tile(np.linspace(0.5, 1, 1800, dtype=np.float32), (1200, 1))
    arrays = MaskArrays(labels=np.ones((1200, 1800), np.uint8), probability=ramp)
    wanted = smaller(arrays.weight(), shape)
    # By half a pixel of the mask at most.
    assert abs((arrays.preview(shape) - wanted).mean()) < 0.51 * (ramp[0, 1] - ramp[0, 0])


def test_of_a_large_mask_a_preview_reads_few_pixels(mask):
    labels, probability = Counted(mask), Counted(mask.astype(np.float32))
    MaskArrays(labels=labels, probability=probability).preview((120, 180))
    assert labels.read == probability.read <= 9 * 120 * 180
