"""Who labelled which scenes: the labellings that lie beside the brackets."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bracketseg._napari.session.labels_folder import LABELS_FOLDER, labels_folder
from bracketseg.brackets.masks import find_masks
from bracketseg.errors import LabelingError
from bracketseg.labeling.coverage import Coverage
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneLabels:
    """The masks of one scene in one labelling.

    Attributes
    ----------
    folder : Path
        The labelling.
    annotator : str
        Who made it; the folder's name where nobody is named.
    method : {"manual", "otsu", "network"} or None
        None where the labelling does not say.
    coverage : Coverage or None
        None where it is not recorded, or only one role was labelled.
    """

    folder: Path
    annotator: str
    method: Method | None = None
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsRead:
    """What one labelling holds of some scenes.

    Attributes
    ----------
    folder : Path
    scenes : dict of str to SceneLabels
    problems : tuple of LabelingError
        Records that cannot be read.
    """

    folder: Path
    scenes: dict[str, SceneLabels]
    problems: tuple[LabelingError, ...] = ()


def labelings_beside(folder: Path) -> list[Path]:
    """Find the labellings of a folder of brackets, in the order of their names.

    Those below ``<folder>/labels`` come first, also where others have to lie elsewhere.

    Parameters
    ----------
    folder : Path
        A folder of brackets.
    """
    places = dict.fromkeys((folder / LABELS_FOLDER, labels_folder(folder)))
    return [path for place in places for path in labelings_in(place)]


def labelings_in(labels: Path) -> list[Path]:
    """Find the labellings that lie in one folder, in the order of their names."""
    with suppress(OSError):
        return sorted(
            path for path in labels.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    return []


def read_labels(path: Path, *, batch: int = 100) -> Iterator[LabelsRead]:
    """Read what a labelling holds: at first which scenes, then what their masks cover.

    Parameters
    ----------
    path : Path
        A labelling; one that does not exist, or holds no mask yet, holds nothing.
    batch : int
        Scenes in each event after the first.

    Yields
    ------
    LabelsRead
        The first has all scenes, without their coverage.

    Raises
    ------
    LabelingError
        If its `labeling.json` is broken, or the folder cannot be listed.
    """
    labeling = _open(path)
    if labeling is None:
        return
    scenes = list(dict.fromkeys(scene for scene, _ in labeling.masks))
    yield LabelsRead(folder=path, scenes={scene: _labels_of(labeling) for scene in scenes})
    for start in range(0, len(scenes), batch):
        read: dict[str, SceneLabels] = {}
        problems: list[LabelingError] = []
        for scene in scenes[start : start + batch]:
            try:
                read[scene] = _labels_of(labeling, scene)
            except LabelingError as error:
                problems.append(error)
        yield LabelsRead(folder=path, scenes=read, problems=tuple(problems))


def read_scene_labels(path: Path, scene: str) -> SceneLabels | None:
    """Read what a labelling holds of one scene; None if nothing.

    Raises
    ------
    LabelingError
        As :func:`read_labels`, and if the scene's record is broken.
    """
    labeling = _open(path)
    if labeling is None or all(scene != other for other, _ in labeling.masks):
        return None
    return _labels_of(labeling, scene)


def _open(path: Path) -> LabelingFolder | None:
    # A folder that was only just made is no error, and `LabelingFolder.open` says it is.
    if not path.is_dir() or not find_masks(path):
        return None
    return LabelingFolder.open(path)


def _labels_of(labeling: LabelingFolder, scene: str | None = None) -> SceneLabels:
    record = labeling.record(scene) if scene is not None else None
    info = labeling.info
    return SceneLabels(
        folder=labeling.path,
        annotator=(info.annotator if info else "") or labeling.path.name,
        method=info.method if info else None,
        coverage=record.coverage if record else None,
    )


def all_labelled_text(count: int) -> str:
    """Say that all scenes are labelled.

    >>> all_labelled_text(1), all_labelled_text(3)
    ('The only scene is labelled', 'All 3 scenes are labelled')
    """
    return f"All {count} scenes are labelled" if count != 1 else "The only scene is labelled"
