import numpy as np
import pytest

from bracketseg.learning.resize import resize_image, resize_mask, resize_region


def test_shrinking_averages_areas():
    image = np.array([[0, 100, 10, 10], [100, 200, 10, 30]], np.uint8)
    assert resize_image(image, 1, 2).tolist() == [[100, 15]]


def test_growing_interpolates():
    assert resize_image(np.array([[0, 100]], np.uint8), 1, 4).tolist() == [[0, 25, 75, 100]]


def test_each_axis_is_treated_by_itself(rng):
    image = rng.integers(0, 256, (64, 4, 3), dtype=np.uint8)
    resized = resize_image(image, 2, 8)
    assert resized.shape == (2, 8, 3)
    assert resized.dtype == np.uint8
    # Linear interpolation alone would look at 2 of each 32 rows.
    assert resized[:, 0].astype(int) == pytest.approx(
        image.reshape(2, 32, 4, 3).mean(axis=1)[:, 0], abs=1
    )


def test_the_same_size_is_left_alone():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert resize_image(image, 3, 4).tolist() == image.tolist()


def test_half_foreground_is_foreground():
    mask = np.array([[1, 0, 1, 0, 1, 1], [0, 0, 0, 1, 0, 1]], bool)
    resized = resize_mask(mask, 1, 3)
    assert resized.tolist() == [[False, True, True]]
    assert resized.dtype == np.bool_


def test_exact_halves_survive_odd_ratios():
    mask = np.zeros((30, 70), bool)
    mask[:, 35:] = True
    assert resize_mask(mask, 7, 7)[:, 3].all()


def test_a_full_mask_stays_full_and_an_empty_one_empty():
    for value in (False, True):
        mask = np.full((37, 53), value)
        assert (resize_mask(mask, 32, 32) == value).all()
        assert (resize_mask(mask, 96, 96) == value).all()


def test_a_region_has_the_pixels_that_are_in_it_as_a_whole():
    region = np.array([[1, 1, 1, 0, 1, 1], [1, 1, 1, 1, 1, 1]], bool)
    assert resize_region(region, 1, 3).tolist() == [[True, False, True]]
    assert resize_region(np.ones((30, 70), bool), 7, 11).all()
