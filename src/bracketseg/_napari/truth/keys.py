"""The keys of the Ground truth dock."""

from collections.abc import Callable, Mapping

from bracketseg._napari.widgets.shortcuts import Shortcut, Shortcuts

ACCEPT = Shortcut(key="A", title="Accept: save the masks, go to the next scene", name="accept")
SKIP = Shortcut(key="S", title="Skip this scene", name="skip")
OTHER_ROLE = Shortcut(key="D", title="Turn to the other frame (low, high)", name="other_role")
PICK = Shortcut(key="Q", title="Pick a bound in the picture", name="pick")
MERGED = Shortcut(key="W", title="Merged view on and off", name="merged")
COMPARE = Shortcut(key="C", title="Compare with Otsu on and off", name="compare")
UNDO = Shortcut(key="Control-Z", title="Undo a stroke or a range", name="undo")
REDO = Shortcut(key="Control-Shift-Z", title="Redo", name="redo")

KEYS = (ACCEPT, SKIP, OTHER_ROLE, PICK, MERGED, COMPARE, UNDO, REDO)


def bind_keys(shortcuts: Shortcuts, actions: Mapping[Shortcut, Callable[[], object]]) -> None:
    """Bind each key to what it does; a dock that was opened before loses them."""
    for shortcut, action in actions.items():
        shortcuts.remove(shortcut.name)
        shortcuts.add(shortcut, action)


def free_keys(shortcuts: Shortcuts) -> None:
    """Unbind all keys."""
    for shortcut in KEYS:
        shortcuts.remove(shortcut.name)
