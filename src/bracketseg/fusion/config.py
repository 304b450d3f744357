"""How brackets are fused, as frozen, validated settings."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bracketseg.brackets.align_method import AlignMethod
from bracketseg.fusion.formats import Format


class FusionConfig(BaseModel):
    """What is made of each bracket, and what is done before.

    Attributes
    ----------
    formats : tuple of {"png", "jpg", "tiff", "exr"}
        One or several; EXR is the radiance map, the others are the picture to look at.
    align : {"off", "shift", "homography"}
        See `bracketseg.brackets.align_method.align`.
    deghost : bool
        Find what moved between the frames, and take one frame alone there.
    ghosts : Path or None
        Take it from the maps in this folder, ``<scene>_ghosts.png``, instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[Format, ...] = Field(default=("png",), min_length=1)
    align: AlignMethod = "off"
    deghost: bool = False
    ghosts: Path | None = None

    @property
    def looks_for_ghosts(self) -> bool:
        """Whether one frame alone is taken where something moved."""
        return self.deghost or self.ghosts is not None
