"""What would hold up the window if it were done at once, done over turns of the event loop."""

from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary

from napari.components import ViewerModel

from bracketseg._napari.widgets.jobs import next_turn


class Turns:
    """Calls one thing after the other, one in each turn of the event loop.

    Between two of them a person may do something: what is called has to look whether it is
    still wanted. Where no event loop runs, each is called as it is added.
    """

    def __init__(self) -> None:
        self._calls: deque[Callable[[], object]] = deque()
        self._awake = False

    def add(self, call: Callable[[], object]) -> None:
        """Have something called when what was added before has been."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            next_turn(self._go_on)

    def _go_on(self) -> None:
        try:
            if self._calls:
                self._calls.popleft()()
        finally:
            # Also where that failed: those behind it belong to others.
            self._awake = bool(self._calls)
            if self._awake:
                next_turn(self._go_on)


_turns: WeakKeyDictionary[ViewerModel, Turns] = WeakKeyDictionary()


def turns_of(viewer: ViewerModel) -> Turns:
    """Give the one queue of a viewer, so that two docks do not fill one turn together."""
    return _turns.setdefault(viewer, Turns())
