"""Which frame a mask was made from, where that is on record beside it."""

import json
from dataclasses import dataclass
from pathlib import Path

from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import LabelingError

_MAX_BYTES = 4 * 2**20
"""A record takes about a thousand bytes; a larger file is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskFrame:
    """A frame as the record of a labelling names it.

    Attributes
    ----------
    name : str
        Of the file; empty where it is not on record.
    sha256 : str
        Of the file.
    """

    name: str
    sha256: str


def frame_of(mask: Path, scene: str, role: MaskRole) -> MaskFrame | None:
    """Read from ``<scene>.json`` beside a mask which frame it was made from.

    Returns
    -------
    MaskFrame or None
        None where the folder does not say, as masks from elsewhere need no record.
    """
    path = mask.with_name(f"{scene}.json")
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return None
        entry = json.loads(path.read_bytes())["masks"][role]
        sha256, name = entry["frame_sha256"], entry.get("frame", "")
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    if not isinstance(sha256, str) or not sha256:
        return None
    return MaskFrame(name=name if isinstance(name, str) else "", sha256=sha256)


def check_same_frame(reference: Path, prediction: Path, scene: str, role: MaskRole) -> None:
    """Refuse to compare masks that were made from different frames.

    Masks of which one is without a record pass: nobody can tell.

    Raises
    ------
    LabelingError
        If both are on record, and with other frames.
    """
    wanted, given = frame_of(reference, scene, role), frame_of(prediction, scene, role)
    if wanted is None or given is None or wanted.sha256 == given.sha256:
        return
    other = given.name if given.name != wanted.name else f"another {given.name}"
    raise LabelingError(
        f"{prediction}: is the mask of another frame ({other}) than {reference} "
        f"({wanted.name}), and is not compared. Make both from the same frame."
    )
