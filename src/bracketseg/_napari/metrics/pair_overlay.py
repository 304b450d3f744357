"""The overlay of two open layers, over the frame that it belongs to."""

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.layers.error_overlay import ErrorOverlay
from bracketseg._napari.metrics.layers import lies_elsewhere, probability_layers
from bracketseg._napari.metrics.live import Measured

_SEEN = ("visible", "inserted", "removed", "reordered")
"""What layers say when another frame may be seen."""


class PairOverlay:
    """Shows the four outcomes of a pair while the frame of its role is seen.

    Parameters
    ----------
    viewer : ViewerModel
    later : callable
        Calls what it is given once the layers have come to rest: several are shown and hidden
        when a dock turns to the other role.

    Signals
    -------
    changed()
        It went or came back with the frame that is seen.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, later: Callable[[Callable[[], None]], object]) -> None:
        self._viewer = viewer
        self._later = later
        self._overlay = ErrorOverlay(viewer)
        self._found: Measured | None = None
        self._on = self._shown = self._looking = False
        viewer.layers.events.connect(self._layer_says)

    def close(self) -> None:
        """Let go of the viewer, and leave it as it was."""
        self._viewer.layers.events.disconnect(self._layer_says)
        self.on = False

    @property
    def on(self) -> bool:
        """Whether it is wanted."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        self._draw()

    @property
    def elsewhere(self) -> bool:
        """Whether it is hidden, as the frame of the other role is seen."""
        there = self._viewer.layers
        return self._on and self._found is not None and lies_elsewhere(self._found.pair, there)

    @property
    def lost(self) -> bool:
        """Whether somebody closed the layer."""
        return self._shown and self._overlay.layer is None

    def show(self, found: Measured | None) -> None:
        """Show what was measured; None where there is nothing."""
        self._found = found
        self._draw()

    def _draw(self) -> None:
        found = self._found
        self._shown = self._on and found is not None and not self.elsewhere
        if found is None or not self._shown:
            self._overlay.hide()
            return
        pair = found.pair
        self._overlay.show(
            pair.title,
            found.composed,
            pair.prediction,
            [pair.reference, pair.prediction, *probability_layers(self._viewer.layers)],
        )

    def _layer_says(self, event: Any) -> None:
        if event.type in _SEEN and self._on and not self._looking:
            self._looking = True
            self._later(self._look)

    def _look(self) -> None:
        self._looking = False
        wanted = self._on and self._found is not None and not self.elsewhere
        if wanted != self._shown:
            self._draw()
            self.changed.emit()
