"""Where predicted masks come from: which networks, and what those have seen before."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bracketseg._napari.session.runs_folder import RUNS_FOLDER
from bracketseg.errors import LabelingError
from bracketseg.evaluation.pairs import MaskPair
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import Network
from bracketseg.learning.run_files import SPLIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What there is to know of a labelling by networks before it is measured.

    Attributes
    ----------
    threshold : float or None
        At which its masks were made; None where it does not say, or there are several.
    runs : tuple of Path
        The trainings of these networks, as far as they are found.
    trained : frozenset of str
        The scenes that any of these runs learned from.
    corrected : int
        References that began from predictions of these networks.
    """

    threshold: float | None
    runs: tuple[Path, ...]
    trained: frozenset[str]
    corrected: int


def read_origin(
    reference: Path, prediction: Path, pairs: Sequence[MaskPair], further: Iterable[Path] = ()
) -> Origin:
    """Read where the masks of a folder come from; a folder from elsewhere need not say.

    Parameters
    ----------
    reference, prediction : Path
    pairs : sequence of MaskPair
        What is compared of them.
    further : iterable of Path
        Runs to look among, beside those that lie near the predictions.
    """
    try:
        networks = networks_of(prediction)
    except LabelingError:
        networks = []
    models = {network.model for network in networks}
    thresholds = {network.threshold for network in networks}
    runs = runs_of(prediction, models, further)
    return Origin(
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
        runs=runs,
        trained=frozenset(scene for run in runs for scene in trained_scenes(run)),
        corrected=_corrected(reference, pairs, networks) if networks else 0,
    )


def networks_of(folder: Path) -> list[Network]:
    """Say which networks predicted the masks of a folder; none where it does not say.

    Raises
    ------
    LabelingError
        If the folder holds no masks, or what it says of them cannot be read.
    """
    info = LabelingFolder.open(folder).info
    origins = info.ranges.values() if info is not None else ()
    return [origin for origin in origins if isinstance(origin, Network)]


def runs_of(
    prediction: Path, models: Iterable[str], further: Iterable[Path] = ()
) -> tuple[Path, ...]:
    """Find the runs whose models made the masks of a folder, as far as they lie near it.

    Parameters
    ----------
    prediction : Path
    models : iterable of str
        Names of runs.
    further : iterable of Path
        Runs elsewhere, of which those with these names are taken.

    Returns
    -------
    tuple of Path
        Runs with a split.
    """
    names = sorted(set(models))
    near = [prediction.parent, prediction.parent.parent, prediction.parent.parent.parent]
    # The masks of the validation scenes lie in the run itself.
    own = near[:2] if names else []
    places = [folder for place in near for folder in (place, place / RUNS_FOLDER)]
    beside = [place / name for place in places for name in names]
    elsewhere = [run for run in further if run.name in names]
    candidates = dict.fromkeys((*own, *beside, *elsewhere))
    return tuple(run for run in candidates if (run / SPLIT).is_file())


def trained_scenes(run: Path) -> frozenset[str]:
    """Read which scenes a training learned from; none where it does not say."""
    try:
        return _scenes(run, "train")
    except LabelingError:
        return frozenset()


def validation_scenes(run: Path) -> frozenset[str]:
    """Read which scenes a training kept back.

    Raises
    ------
    LabelingError
        If the folder is no run, or its split cannot be read.
    """
    return _scenes(run, "validation")


def _scenes(run: Path, part: str) -> frozenset[str]:
    try:
        split = json.loads((run / SPLIT).read_text(encoding="utf-8"))
        return frozenset(str(scene) for scene in split[part])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelingError(
            f"{run}: has no {SPLIT} that can be read ({error}). Choose the folder of a training."
        ) from error


def _corrected(reference: Path, pairs: Sequence[MaskPair], networks: Sequence[Network]) -> int:
    """Count the references that began from a prediction by one of these networks."""
    # The model of the package has one name in the window and another in files.
    known = {name for network in networks for name in (network.model, network.model_sha256)}
    try:
        labeling = LabelingFolder.open(reference)
    except LabelingError:
        return 0
    count = 0
    for pair in pairs:
        try:
            record = labeling.record(pair.scene)
        except LabelingError:
            continue  # its masks can be measured all the same
        made = record.masks.get(pair.role) if record is not None else None
        count += (
            made is not None
            and isinstance(made.origin, Network)
            and not known.isdisjoint((made.origin.model, made.origin.model_sha256 or None))
        )
    return count
