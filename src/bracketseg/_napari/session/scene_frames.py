"""The frames of a scene in memory, and those of its neighbours kept ready."""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bracketseg._napari.layers.pixel_lumas import keep_luma, kept_luma
from bracketseg._napari.layers.reader import LayerData, bracket_layers
from bracketseg._napari.layers.warm_up import load_for_images
from bracketseg.brackets.align_method import AlignMethod, reference_of
from bracketseg.brackets.align_method import align as find_placements
from bracketseg.brackets.bracket import MASK_ROLES, Bracket
from bracketseg.brackets.luma import luma
from bracketseg.brackets.placement import Placement
from bracketseg.errors import FrameError

CACHE_BYTES = 512 * 2**20
"""What is kept of scenes that were shown or may be shown next: 28 triplets of 1900x1060."""


@dataclass(frozen=True, kw_only=True)
class SceneFrames:
    """The decoded frames of one bracket, as layers to be.

    Attributes
    ----------
    bracket : Bracket
    layers : tuple of layer data
        Dark to bright; the pixels are those of the files.
    placements : dict of AlignMethod to dict of Path to Placement
        Where each frame is to be moved; without the ways that nobody has asked for yet.
    """

    bracket: Bracket
    layers: tuple[LayerData, ...]
    placements: dict[AlignMethod, dict[Path, Placement]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels, and of the luma that is kept of them."""
        pixels = [pixels for pixels, _, _ in self.layers]
        lumas = [values for values in map(kept_luma, pixels) if values is not None]
        return sum(array.nbytes for array in (*pixels, *lumas))


def frames_bytes(bracket: Bracket) -> int:
    """Tell from the headers how many bytes the frames of a bracket take."""
    first = bracket.frames[0]
    pixels = first.dtype.itemsize
    for length in first.shape:
        pixels *= length
    return pixels * len(bracket.frames)


def read_scene_frames(
    bracket: Bracket, *, align: AlignMethod, known: SceneFrames | None = None
) -> SceneFrames:
    """Decode the frames of a bracket; takes long, and touches no layer.

    Parameters
    ----------
    bracket : Bracket
    align : {"off", "shift", "homography"}
        Find out where each frame is to be moved to lie on the others.
    known : SceneFrames, optional
        Where the frames have been decoded already.

    Raises
    ------
    FrameError
        If a frame cannot be read.
    """
    # Layers are next, and what holds up the first ones holds up nobody here.
    load_for_images()
    frames = known or SceneFrames(bracket=bracket, layers=tuple(bracket_layers(bracket)))
    for frame, (pixels, _, _) in zip(bracket.frames, frames.layers, strict=True):
        if bracket.role_of(frame) in MASK_ROLES and kept_luma(pixels) is None:
            # A picture that cannot be labelled can be looked at.
            with suppress(FrameError):
                keep_luma(pixels)
    if align == "off" or align in frames.placements:
        return frames
    # The frame that is shown first stays where it is.
    lumas = [kept_luma(pixels) for pixels, _, _ in frames.layers]
    found = find_placements(
        [
            luma(pixels) if values is None else values
            for values, (pixels, _, _) in zip(lumas, frames.layers, strict=True)
        ],
        align,
        reference=reference_of(bracket),
    )
    by_path = {frame.path: place for frame, place in zip(bracket.frames, found, strict=True)}
    return replace(frames, placements={**frames.placements, align: by_path})


class FrameCache:
    """Decoded scenes up to a number of bytes; what was not used for longest goes first.

    Parameters
    ----------
    limit : int
        Bytes. A scene larger than that is not kept.
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit = limit
        self._kept: OrderedDict[Bracket, SceneFrames] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(frames.nbytes for frames in self._kept.values())

    def get(self, bracket: Bracket) -> SceneFrames | None:
        """Give the frames of a bracket if they are here."""
        found = self._kept.get(bracket)
        if found is not None:
            self._kept.move_to_end(bracket)
        return found

    def put(self, frames: SceneFrames) -> None:
        """Keep the frames of a bracket, and let go of others to make room."""
        if frames.nbytes > self.limit:
            return
        self._kept[frames.bracket] = frames
        while self.nbytes > self.limit:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
