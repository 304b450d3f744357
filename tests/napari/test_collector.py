"""What full collections of garbage look at while docks are open."""

import gc
import weakref

import pytest

from bracketseg._napari.session import collector


class Knot:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self):
        self.me = self


@pytest.fixture(autouse=True)
def as_before():
    for left_by_another_test in list(collector._users):
        collector.release(left_by_another_test)
    assert gc.get_freeze_count() == 0
    yield
    assert gc.get_freeze_count() == 0


@pytest.fixture
def user():
    token = object()
    collector.hold(token)
    yield token
    collector.release(token)


def test_a_collection_does_not_look_at_what_was_there(user):
    assert gc.get_freeze_count() > 100_000
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_what_came_later_is_collected(user):
    gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is None


def test_what_was_there_waits_until_it_may_go():
    token = object()
    knot = Knot()
    gone = weakref.ref(knot)
    collector.hold(token)
    del knot
    gc.collect()
    assert gone() is not None
    collector.thaw()
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert gone() is None
    collector.settle()
    assert gc.get_freeze_count() > 100_000
    collector.release(token)


def test_what_was_in_use_after_a_thaw_is_collected_later():
    token = object()
    knot = Knot()
    gone = weakref.ref(knot)
    collector.hold(token)
    collector.thaw()
    gc.collect()
    del knot
    gc.collect()
    assert gone() is None
    collector.release(token)


def test_with_each_user_that_goes_all_is_as_it_was(user):
    other = object()
    collector.hold(other)
    collector.release(other)
    assert gc.get_freeze_count() == 0


def test_nothing_is_set_apart_for_nobody():
    collector.settle()
    collector.thaw()
    collector.release(object())
    assert gc.get_freeze_count() == 0


def test_docks_hold_and_a_removed_layer_thaws(plugins, make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    frame, _ = viewer.window.add_plugin_dock_widget("bracketseg", "Brackets")
    assert gc.get_freeze_count() > 100_000
    layer = viewer.add_points([[0, 0]])
    viewer.layers.remove(layer)
    assert gc.get_freeze_count() == 0
    viewer.window.remove_dock_widget(frame)
    qtbot.waitUntil(lambda: gc.get_freeze_count() == 0, timeout=10_000)
