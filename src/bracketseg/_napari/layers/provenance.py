"""What the layers of a bracket are called, and what they say about themselves.

Everything that makes or looks for layers goes through this file, so that a layer is
found by its kind, scene and role, and never by its name: people rename layers.
"""

import re
from collections.abc import Iterable
from typing import Any, Literal, NotRequired, Required, TypedDict, cast

from napari.layers import Layer
from napari.utils.colormaps import DirectLabelColormap

from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.bracket import MaskRole, Role
from bracketseg.brackets.homography import Homography
from bracketseg.brackets.placement import Placement

Kind = Literal["frame", "ground truth", "prediction", "probability", "ghosts", "fused", "spare"]
MaskKind = Literal["ground truth", "prediction"]

METADATA_KEY = "bracketseg"

VIEW = {"kind": "view"}
"""What stands there for a picture of several masks at once, which is nobody's mask."""

MASK_OPACITY = 0.4
"""Of a mask over its frame: high masks often cover nine tenths, and the frame stays visible."""

# Okabe and Ito's orange and sky blue: told apart by colour-blind people, and seen on
# photographs, which seldom hold them as saturated as this.
_MASK_COLORS: dict[MaskRole, str] = {"low": "#e69f00", "high": "#56b4e9"}

_MASK_LAYER_NAME = re.compile(r"(?P<scene>.+) (?P<role>low|high) (?P<kind>ground truth|prediction)")


class Provenance(TypedDict, total=False):
    """What `layer.metadata["bracketseg"]` holds: plain values that JSON can hold.

    Attributes
    ----------
    kind : {"frame", "ground truth", "prediction", "probability", "ghosts", "fused", "spare"}
        A spare layer is hidden, and shows nothing of a scene until it is filled again.
    scene : str
    role : {"low", "medium", "high"} or None
        None for a frame that plays no role in a bracket of more than three.
    path : str
        The file the data came from; absent for what was never on a disk.
    ev : float
        Relative exposure value of a frame.
    exposure : dict of str to float or None
        `time` in seconds, `f_number` and `iso` of a frame.
    ev_source : {"exif", "sidecar", "names", "brightness"}
        Where the frame's EV comes from.
    shift : list of two int
        By how many pixels to the right and down alignment moved the layer of a frame; its
        pixels are those of the file.
    homography : list of three lists of three float
        The same where it was turned and tilted: what takes (x, y, 1) of the frame to the
        reference. The layer shows the affine transform nearest to it.
    method : {"manual", "otsu", "network"}
        How a mask was made; absent where its folder does not say.
    annotator : str
        Who made a mask; absent or empty where nobody is named.
    model : str
        The run or file whose network made a mask or a probability in the window; of ground
        truth, that whose prediction it began from, empty where it began from none.
    made : bool
        Of ground truth: False as long as a rule alone gives it, which nobody has looked at.
    model_sha256, loss : str
        Of its weights file, and what it was trained with; of predictions made in the window.
    frame : str
        The file that a prediction in the window was made on; absent for what has none.
    threshold : float
        Its probabilities at or above it are foreground.
    scale : {"train", "full"}
        The resolution at which it saw the frame.
    """

    kind: Required[Kind]
    scene: Required[str]
    role: Required[Role | None]
    path: NotRequired[str]
    ev: NotRequired[float]
    exposure: NotRequired[dict[str, float | None]]
    ev_source: NotRequired[str]
    shift: NotRequired[list[int]]
    homography: NotRequired[list[list[float]]]
    method: NotRequired[str]
    annotator: NotRequired[str]
    model: NotRequired[str]
    made: NotRequired[bool]
    model_sha256: NotRequired[str]
    loss: NotRequired[str]
    frame: NotRequired[str]
    threshold: NotRequired[float]
    scale: NotRequired[Literal["train", "full"]]


def frame_name(scene: str, role: Role) -> str:
    """Name the layer of a frame that plays a role: `<scene> low`."""
    return f"{scene} {role}"


def further_frame_name(scene: str, ev: float) -> str:
    """Name the layer of a frame without a role: `<scene> EV+1.0`.

    Parameters
    ----------
    scene : str
    ev : float
        Exposure value relative to the medium frame.
    """
    return f"{scene} EV{ev:+.1f}"


def mask_layer_name(scene: str, role: MaskRole, kind: MaskKind) -> str:
    """Name the layer of a mask: `<scene> low ground truth`, `<scene> low prediction`.

    The two kinds never share a name: napari replaces the data of a layer when a result
    comes back under the same name, and a prediction must not replace painted work.
    """
    return f"{scene} {role} {kind}"


def parse_mask_layer_name(name: str) -> tuple[str, MaskRole, MaskKind] | None:
    """Take a name that :func:`mask_layer_name` made apart; None for any other name."""
    found = _MASK_LAYER_NAME.fullmatch(name)
    if found is None:
        return None
    return (
        found["scene"],
        cast("MaskRole", found["role"]),
        cast("MaskKind", found["kind"]),
    )


def probability_layer_name(scene: str, role: MaskRole) -> str:
    """Name the layer of a network's probabilities: `<scene> low probability`."""
    return f"{scene} {role} probability"


def ghosts_layer_name(scene: str) -> str:
    """Name the layer of what moved between the frames: `<scene> ghosts`."""
    return f"{scene} ghosts"


def mask_colormap(role: MaskRole) -> DirectLabelColormap:
    """Colour every label but 0 alike, as all of them are foreground; low is orange, high blue."""
    return DirectLabelColormap(color_dict={0: "transparent", None: _MASK_COLORS[role]})


def provenance_of(metadata: dict[str, Any]) -> Provenance | None:
    """Read what a layer's metadata say about the bracket it belongs to.

    Parameters
    ----------
    metadata : dict
        `layer.metadata`.

    Returns
    -------
    Provenance or None
        None where the layer is not one of ours.
    """
    found = metadata.get(METADATA_KEY)
    if not isinstance(found, dict) or not {"kind", "scene", "role"} <= found.keys():
        return None
    return cast("Provenance", found)


def find_layer(layers: Iterable[Layer], kind: Kind, scene: str, role: Role | None) -> Layer | None:
    """Find the topmost layer of a kind, scene and role, whatever it is called now.

    Parameters
    ----------
    layers : iterable of Layer
        `viewer.layers`, bottom to top.
    kind, scene, role
        As in :class:`Provenance`.

    Returns
    -------
    Layer or None
    """
    wanted = (kind, scene, role)
    for layer in reversed(list(layers)):
        found = provenance_of(layer.metadata)
        if found is not None and (found["kind"], found["scene"], found["role"]) == wanted:
            return layer
    return None


def placement_of(layer: Layer) -> Placement:
    """Say where alignment moved the layer of a frame to."""
    ours = provenance_of(layer.metadata)
    if ours is not None and "homography" in ours:
        first, second, third = ((row[0], row[1], row[2]) for row in ours["homography"])
        return Homography(rows=(first, second, third))
    dx, dy = ours["shift"] if ours is not None and "shift" in ours else (0, 0)
    return Shift(dx=dx, dy=dy)


def plane_of(layer: Layer) -> dict[str, Any]:
    """Say where the pictures of a layer lie, for a mask derived from one of them.

    Parameters
    ----------
    layer : Layer
        Its last two axes are the picture's; for a stack, those before them count slices.

    Returns
    -------
    dict
        `scale`, `translate` and `units` of the two axes, to pass to `add_labels`.
    """
    return {
        "scale": tuple(layer.scale[-2:]),
        "translate": tuple(layer.translate[-2:]),
        "units": tuple(layer.units[-2:]),
    }
