import numpy as np
import pytest
from tests.fusion.conftest import Scene, ramp

from bracketseg.brackets.radiance import displayed
from bracketseg.fusion.encoding import as_unit, linear
from bracketseg.fusion.measured_evs import measured_evs
from bracketseg.fusion.radiance_map import radiance_map, radiance_weights


def error_in_stops(found, truth):
    return np.abs(np.log2(np.maximum(found, 1e-9) / truth))


def test_linear_is_the_inverse_of_how_radiance_is_shown():
    light = np.linspace(0, 1, 4001, dtype=np.float32)[None]
    np.testing.assert_allclose(linear(displayed(light)), light, atol=2e-6)
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_allclose(displayed(linear(every)), as_unit(every), atol=2e-6)


@pytest.mark.parametrize(
    ("dtype", "most", "mean"), [(np.uint8, 0.1, 0.01), (np.uint16, 2e-3, 1e-4)]
)
def test_the_radiance_of_the_scene_is_found_again(dtype, most, mean):
    scene = Scene(ramp(97, 181, 7), dtype=dtype)
    error = error_in_stops(radiance_map(scene.exposures()), scene.radiance)
    assert error.max() < most
    assert error.mean() < mean


def test_floats_give_it_exactly():
    scene = Scene(ramp(40, 60, 6), dtype=np.float32)
    error = error_in_stops(radiance_map(scene.exposures()), scene.radiance)
    assert error.max() < 1e-4


def test_exposure_values_may_be_those_of_a_camera():
    """EV as EXIF gives them are not around 0."""
    scene = Scene(ramp(40, 60, 6), dtype=np.float32)
    evs = tuple(ev - 9.5 for ev in scene.evs)
    found = radiance_map(scene.exposures(evs=evs))
    np.testing.assert_allclose(found, scene.radiance * 2**9.5, rtol=1e-3)


def test_borders_do_not_show_where_an_exposure_value_is_a_little_off(scene):
    """A fifth of a stop wrong: a switch is a step of so much, a smooth border is not."""
    images = Scene(scene.radiance, (-2.0, 0.0, 2.2)).images
    stops = np.log2(radiance_map(scene.exposures(images=images))[48, :, 1])
    true = np.log2(scene.radiance[48, :, 1])
    steps = np.diff(stops) - np.diff(true)
    assert np.abs(stops - true).max() == pytest.approx(0.2, abs=0.05)
    middle = steps[20:150]  # the ends are of the 8 bits and of what all clip
    assert np.abs(middle).max() < 0.13
    assert np.diff(stops)[20:150].min() > -0.08


def test_a_clipped_pixel_counts_for_nothing(scene):
    full = np.ones((97, 181), bool)
    low, _, high = radiance_weights(scene.exposures(~full, full))
    clipped = scene.images[2].max(axis=2) >= 250
    assert clipped.mean() > 0.3
    assert high[clipped].max() == 0
    both = clipped & (scene.images[1].max(axis=2) >= 250)
    assert low[both].min() == 1


def test_where_both_masks_hold_the_frame_with_more_light_counts_more(textured):
    full = np.ones((120, 200), bool)
    low, _, high = radiance_weights(textured.exposures(full, full))
    well = textured.images[2].max(axis=2) <= 236
    np.testing.assert_allclose((high / low)[well], 16, rtol=0.01)


@pytest.mark.parametrize("evs", [(-2.0, 0.0, 2.0), (-1.0, 1.0)])
@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_masks_that_are_empty_or_full_still_give_radiance(evs, low, high):
    scene = Scene(ramp(33, 50, 4) / 2, evs, np.float32)
    full = np.ones((33, 50), bool)
    found = radiance_map(scene.exposures(full & bool(low), full & bool(high)))
    assert error_in_stops(found, scene.radiance).max() < 1e-3


def test_grey_is_merged_as_grey():
    scene = Scene(ramp(33, 50, 4)[..., 0], dtype=np.uint16)
    found = radiance_map(scene.exposures())
    assert found.shape == (33, 50)
    assert found.dtype == np.float32
    assert error_in_stops(found, scene.radiance).max() < 5e-3


def test_where_something_moved_radiance_is_of_one_frame_alone(textured):
    low, medium, high = textured.images
    ghosts = np.zeros((120, 200), bool)
    ghosts[40:80, 60:100] = True
    moved = high.copy()
    moved[45:75, 65:95] = 20
    found = radiance_map(textured.exposures(images=(low, medium, moved), ghosts=ghosts))
    assert error_in_stops(found[ghosts], textured.radiance[ghosts]).max() < 0.15
    without = radiance_map(textured.exposures(images=(low, medium, moved)))
    assert error_in_stops(without[ghosts], textured.radiance[ghosts]).max() > 1


def test_exposures_that_nothing_tells_are_measured(textured):
    images = Scene(textured.radiance, (-2.7, 0.0, 1.4), np.uint16).images
    found = measured_evs(images, (-2.0, 0.0, 2.0))
    np.testing.assert_allclose(found, (-2.7, 0.0, 1.4), atol=0.02)
    dark, medium, moved = images[0], images[1], images[2].copy()
    moved[:4] = 0
    np.testing.assert_allclose(
        measured_evs((dark, medium, moved), (-2.0, 0.0, 2.0)), (-2.7, 0.0, 1.4), atol=0.05
    )


def test_exposures_stay_where_frames_have_nothing_in_common():
    black, white = np.zeros((40, 60), np.uint8), np.full((40, 60), 255, np.uint8)
    assert measured_evs((black, black, white), (-3.0, 0.5, 2.0)) == (-3.0, 0.5, 2.0)
