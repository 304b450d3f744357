import numpy as np
import pytest
from tests.fusion.conftest import AREA, Scene, moved

from bracketseg.fusion.frame_taken import NONE
from bracketseg.fusion.predicted_frames import showing_the_same


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("grey", [False, True])
def test_the_other_frames_show_what_they_would_have_shown(textured, dtype, grey):
    radiance = textured.radiance[..., 0] if grey else textured.radiance
    true = Scene(radiance, dtype=dtype)
    images, taken = moved(true)
    before = [image.copy() for image in images]
    found = showing_the_same(images, taken)
    white = 1 if dtype == np.float32 else np.iinfo(dtype).max
    for k in range(3):
        assert (found[k].dtype, found[k].shape) == (np.dtype(dtype), images[k].shape)
        np.testing.assert_array_equal(found[k][taken == NONE], images[k][taken == NONE])
        np.testing.assert_array_equal(images[k], before[k])
        error = np.abs(found[k].astype(float) - true.images[k])[AREA] / white
        assert error.mean() < 0.006
        assert error.max() < 0.03
    assert found[1] is images[1]


def test_where_all_moved_there_is_nothing_to_compare(textured):
    images = textured.images
    taken = np.ones((120, 200), np.int8)
    for found in showing_the_same(images, taken):
        np.testing.assert_array_equal(found, images[1])
