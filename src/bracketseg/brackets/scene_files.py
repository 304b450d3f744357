"""The files of one scene, told by the names in a folder before any is opened."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal

from bracketseg.brackets.images import IMAGE_SUFFIXES
from bracketseg.brackets.masks import is_mask_name
from bracketseg.brackets.natural_order import natural_key
from bracketseg.brackets.radiance import RADIANCE_SUFFIXES
from bracketseg.brackets.sidecars import LIST_ENDING, SIDECAR_NAMES

Layout = Literal["flat", "split", "crops", "roles", "plain", "radiance"]

LABELING_FILE = "labeling.json"
"""The file that tells a folder of masks."""

SKIPPED_FOLDERS = frozenset({"hdr", "gt", "label", "labels", "masks"})
"""Names of subfolders that hold ground truth or masks, never frames."""

# The place of a frame in its bracket by the word in its name, dark to bright.
_SLOTS = {"short": 0, "medium": 1, "long": 2, "low": 0, "high": 2}
_CROP_SLOTS = {"0": 0, "1": 1, "2": 2}
_SLOT_WORDS = ("short or low", "medium", "long or high")
_FLAT_STEM = re.compile(r"(?P<scene>.+)_(?P<word>short|medium|long|low|high)", re.IGNORECASE)
_GROUND_TRUTH_STEM = re.compile(r"(?:.+_)?gt", re.IGNORECASE)


@dataclass(frozen=True)
class FolderListing:
    """The names in a folder, without hidden ones, in natural order."""

    path: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...]

    def folder(self, *names: str) -> Path | None:
        """Find the subfolder that has one of these names, in any case."""
        return next((path for path in self.folders if path.name.lower() in names), None)

    def file(self, name: str) -> Path | None:
        """Find the file that has this name, in any case."""
        return next((path for path in self.files if path.name.lower() == name.lower()), None)


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    """The frames of one scene as their names tell them.

    Attributes
    ----------
    layout : {"flat", "split", "crops", "roles", "plain", "radiance"}
        The layout that they were told by; `plain` is a folder of pictures whose
        names tell no roles, `radiance` one radiance map.
    name : str
        As the files or the folder have it.
    folder : Path
        Where the frames lie.
    set_name : str
        The folder that tells scenes of the same name apart.
    images : tuple of Path
        The frames, in the order of `slots`.
    slots : tuple of int
        The place of each frame in its side-car file: 0, 1, 2 for short, medium,
        long, or its place in the natural order.
    sidecars : tuple of Path
        Files that may list the exposures; the first that does is used.
    problem : str or None
        What is missing or there twice, if anything.
    maybe_previews : bool
        Whether these are loose pictures beside the folders of scenes or among masks:
        they may be previews, and no bracket at all.
    note : str
        What is odd about the scene, if anything.
    ordered : bool
        Whether a person said that `images` are from dark to bright.
    """

    layout: Layout
    name: str
    folder: Path
    set_name: str
    images: tuple[Path, ...]
    slots: tuple[int, ...]
    sidecars: tuple[Path, ...] = field(default=(), repr=False)
    problem: str | None = None
    maybe_previews: bool = False
    note: str = ""
    ordered: bool = False


def list_folder(path: Path) -> FolderListing:
    """List a folder.

    Raises
    ------
    OSError
        If it is missing or may not be read.
    """
    files: list[Path] = []
    folders: list[Path] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                (folders if _is_folder(entry) else files).append(path / entry.name)
    return FolderListing(
        path, tuple(sorted(files, key=_by_name)), tuple(sorted(folders, key=_by_name))
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _by_name(path: Path) -> tuple[list[str | int], str]:
    return natural_key(path.name)


def is_image(path: Path) -> bool:
    """Whether a file is a picture by its name, and not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def scenes_in(listing: FolderListing) -> list[SceneFiles]:
    """Tell the scenes whose frames lie in this folder itself or in its short and long folders.

    Ground truth (``gt``, ``*_gt``), masks and probabilities are never frames.
    """
    return [*_split_scenes(listing), *_scenes_of_files(listing)]


def _scenes_of_files(listing: FolderListing) -> Iterable[SceneFiles]:
    images = _frames(listing)
    by_role = [path for path in images if path.stem.lower() in _SLOTS]
    if any(_SLOTS[path.stem.lower()] != 1 for path in by_role):
        words = [(_SLOTS[path.stem.lower()], path) for path in by_role]
        return [_scene_with_roles("roles", _folder_name(listing.path), listing, words)]
    crops = [path for path in images if path.stem.isdecimal()]
    if crops and _are_crops(crops, listing):
        words = [(_CROP_SLOTS[path.stem], path) for path in crops]
        return [_scene_with_roles("crops", _folder_name(listing.path), listing, words)]
    flat: dict[str, list[tuple[int, Path]]] = {}
    for path in images:
        match = _FLAT_STEM.fullmatch(path.stem)
        if match is not None:
            flat.setdefault(match["scene"], []).append((_SLOTS[match["word"].lower()], path))
    if any(slot != 1 for slot, _ in chain.from_iterable(flat.values())):
        return [_scene_with_roles("flat", name, listing, words) for name, words in flat.items()]
    return [_plain_scene(listing, images)] if images else _radiance_scenes(listing)


def _split_scenes(listing: FolderListing) -> Iterator[SceneFiles]:
    """Scenes of a folder that has a folder for each role, as NTIRE's ``LDR`` has."""
    folders = (listing.folder("short"), listing.folder("medium"), listing.folder("long"))
    if folders[0] is None or folders[2] is None:
        return
    scenes: dict[str, list[tuple[int, Path]]] = {}
    for slot, folder in enumerate(folders):
        if folder is None:
            continue
        suffix = f"_{folder.name.lower()}"
        for path in _frames(list_folder(folder)):
            name = path.stem[: -len(suffix)] if path.stem.lower().endswith(suffix) else path.stem
            scenes.setdefault(name, []).append((slot, path))
    for name in sorted(scenes, key=natural_key):
        yield _scene_with_roles("split", name, listing, scenes[name])


def _frames(listing: FolderListing) -> list[Path]:
    """Pictures of a folder that are neither ground truth nor masks nor probabilities.

    A radiance map beside frames is what was made of them.
    """
    images = [
        path
        for path in listing.files
        if is_image(path) and path.suffix.lower() not in RADIANCE_SUFFIXES
    ]
    # A mask is named <scene>_low.png; a frame is only if <scene>_medium is there too.
    stems = {path.stem.lower() for path in images}
    return [
        path
        for path in images
        if _GROUND_TRUTH_STEM.fullmatch(path.stem) is None
        and (not is_mask_name(path) or f"{path.stem.lower().rpartition('_')[0]}_medium" in stems)
    ]


def _scene_with_roles(
    layout: Layout, name: str, listing: FolderListing, words: list[tuple[int, Path]]
) -> SceneFiles:
    words = sorted(words, key=lambda word: word[0])
    slots = tuple(slot for slot, _ in words)
    problem = None
    missing = [_SLOT_WORDS[slot] for slot in (0, 2) if slot not in slots]
    if missing:
        problem = (
            f"has no {' and no '.join(missing)} frame, only "
            f"{', '.join(path.name for _, path in words)}; add what is missing"
        )
    elif len(set(slots)) < len(slots):
        twice = next(slot for slot in slots if slots.count(slot) > 1)
        names = [path.name for slot, path in words if slot == twice]
        problem = f"has two frames for one exposure: {' and '.join(names)}; keep one of them"
    return SceneFiles(
        layout=layout,
        name=name,
        folder=words[0][1].parent if layout == "split" else listing.path,
        set_name=_set_name(layout, listing.path),
        images=tuple(path for _, path in words),
        slots=slots,
        sidecars=_sidecars(layout, name, listing),
        problem=problem,
    )


def _plain_scene(listing: FolderListing, images: list[Path]) -> SceneFiles:
    return SceneFiles(
        layout="plain",
        name=_folder_name(listing.path),
        folder=listing.path,
        set_name=_set_name("plain", listing.path),
        images=tuple(images),
        slots=tuple(range(len(images))),
        sidecars=_sidecars("plain", "", listing),
        maybe_previews=listing.file(LABELING_FILE) is not None,
    )


def _radiance_scenes(listing: FolderListing) -> Iterator[SceneFiles]:
    """Radiance maps that lie in a folder without frames: each is a scene of its own."""
    for path in listing.files:
        if (
            path.suffix.lower() in RADIANCE_SUFFIXES
            and not _GROUND_TRUTH_STEM.fullmatch(path.stem)
            and not is_mask_name(path)
        ):
            yield SceneFiles(
                layout="radiance",
                name=path.stem,
                folder=listing.path,
                set_name=_folder_name(listing.path),
                images=(path,),
                slots=(0,),
                sidecars=tuple(
                    listing.path / f"{path.stem}_{name}"
                    for name in ("exposures.npy", "exposure.txt")
                ),
            )


def _sidecars(layout: Layout, name: str, listing: FolderListing) -> tuple[Path, ...]:
    if layout == "split":
        # NTIRE keeps them with the ground truth, beside LDR.
        folders = [listing.path, *listing.folders, listing.path.parent / "HDR"]
        return tuple(folder / f"{name}_exposures.npy" for folder in folders)
    if layout == "flat":
        return (listing.path / f"{name}_exposures.npy",)
    named = [listing.file(name) for name in SIDECAR_NAMES]
    lists = [path for path in listing.files if path.name.lower().endswith("_" + LIST_ENDING)]
    return tuple(path for path in (*named, *lists) if path is not None)


def _are_crops(numbered: list[Path], listing: FolderListing) -> bool:
    """Whether the pictures with numbers for names are NTIRE's 0, 1 and 2."""
    stems = {path.stem for path in numbered}
    if not stems <= _CROP_SLOTS.keys():
        return False
    if listing.file("alignratio.npy") is not None or any(
        is_image(path) and path.stem.lower() == "gt" for path in listing.files
    ):
        return True
    # Others count from 1 and keep such a list, too.
    return "0" in stems and listing.file("exposures.npy") is not None


def _set_name(layout: Layout, folder: Path) -> str:
    """Name the folder that tells this scene from another of the same name."""
    if layout in ("flat", "split"):
        return _folder_name(folder.parent if folder.name.lower() == "ldr" else folder)
    return _folder_name(folder.parent)


def _folder_name(folder: Path) -> str:
    return folder.name if folder.name not in ("", "..") else folder.resolve().name
