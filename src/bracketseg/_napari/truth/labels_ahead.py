"""What a labelling holds of a scene, read before the scene is opened."""

from contextlib import suppress
from pathlib import Path

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.errors import LabelingError
from bracketseg.labeling.decoded_files import DecodedFiles
from bracketseg.labeling.mask_store import LabelingFolder

_decoded = DecodedFiles()


def opened_labeling(labeling: Path) -> LabelingFolder:
    """Open a labelling whose masks may have been read already.

    Raises
    ------
    LabelingError
        If its `labeling.json` is broken.
    """
    return LabelingFolder.at(labeling, decoded=_decoded)


def read_ahead(labeling: Path, scene: str) -> None:
    """Read the masks of a scene and what belongs to them; takes long, for any thread.

    What cannot be read is left for whoever opens the scene, and tells.
    """
    with suppress(LabelingError, OSError):
        folder = opened_labeling(labeling)
        for role in MASK_ROLES:
            if folder.path_of(scene, role) is not None:
                folder.mask(scene, role)
                folder.corrections(scene, role)
                folder.prediction(scene, role)
