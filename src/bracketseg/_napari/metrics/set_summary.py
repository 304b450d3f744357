"""What all scenes come to: means beside those of constant masks, and what to beware of."""

from collections.abc import Collection, Sequence

from bracketseg._napari.metrics.origin import Origin
from bracketseg._napari.metrics.set_table import MetricsRow
from bracketseg._napari.metrics.text import (
    ALL_TIP,
    NONE_TIP,
    better_text,
    corrected_text,
    outdated_text,
    trained_text,
)
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.evaluation.folders import mean_baselines, mean_metrics
from bracketseg.evaluation.pairs import SceneMetrics
from bracketseg.wording import counted


def mean_rows(measured: Sequence[SceneMetrics]) -> list[MetricsRow]:
    """Make the table of means: of each role the masks, all foreground, and none."""
    rows = []
    for role in MASK_ROLES:
        found = [scene for scene in measured if scene.role == role]
        if found:
            mean = mean_metrics([scene.metrics for scene in found])
            everything, nothing = mean_baselines([scene.counts for scene in found])
            masks = counted(len(found), f"{role} mask")
            rows += [
                MetricsRow(label=role, metrics=mean, tip=f"Mean of {masks}."),
                MetricsRow(label="all", metrics=everything, tip=f"{ALL_TIP} Mean of {masks}."),
                MetricsRow(label="none", metrics=nothing, tip=f"{NONE_TIP} Mean of {masks}."),
            ]
    return rows


def doubts(
    measured: Sequence[SceneMetrics],
    trained: Collection[str],
    origin: Origin | None,
    outdated: Collection[str],
) -> list[str]:
    """Say why the numbers may mean less than they seem to; what is empty need not be said.

    Parameters
    ----------
    measured : sequence of SceneMetrics
    trained : collection of str
        Scenes that the networks learned from.
    origin : Origin or None
        Where the predictions come from.
    outdated : collection of str
        Scenes whose masks have changed since.
    """
    scenes = {scene.scene for scene in measured}
    found = [
        outdated_text(len(outdated)),
        trained_text(len(scenes.intersection(trained)), len(scenes)),
        corrected_text(0 if origin is None else origin.corrected),
    ]
    for role in MASK_ROLES:
        of_role = [scene for scene in measured if scene.role == role]
        if of_role:
            better = better_text(
                mean_metrics([scene.metrics for scene in of_role]),
                *mean_baselines([scene.counts for scene in of_role]),
            )
            found.append(better and f"{role.capitalize()}: {better}")
    return found
