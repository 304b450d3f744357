"""What stands beside the masks of a labelling: how each of them was made."""

from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bracketseg import __version__
from bracketseg.brackets.bracket import MaskRole
from bracketseg.labeling.coverage import Coverage
from bracketseg.labeling.ranges import Bounds
from bracketseg.labeling.rules import Rule, is_threshold

Method = Literal["manual", "otsu", "auto", "division", "mixture", "valley", "network"]

MADE: dict[Method, str] = {
    "manual": "by hand",
    "otsu": "by Otsu's method",
    "auto": "by automatic ranges",
    "division": "by histogram division",
    "mixture": "by a Gaussian mixture of the histogram",
    "valley": "at the valley of the histogram",
    "network": "by a network",
}
"""How masks were made, to go on with after "made"."""


class Network(BaseModel):
    """A mask that a trained network predicted.

    Attributes
    ----------
    model : str
        Name of the run folder or model file.
    model_sha256 : str
        Of the weights file; like `loss` empty for a layer that does not say who predicted it.
    threshold : float
        Probabilities at or above it are foreground, 0..1.
    scale : {"train", "full"}
        The resolution at which the network saw the frame.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    method: Literal["network"] = "network"
    model: str
    model_sha256: str
    loss: str
    threshold: float
    scale: Literal["train", "full"]


Origin = Annotated[Rule | Network, Field(discriminator="method")]
"""Where a mask comes from: a rule on the luma, or a network."""


def _as_text(name: object) -> object:
    """Write a file's name that is not UTF-8 with escapes, as JSON cannot hold it."""
    return name.encode(errors="backslashreplace").decode() if isinstance(name, str) else name


FrameName = Annotated[str, BeforeValidator(_as_text)]
"""The name of a frame's file; bytes that are not UTF-8 are escaped."""


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("numpy", "opencv-python-headless")}
    return {"bracketseg": __version__, **found}


class LabelingInfo(BaseModel):
    """`labeling.json`: the one way in which all masks of a folder were made.

    Attributes
    ----------
    method : Method
    ranges : dict of role to Origin
        The rule or network of each role that the labelling holds.
    annotator : str
        Who chose the ranges; empty where nobody did.
    versions : dict of str to str
        Of the libraries that computed the masks.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: Method
    ranges: dict[MaskRole, Origin]
    annotator: str = ""
    versions: dict[str, str] = Field(default_factory=_versions)

    def same_way(self, other: Self) -> bool:
        """Whether masks of both can stand in one folder.

        Method and annotator agree, and so do the ranges of the roles that both have.
        """
        return (self.method, self.annotator) == (other.method, other.annotator) and all(
            other.ranges.get(role, origin) == origin for role, origin in self.ranges.items()
        )


class MaskRecord(BaseModel):
    """How one mask was made.

    Attributes
    ----------
    origin : Origin
    lo, hi : float or None
        The bounds on the luma that were used, both inclusive; None for a network.
    threshold : int or None
        Otsu's threshold, or that of another histogram rule, where one was used.
    edited_pixels : int
        Pixels that a person changed afterwards.
    frame : str
        File name of the frame.
    frame_sha256, mask_sha256 : str
        Of both files. A mask file with another digest was edited by somebody else.
    aligned : {"shift", "homography"} or None
        How the frames were aligned: the mask is empty where not all of them show something.
    engine : {"torch", "openvino"} or None
        What a network was calculated with; None for a rule, and where nobody noted it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    origin: Origin
    lo: float | None = None
    hi: float | None = None
    threshold: int | None = None
    edited_pixels: int = Field(default=0, ge=0)
    frame: FrameName
    frame_sha256: str
    mask_sha256: str = ""
    aligned: Literal["shift", "homography"] | None = None
    engine: Literal["torch", "openvino"] | None = None

    @classmethod
    def of_rule(
        cls,
        role: MaskRole,
        rule: Rule,
        bounds: Bounds,
        *,
        frame: str,
        frame_sha256: str,
        edited_pixels: int = 0,
    ) -> Self:
        """Record a mask that a rule made with these bounds."""
        # A threshold's low keeps Y > t, so that its lower bound is t + 1.
        threshold = bounds.lo - 1 if role == "low" else bounds.hi
        return cls(
            origin=rule,
            lo=bounds.lo,
            hi=bounds.hi,
            threshold=int(threshold) if is_threshold(rule) else None,
            edited_pixels=edited_pixels,
            frame=frame,
            frame_sha256=frame_sha256,
        )


class SceneRecord(BaseModel):
    """`<scene>.json`: the masks of one scene, when they were made and what they cover.

    Attributes
    ----------
    scene : str
    masks : dict of role to MaskRecord
    coverage : Coverage or None
        None where only one role was made.
    time : datetime
        With its time zone.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    scene: str
    masks: dict[MaskRole, MaskRecord]
    coverage: Coverage | None = None
    time: datetime
