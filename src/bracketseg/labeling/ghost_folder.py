"""Ghost maps of many brackets in a folder: where masks cannot be trusted."""

import csv
import io
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bracketseg.brackets.align_method import AlignMethod, align, reference_of
from bracketseg.brackets.bracket import Bracket
from bracketseg.brackets.files import cannot_write, sweep, write_text
from bracketseg.brackets.ghosts import GhostMap, ghosts_between
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import ghosts_name, write_mask
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.scene_names import check_scene_name
from bracketseg.scene_pool import Threads

TABLE_NAME = "ghosts.csv"

COLUMNS = ("scene", "frame", "share", "notes")


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostsFound:
    """The ghost map of one scene is on disk.

    Attributes
    ----------
    scene : str
    frame : str
        File name of the frame whose pixels it is of.
    share : float
        What ghosts take of what all frames show, 0..1.
    notes : tuple of str
        What a person should know of the alignment, a frame each.
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    """

    scene: str
    frame: str
    share: float
    notes: tuple[str, ...]
    index: int
    total: int


def write_ghosts(
    brackets: Sequence[Bracket],
    out: Path,
    *,
    method: AlignMethod = "homography",
) -> Generator[GhostsFound | SceneFailed, None, None]:
    """Find and save the ghosts of many brackets, several at a time.

    Leaves ``<scene>_ghosts.png``, 0 and 255, for each, and `ghosts.csv` for all of them.
    Closing the iterator ends the work after the scenes in hand.

    Parameters
    ----------
    brackets : sequence of Bracket
    out : Path
        Made where it is missing. Maps that are there are replaced.
    method : {"off", "shift", "homography"}
        How the frames are aligned before.

    Yields
    ------
    GhostsFound or SceneFailed

    Raises
    ------
    LabelingError
        If the folder or the table cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabelingError(cannot_write(out, error)) from error
    sweep(out)

    def find(bracket: Bracket) -> tuple[GhostMap, str, tuple[str, ...]]:
        check_scene_name(bracket.scene)
        found, notes = _ghosts_of(bracket, method)
        write_mask(out / ghosts_name(bracket.scene), found.ghosts)
        return found, bracket.frames[reference_of(bracket)].path.name, notes

    done: list[GhostsFound] = []
    results = Threads().in_order(brackets, find)
    try:
        for index, (bracket, result) in enumerate(results, start=1):
            scene, total = bracket.scene, len(brackets)
            if isinstance(result, BracketSegError):
                yield SceneFailed(scene=scene, error=result, index=index, total=total)
                continue
            found, frame, notes = result
            done.append(
                GhostsFound(
                    scene=scene,
                    frame=frame,
                    share=found.share,
                    notes=notes,
                    index=index,
                    total=total,
                )
            )
            yield done[-1]
    finally:
        results.close()
        _write_table(out / TABLE_NAME, done)


def _ghosts_of(bracket: Bracket, method: AlignMethod) -> tuple[GhostMap, tuple[str, ...]]:
    images = [frame.read() for frame in bracket.frames]
    reference = reference_of(bracket)
    placements = align([luma(image) for image in images], method, reference=reference)
    found = ghosts_between(
        images, [frame.ev for frame in bracket.frames], placements, reference=reference
    )
    notes = []
    for index, (frame, placement) in enumerate(zip(bracket.frames, placements, strict=True)):
        if not placement.reliable:
            notes.append(f"{frame.path.name} left out: it shows too little in common")
        elif index in found.left_out:
            by = "darker" if index < reference else "brighter"
            notes.append(
                f"{frame.path.name} left out: too few pixels tell how much {by} than "
                f"{bracket.frames[reference].path.name} it is"
            )
        elif placement.note:
            notes.append(f"{frame.path.name} moved by whole pixels: {placement.note}")
    return found, tuple(notes)


def _write_table(path: Path, done: Sequence[GhostsFound]) -> None:
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for event in done:
        rows.writerow([event.scene, event.frame, f"{event.share:.6f}", "; ".join(event.notes)])
    try:
        write_text(path, table.getvalue())
    except OSError as error:
        raise LabelingError(cannot_write(path, error)) from error
