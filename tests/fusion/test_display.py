import cv2
import numpy as np
import pytest
from tests.fusion.conftest import Scene, ramp

from bracketseg.brackets.luma import luma
from bracketseg.errors import FrameError, LabelingError
from bracketseg.fusion import display
from bracketseg.fusion.display import DisplayFusion, display_picture, merit
from bracketseg.fusion.encoding import as_unit
from bracketseg.fusion.exposures import Exposures, as_weight


def display_weights(exposures):
    return display.display_weights(exposures, [merit(image) for image in exposures.images])


def steepness(picture):
    """The largest difference between two neighbours of a row."""
    return np.abs(np.diff(picture, axis=1)).max()


def test_borders_of_masks_do_not_show(scene):
    """The radiance is smooth: where the picture is steeper than a frame, a border shows."""
    exposures = scene.exposures()
    assert steepness(exposures.low) == steepness(exposures.high) == 1
    found = display_picture(exposures)
    assert found.shape == scene.radiance.shape
    assert found.dtype == np.float32
    steepest = max(steepness(as_unit(image)) for image in exposures.images)
    assert steepness(found) <= steepest
    switched = sum(
        weight[..., None] * as_unit(image)
        for weight, image in zip(exposures.trust(), exposures.images, strict=True)
    )
    assert steepness(switched) > 3 * steepest


def test_borders_of_any_shape_do_not_show(textured):
    """Masks with borders across the scene: no more edge there than the frames have."""
    low = np.zeros((120, 200), bool)
    low[:, 100:] = True
    high = ~low & (luma(textured.images[2]) <= 200)
    found = display_picture(textured.exposures(low, high))
    at_border = np.abs(found[:, 100] - found[:, 99]).mean()
    elsewhere = [np.abs(found[:, x] - found[:, x - 1]).mean() for x in (*range(80, 95), 105, 120)]
    assert at_border < 1.5 * max(elsewhere)


def test_brightness_follows_the_scene(scene):
    """More light is a brighter picture, but for a little where frames meet."""
    row = luma(display_picture(scene.exposures()))[48].astype(float)
    assert row[-1] - row[0] > 100
    assert np.minimum(np.diff(row), 0).min() >= -4


def test_both_ends_of_the_scene_show_detail(textured):
    """Each frame alone loses what clips, or is black in 8 bits."""
    found = cv2.GaussianBlur(display_picture(textured.exposures()), (0, 0), 1)
    for part in (slice(0, 30), slice(170, 200)):
        detail = found[:, part] - cv2.GaussianBlur(found, (0, 0), 8)[:, part]
        assert detail.std() > 0.01
    clipped = as_unit(textured.images[2])[:, 170:]
    assert clipped.std() < 0.01


def test_a_mask_decides_which_frame_is_seen(scene):
    nothing = np.zeros(scene.radiance.shape[:2], bool)
    frames = [luma(image).astype(float) for image in scene.images]
    for low, high, wanted in ((~nothing, nothing, 0), (nothing, ~nothing, 2)):
        weights = display_weights(scene.exposures(low, high))
        well = (frames[wanted] > 40) & (frames[wanted] < 215)
        assert weights[wanted][well].min() > 0.5
    weights = display_weights(scene.exposures(nothing, nothing))
    assert weights[1][(frames[1] > 5) & (frames[1] < 230)].min() > 0.9


@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize("high", [0, 1])
@pytest.mark.parametrize("evs", [(-2.0, 0.0, 2.0), (-1.0, 1.0)])
def test_masks_that_are_empty_or_full_still_make_a_picture(low, high, evs):
    scene = Scene(ramp(33, 50), evs)
    full = np.ones((33, 50), bool)
    exposures = scene.exposures(full & bool(low), full & bool(high))
    found = display_picture(exposures)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(np.sum(display_weights(exposures), axis=0), 1, atol=1e-5)


def test_of_two_frames_the_better_exposed_one_is_taken_where_neither_mask_holds():
    scene = Scene(ramp(33, 50), (-2.0, 2.0))
    nothing = np.zeros((33, 50), bool)
    low, high = display_weights(scene.exposures(nothing, nothing))
    assert high[:, 5].min() > 0.7
    assert low[:, -5].min() > 0.9
    low, high = display_weights(scene.exposures(nothing + np.float32(0.2), nothing))
    assert high[:, 5].min() > 0.6


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_finer_samples_give_the_same_picture(scene, dtype):
    coarse = display_picture(scene.exposures())
    fine = display_picture(Scene(scene.radiance, dtype=dtype).exposures())
    np.testing.assert_allclose(fine, coarse, atol=0.02)


def test_grey_frames_give_a_grey_picture(scene):
    grey = Scene(scene.radiance[..., 0])
    found = display_picture(grey.exposures())
    assert found.shape == (97, 181)
    colour = display_picture(Scene(np.repeat(grey.radiance[..., None], 3, 2)).exposures())
    np.testing.assert_allclose(colour, found[..., None].repeat(3, 2), atol=0.01)


def test_constant_frames_keep_their_brightness():
    scene = Scene(np.full((17, 23), 0.2, np.float32))
    found = display_picture(scene.exposures())
    assert found.std() < 1e-5
    lowest, *_, highest = (as_unit(image).mean() for image in scene.images)
    assert lowest < found.mean() < highest


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 5), (64, 7)])
def test_small_pictures_are_fused_too(shape):
    scene = Scene(np.linspace(0.01, 3, shape[0] * shape[1], dtype=np.float32).reshape(shape))
    assert display_picture(scene.exposures()).shape == shape


def test_a_probability_is_a_soft_weight(scene):
    half = np.full((97, 181), 0.5)
    nothing = np.zeros((97, 181), bool)
    weight = [
        display_weights(scene.exposures(low, nothing))[0][:, 110].mean()
        for low in (nothing, half, ~nothing)
    ]
    assert weight[0] < 0.01
    assert weight[0] + 0.2 < weight[1] < weight[2] - 0.2


def test_where_something_moved_the_others_count_on_no_scale(textured):
    """Whatever they show there, the picture is the same to the last bit."""
    ghosts = np.zeros((120, 200), bool)
    ghosts[40:80, 90:130] = True
    masks = {"low": textured.exposures().low, "high": textured.exposures().high}
    pictures = []
    for value in (20, 40):
        low, medium, high = (image.copy() for image in textured.images)
        low[42:78, 92:128] = high[42:78, 92:128] = value
        exposures = textured.exposures(images=(low, medium, high), ghosts=ghosts, **masks)
        pictures.append(display_picture(exposures))
    np.testing.assert_array_equal(*pictures)
    # It is what it would be had nothing moved.
    still = display_picture(textured.exposures())
    assert np.abs(pictures[0] - still).mean() < 0.002
    assert np.abs(pictures[0] - still)[ghosts].max() < 0.1


def test_where_something_moved_a_clipped_medium_frame_is_not_taken(scene):
    ghosts = np.zeros((97, 181), bool)
    ghosts[:, 165:] = True
    low, medium, _ = scene.images
    assert medium[:, 165:, 0].min() == 255
    seen = display_picture(scene.exposures(ghosts=ghosts))[:, 165:]
    assert np.corrcoef(luma(seen).mean(0), luma(low)[:, 165:].mean(0))[0, 1] > 0.99


def test_a_frame_counts_nothing_where_it_shows_nothing(scene):
    seen = np.ones((97, 181), bool)
    edge = seen.copy()
    edge[:, :9] = False
    weights = display_weights(scene.exposures(covers=(seen, seen, edge)))
    assert weights[2][:, :9].max() == 0
    assert weights[2][:, 9:].min() > 0


def test_what_does_not_fit_together_is_refused(scene):
    dark, medium, bright = scene.images
    with pytest.raises(FrameError, match="two or three of one size"):
        scene.exposures(images=(dark, medium[:, 1:], bright))
    with pytest.raises(LabelingError, match=r"low mask is .* make it of these frames"):
        scene.exposures(low=np.ones((4, 4), bool))
    with pytest.raises(LabelingError, match=r"finite and within 0\.\.1"):
        as_weight(np.array([[0.2, np.nan]]))
    with pytest.raises(LabelingError, match="of bool, or a probability"):
        as_weight(np.ones((2, 2), np.int32))


def test_a_value_that_is_no_number_is_refused(scene):
    images = Scene(scene.radiance, dtype=np.float32).images
    images[1][3, 4] = np.nan
    mask = np.zeros((97, 181), np.float32)
    exposures = Exposures(images=images, evs=scene.evs, low=mask, high=mask)
    with pytest.raises(FrameError, match="finite"):
        display_picture(exposures)


def test_a_smaller_size_shows_the_same(textured):
    exposures = textured.exposures()
    whole = display_picture(exposures)
    small = exposures.reduced(100)
    assert small.shape == (60, 100)
    assert [image.dtype for image in small.images] == [np.uint8] * 3
    expected = cv2.resize(whole, (100, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(display_picture(small) - expected).mean() < 0.02
    assert exposures.reduced(200) is exposures


def test_other_masks_of_the_same_frames_give_the_same_as_from_the_start(textured):
    ghosts = np.zeros((120, 200), bool)
    ghosts[40:80, 90:130] = True
    fusion = DisplayFusion(textured.images, ghosts)
    for mask in (np.zeros((120, 200), bool), np.ones((120, 200), bool)):
        exposures = textured.exposures(low=mask, ghosts=ghosts)
        np.testing.assert_array_equal(fusion.picture(exposures), display_picture(exposures))
