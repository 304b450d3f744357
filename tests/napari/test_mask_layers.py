import numpy as np
import pytest
from napari.layers import Image

from bracketseg._napari.layers.frames import ShownFrame
from bracketseg._napari.layers.provenance import METADATA_KEY
from bracketseg._napari.truth.mask_layers import MaskLayers

PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
MASK = np.arange(24).reshape(4, 6) > 10


@pytest.fixture
def masks(viewer):
    return MaskLayers(
        viewer,
        on_painted=lambda _: True,
        on_tool=lambda _: None,
        on_undo=lambda: None,
        on_redo=lambda: None,
        awaits=lambda: False,
    )


@pytest.fixture
def frame(viewer):
    def make(**place):
        layer = viewer.add_layer(Image(np.zeros((4, 6, 3), np.uint8), rgb=True, **place))
        luma = np.zeros((4, 6), np.uint8)
        return ShownFrame(layer=layer, index=(), luma=luma, name=layer.name, file=None)

    return make


@pytest.mark.parametrize(
    "place",
    [
        {"scale": (2, 3)},
        {"translate": (5, 7)},
        {"rotate": 30},
        {"shear": [0.5]},
        {"affine": [[1, 0, 4], [0, 2, 5], [0, 0, 1]]},
        {"units": ("mm", "mm")},
        {"axis_labels": ("y", "x")},
    ],
)
def test_the_layer_of_the_scene_before_is_laid_on_the_new_frame(masks, frame, place):
    first = masks.show("attic", "low", frame(), MASK)
    new = frame(**place)
    second = masks.show("barn", "low", new, MASK)
    assert second is first
    (name,) = place
    there, wanted = getattr(second, name), getattr(new.layer, name)
    if name == "affine":
        there, wanted = there.affine_matrix, wanted.affine_matrix
    assert np.array_equal(there, wanted) if isinstance(there, np.ndarray) else there == wanted


def test_what_lies_as_before_is_left_alone(masks, frame):
    layer = masks.show("attic", "low", frame(scale=(2, 3)), MASK)
    moved = []
    for name in PLACE:
        layer.events[name].connect(lambda event: moved.append(event.type))
    masks.show("barn", "low", frame(scale=(2, 3)), ~MASK)
    assert moved == []
    assert layer.name == "barn low ground truth"
    assert np.array_equal(layer.data != 0, ~MASK)


def test_a_layer_that_is_seen_already_is_not_shown_again(masks, frame):
    layer = masks.show("attic", "low", frame(), MASK)
    masks.show_only("low")
    shown = []
    layer.events.visible.connect(lambda _: shown.append(layer.visible))
    masks.show_only("low")
    assert shown == []
    masks.show_only("high")
    masks.show_only("low")
    assert shown == [False, True]


def test_a_layer_of_another_type_shows_the_mask_too(masks, frame, viewer):
    ours = {"kind": "ground truth", "scene": "attic", "role": "low"}
    layer = viewer.add_labels(np.zeros((4, 6), np.int32), metadata={METADATA_KEY: ours})
    assert masks.show("attic", "low", frame(), MASK) is layer
    assert np.array_equal(layer.data, MASK)
