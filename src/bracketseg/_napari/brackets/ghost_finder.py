"""Looks for what moved between the frames of the scene on show, in the background."""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image
from numpy.typing import NDArray

from bracketseg._napari.brackets.ghost_layer import GhostLayer
from bracketseg._napari.layers.provenance import find_layer, provenance_of
from bracketseg._napari.session.session import Session
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg.brackets.align_method import reference_of
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.brackets.ghosts import FrameCompared, GhostMap, find_ghosts
from bracketseg.brackets.placement import Placement


class GhostFinder:
    """Keeps the ghost map of the scene on show, as long as it is wanted.

    Parameters
    ----------
    session : Session
    tell : callable
        Takes what there is to say of it; nothing where there is none.

    Attributes
    ----------
    jobs : JobGroup
        To be cancelled by whoever goes away; the layer stays.
    """

    def __init__(self, session: Session, tell: Callable[[str], object]) -> None:
        self._session = session
        self._tell = tell
        self.jobs = JobGroup()
        self._layer = GhostLayer(session.viewer)
        self._wanted = False

    @property
    def wanted(self) -> bool:
        """Whether ghosts are shown; setting it to False stops the work and takes them away."""
        return self._wanted

    @wanted.setter
    def wanted(self, on: bool) -> None:
        self._wanted = on
        if on:
            self.look()
        else:
            self.stop()
            self._layer.remove()

    def look(self) -> None:
        """Begin anew with the scene on show, its frames lying as they do now."""
        bracket = self._session.current
        if not self._wanted or bracket is None:
            return
        self.jobs.cancel()
        self._tell("Looking for ghosts …")
        self.jobs.run(
            partial(_ghosts, bracket, self._open_pixels(), dict(self._session.shifts)),
            on_event=self._compared,
            on_done=partial(self._found, bracket),
            on_error=self._failed,
            description=f"looking for ghosts in {bracket.scene}",
        )

    def leave(self) -> None:
        """Stop, and show nothing until another scene is there."""
        self.stop()
        self._layer.hide()

    def stop(self) -> None:
        """Stop the work after the frame in hand."""
        self.jobs.cancel()
        self._tell("")

    def _open_pixels(self) -> dict[Path, NDArray[Any]]:
        """Give the pixels of the frames that have a layer, by their files."""
        found = {}
        for layer in self._session.viewer.layers:
            ours = provenance_of(layer.metadata)
            if isinstance(layer, Image) and ours and ours["kind"] == "frame" and "path" in ours:
                found[Path(ours["path"])] = layer.data
        return found

    def _compared(self, event: FrameCompared) -> None:
        self._tell(f"Looking for ghosts: {event.done} of {event.total} steps …")

    def _found(self, bracket: Bracket, found: GhostMap) -> None:
        frame = bracket.frames[reference_of(bracket)]
        role = bracket.role_of(frame)
        layer = find_layer(self._session.viewer.layers, "frame", bracket.scene, role)
        if not isinstance(layer, Image) or layer.data.shape[:2] != found.ghosts.shape:
            # Somebody removed it.
            self._tell("")
            return
        self._layer.show(bracket.scene, role, found.ghosts, layer)
        self._tell(_say(bracket, found, self._session.shifts))

    def _failed(self, error: Exception) -> None:
        self._tell(f"⚠ {error}")


def _ghosts(
    bracket: Bracket, pixels: Mapping[Path, NDArray[Any]], placements: Mapping[Path, Placement]
) -> Generator[FrameCompared, None, GhostMap]:
    def read(frame: Frame) -> NDArray[Any]:
        # Of a radiance map one file is several frames.
        one = sum(other.path == frame.path for other in bracket.frames) == 1
        return pixels[frame.path] if one and frame.path in pixels else frame.read()

    return (
        yield from find_ghosts(
            [read(frame) for frame in bracket.frames],
            [frame.ev for frame in bracket.frames],
            [placements.get(frame.path, Shift()) for frame in bracket.frames],
            reference=reference_of(bracket),
        )
    )


def _say(bracket: Bracket, found: GhostMap, placements: Mapping[Path, Placement]) -> str:
    left_out = [
        bracket.role_of(frame) or frame.path.name
        for index, frame in enumerate(bracket.frames)
        if index in found.left_out or not placements.get(frame.path, Shift()).reliable
    ]
    if len(left_out) >= len(bracket.frames) - 1:
        return "Nothing could be compared: the frames show too little in common."
    without = f" Without {', '.join(left_out)}." if left_out else ""
    if not found.ghosts.any():
        return f"No ghosts: the frames show the same.{without}"
    share = found.share
    text = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
    return f"Ghosts in {text} of the picture: masks cannot be trusted there.{without}"
