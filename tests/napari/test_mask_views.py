import numpy as np
import pytest

from bracketseg._napari.layers.mask_views import COMPARED, MERGED, MaskView, compose

FIRST = np.array([[True, True], [False, False]])
SECOND = np.array([[True, False], [True, False]])


def test_the_four_ways_to_meet():
    composed = compose(FIRST, SECOND)
    assert composed.dtype == np.uint8
    np.testing.assert_array_equal(composed, [[3, 1], [2, 4]])


def test_a_view_lies_on_its_frame_and_keeps_the_layer_in_work_selected(viewer):
    image = viewer.add_image(np.zeros((2, 2)), scale=(3, 3), translate=(1, 2))
    work = viewer.add_labels(np.zeros((2, 2), int))
    view = MaskView(viewer, MERGED)
    view.show("church", image, FIRST, SECOND)
    np.testing.assert_array_equal(view.layer.scale, (3, 3))
    np.testing.assert_array_equal(view.layer.translate, (1, 2))
    assert view.layer.name == "church merged"
    assert viewer.layers.selection.active is work


def test_a_view_follows_in_the_layer_that_is_open(viewer):
    image = viewer.add_image(np.zeros((2, 2)))
    view = MaskView(viewer, MERGED)
    view.show("church", image, FIRST, SECOND)
    layer = view.layer
    view.show("church", image, SECOND, FIRST)
    assert view.layer is layer
    np.testing.assert_array_equal(layer.data, [[3, 2], [1, 4]])
    view.show("tower", image, np.ones((3, 3), bool), np.ones((3, 3), bool))
    assert [layer.data.shape for layer in viewer.layers if "merged" in layer.name] == [(3, 3)]


def test_a_view_that_somebody_closed_opens_again(viewer):
    image = viewer.add_image(np.zeros((2, 2)))
    view = MaskView(viewer, COMPARED)
    view.show("church", image, FIRST, SECOND)
    viewer.layers.remove(view.layer)
    assert view.layer is None
    view.show("church", image, FIRST, SECOND)
    view.hide()
    view.hide()
    assert viewer.layers == [image]


@pytest.mark.parametrize("scheme", [MERGED, COMPARED])
def test_the_legend_has_the_colours_of_the_layer(viewer, scheme):
    view = MaskView(viewer, scheme)
    view.show("church", viewer.add_image(np.zeros((2, 2))), FIRST, SECOND)
    shown = {
        "#" + "".join(f"{round(255 * part):02x}" for part in view.layer.get_color(number)[:3])
        for number in (1, 2, 3, 4)
        if view.layer.get_color(number)[3]
    }
    assert shown == {color for _, color in scheme.legend}
    assert len({color for _, color in scheme.legend}) == len(scheme.legend)
