"""The work of the Fusion dock, away from the main thread; it knows no layers."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.align_method import AlignMethod
from bracketseg.brackets.bracket import Frame
from bracketseg.errors import FusionError
from bracketseg.fusion.display import DisplayFusion, display_picture
from bracketseg.fusion.exposures import Exposures, Weight, as_weight, smaller, softened
from bracketseg.fusion.formats import format_of, require_exr, write_exr, write_picture
from bracketseg.fusion.laid_frames import LaidFrames, lay_frames
from bracketseg.fusion.measured_evs import measured_evs
from bracketseg.fusion.radiance_map import radiance_map

SIDE = 720
"""Pixels of the longer side of what follows the brush."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is done before frames are fused; see `bracketseg.fusion.config.FusionConfig`."""

    align: AlignMethod = "off"
    deghost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskArrays:
    """A mask as its layer holds it, anything but 0 is foreground, and its probability."""

    labels: Any
    probability: Any | None = None

    def weight(self) -> Weight:
        """Give how far it trusts each pixel: (H, W) float32."""
        mask: NDArray[np.bool_] = np.asarray(self.labels) != 0
        if self.probability is None:
            return as_weight(mask)
        return softened(mask, as_weight(np.asarray(self.probability)))

    def copied(self) -> "MaskArrays":
        """Give the same, which stays as it is now whatever is painted."""
        copy = None if self.probability is None else np.array(self.probability)
        return MaskArrays(labels=np.array(self.labels), probability=copy)

    def preview(self, shape: tuple[int, int]) -> Weight:
        """Give about the same at a smaller shape, in a time that does not grow with the mask.

        Each pixel is the mean of some of those that it stands for, from one and a half to
        three a side.
        """
        scale = min(whole / small for whole, small in zip(self.labels.shape, shape, strict=True))
        step = max(1, int(scale / 1.5))
        some = (slice(step // 2, None, step),) * 2
        probability = None if self.probability is None else self.probability[some]
        return smaller(
            replace(self, labels=self.labels[some], probability=probability).weight(), shape
        )


def laid(
    pixels: tuple[NDArray[Any], ...], frames: tuple[Frame, ...], settings: Settings
) -> LaidFrames:
    """Lay the frames on each other."""
    evs = [frame.ev for frame in frames]
    return lay_frames(pixels, evs, method=settings.align, deghost=settings.deghost)


class Preview:
    """Fuses frames at a reduced size, by one pair of masks after the other.

    Parameters
    ----------
    whole : LaidFrames
    """

    def __init__(self, whole: LaidFrames) -> None:
        self._frames = whole.reduced(SIDE)
        self._fusion = DisplayFusion(self._frames.images, self._frames.ghosts, self._frames.covers)
        self._made: tuple[Exposures, NDArray[np.uint8]] | None = None

    def picture(self, low: MaskArrays, high: MaskArrays) -> NDArray[np.uint8]:
        """Fuse to (h, w) or (h, w, 3) of 8 bits; by the same masks it is the same array."""
        frames = self._frames
        height, width = frames.images[0].shape[:2]
        exposures = frames.exposures(low.preview((height, width)), high.preview((height, width)))
        if self._made is not None:
            before, picture = self._made
            # A stroke is announced once as it is drawn and once more at its end.
            if np.array_equal(before.low, exposures.low) and np.array_equal(
                before.high, exposures.high
            ):
                return picture
        picture = np.rint(self._fusion.picture(exposures) * 255).astype(np.uint8)
        self._made = exposures, picture
        return picture


def save(
    path: Path,
    whole: LaidFrames,
    frames: tuple[Frame, ...],
    low: MaskArrays,
    high: MaskArrays,
    *,
    evs_known: bool,
) -> Path:
    """Fuse in full size, to the file that its suffix tells.

    Raises
    ------
    FusionError
        If it cannot be written; what EXR needs that is missing is told before the work.
    FrameError, LabelingError
        If the frames or the masks cannot be used.
    """
    to = format_of(path)
    if to == "exr":
        require_exr(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FusionError(f"{path.parent}: cannot be made ({error.strerror})") from error
    exposures = whole.exposures(low.weight(), high.weight())
    if to != "exr":
        write_picture(path, display_picture(exposures))
        return path
    if not evs_known:
        exposures = replace(exposures, evs=measured_evs(exposures.images, exposures.evs))
    used = [replace(frame, ev=ev) for frame, ev in zip(frames, exposures.evs, strict=True)]
    write_exr(path, radiance_map(exposures), used)
    return path
