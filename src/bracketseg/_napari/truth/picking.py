"""Picking a bound: a click into the picture tells the luma that it moves to."""

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.truth.focus import Focus
from bracketseg._napari.truth.mask_layers import MaskLayers
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.ranges import Bounds, ManualRange


class Picking:
    """Takes clicks into the picture, and the brush away meanwhile.

    It ends with the scene, and with turning to the other role or to another tool.

    Parameters
    ----------
    viewer : ViewerModel
    focus : Focus
    masks : MaskLayers
    pick : callable
        Takes the position in the world that was clicked at.

    Signals
    -------
    changed(bool)
        Whether a click picks now.
    """

    changed = Signal(bool)

    def __init__(
        self,
        viewer: ViewerModel,
        focus: Focus,
        masks: MaskLayers,
        pick: Callable[[tuple[float, ...]], object],
    ) -> None:
        self._viewer = viewer
        self._focus = focus
        self._masks = masks
        self._pick = pick
        self._on = False
        focus.leaving.connect(self.end)

    @property
    def on(self) -> bool:
        """Whether a click into the picture moves a bound."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        if on == self._on:
            return
        if not on:
            self.end()
            self._masks.arm(self._focus.role)
            return
        # A mask that is hidden takes its brush up again when it is shown.
        self._focus.set(self._focus.role)
        # A brush would paint at the very click.
        self._masks.arm(self._focus.role, brush=False)
        self._viewer.mouse_drag_callbacks.append(self._pressed)
        self._on, self._focus.brush = True, False
        self.changed.emit(True)

    def toggle(self) -> None:
        """Begin or end picking; without a scene there is nothing to begin."""
        self.on = not self.on and bool(self._focus.roles)

    def end(self) -> None:
        """Give the brush back; whatever layer somebody has selected meanwhile stays so."""
        if not self._on:
            return
        self._on, self._focus.brush = False, True
        if self._pressed in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._pressed)
        self._masks.give_brush(self._focus.role)
        self.changed.emit(False)

    def tool_chosen(self, role: MaskRole) -> None:
        """Take in that the mask of a role has got another tool."""
        if role == self._focus.role and not self._masks.has_hand(role):
            self.end()

    def _pressed(self, _viewer: object, event: Any) -> Any:
        """Pick at a click; a drag moves the picture as ever."""
        yield
        moved = False
        while event.type == "mouse_move":
            moved = True
            yield
        if not moved:
            self._pick(tuple(event.position))


def picked_range(bounds: Bounds | ManualRange, value: float) -> tuple[float, float]:
    """Move the nearer bound to a luma, the lower one where both are equally near.

    Parameters
    ----------
    bounds : Bounds or ManualRange
        Both inclusive.
    value : float
        0 to 255.

    Returns
    -------
    lo, hi : float

    Examples
    --------
    >>> picked_range(ManualRange(lo=100, hi=200), 150.0)
    (150.0, 200.0)
    """
    # Otsu's bounds can be an empty interval, as [256, 255] is.
    lo, hi = min(bounds.lo, 255.0), max(bounds.hi, 0.0)
    if abs(value - lo) <= abs(value - hi):
        return value, max(value, hi)
    return min(value, lo), value
