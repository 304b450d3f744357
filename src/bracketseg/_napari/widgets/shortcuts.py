"""The keys of all docks: one registry that binds them and from which help is made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

from napari.components import ViewerModel
from psygnal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """One key and what it does.

    Attributes
    ----------
    key : str
        In napari's words: ``"PageDown"``, ``"Control-Return"``, ``"Shift-A"``.
    title : str
        What it does, as help and tooltips say it.
    name : str
        What is done, in one word for programs; unique in the registry.
    """

    key: str
    title: str
    name: str

    @property
    def text(self) -> str:
        """The key as it is printed on this platform's keyboards: ``Ctrl+Enter``."""
        return "+".join(_PRINTED.get(part, part) for part in self.key.split("-"))


_PRINTED = {
    "Control": "Ctrl",
    "PageUp": "Page Up",
    "PageDown": "Page Down",
    "Return": "Enter",
    "Up": "↑",
    "Down": "↓",
    "Left": "←",
    "Right": "→",
}


class Shortcuts:
    """The shortcuts of one viewer; see :func:`shortcuts_of`.

    Signals
    -------
    changed
        One was added or removed.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        # Weak: the registry stands in a dictionary that the viewer is the weak key of.
        self._viewer = ref(viewer)
        self._bound: dict[str, Shortcut] = {}

    def __iter__(self) -> Iterator[Shortcut]:
        return iter(tuple(self._bound.values()))

    def add(self, shortcut: Shortcut, callback: Callable[[], object]) -> None:
        """Bind a key of the viewer.

        Parameters
        ----------
        shortcut : Shortcut
        callback : callable
            Takes nothing. It is kept alive until :meth:`remove`.

        Raises
        ------
        ValueError
            If another shortcut has this key or this name.
        """
        for other in self._bound.values():
            if other.key == shortcut.key or other.name == shortcut.name:
                raise ValueError(f"{shortcut} is taken: {other}. Choose another key or name.")

        def pressed(_viewer: Any) -> None:
            callback()

        self._bind(shortcut.key, pressed)
        self._bound[shortcut.name] = shortcut
        self.changed.emit()

    def remove(self, name: str) -> None:
        """Unbind a key; a name that is not bound is no error, as docks come and go."""
        shortcut = self._bound.pop(name, None)
        if shortcut is not None:
            self._bind(shortcut.key, None)
            self.changed.emit()

    def table(self) -> list[tuple[str, str]]:
        """Give the rows of a help panel: the key as printed, and what it does."""
        return [(shortcut.text, shortcut.title) for shortcut in self]

    def _bind(self, key: str, callback: Callable[[Any], None] | None) -> None:
        viewer = self._viewer()
        if viewer is not None:
            viewer.bind_key(key, callback, overwrite=True)


_registries: WeakKeyDictionary[ViewerModel, Shortcuts] = WeakKeyDictionary()


def shortcuts_of(viewer: ViewerModel) -> Shortcuts:
    """Give the one registry of a viewer, the same to every dock.

    Parameters
    ----------
    viewer : ViewerModel
        Or the proxy of one that napari hands to plugins.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _registries:
        _registries[viewer] = Shortcuts(viewer)
    return _registries[viewer]
