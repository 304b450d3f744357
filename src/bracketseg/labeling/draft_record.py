"""What the JSON file of a draft holds."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.draft import Draft, DraftFrame
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.records import FrameName, Origin


class DraftRoleRecord(BaseModel):
    """How the mask of one role was made so far, and on which frame."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Origin
    shape: tuple[int, int]
    frame: FrameName = ""
    luma_sha256: str = ""


class DraftRecord(BaseModel):
    """All of a draft but its strokes and predictions, which are pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["draft"] = "draft"
    scene: str
    annotator: str
    time: datetime
    roles: dict[MaskRole, DraftRoleRecord] = Field(min_length=1)

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """Describe a draft."""
        roles = {}
        for role, rule in draft.rules.items():
            frame = draft.frames[role]
            roles[role] = DraftRoleRecord(
                rule=rule.origin if isinstance(rule, Prediction) else rule,
                shape=frame.shape,
                frame=frame.name,
                luma_sha256=frame.luma_sha256,
            )
        return cls(scene=draft.scene, annotator=draft.annotator, time=draft.time, roles=roles)

    @property
    def frames(self) -> dict[MaskRole, DraftFrame]:
        """The frames that the draft was made on."""
        return {
            role: DraftFrame(shape=kept.shape, luma_sha256=kept.luma_sha256, name=kept.frame)
            for role, kept in self.roles.items()
        }

    def draft(
        self,
        rules: Mapping[MaskRole, Basis],
        corrections: Mapping[MaskRole, NDArray[np.int8]],
        path: Path,
    ) -> Draft:
        """Make the draft again, with what the pictures hold."""
        return Draft(
            scene=self.scene,
            annotator=self.annotator,
            time=self.time,
            rules=rules,
            frames=self.frames,
            corrections=corrections,
            path=path,
        )
