"""An unfinished labelling: what a person had done, and on which frames."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.prediction import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFrame:
    """A frame that a draft was made on.

    Attributes
    ----------
    shape : (int, int)
        Height and width.
    luma_sha256 : str
        Of its luma. A file can change without its pixels, and an open picture has no file.
    name : str
        What a person calls it; empty where nobody said.
    """

    shape: tuple[int, int]
    luma_sha256: str
    name: str = ""

    @classmethod
    def of(cls, luma: NDArray[np.uint8], name: str = "") -> Self:
        """Describe the frame of a (H, W) uint8 luma."""
        height, width = luma.shape
        digest = hashlib.sha256(np.ascontiguousarray(luma).data).hexdigest()
        return cls(shape=(height, width), luma_sha256=digest, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person had done to a scene when it was last kept.

    Attributes
    ----------
    scene : str
    annotator : str
    time : datetime
        When it was kept, with its time zone.
    rules : mapping of role to Basis
    frames : mapping of role to DraftFrame
        The frames that it was made on.
    corrections : mapping of role to (H, W) int8
        1 painted in, -1 painted out, 0 untouched; roles without strokes are left out.
    path : Path or None
        The file that it was read from.
    """

    scene: str
    annotator: str
    time: datetime
    rules: Mapping[MaskRole, Basis]
    frames: Mapping[MaskRole, DraftFrame]
    corrections: Mapping[MaskRole, NDArray[np.int8]]
    path: Path | None = None

    @classmethod
    def of(
        cls,
        annotation: SceneAnnotation,
        annotator: str,
        names: Mapping[MaskRole, str] | None = None,
    ) -> Self:
        """Take a copy of a labelling as it is now.

        Whatever happens to the labelling afterwards, the copy stays: it can be written
        by another thread.

        Parameters
        ----------
        annotation : SceneAnnotation
        annotator : str
        names : mapping of role to str, optional
            What the frames are called.
        """
        roles = annotation.roles
        strokes = {role: annotation.corrections(role) for role in roles}
        called = names or {}
        return cls(
            scene=annotation.scene,
            annotator=annotator,
            time=datetime.now(UTC),
            rules={role: annotation.rule(role) for role in roles},
            frames={
                role: DraftFrame.of(annotation.luma(role), called.get(role, "")) for role in roles
            },
            corrections={role: found for role, found in strokes.items() if found is not None},
        )

    @property
    def mark(self) -> str:
        """Tell drafts of one scene apart: whose it is, and on which frames."""
        return mark_of(self.annotator, self.frames)

    def restore(self, lumas: Mapping[MaskRole, NDArray[np.uint8]]) -> SceneAnnotation:
        """Make the labelling again, with an empty history.

        Parameters
        ----------
        lumas : mapping of role to (H, W) uint8
            Of the very frames that the draft was made on.

        Raises
        ------
        LabelingError
            If the frames are other ones; the message names the draft's file.
        """
        now = frames_of(lumas)
        if self.mark != mark_of(self.annotator, now):
            raise LabelingError(
                f"{self.path or self.scene}: this draft was made on {_sizes(self.frames)}, and "
                f"not on these frames of {_sizes(now)}. Choose the frames that it was made on, "
                "or discard the draft."
            )
        return SceneAnnotation(self.scene, lumas, self.rules, self.corrections)


def frames_of(lumas: Mapping[MaskRole, NDArray[np.uint8]]) -> dict[MaskRole, DraftFrame]:
    """Describe the frames of each (H, W) uint8 luma."""
    return {role: DraftFrame.of(lumas[role]) for role in MASK_ROLES if role in lumas}


def mark_of(annotator: str, frames: Mapping[MaskRole, DraftFrame]) -> str:
    """Give the :attr:`Draft.mark` that work of an annotator on these frames has."""
    told = [annotator]
    told += [f"{role} {frames[role].luma_sha256}" for role in MASK_ROLES if role in frames]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _sizes(frames: Mapping[MaskRole, DraftFrame]) -> str:
    sizes = [f"{role} {frame.shape[0]} x {frame.shape[1]}" for role, frame in frames.items()]
    return " and ".join(sizes) or "no frame"
