"""Many brackets fused into a folder."""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bracketseg.brackets.bracket import Bracket, Role
from bracketseg.brackets.files import cannot_write, sweep
from bracketseg.errors import BracketSegError, FusionError
from bracketseg.fusion.config import FusionConfig
from bracketseg.fusion.display import display_picture
from bracketseg.fusion.exposures import Exposures
from bracketseg.fusion.formats import fused_name, require_exr, write_exr, write_picture
from bracketseg.fusion.frame_taken import NONE, frame_taken
from bracketseg.fusion.measured_evs import tells_evs, with_known_evs
from bracketseg.fusion.radiance_map import radiance_map
from bracketseg.fusion.scene import read_scene
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.scene_names import check_scene_name
from bracketseg.scene_pool import Threads

MAX_WORKERS = 4
"""Scenes at once: 24 million pixels take about 2 GB of memory while they are fused."""


MOST = 0.5
"""The share of a picture above which what moved is rather a sign that frames do not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFused:
    """The files of one scene are on disk.

    Attributes
    ----------
    scene : str
    paths : tuple of Path
        In the order of the formats that were asked for.
    notes : tuple of str
        What a person should know of them, as of every bracket of its kind; mostly nothing.
    found : tuple of str
        What came of aligning it and of looking for what moved, as far as that was asked for.
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    """

    scene: str
    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    found: tuple[str, ...]
    index: int
    total: int


def fuse_brackets(
    brackets: Sequence[Bracket],
    labels: LabelingFolder,
    out: Path,
    config: FusionConfig,
    *,
    overwrite: bool = False,
) -> Generator[SceneFused | SceneFailed, None, None]:
    """Fuse many brackets by their masks, as many at a time as processors, four at most.

    Leaves ``<scene>_fused.png`` (``.jpg``, ``.tif``, ``.exr``) in `out`.
    What is wrong with the arguments is raised by the call itself, before any work. Closing
    the iterator ends the work after the scenes in hand; every file is whole.

    Parameters
    ----------
    brackets : sequence of Bracket
    labels : LabelingFolder
    out : Path
        Made where it is missing.
    config : FusionConfig
    overwrite : bool
        Replace files that are there; else a scene that has one fails.

    Yields
    ------
    SceneFused or SceneFailed
        Scenes come in their order; one that fails does not stop the others.

    Raises
    ------
    FusionError
        If the folder cannot be made, or EXR is asked for without the extra `exr`.
    """
    if "exr" in config.formats:
        require_exr(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FusionError(cannot_write(out, error)) from error
    sweep(out)
    return _fuse_all(brackets, labels, out, config, overwrite=overwrite)


def _fuse_all(
    brackets: Sequence[Bracket],
    labels: LabelingFolder,
    out: Path,
    config: FusionConfig,
    *,
    overwrite: bool,
) -> Generator[SceneFused | SceneFailed, None, None]:
    def fuse(bracket: Bracket) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        return fuse_scene(bracket, labels, out, config, overwrite=overwrite)

    results = Threads(min(MAX_WORKERS, os.cpu_count() or 1)).in_order(brackets, fuse)
    total = len(brackets)
    try:
        for index, (bracket, result) in enumerate(results, start=1):
            scene = bracket.scene
            if isinstance(result, BracketSegError):
                yield SceneFailed(scene=scene, error=result, index=index, total=total)
            else:
                paths, found = result
                yield SceneFused(
                    scene=scene,
                    paths=paths,
                    notes=notes_on(bracket, config),
                    found=found,
                    index=index,
                    total=total,
                )
    finally:
        results.close()


def fuse_scene(
    bracket: Bracket,
    labels: LabelingFolder,
    out: Path,
    config: FusionConfig,
    *,
    overwrite: bool = False,
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Fuse one bracket; see :func:`fuse_brackets`.

    Returns
    -------
    paths : tuple of Path
    found : tuple of str
        As in :class:`SceneFused`.

    Raises
    ------
    FusionError
        If a file is there already and may not be replaced, or cannot be written.
    FrameError, LabelingError
        If the frames or their masks cannot be used.
    """
    check_scene_name(bracket.scene)
    paths = {to: out / fused_name(bracket.scene, to) for to in config.formats}
    there = [str(path) for path in paths.values() if path.exists()]
    if there and not overwrite:
        raise FusionError(
            f"{', '.join(there)}: is there already. Write to another folder, or ask for it to "
            "be replaced (--overwrite)."
        )
    laid, exposures = read_scene(bracket, labels, config)
    if set(paths) - {"exr"}:
        picture = display_picture(exposures)
        for to, path in paths.items():
            if to != "exr":
                write_picture(path, picture)
    if "exr" in paths:
        exposures = with_known_evs(exposures, bracket)
        frames = zip(bracket.roles.values(), exposures.evs, strict=True)
        used = [replace(frame, ev=ev) for frame, ev in frames]
        write_exr(paths["exr"], radiance_map(exposures), used)
    found = [
        f"the {role} frame was not aligned: it shows too little in common with the others"
        for role, placement in zip(bracket.roles, laid.placements, strict=True)
        if not placement.reliable
    ]
    if config.looks_for_ghosts:
        roles = tuple(bracket.roles)
        found += [
            f"what moved in the {roles[k]} frame cannot be seen: nothing says how much brighter or "
            "darker it is"
            for k in laid.not_compared
        ]
        found.append(_moved(exposures, roles))
    return tuple(paths.values()), tuple(found)


def _moved(exposures: Exposures, names: Sequence[Role]) -> str:
    taken = frame_taken(exposures.images, exposures.ghosts, exposures.covers)
    if taken is None:
        return "nothing that moved was found"
    share = float((taken != NONE).mean())
    words = f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
    if share > MOST:
        words = f"{words} of the picture moved: do these frames belong together?"
        return f"{words} Those of a hand-held camera are aligned by --align"
    roles = [role for k, role in enumerate(names) if (taken == k).any()]
    if len(roles) == 1:
        return f"{words} of the picture moved; taken from the {roles[0]} frame alone"
    return f"{words} of the picture moved; each part taken from one frame, {' or '.join(roles)}"


def notes_on(bracket: Bracket, config: FusionConfig) -> tuple[str, ...]:
    """Say what a person should know of what is made of a bracket, before it is made.

    A radiance map is as right as the exposure values.
    """
    notes = []
    if len(bracket.frames) > len(bracket.roles):
        used, there = len(bracket.roles), len(bracket.frames)
        notes.append(f"{used} of {there} frames are fused, those that play a role")
    if "exr" in config.formats and not tells_evs(bracket):
        notes.append("no file tells the exposures, which are measured in the pictures")
    return tuple(notes)
