import numpy as np
import pytest
from napari.layers import Image

from bracketseg._napari.layers.frames import (
    frame_layers,
    guess_roles,
    index_of,
    pixel_at,
    scene_of,
    shown_frame,
)
from bracketseg._napari.layers.provenance import METADATA_KEY
from bracketseg.errors import FrameError

GREY = np.full((6, 8), 51, np.uint8)


def names(found):
    return {role: image.name for role, image in found.items()}


@pytest.mark.parametrize(
    ("pixels", "rgb"),
    [
        (GREY, False),
        (np.stack([GREY] * 3, -1), True),
        (np.stack([GREY, GREY, GREY, GREY * 0], -1), True),
        (GREY.astype(np.uint16) * 257, False),
        (np.full((6, 8), 0.2, np.float32), False),
        (np.full((6, 8), 0.2, np.float64), False),
        (np.full((6, 8, 3), 0.2, np.float32), True),
    ],
)
def test_every_kind_of_picture_has_a_luma(viewer, pixels, rgb):
    image = viewer.add_image(pixels, rgb=rgb)
    frame = shown_frame(image, viewer)
    assert frame.luma.dtype == np.uint8
    np.testing.assert_array_equal(frame.luma, GREY)
    assert frame.index == ()


def test_a_black_and_white_picture_has_a_luma(viewer):
    frame = shown_frame(viewer.add_image(GREY > 100), viewer)
    assert not frame.luma.any()
    assert shown_frame(viewer.add_image(GREY < 100), viewer).luma.min() == 255


def test_the_largest_level_of_a_pyramid_is_labelled(viewer):
    image = viewer.add_image([GREY, GREY[::2, ::2]], multiscale=True)
    assert shown_frame(image, viewer).luma.shape == (6, 8)


def test_values_that_cannot_be_used_are_refused_by_the_name_of_the_layer(viewer):
    image = viewer.add_image(np.full((6, 8), 3.5, np.float32), name="radiance")
    with pytest.raises(FrameError, match=r"radiance: .*within 0\.\.1"):
        shown_frame(image, viewer)


def test_a_stack_shows_the_slice_of_the_sliders(viewer):
    stack = np.zeros((4, 6, 8, 3), np.uint8)
    stack[2] = 51
    image = viewer.add_image(stack, rgb=True, scale=(10, 1, 1))
    viewer.dims.set_point(0, 20)
    assert index_of(image, viewer) == (2,)
    np.testing.assert_array_equal(shown_frame(image, viewer).luma, GREY)


def test_a_picture_under_a_stack_keeps_its_own_axes(viewer):
    viewer.add_image(np.zeros((4, 6, 8), np.uint8))
    assert index_of(viewer.add_image(GREY), viewer) == ()


def test_probabilities_and_signals_are_no_frames(viewer):
    ours = {"kind": "probability", "scene": "church", "role": "low"}
    viewer.add_image(GREY / 255, metadata={METADATA_KEY: ours})
    viewer.add_labels(GREY)
    picture = viewer.add_image(GREY)
    assert frame_layers(viewer.layers) == [picture]


def test_roles_by_what_the_layers_say_of_themselves():
    images = [
        Image(GREY, name=name, metadata={METADATA_KEY: {"kind": "frame", "scene": "s", "role": r}})
        for name, r in (("x", "high"), ("y", "low"), ("z", "medium"))
    ]
    assert names(guess_roles(images)) == {"high": "x", "low": "y"}


def test_roles_by_words_in_the_names():
    images = [Image(GREY, name=name) for name in ("0001_long", "0001_medium", "0001_short")]
    assert names(guess_roles(images)) == {"low": "0001_short", "high": "0001_long"}


def test_roles_by_brightness_where_no_name_tells():
    images = [Image(GREY + add, name=name) for name, add in (("a", 9), ("b", 80), ("c", 0))]
    assert names(guess_roles(images)) == {"low": "c", "high": "b"}


def test_brightness_is_that_of_the_type():
    images = [Image(GREY, name="a"), Image(GREY.astype(np.uint16), name="b")]
    assert names(guess_roles(images)) == {"low": "b", "high": "a"}


def test_low_and_high_are_of_one_scene():
    images = [Image(GREY, name=name) for name in ("a_high", "b_low", "b_high", "a_low")]
    assert names(guess_roles(images)) == {"low": "a_low", "high": "a_high"}


def test_a_single_image_is_low():
    assert names(guess_roles([Image(GREY, name="a")])) == {"low": "a"}
    assert guess_roles([]) == {}


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("0001_short", "0001"),
        ("church low", "church"),
        ("low", "low"),
        ("shortbread", "shortbread"),
        ("a/b:c", "a_b_c"),
        ("..", "scene"),
    ],
)
def test_scenes_are_named_so_that_files_can_be(name, scene):
    assert scene_of([Image(GREY, name=name)]) == scene


def test_each_slice_is_a_scene():
    assert scene_of([Image(GREY, name="stack")], (3,)) == "stack_0003"


def test_pixels_are_found_through_scale_and_translate():
    image = Image(GREY, scale=(2, 0.5), translate=(10, 20))
    assert pixel_at(image, (10 + 2 * 3, 20 + 0.5 * 5)) == (3, 5)
