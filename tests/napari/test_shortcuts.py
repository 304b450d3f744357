import gc
import weakref

import pytest
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy
from napari.utils.key_bindings import coerce_keybinding

from bracketseg._napari.widgets.shortcuts import Shortcut, shortcuts_of

ACCEPT = Shortcut(key="Control-Return", title="Accept the masks", name="accept")
NEXT = Shortcut(key="PageDown", title="Next scene", name="next")


def press(viewer, key):
    return viewer.keymap[coerce_keybinding(key)](viewer)


def test_a_key_does_what_it_was_bound_to(viewer):
    done = []
    shortcuts_of(viewer).add(NEXT, lambda: done.append("next"))
    press(viewer, "PageDown")
    assert done == ["next"]


def test_help_is_made_from_what_is_bound(viewer):
    shortcuts = shortcuts_of(viewer)
    changes = []
    shortcuts.changed.connect(lambda: changes.append(shortcuts.table()))
    shortcuts.add(ACCEPT, lambda: None)
    shortcuts.add(NEXT, lambda: None)
    assert shortcuts.table() == [
        ("Ctrl+Enter", "Accept the masks"),
        ("Page Down", "Next scene"),
    ]
    shortcuts.remove("accept")
    assert changes[-1] == [("Page Down", "Next scene")]
    assert coerce_keybinding("Control-Return") not in viewer.keymap


def test_removing_what_is_not_bound_does_nothing(viewer):
    shortcuts_of(viewer).remove("accept")
    assert shortcuts_of(viewer).table() == []


@pytest.mark.parametrize("change", [{"name": "other"}, {"key": "A"}])
def test_a_key_or_a_name_is_given_once(viewer, change):
    shortcuts_of(viewer).add(NEXT, lambda: None)
    other = Shortcut(**({"key": NEXT.key, "title": "Other", "name": NEXT.name} | change))
    with pytest.raises(ValueError, match="is taken"):
        shortcuts_of(viewer).add(other, lambda: None)


def test_the_proxy_that_plugins_get_has_the_registry_of_its_viewer(viewer):
    assert shortcuts_of(PublicOnlyProxy(viewer)) is shortcuts_of(viewer)
    assert shortcuts_of(ViewerModel()) is not shortcuts_of(viewer)


def test_a_registry_does_not_keep_its_viewer_alive():
    viewer = ViewerModel()
    shortcuts_of(viewer).add(NEXT, lambda: None)
    gone = weakref.ref(viewer)
    del viewer
    gc.collect()
    assert gone() is None
