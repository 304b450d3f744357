"""What there is to learn from: the brackets of a folder, and the masks of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bracketseg._napari.session.labeled_scenes import labelings_beside
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import find_masks
from bracketseg.errors import LabelingError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.records import Method


@dataclass(frozen=True, kw_only=True)
class Masks:
    """A labelling, and how many of the scenes it has masks of.

    Attributes
    ----------
    path : Path
    scenes : mapping of role to int
    method : {"manual", "otsu", "network"} or None
        How they were made; None where the labelling does not say.
    """

    path: Path
    scenes: Mapping[MaskRole, int]
    method: Method | None = None

    @property
    def title(self) -> str:
        """Its name with these numbers, such as `otsu: 79 low, 79 high`."""
        counts = ", ".join(f"{count} {role}" for role, count in self.scenes.items())
        return f"{self.path.name}: {counts}"


@dataclass(frozen=True, kw_only=True)
class Material:
    """The brackets of a folder and their labellings.

    Attributes
    ----------
    folder : Path
    masks : tuple of Masks
        Those that have a mask of some scene at all, and those that were asked for.
    """

    folder: Path
    masks: tuple[Masks, ...]

    def masks_at(self, path: Path | None) -> Masks | None:
        """Find a labelling by its folder."""
        return next((masks for masks in self.masks if masks.path == path), None)


def read_material(
    folder: Path, further: Iterable[Path] = (), scenes: frozenset[str] | None = None
) -> Material:
    """Look through the labellings beside the brackets of a folder.

    Parameters
    ----------
    folder : Path
    further : iterable of Path
        Labellings elsewhere.
    scenes : frozenset of str or None
        The names of the brackets; None to look for them, which takes longer.

    Raises
    ------
    BracketError
        If there is no bracket.
    """
    if scenes is None:
        scenes = frozenset(bracket.scene for bracket in find_brackets(folder).brackets)
    asked = tuple(dict.fromkeys(further))
    found = [
        _read_masks(path, scenes) for path in dict.fromkeys((*labelings_beside(folder), *asked))
    ]
    kept = tuple(masks for masks in found if any(masks.scenes.values()) or masks.path in asked)
    return Material(folder=folder, masks=kept)


def _read_masks(path: Path, scenes: frozenset[str]) -> Masks:
    named = find_masks(path) if path.is_dir() else {}
    counts = {
        role: sum(scene in scenes and other == role for scene, other in named)
        for role in MASK_ROLES
    }
    return Masks(path=path, scenes=counts, method=_method(path) if named else None)


def _method(path: Path) -> Method | None:
    try:
        info = LabelingFolder.open(path).info
    except LabelingError:
        return None  # the training says what is wrong with it, where it matters
    return info.method if info is not None else None
