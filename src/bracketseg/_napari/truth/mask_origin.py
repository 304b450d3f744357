"""Where the mask of a layer comes from, written on the layer for whoever measures with it."""

from napari.layers import Labels

from bracketseg._napari.layers.provenance import METADATA_KEY, provenance_of
from bracketseg.labeling.prediction import Basis, Prediction


def note_origin(layer: Labels, basis: Basis | None, *, made: bool) -> None:
    """Write the model whose prediction a mask began from, and whether anybody has made it."""
    model = basis.origin.model if isinstance(basis, Prediction) else ""
    ours = provenance_of(layer.metadata)
    if ours is not None and (ours.get("model", ""), ours.get("made", True)) != (model, made):
        layer.metadata = {
            **layer.metadata,
            METADATA_KEY: {**ours, "model": model, "made": made},
        }
