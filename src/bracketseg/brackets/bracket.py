"""A frame, and the bracket that frames make."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.images import ImageHeader, read_frame, read_header, read_thumbnail
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketError

Role = Literal["low", "medium", "high"]
MaskRole = Literal["low", "high"]
EVSource = Literal["exif", "sidecar", "names", "brightness", "person"]

MASK_ROLES: tuple[MaskRole, MaskRole] = ("low", "high")

MIDDLE_BRIGHTNESS = 127.5
"""Mean luma, 0..255, of the frame that is taken as `medium` of a long bracket."""

ROLE_STEP = 2.0
"""Stops between `medium` and the frames taken as `low` and `high` of a long bracket."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One image of a bracket.

    Attributes
    ----------
    path : Path
        Its file.
    ev : float
        Exposure value in stops; only differences within one bracket mean something.
    exposure : Exposure
        What EXIF says of it; each part may be missing.
    header : ImageHeader or None
        Its header where it has been read already; else it is read when asked for.
    shown_at : float
        Stops at which a radiance map is shown; see
        :func:`~bracketseg.brackets.radiance.displayed`. Other pictures have none.
    """

    path: Path
    ev: float
    exposure: Exposure = field(default_factory=Exposure)
    header: ImageHeader | None = field(default=None, repr=False, compare=False)
    shown_at: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) for grey, (H, W, 3) for colour; upright, without alpha."""
        return self._header.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its samples: uint8, uint16 or float32."""
        return self._header.dtype

    def read(self) -> NDArray[Any]:
        """Read the pixels; see :func:`~bracketseg.brackets.images.read_frame`."""
        return read_frame(self.path, ev=self.shown_at)

    def thumbnail(self, size: int = 64) -> NDArray[np.uint8]:
        """Read a small version; see :func:`~bracketseg.brackets.images.read_thumbnail`."""
        return read_thumbnail(self.path, size, ev=self.shown_at)

    @cached_property
    def _header(self) -> ImageHeader:
        return self.header or read_header(self.path)


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """One scene photographed at several exposures.

    Attributes
    ----------
    scene : str
        Its name, which can be part of a file name and is unique in its set.
    frames : tuple of Frame
        Two or more, from dark to bright.
    ev_source : {"exif", "sidecar", "names", "brightness", "person"}
        Where the exposure values come from; those from names and brightness are
        estimates, and with `person` somebody gave the order of the frames.
    folder : Path
        The folder that it was found in.
    chosen : tuple of two Frame or None
        The frames that a person took as `low` and `high`, if one did.
    notes : tuple of str
        What a person should know of it, such as a colour profile that cannot be used.
    """

    scene: str
    frames: tuple[Frame, ...]
    ev_source: EVSource
    folder: Path
    chosen: tuple[Frame, Frame] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what everything else relies on."""
        if len(self.frames) < 2:
            raise BracketError(
                f"{self.folder}: scene {self.scene} has {len(self.frames)} frame(s); "
                "a bracket needs two or more"
            )
        evs = [frame.ev for frame in self.frames]
        if evs != sorted(evs):
            raise BracketError(
                f"{self.folder}: the frames of scene {self.scene} are not in the order of their "
                f"exposure values {evs}; give them from dark to bright"
            )

    @cached_property
    def roles(self) -> dict[Role, Frame]:
        """The frame that plays each role.

        Two frames are `low` and `high`, three are `low`, `medium` and `high`. Of
        more, `medium` is the frame whose mean luma is nearest to 127.5, the first
        and the last left out; `low` is the darker frame nearest to 2 stops below
        it, `high` the brighter one nearest to 2 stops above. Equal distances go to
        the darker frame. With frames chosen by a person, `medium` is the one of
        those between whose exposure value is nearest to the middle of the two.

        Raises
        ------
        FrameError
            If a bracket of more than three frames has one that cannot be read.
        """
        if self.chosen is not None:
            low, high = self.chosen
            between = self.frames[self.frames.index(low) + 1 : self.frames.index(high)]
            middle = (low.ev + high.ev) / 2
            medium = min(between, key=lambda frame: abs(frame.ev - middle), default=None)
        elif len(self.frames) <= 3:
            low, high = self.frames[0], self.frames[-1]
            medium = self.frames[1] if len(self.frames) == 3 else None
        else:
            brightness = [_mean_luma(frame) for frame in self.frames[1:-1]]
            index = 1 + int(np.argmin(np.abs(np.subtract(brightness, MIDDLE_BRIGHTNESS))))
            medium = self.frames[index]
            low = _nearest(self.frames[:index], medium.ev - ROLE_STEP)
            high = _nearest(self.frames[index + 1 :], medium.ev + ROLE_STEP)
        if medium is None:
            return {"low": low, "high": high}
        return {"low": low, "medium": medium, "high": high}

    def frame(self, role: Role) -> Frame:
        """Give the frame that plays `role`.

        Raises
        ------
        BracketError
            If no frame does: a bracket of two has no `medium`.
        """
        try:
            return self.roles[role]
        except KeyError:
            raise BracketError(
                f"{self.folder}: scene {self.scene} has no {role} frame, "
                f"only {' and '.join(self.roles)}; choose one of these"
            ) from None

    def role_of(self, frame: Frame) -> Role | None:
        """Give the role that `frame` plays, or None if it plays none."""
        return next((role for role, other in self.roles.items() if other == frame), None)

    def with_roles(self, low: Frame, high: Frame) -> "Bracket":
        """Make the same bracket with `low` and `high` chosen by a person.

        Raises
        ------
        BracketError
            If one of them is no frame of this bracket, or `low` does not come
            before `high` in the order from dark to bright.
        """
        for frame in (low, high):
            if frame not in self.frames:
                raise BracketError(
                    f"{frame.path}: is no frame of scene {self.scene}; choose one of "
                    + ", ".join(other.path.name for other in self.frames)
                )
        if low.path == high.path and low != high:
            # What is kept of a choice are the names of files.
            raise BracketError(
                f"{low.path}: the exposures of a radiance map are not chosen one by one; list "
                f"the stops at which it is to be shown in {low.path.stem}_exposure.txt beside it"
            )
        if self.frames.index(low) >= self.frames.index(high):
            raise BracketError(
                f"{low.path}: as low frame of scene {self.scene} it has to be darker than the "
                f"high frame {high.path.name}; exchange the two"
            )
        return replace(self, chosen=(low, high))


def _mean_luma(frame: Frame) -> float:
    return float(luma(frame.thumbnail()).mean())


def _nearest(frames: tuple[Frame, ...], ev: float) -> Frame:
    """Find the frame nearest to `ev`; of two at the same distance the darker one."""
    return min(frames, key=lambda frame: abs(frame.ev - ev))
