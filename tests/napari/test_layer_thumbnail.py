import numpy as np
import pytest

from bracketseg._napari.layers.layer_thumbnail import mask_thumbnail, picture_thumbnail


@pytest.mark.parametrize(
    ("white", "dtype"), [(255, np.uint8), (65535, np.uint16), (1.0, np.float32)]
)
def test_a_picture_keeps_its_brightness_and_its_shape(white, dtype):
    pixels = np.zeros((20, 64, 3), dtype)
    pixels[:, 32:] = white
    small = picture_thumbnail(pixels)
    assert (small.shape, small.dtype) == ((10, 32, 4), np.uint8)
    assert np.array_equal(small[:, :16], np.broadcast_to([0, 0, 0, 255], (10, 16, 4)))
    assert np.array_equal(small[:, 16:], np.broadcast_to(255, (10, 16, 4)))
    assert np.array_equal(picture_thumbnail(pixels[..., 0]), small)


def test_a_mask_has_its_colour_where_it_is(viewer):
    mask = np.zeros((64, 64), bool)
    mask[32:] = True
    small = mask_thumbnail(mask, np.array([1, 0.5, 0, 1]))
    assert (small.shape, small.dtype) == ((32, 32, 4), np.uint8)
    assert not small[:16].any()
    assert np.array_equal(small[16:], np.broadcast_to([255, 128, 0, 255], (16, 32, 4)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (7, 3)])
def test_no_shape_is_too_small_or_too_long(shape):
    small = picture_thumbnail(np.full(shape, 9, np.uint8))
    assert 1 <= min(small.shape[:2]) <= max(small.shape[:2]) <= 32
