"""Images and masks at the training size, read once and kept in memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bracketseg.brackets.align_method import valid_of_bracket
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import mask_name, read_mask
from bracketseg.brackets.natural_order import natural_key
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.labeling.saved_scene import refuse_other_frame
from bracketseg.learning.devices import memory_guard
from bracketseg.learning.estimate import cache_bytes
from bracketseg.learning.events import SceneCached, SkippedScene
from bracketseg.learning.network_input import network_input
from bracketseg.learning.resize import resize_image, resize_mask, resize_region

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from numpy.typing import NDArray

    from bracketseg.brackets.bracket import Bracket, MaskRole
    from bracketseg.labeling.mask_store import LabelingFolder

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All usable scenes of one role at the training size.

    Attributes
    ----------
    scenes
        Names in natural order.
    images : (N, S, S, 3) uint8
        Display-referred RGB; a grey frame has three equal channels.
    masks : (N, S, S) bool
        True is foreground.
    outside : (N, S, S) bool
        True where not all aligned frames of the scene show something, and the mask is empty
        for that alone: nothing is to be learned there. Memory that nobody writes to is not
        taken, so it takes none where no mask was made of aligned frames.
    rethresholded
        How many masks were made from the resized image by the rule on record.
    """

    scenes: tuple[str, ...]
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    rethresholded: int

    def rows(self, scenes: Sequence[str]) -> NDArray[np.intp]:
        """Return the positions of `scenes`."""
        position = {scene: i for i, scene in enumerate(self.scenes)}
        return np.array([position[scene] for scene in scenes], dtype=np.intp)


def pair_scenes(
    brackets: Sequence[Bracket], labeling: LabelingFolder, role: MaskRole
) -> tuple[tuple[Bracket, ...], tuple[SkippedScene, ...]]:
    """Find the brackets that have a mask of `role`, in natural order, and those that lack it."""
    paired, skipped = [], []
    for bracket in sorted(brackets, key=lambda b: natural_key(b.scene)):
        if (bracket.scene, role) in labeling.masks:
            paired.append(bracket)
        else:
            name = mask_name(bracket.scene, role)
            reason = f"{labeling.path} has no {name}; label this scene to train on it"
            skipped.append(SkippedScene(scene=bracket.scene, reason=reason, broken=False))
    return tuple(paired), tuple(skipped)


def load_dataset(
    brackets: Sequence[Bracket],
    labeling: LabelingFolder,
    role: MaskRole,
    size: int,
    should_stop: Callable[[], bool],
) -> Generator[SceneCached, None, tuple[Dataset, tuple[SkippedScene, ...]] | None]:
    """Read, resize and keep the frame and mask of each scene, with several threads.

    Parameters
    ----------
    brackets
        Scenes that have a mask, see :func:`pair_scenes`.
    labeling
        Where the masks are.
    role
        Which frame and mask of each scene.
    size
        Side of the resized images, pixels.
    should_stop
        Asked after each scene.

    Yields
    ------
    SceneCached

    Returns
    -------
    tuple of Dataset and skipped scenes, or None
        None if it was stopped.

    Raises
    ------
    OutOfMemoryError
        If the images do not fit into memory.
    """
    total = len(brackets)
    advice = (
        f"{total} images of {size}x{size} take {cache_bytes(total, size) / _MIB:.0f} MiB of "
        "memory, which is not there; choose a smaller image size or fewer scenes"
    )
    with memory_guard(advice):
        images = np.empty((total, size, size, 3), np.uint8)
        masks = np.empty((total, size, size), np.bool_)
        outside = np.zeros((total, size, size), np.bool_)

    def load(row: int) -> bool | BracketSegError:
        try:
            image, mask, by_rule = _load_scene(brackets[row], labeling, role, size)
            beyond = _outside(brackets[row], labeling, role, size)
        except BracketSegError as error:
            return error
        images[row], masks[row] = image, mask
        if beyond is not None:
            outside[row] = beyond
            masks[row] &= ~beyond
        return by_rule

    usable, skipped, rethresholded = [], [], 0
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="bracketseg-cache")
    try:
        for row, loaded in enumerate(pool.map(load, range(total))):
            scene = brackets[row].scene
            if isinstance(loaded, BracketSegError):
                skipped.append(SkippedScene(scene=scene, reason=str(loaded), broken=True))
            else:
                usable.append(row)
                rethresholded += loaded
            yield SceneCached(scene=scene, done=row + 1, total=total)
            if should_stop():
                return None
    finally:
        pool.shutdown(cancel_futures=True)
    # Closed up in place: a copy would take the memory twice.
    for target, row in enumerate(usable):
        if target != row:
            for array in (images, masks, outside):
                array[target] = array[row]
    dataset = Dataset(
        scenes=tuple(brackets[row].scene for row in usable),
        images=images[: len(usable)],
        masks=masks[: len(usable)],
        outside=outside[: len(usable)],
        rethresholded=rethresholded,
    )
    return dataset, tuple(skipped)


def _load_scene(
    bracket: Bracket, labeling: LabelingFolder, role: MaskRole, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], bool]:
    """Read one scene; the last value says whether its mask was thresholded at `size`."""
    refuse_other_frame(labeling, bracket.scene, role, bracket.frame(role).path)
    image: NDArray[Any] = bracket.frame(role).read()
    path = labeling.masks[bracket.scene, role]
    mask = read_mask(path)
    if mask.shape != image.shape[:2]:
        raise LabelingError(
            f"{path} is {mask.shape[1]}x{mask.shape[0]} but its frame "
            f"{bracket.frame(role).path.name} is {image.shape[1]}x{image.shape[0]}; "
            "label the scene again"
        )
    resized = resize_image(network_input(image), size, size)
    rule = labeling.rule(bracket.scene, role)
    if rule is not None:
        # The rule is applied to the resized image, unless the mask is no longer its result:
        # then somebody corrected it, and the correction counts.
        full, small = luma(image), luma(resized)
        if np.array_equal(rule.bounds(full, role).mask(full), mask):
            return resized, rule.bounds(small, role).mask(small), True
    return resized, resize_mask(mask, size, size), False


def _outside(
    bracket: Bracket, labeling: LabelingFolder, role: MaskRole, size: int
) -> NDArray[np.bool_] | None:
    """Find what a mask was cut to, where its frames were aligned: the same way again."""
    record = labeling.record(bracket.scene)
    made = record.masks.get(role) if record is not None else None
    if made is None or made.aligned is None:
        return None
    valid = valid_of_bracket(bracket, made.aligned)[bracket.frame(role)]
    return ~resize_region(valid, size, size)
