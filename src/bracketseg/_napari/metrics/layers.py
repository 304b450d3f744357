"""Labels layers as masks that can be held against each other."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from bracketseg._napari.layers.provenance import METADATA_KEY, VIEW, find_layer, provenance_of
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.evaluation.pairs import probability_beside

_WORDS = re.compile(r"[a-z]+")
_REFERENCE = frozenset({"truth", "gt", "reference", "manual", "label", "labels", "annotation"})
_PREDICTION = frozenset({"prediction", "predicted", "pred", "otsu", "network", "result", "auto"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPair:
    """A reference and a prediction that are open.

    Attributes
    ----------
    role : {"low", "high"} or None
        None where the layers do not say.
    reference, prediction : Labels
    """

    role: MaskRole | None
    reference: Labels
    prediction: Labels

    @property
    def title(self) -> str:
        """What the pair is called: its scene and role, or the name of the prediction."""
        ours = provenance_of(self.prediction.metadata)
        return f"{ours['scene']} {self.role}" if ours and self.role else self.prediction.name


def mask_layers(layers: Iterable[Layer]) -> list[Labels]:
    """List the layers that can be compared, the topmost first.

    Pictures of several masks and ghost maps are none.
    """
    return [
        layer
        for layer in reversed(list(layers))
        if isinstance(layer, Labels)
        and layer.ndim >= 2
        and layer.metadata.get(METADATA_KEY) != VIEW
        and not ((ours := provenance_of(layer.metadata)) and ours["kind"] == "ghosts")
    ]


def title_of(mask: Labels) -> str:
    """Name a layer, and say how its mask was made: two of one scene have nearly one name."""
    ours = provenance_of(mask.metadata)
    if ours is None or ours["kind"] != "ground truth":
        return str(mask.name)
    model = ours.get("model")
    began = f"corrected {model}" if model else ours.get("method")
    made = ours.get("annotator") or began
    return f"{mask.name} ({made})" if made else str(mask.name)


def pair_of(reference: Labels | None, prediction: Labels | None) -> LayerPair | None:
    """Make a pair of two layers; None where one is missing or both are the same."""
    if reference is None or prediction is None or reference is prediction:
        return None
    roles = {_role(reference), _role(prediction)}
    return LayerPair(
        role=roles.pop() if len(roles) == 1 else None, reference=reference, prediction=prediction
    )


def guess_pair(
    masks: Sequence[Labels], scene: str | None, active: Layer | None
) -> tuple[Labels | None, Labels | None]:
    """Guess which layers a person wants to compare.

    A ground truth and a prediction of the same scene and role, the role of the layer that is
    selected first; then two ground truths of these, a person's before Otsu's; then any two
    layers that say nothing of themselves, by a word in their names, and else the lower one
    as the reference.

    Parameters
    ----------
    masks : sequence of Labels
        The topmost first.
    scene : str or None
        The scene that is shown, if one is.
    active : Layer or None
        The layer that is selected.

    Returns
    -------
    reference, prediction : Labels or None
        None for what there is none of.
    """
    selected = provenance_of(active.metadata) if active is not None else None
    scenes = [scene] if scene is not None else []
    scenes += [selected["scene"]] if selected else []
    scenes += [ours["scene"] for mask in masks if (ours := provenance_of(mask.metadata))]
    roles = sorted(MASK_ROLES, key=lambda role: not selected or selected["role"] != role)
    keys = [(name, role) for name in dict.fromkeys(scenes) for role in roles]
    for name, role in keys:
        truth, predicted = (_find(masks, kind, name, role) for kind in _KINDS)
        if truth and predicted:
            return truth[0], predicted[0]
    for name, role in keys:
        truth = sorted(_find(masks, "ground truth", name, role), key=_not_by_hand)
        if len(truth) > 1:
            return truth[0], truth[1]
    anonymous = [mask for mask in masks if provenance_of(mask.metadata) is None]
    topmost = anonymous[0] if anonymous else None
    for kind in _KINDS:
        known = next((mask for key in keys for mask in _find(masks, kind, *key)), None)
        if known is not None:
            return (known, topmost) if kind == "ground truth" else (topmost, known)
    if len(anonymous) < 2:
        return topmost, None
    reference = next((mask for mask in anonymous if _words(mask) & _REFERENCE), None)
    others = [mask for mask in anonymous if mask is not reference]
    prediction = next((mask for mask in others if _words(mask) & _PREDICTION), others[0])
    return reference or [mask for mask in others if mask is not prediction][-1], prediction


def partner_of(pair: LayerPair, masks: Sequence[Labels]) -> LayerPair | None:
    """Find the same two kinds of mask of the other role; None where they are not open."""
    if pair.role is None:
        return None
    (other,) = (role for role in MASK_ROLES if role != pair.role)
    reference, prediction = (
        next((mask for mask in masks if _is_like(mask, layer, other)), None)
        for layer in (pair.reference, pair.prediction)
    )
    return pair_of(reference, prediction)


def refusal(pair: LayerPair) -> str:
    """Say why two layers cannot be compared; empty where they can.

    Masks are compared pixel by pixel, wherever their layers lie: alignment moves layers, and
    their pixels stay those of the file. Pixels of different size would be another matter.
    """
    sizes = [tuple(_data(layer).shape[-2:]) for layer in (pair.reference, pair.prediction)]
    if sizes[0] != sizes[1]:
        texts = [f"{height} x {width}" for height, width in sizes]
        return (
            f"{pair.reference.name} is {texts[0]} and {pair.prediction.name} {texts[1]} pixels "
            "(rows x columns): masks must have one size. Choose masks of the same frame."
        )
    scales = [tuple(float(step) for step in layer.scale[-2:]) for layer in _both(pair)]
    if not np.allclose(scales[0], scales[1]):
        texts = [" x ".join(f"{step:g}" for step in scale) for scale in scales]
        return (
            f"{pair.reference.name} has pixels of {texts[0]} and {pair.prediction.name} of "
            f"{texts[1]} (scale): they do not cover the same. Give both layers the same scale."
        )
    return ""


def remark(pair: LayerPair) -> str:
    """Say what a person should know about a pair that can be compared; often nothing."""
    origins = [provenance_of(layer.metadata) for layer in _both(pair)]
    models = [ours.get("model", "") if ours is not None else "" for ours in origins]
    if models[0] and models[0] == models[1]:
        return (
            "⚠ The reference is a correction of this prediction: the metrics tell how much was "
            "corrected, not how good the network is."
        )
    places = [tuple(float(shift) for shift in layer.translate[-2:]) for layer in _both(pair)]
    if not np.allclose(places[0], places[1]):
        return "The layers lie at different places; they are compared pixel by pixel."
    return ""


def probability_of(pair: LayerPair, layers: Iterable[Layer]) -> Any | Path | None:
    """Find the probability that a prediction was made from.

    Returns
    -------
    array, Path or None
        Data of the layer that is open, with the axes of the prediction; else the file that
        lies beside the prediction's.
    """
    ours = provenance_of(pair.prediction.metadata)
    # A reference from elsewhere says nothing of a role.
    role = pair.role or _role(pair.prediction)
    if ours is None or role is None:
        return None
    layer = find_layer(layers, "probability", ours["scene"], role)
    if isinstance(layer, Image):
        shape = _data(pair.prediction).shape
        return _data(layer) if _data(layer).shape == shape else None
    file = ours.get("path")
    return probability_beside(Path(file), ours["scene"], role) if file else None


def probability_layers(layers: Iterable[Layer]) -> list[Layer]:
    """List the layers of probabilities that are open."""
    return [
        layer
        for layer in layers
        if (ours := provenance_of(layer.metadata)) and ours["kind"] == "probability"
    ]


def lies_elsewhere(pair: LayerPair, layers: Iterable[Layer]) -> bool:
    """Whether the frame that is seen is that of the other role.

    Parameters
    ----------
    pair : LayerPair
    layers : iterable of Layer
        Bottom to top.
    """
    ours = provenance_of(pair.prediction.metadata)
    seen = [
        frame["role"]
        for layer in layers
        if layer.visible
        and (frame := provenance_of(layer.metadata))
        and frame["kind"] == "frame"
        and ours
        and frame["scene"] == ours["scene"]
    ]
    return bool(seen) and seen[-1] in MASK_ROLES and pair.role not in (None, seen[-1])


def threshold_of(layer: Labels) -> float | None:
    """Give the threshold at which a prediction was made; None where the layer does not say."""
    ours = provenance_of(layer.metadata)
    return ours.get("threshold") if ours is not None else None


def plane(layer: Layer, index: tuple[int, ...]) -> Any:
    """Give the picture that a layer shows, or the promise of it: (H, W)."""
    return _data(layer)[index]


_KINDS = ("ground truth", "prediction")


def _both(pair: LayerPair) -> tuple[Labels, Labels]:
    return pair.reference, pair.prediction


def _data(layer: Layer) -> Any:
    return layer.data[0] if layer.multiscale else layer.data


def _role(layer: Layer) -> MaskRole | None:
    ours = provenance_of(layer.metadata)
    return next((role for role in MASK_ROLES if ours and ours["role"] == role), None)


def _find(masks: Sequence[Labels], kind: str, scene: str, role: MaskRole) -> list[Labels]:
    return [
        mask
        for mask in masks
        if (ours := provenance_of(mask.metadata))
        and (ours["kind"], ours["scene"], ours["role"]) == (kind, scene, role)
    ]


def _not_by_hand(mask: Labels) -> bool:
    ours = provenance_of(mask.metadata)
    return ours is None or ours.get("method", "manual") != "manual"


def _is_like(mask: Labels, other: Labels, role: MaskRole) -> bool:
    ours, theirs = provenance_of(mask.metadata), provenance_of(other.metadata)
    if ours is None or theirs is None:
        return False
    folders = [Path(known["path"]).parent if "path" in known else None for known in (ours, theirs)]
    names = ("kind", "scene", "method", "annotator")
    return (
        ours["role"] == role
        and folders[0] == folders[1]
        and all(ours.get(name) == theirs.get(name) for name in names)
    )


def _words(layer: Layer) -> set[str]:
    return set(_WORDS.findall(layer.name.lower()))
