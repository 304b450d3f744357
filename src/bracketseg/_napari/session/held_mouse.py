"""The mouse while a button is held down over the picture, and what waits until it is let go."""

from collections.abc import Callable, Iterator
from typing import Any

from napari.components import ViewerModel

from bracketseg._napari.widgets.turns import turns_of


class HeldMouse:
    """Tells whether somebody is in the middle of a stroke, a drag or a click.

    Whatever is begun there is meant for what is on show: another scene has to wait.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._turns = turns_of(viewer)
        self._held = False
        self._waiting: Callable[[], object] | None = None
        viewer.mouse_drag_callbacks.append(self._pressed)

    @property
    def held(self) -> bool:
        """Whether a button is held down over the picture."""
        return self._held

    def let_go_first(self, call: Callable[[], object]) -> None:
        """Have something called once no button is held down; what waited before is forgotten."""
        self._waiting = call
        if not self._held:
            self._go_on()

    def _go_on(self) -> None:
        # Somebody may have pressed again before it had its turn.
        if not self._held and self._waiting is not None:
            call, self._waiting = self._waiting, None
            call()

    def _pressed(self, _viewer: object, event: Any) -> Iterator[None]:
        self._held = True
        yield
        # A release that nobody hears of, as over a dialog that came up, shows at the next move.
        while event.type == "mouse_move" and event.is_dragging:
            yield
        self._held = False
        # napari tells the viewer before the layer, whose stroke ends only then.
        self._turns.add(self._go_on)
