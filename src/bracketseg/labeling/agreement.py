"""Manual against Otsu: how far two labellings of one bracket agree (sec. 3.3, fig. 3)."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketSegError, LabelingError
from bracketseg.labeling.coverage import Coverage, coverage
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu
from bracketseg.labeling.rules import Rule
from bracketseg.labeling.saved_scene import refuse_other_frame
from bracketseg.scene_pool import ScenePool, Threads

COVERAGE_NAMES = ("low", "high", "union", "remainder", "pieces")
COLUMNS = (
    "scene",
    *(f"dice_{role}" for role in MASK_ROLES),
    *(f"manual_{name}" for name in COVERAGE_NAMES),
    *(f"otsu_{name}" for name in COVERAGE_NAMES),
)

Masks = Mapping[MaskRole, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the manual masks of one scene agree with Otsu's.

    Attributes
    ----------
    dice : dict of role to float
        Dice index of the two masks (eq. 5), 0..1; 1 where both are empty.
    manual, otsu : Coverage or None
        What the masks of each cover; None where one role only is there, or the frames
        have different sizes.
    """

    dice: dict[MaskRole, float]
    manual: Coverage | None
    otsu: Coverage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneCompared:
    """One scene is compared.

    Attributes
    ----------
    scene : str
    agreement : Agreement
    index, total : int
        This is scene number `index` of `total`, counted from 1.
    """

    scene: str
    agreement: Agreement
    index: int
    total: int


def compare_masks(manual: Masks, otsu: Masks) -> Agreement:
    """Compare the manual masks of a scene with Otsu's.

    Parameters
    ----------
    manual, otsu : mapping of role to (H, W) bool
        The roles that both have are compared.

    Raises
    ------
    LabelingError
        If the two masks of a role have different sizes.

    Examples
    --------
    >>> manual = {"low": np.array([[True, True, False]])}
    >>> otsu = {"low": np.array([[False, True, False]])}
    >>> round(compare_masks(manual, otsu).dice["low"], 3)
    0.667
    """
    roles: list[MaskRole] = [role for role in MASK_ROLES if role in manual and role in otsu]
    for role in roles:
        if manual[role].shape != otsu[role].shape:
            raise LabelingError(
                f"the {role} mask is {manual[role].shape} by hand and {otsu[role].shape} by Otsu "
                "(rows, columns); make both from the same frame"
            )
    return Agreement(
        dice={role: _dice(manual[role], otsu[role]) for role in roles},
        manual=_coverage(manual, roles),
        otsu=_coverage(otsu, roles),
    )


def compare_with_otsu(
    brackets: Sequence[Bracket],
    manual: LabelingFolder | Mapping[MaskRole, Rule] = DEFAULT_RANGES,
    *,
    pool: ScenePool | None = None,
) -> Iterator[SceneCompared | SceneFailed]:
    """Compare manual masks with Otsu's, scene by scene.

    Parameters
    ----------
    brackets : sequence of Bracket
    manual : LabelingFolder, or mapping of role to Rule
        Masks on disk, corrections and all, or ranges. Of a labelling, those brackets
        are compared that it has a mask of.
    pool : ScenePool, optional
        Who does it; by default threads, one per processor.

    Yields
    ------
    SceneCompared or SceneFailed
        In the order of the brackets. Closing the iterator ends the work.
    """

    def there(scene: str, role: MaskRole) -> bool:
        if isinstance(manual, LabelingFolder):
            return (scene, role) in manual.masks
        return role in manual

    chosen = [b for b in brackets if any(there(b.scene, role) for role in MASK_ROLES)]

    def compare(bracket: Bracket) -> Agreement:
        by_hand: dict[MaskRole, NDArray[np.bool_]] = {}
        by_otsu: dict[MaskRole, NDArray[np.bool_]] = {}
        for role in MASK_ROLES:
            if not there(bracket.scene, role):
                continue
            if isinstance(manual, LabelingFolder):
                refuse_other_frame(manual, bracket.scene, role, bracket.frame(role).path)
            values = luma(bracket.frame(role).read())
            by_otsu[role] = Otsu().bounds(values, role).mask(values)
            if isinstance(manual, LabelingFolder):
                by_hand[role] = manual.mask(bracket.scene, role)
            else:
                by_hand[role] = manual[role].bounds(values, role).mask(values)
        try:
            return compare_masks(by_hand, by_otsu)
        except LabelingError as error:
            raise LabelingError(f"{bracket.folder}: scene {bracket.scene}: {error}") from error

    results = (pool or Threads()).in_order(chosen, compare)
    try:
        for index, (bracket, result) in enumerate(results, start=1):
            scene, total = bracket.scene, len(chosen)
            if isinstance(result, BracketSegError):
                yield SceneFailed(scene=scene, error=result, index=index, total=total)
            else:
                yield SceneCompared(scene=scene, agreement=result, index=index, total=total)
    finally:
        results.close()


def agreement_row(agreement: Agreement) -> dict[str, float | None]:
    """Every number of a comparison under the name of its column, all but `scene`.

    None where there is no such number.
    """
    row: dict[str, float | None] = {f"dice_{role}": agreement.dice.get(role) for role in MASK_ROLES}
    for prefix, covered in (("manual", agreement.manual), ("otsu", agreement.otsu)):
        for name in COVERAGE_NAMES:
            row[f"{prefix}_{name}"] = getattr(covered, name) if covered is not None else None
    return row


def mean_row(agreements: Iterable[Agreement]) -> dict[str, float | None]:
    """Average each column of :func:`agreement_row` over the scenes that have the number."""
    rows = [agreement_row(agreement) for agreement in agreements]
    means: dict[str, float | None] = {}
    for name in COLUMNS[1:]:
        values = [value for row in rows if (value := row[name]) is not None]
        means[name] = fmean(values) if values else None
    return means


def agreement_csv(scenes: Iterable[SceneCompared]) -> str:
    """Make a table of comparisons: one row per scene.

    Returns
    -------
    str
        CSV with the header `COLUMNS`; fractions and Dice with six decimals; empty cells
        where there is no such number.
    """
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(COLUMNS)
    for scene in scenes:
        rows.writerow([scene.scene, *map(_cell, agreement_row(scene.agreement).values())])
    return table.getvalue()


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _coverage(masks: Masks, roles: Sequence[MaskRole]) -> Coverage | None:
    if len(roles) < len(MASK_ROLES) or masks["low"].shape != masks["high"].shape:
        return None
    return coverage(masks["low"], masks["high"])


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    both = int(np.count_nonzero(first & second))
    total = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * both / total if total else 1.0
