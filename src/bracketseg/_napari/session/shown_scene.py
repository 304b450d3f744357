"""The scene whose frames are on show, and the one that is about to be."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING
from weakref import ref

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.layers.frame_layers import FrameLayers
from bracketseg._napari.session.held_mouse import HeldMouse
from bracketseg._napari.session.scene_frames import SceneFrames
from bracketseg._napari.session.scene_loader import SceneLoader
from bracketseg._napari.widgets.turns import turns_of
from bracketseg.brackets.bracket import Bracket

if TYPE_CHECKING:
    from pathlib import Path

    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.placement import Placement


class ShownScene:
    """Shows one scene after the other, each when its frames are in memory.

    Parameters
    ----------
    viewer : ViewerModel
    on_shown : callable
        Called when a scene that was asked for is on show, and its listeners know.
    along : sequence of callable
        As :class:`SceneLoader` takes them.

    Attributes
    ----------
    bracket : Bracket or None
        None before the first.
    shifts : dict of Path to Placement
        Where the layer of each frame was moved; empty without alignment.
    mouse : HeldMouse
        No scene takes the place of another under a stroke.

    Signals
    -------
    loading_started(Bracket)
        This scene is being decoded; the one before is still shown.
    leaving(Bracket)
        The frames of this scene are about to be replaced.
    changed(Bracket)
        The frames of this scene are shown.
    shifts_changed(Bracket)
        The layers of this scene were moved, and nothing else.
    failed(Bracket, Exception)
        The frames of this scene cannot be shown.
    """

    loading_started = Signal(object)
    leaving = Signal(object)
    changed = Signal(object)
    shifts_changed = Signal(object)
    failed = Signal(object, object)

    def __init__(
        self,
        viewer: ViewerModel,
        on_shown: Callable[[], object],
        along: Sequence[Callable[[Bracket], object]] = (),
    ) -> None:
        self._viewer = ref(viewer)
        self._on_shown = on_shown
        self.bracket: Bracket | None = None
        self.shifts: dict[Path, Placement] = {}
        self._turns = turns_of(viewer)
        self.mouse = HeldMouse(viewer)
        self._arriving: SceneFrames | None = None
        self._settled = False
        self._align: AlignMethod = "off"
        self._aligned: AlignMethod = "off"
        self._frames: SceneFrames | None = None
        self._layers = FrameLayers(viewer)
        self._loader = SceneLoader(self._show, self.failed.emit, along)

    @property
    def loading(self) -> Bracket | None:
        """The scene that was asked for and is being decoded, or gets its layers."""
        return self._arriving.bracket if self._arriving is not None else self._loader.wanted

    @property
    def align(self) -> "AlignMethod":
        """How the layers of the frames are moved so that the frames lie on each other."""
        return self._align

    @align.setter
    def align(self, method: "AlignMethod") -> None:
        self._align = method
        again = self.loading or self.bracket
        if again is not None:
            self.show(again)

    def show(self, bracket: Bracket) -> None:
        """Show a scene: at once if it is in memory and has its layers, else when it has."""
        self._arriving, self._settled = None, False
        if self._aligned == self._align and self._is_shown(bracket):
            self._loader.want_nothing()
            self._shown()
            return
        self._loader.want(bracket, align=self._align)
        if self.loading is not None:
            self.loading_started.emit(bracket)

    def load_ahead(self, brackets: list[Bracket]) -> None:
        """Decode scenes that are likely to be asked for next."""
        self._loader.load_ahead(brackets, align=self._align)

    def leave(self) -> None:
        """Say that the scene is about to be left."""
        if self.bracket is not None:
            self.leaving.emit(self.bracket)

    def clear(self) -> None:
        """Show nothing, and forget all frames; the layers stay, hidden, for the next scene."""
        self._arriving, self._settled = None, False
        self._loader.forget()
        self._layers.put_aside()
        self.bracket, self._frames, self.shifts = None, None, {}

    def cancel(self) -> None:
        """Stop decoding; what is shown stays."""
        self._arriving, self._settled = None, False
        self._loader.cancel()
        self.tidy()

    def tidy(self) -> None:
        """Remove the layers that no scene needs, one in each turn of the event loop."""
        if self._layers.spare():
            self._turns.add(self._drop)

    def _drop(self) -> None:
        # A scene that is on its way takes them.
        if self.loading is None and self._layers.drop_one():
            self._turns.add(self._drop)

    def _show(self, frames: SceneFrames) -> None:
        if self._is_shown(frames.bracket):
            self._aligned = self._align
            self.shifts = self._shifts_of(frames)
            self._layers.move(self.shifts)
            self.shifts_changed.emit(frames.bracket)
            self._shown()
            return
        self._arriving = frames
        self._arrive(frames, self._layers.unready(frames.layers))

    def _arrive(self, frames: SceneFrames, unready: list[int]) -> None:
        """Get the layers of a scene ready, one in each turn, and then show all at once.

        The scene before stays as it is until then, and can be worked on.
        """
        if unready:
            self._turns.add(partial(self._prepare, frames, unready))
        else:
            self.mouse.let_go_first(partial(self._take_place, frames))

    def _take_place(self, frames: SceneFrames) -> None:
        if self._arriving is not frames:
            return
        if self.bracket is not None:
            self._switch(frames)
            return
        # Where no scene was on show there is none that could be mixed up with this one, and
        # to lay out the first takes longest: docks have the next turn.
        resized = self._layers.show(frames.layers, self._shifts_of(frames))
        self._turns.add(partial(self._switch, frames, resized=resized))

    def _switch(self, frames: SceneFrames, *, resized: bool = False) -> None:
        if self._arriving is not frames:
            return
        self._arriving = None
        self.leave()
        self._aligned = self._align
        shifts = self._shifts_of(frames)
        self.bracket, self._frames, self.shifts = frames.bracket, frames, shifts
        resized |= self._layers.show(frames.layers, shifts)
        self.changed.emit(frames.bracket)
        if resized:
            self._layers.shrink_spare()
            self._fit_view()
        self._shown()

    def _fit_view(self) -> None:
        """Fit the view to the frames: docks keep hidden layers of the size before."""
        viewer = self._viewer()
        if viewer is None:
            return
        try:
            viewer.reset_view(layers=self._layers.layers())
        except TypeError:
            # napari 0.7 fits it to all layers, and only to these.
            viewer.reset_view()

    def _shifts_of(self, frames: SceneFrames) -> "dict[Path, Placement]":
        return frames.placements.get(self._align, {})

    def _prepare(self, frames: SceneFrames, unready: list[int]) -> None:
        if self._arriving is frames:
            self._layers.prepare(frames.layers, unready[0])
            self._arrive(frames, unready[1:])

    def _shown(self) -> None:
        self.tidy()
        # Not before it was drawn, which takes all the processors there are.
        self._settled = True
        self._turns.add(self._tell_shown)

    def _tell_shown(self) -> None:
        if self._settled:
            self._on_shown()

    def _is_shown(self, bracket: Bracket) -> bool:
        frames = self._frames
        return (
            frames is not None
            and frames.bracket == bracket
            and self._layers.complete(frames.layers)
        )
