import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import LayerList
from napari.layers import Image, Labels

from bracketseg._napari.layers.provenance import (
    METADATA_KEY,
    find_layer,
    frame_name,
    further_frame_name,
    mask_layer_name,
    parse_mask_layer_name,
    plane_of,
    probability_layer_name,
    provenance_of,
)


def test_names_are_the_agreed_ones():
    assert frame_name("0000", "medium") == "0000 medium"
    assert further_frame_name("0000", 1) == "0000 EV+1.0"
    assert further_frame_name("0000", -2.04) == "0000 EV-2.0"
    assert mask_layer_name("0000", "low", "ground truth") == "0000 low ground truth"
    assert mask_layer_name("0000", "high", "prediction") == "0000 high prediction"
    assert probability_layer_name("0000", "high") == "0000 high probability"


@given(
    scene=st.from_regex(r"[\w .-]{1,12}", fullmatch=True),
    role=st.sampled_from(["low", "high"]),
    kind=st.sampled_from(["ground truth", "prediction"]),
)
def test_a_mask_name_can_be_taken_apart(scene, role, kind):
    assert parse_mask_layer_name(mask_layer_name(scene, role, kind)) == (scene, role, kind)


@pytest.mark.parametrize("name", ["low ground truth", "0000 medium ground truth", "0000 low"])
def test_other_names_say_nothing(name):
    assert parse_mask_layer_name(name) is None


def frame(scene, role):
    said = {"kind": "frame", "scene": scene, "role": role}
    return Image(np.zeros((4, 5, 3), np.uint8), metadata={METADATA_KEY: said})


def test_a_layer_is_found_whatever_it_is_called():
    layers = LayerList([frame("a", "low"), frame("a", "high"), Labels(np.zeros((4, 5), int))])
    layers[0].name = "my favourite"
    assert find_layer(layers, "frame", "a", "low") is layers[0]
    assert find_layer(layers, "frame", "b", "low") is None
    assert find_layer(layers, "prediction", "a", "low") is None


def test_of_equal_layers_the_topmost_is_found():
    layers = LayerList([frame("a", "low"), frame("a", "low")])
    assert find_layer(layers, "frame", "a", "low") is layers[1]


@pytest.mark.parametrize("said", [None, "frame", {}, {"kind": "frame"}])
def test_foreign_metadata_are_not_taken_for_ours(said):
    assert provenance_of({METADATA_KEY: said}) is None


@pytest.mark.parametrize("shape", [(4, 5, 3), (2, 4, 5, 3), (2, 2, 4, 5, 3)])
def test_a_mask_lies_where_its_picture_lies(shape):
    axes = len(shape) - 1
    picture = Image(
        np.zeros(shape, np.uint8),
        rgb=True,
        scale=[3.0, 2.0, 0.5, 0.25][-axes:],
        translate=[7.0, 6.0, 5.0, 4.0][-axes:],
        units=["s", "s", "um", "um"][-axes:],
    )
    mask = Labels(np.zeros(shape[-3:-1], np.uint8), **plane_of(picture))
    assert tuple(mask.scale) == (0.5, 0.25)
    assert tuple(mask.translate) == (5.0, 4.0)
    assert mask.units == picture.units[-2:]
