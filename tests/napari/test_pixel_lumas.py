"""Luma that is kept with the pixels of a frame, and goes with them."""

from weakref import ref

import numpy as np
import pytest

from bracketseg._napari.layers.pixel_lumas import keep_luma, kept_luma
from bracketseg.brackets.luma import luma


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 2), (4, 6, 3), (4, 6, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_frame_is_not_kept_alive_by_its_luma(shape, dtype):
    pixels = np.zeros(shape, dtype)
    gone = ref(pixels)
    keep_luma(pixels)
    del pixels
    assert gone() is None


def test_luma_of_colours_is_kept_until_the_frame_goes():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    keep_luma(pixels)
    values = kept_luma(pixels)
    assert np.array_equal(values, luma(pixels))
    gone = ref(values)
    del values, pixels
    assert gone() is None
