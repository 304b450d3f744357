"""The frames of a scene in memory, and those of its neighbours kept ready."""

from collections import OrderedDict
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from bracketseg._napari.layers import METADATA_KEY
from bracketseg._napari.reader import LayerData, bracket_layers
from bracketseg.brackets.alignment import Shift, mtb_shifts, shift_image
from bracketseg.brackets.bracket import Bracket

CACHE_BYTES = 512 * 2**20
"""What is kept of scenes that were shown or may be shown next: 28 triplets of 1900x1060."""


@dataclass(frozen=True, kw_only=True)
class SceneFrames:
    """The decoded frames of one bracket, as layers to be.

    Attributes
    ----------
    bracket : Bracket
    aligned : bool
        Whether the frames were moved onto each other.
    layers : tuple of layer data
        Dark to bright.
    shifts : dict of Path to Shift
        By how many pixels each frame was moved; empty where they are not aligned.
    """

    bracket: Bracket
    aligned: bool
    layers: tuple[LayerData, ...]
    shifts: dict[Path, Shift] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return sum(pixels.nbytes for pixels, _, _ in self.layers)


def frames_bytes(bracket: Bracket) -> int:
    """Tell from the headers how many bytes the frames of a bracket take."""
    first = bracket.frames[0]
    pixels = first.dtype.itemsize
    for length in first.shape:
        pixels *= length
    return pixels * len(bracket.frames)


def read_scene_frames(bracket: Bracket, *, align: bool) -> SceneFrames:
    """Decode the frames of a bracket; takes long, and touches no layer.

    Parameters
    ----------
    bracket : Bracket
    align : bool
        Move the frames onto each other by whole pixels. What each was moved by stands in
        its layer's metadata as ``"shift": [dx, dy]``.

    Raises
    ------
    FrameError
        If a frame cannot be read.
    """
    # napari draws the first picture of a layer's own thumbnail with it. Importing it takes half
    # a second, and here that holds up nobody.
    import_module("scipy.ndimage")
    layers = bracket_layers(bracket)
    if not align:
        return SceneFrames(bracket=bracket, aligned=False, layers=tuple(layers))
    # The frame that is shown first stays where it is.
    medium = bracket.roles.get("medium")
    reference = None if medium is None else bracket.frames.index(medium)
    shifts = mtb_shifts([pixels for pixels, _, _ in layers], reference=reference)
    aligned: list[LayerData] = []
    by_path: dict[Path, Shift] = {}
    for (pixels, options, kind), shift in zip(layers, shifts, strict=True):
        provenance = {**options["metadata"][METADATA_KEY], "shift": [shift.dx, shift.dy]}
        options = {**options, "metadata": {METADATA_KEY: provenance}}
        aligned.append((shift_image(pixels, shift), options, kind))
        by_path[Path(provenance["path"])] = shift
    return SceneFrames(bracket=bracket, aligned=True, layers=tuple(aligned), shifts=by_path)


class FrameCache:
    """Decoded scenes up to a number of bytes; what was not used for longest goes first.

    Parameters
    ----------
    limit : int
        Bytes. A scene larger than that is not kept.
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[tuple[Bracket, bool], SceneFrames] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(frames.nbytes for frames in self._kept.values())

    def get(self, bracket: Bracket, *, aligned: bool) -> SceneFrames | None:
        """Give the frames of a bracket if they are here."""
        found = self._kept.get((bracket, aligned))
        if found is not None:
            self._kept.move_to_end((bracket, aligned))
        return found

    def put(self, frames: SceneFrames) -> None:
        """Keep the frames of a bracket, and let go of others to make room."""
        if frames.nbytes > self.limit:
            return
        self._kept[frames.bracket, frames.aligned] = frames
        while self.nbytes > self.limit:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
