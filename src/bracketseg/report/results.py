"""What the runs of one role reached, so arranged that the losses can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass

from bracketseg.brackets.bracket import MaskRole
from bracketseg.brackets.natural_order import natural_key
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.pairs import SceneMetrics
from bracketseg.evaluation.spread import Summary, over_seeds, summarize
from bracketseg.learning.config import LOSSES, Loss

Measured = Mapping[Loss, Mapping[int, Mapping[str, SceneMetrics]]]
"""Loss, then seed, then scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleResults:
    """The rows of Table 1 or 2: all of the same seeds, and in each seed of the same scenes.

    Attributes
    ----------
    role : {"low", "high"}
    measured : dict of loss to dict of int to dict of str to SceneMetrics
    left_out : tuple of str
        What was measured and counts for nothing, because another loss lacks it.
    """

    role: MaskRole
    measured: dict[Loss, dict[int, dict[str, SceneMetrics]]]
    left_out: tuple[str, ...]

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The losses that are compared."""
        return tuple(self.measured)

    @property
    def scenes_of(self) -> dict[int, tuple[str, ...]]:
        """The scenes that count, of each seed."""
        first = next(iter(self.measured.values()))
        return {seed: tuple(scenes) for seed, scenes in first.items()}

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes of all seeds, each once, in the order of their names."""
        found = {scene for scenes in self.scenes_of.values() for scene in scenes}
        return tuple(sorted(found, key=natural_key))

    def metrics(self, loss: Loss) -> dict[int, dict[str, Metrics]]:
        """Give the metrics of a loss by seed and scene."""
        return {
            seed: {scene: found.metrics for scene, found in scenes.items()}
            for seed, scenes in self.measured[loss].items()
        }

    def summary(self, loss: Loss) -> Summary:
        """Average over scenes and seeds."""
        return summarize(self.metrics(loss))

    def dice(self) -> dict[str, dict[str, float]]:
        """Give the Dice of each loss and scene, averaged over seeds."""
        return {loss: over_seeds(self.metrics(loss), "dice") for loss in self.losses}

    def any_counts(self) -> dict[int, dict[str, SceneMetrics]]:
        """Give what some loss reached: what the reference alone decides is the same for all."""
        return next(iter(self.measured.values()))


def balance(role: MaskRole, measured: Measured) -> RoleResults | None:
    """Keep the seeds that all losses have, and in each seed the scenes that all losses have.

    Where no seed has all losses, the loss of the fewest seeds is given up, of equally few the
    last, until some seed has all that are left.

    Returns
    -------
    RoleResults or None
        None where nothing was measured.
    """
    left_out: list[str] = []
    by_loss = {loss: measured[loss] for loss in LOSSES if any(measured.get(loss, {}).values())}
    while by_loss:
        counting = {
            seed: common
            for seed in sorted({seed for seeds in by_loss.values() for seed in seeds})
            if (common := _common_scenes(seed, by_loss))
        }
        if counting:
            break
        fewest = min(by_loss, key=lambda loss: (len(by_loss[loss]), -LOSSES.index(loss)))
        left_out.append(
            f"{role}, {fewest}: no seed has both this loss and the others, so it cannot be compared"
        )
        del by_loss[fewest]
    else:
        return None
    for loss, seeds in by_loss.items():
        for seed, scenes in seeds.items():
            if seed not in counting:
                left_out.append(f"{role}, {loss}, seed {seed}: another loss lacks this seed")
            else:
                left_out += [
                    f"{role}, {loss}, seed {seed}: scene {scene} could not be measured for "
                    "another loss"
                    for scene in scenes
                    if scene not in counting[seed]
                ]
    return RoleResults(
        role=role,
        measured={
            loss: {seed: {s: seeds[seed][s] for s in scenes} for seed, scenes in counting.items()}
            for loss, seeds in by_loss.items()
        },
        left_out=tuple(left_out),
    )


def _common_scenes(
    seed: int, by_loss: Mapping[Loss, Mapping[int, Mapping[str, SceneMetrics]]]
) -> list[str]:
    found = [seeds.get(seed, {}) for seeds in by_loss.values()]
    return [scene for scene in found[0] if all(scene in other for other in found)]
