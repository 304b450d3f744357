"""The masks of one scene in a folder, as weights."""

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.masks import mask_name, probability_name, read_probability
from bracketseg.errors import LabelingError
from bracketseg.fusion.exposures import Weight, as_weight, softened
from bracketseg.labeling.mask_store import LabelingFolder


def weight_of(folder: LabelingFolder, scene: str, role: MaskRole) -> Weight:
    """Read how far a labelling trusts each pixel of a frame.

    That is the mask, 0 or 1; where a probability lies beside it, see
    :func:`~bracketseg.fusion.exposures.softened`.

    Parameters
    ----------
    folder : LabelingFolder
    scene : str
    role : {"low", "high"}

    Returns
    -------
    (H, W) float32, 0..1

    Raises
    ------
    LabelingError
        If there is no such mask, or one of the two cannot be read or does not fit the other.
    """
    try:
        mask = folder.mask(scene, role)
    except LabelingError as error:
        if folder.path_of(scene, role) is None:
            raise LabelingError(
                f"{folder.path / mask_name(scene, role)}: is missing; label or predict both "
                f"exposures of scene {scene} before it is fused"
            ) from error
        raise
    path = folder.path / probability_name(scene, role)
    if not path.is_file():
        return as_weight(mask)
    probability = as_weight(read_probability(path))
    if probability.shape != mask.shape:
        raise LabelingError(
            f"{path}: is {probability.shape}, but its mask is {mask.shape} (rows, columns); "
            "predict this scene again"
        )
    return softened(mask, probability)
