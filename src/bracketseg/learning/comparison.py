"""The paper's experiment: each loss for each role, measured on scenes kept back (sec. 3.5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.files import write_json, write_text
from bracketseg.errors import TrainingError
from bracketseg.evaluation.folders import evaluate_folders, mean_metrics
from bracketseg.evaluation.tables import (
    TABLE_NUMBERS,
    metrics_dict,
    scenes_csv,
    table_csv,
    table_markdown,
)
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.events import RunStarted, ScenePredicted, Stopped, TrainEvent
from bracketseg.learning.predict_folder import predict_brackets
from bracketseg.learning.prediction import DEFAULT_SCALE, DEFAULT_THRESHOLD
from bracketseg.learning.run_files import LAST, SPLIT
from bracketseg.learning.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bracketseg.evaluation.metrics import Metrics
    from bracketseg.evaluation.pairs import SceneMetrics
    from bracketseg.learning.config import Loss, TrainConfig
    from bracketseg.learning.model_card import ModelCard

TABLES_MARKDOWN = "tables.md"
TABLES_JSON = "tables.json"

_Measured: TypeAlias = "dict[MaskRole, dict[Loss, dict[str, SceneMetrics]]]"

LOSS_LABELS: dict[Loss, str] = {"bce": "BCE", "focal": "Focal", "dice-bce": "Dice - BCE"}
"""What the first column of the paper's tables calls each loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The tables are on disk.

    Attributes
    ----------
    means : dict of role to dict of loss to Metrics
        The rows of Tables 1 (low) and 2 (high).
    """

    means: dict[MaskRole, dict[Loss, Metrics]]


ComparisonEvent: TypeAlias = "RunStarted | TrainEvent | ScenePredicted | SceneFailed | Compared"


def compare(
    brackets: Sequence[Bracket],
    masks: Path,
    out: Path,
    config: TrainConfig,
    losses: Sequence[Loss],
    *,
    roles: Sequence[MaskRole] = MASK_ROLES,
    resume: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[ComparisonEvent]:
    """Train each loss for each role and measure all of them on the same scenes kept back.

    Each network is trained into ``<out>/<role>-<loss>``; the validation scenes of its split
    are then predicted at full resolution and measured against `masks`. The same scenes chose
    the best epoch, so the figures flatter a little. A scene that fails for one loss counts
    for none. ``tables.md``,
    ``table1_low.csv``, ``table2_high.csv``, ``scenes_<role>_<loss>.csv`` and ``tables.json`` are
    written at the end.

    Parameters
    ----------
    brackets : sequence of Bracket
    masks : Path
        Folder of ground-truth masks for both roles.
    out : Path
    config : TrainConfig
        Used for all trainings; its role and loss are replaced.
    losses : sequence of {"bce", "focal", "dice-bce"}
    roles : sequence of {"low", "high"}
    resume : bool
        Go on with the trainings that are there already.
    should_stop
        Asked before each step; true ends the comparison in a state that can be resumed.

    Yields
    ------
    RunStarted, the events of each training, ScenePredicted or SceneFailed, at last Compared

    Raises
    ------
    TrainingError
        If a loss was named twice, a training cannot start, or no scene of a role can be
        measured.
    """
    if len(set(losses)) < len(losses) or not losses:
        raise TrainingError(f"losses {' '.join(losses)}: name each loss to compare once")
    measured: _Measured = {role: {} for role in roles}
    cards: dict[MaskRole, dict[Loss, ModelCard]] = {role: {} for role in roles}
    plan = [(role, loss) for role in roles for loss in losses]
    for index, (role, loss) in enumerate(plan, start=1):
        yield RunStarted(role=role, loss=loss, index=index, total=len(plan))
        run = out / f"{role}-{loss}"
        settings = config.model_copy(update={"role": role, "loss": loss})
        for event in train(
            brackets,
            masks,
            settings,
            run,
            resume=resume and (run / LAST).is_file(),
            should_stop=should_stop,
        ):
            yield event
            if isinstance(event, Stopped):
                return
        model = load_model(run)
        predicted, seen = run / "validation", []
        kept_back = json.loads((run / SPLIT).read_text(encoding="utf-8"))["validation"]
        for scene in predict_brackets(
            [bracket for bracket in brackets if bracket.scene in kept_back],
            {role: model},
            predicted,
            probability=True,
            device=config.device,
            overwrite=True,
            should_stop=should_stop,
        ):
            yield scene
            if isinstance(scene, ScenePredicted):
                seen.append(scene.scene)
        if should_stop():
            yield Stopped(run=run, epoch=config.epochs, step=0, resumable=True)
            return
        if not seen:
            raise TrainingError(f"{run}: none of its validation scenes could be predicted")
        evaluation = evaluate_folders(masks, predicted, scenes=seen)
        for number, problem in enumerate(evaluation.problems, start=1):
            yield SceneFailed(
                scene=f"{run.name}, problem {number}",
                error=problem,
                index=number,
                total=len(evaluation.problems),
            )
        measured[role][loss] = {scene.scene: scene for scene in evaluation.scenes}
        cards[role][loss] = model.card
    yield _write_tables(out, masks, config, measured, cards)


def _write_tables(
    out: Path,
    masks: Path,
    config: TrainConfig,
    measured: _Measured,
    cards: Mapping[MaskRole, Mapping[Loss, ModelCard]],
) -> Compared:
    parts = ["## Comparison of loss functions", ""]
    data: dict[str, Any] = {"config": config.model_dump(mode="json", exclude={"role", "loss"})}
    means: dict[MaskRole, dict[Loss, Metrics]] = {}
    for role, by_loss in measured.items():
        common = [
            scene
            for scene in next(iter(by_loss.values()))
            if all(scene in found for found in by_loss.values())
        ]
        if not common:
            raise TrainingError(
                f"{out}: no scene could be measured for all losses of the {role} role; see "
                "what was left out"
            )
        means[role] = {
            loss: mean_metrics([found[scene].metrics for scene in common])
            for loss, found in by_loss.items()
        }
        rows = {LOSS_LABELS[loss]: metrics for loss, metrics in means[role].items()}
        notes = _notes(masks, config, common, next(iter(cards[role].values())))
        parts.append(table_markdown(role, rows, notes))
        write_text(out / f"table{TABLE_NUMBERS[role]}_{role}.csv", table_csv(rows))
        for loss, found in by_loss.items():
            write_text(out / f"scenes_{role}_{loss}.csv", scenes_csv(found.values()))
        data[role] = {loss: metrics_dict(metrics) for loss, metrics in means[role].items()}
        data[f"{role}_scenes"] = common
        data[f"{role}_notes"] = notes
    parts.append(
        "AUC (eq. 9) is the mean of sensitivity and specificity, as the paper defines it; ROC AUC "
        "is the area under the ROC curve of the probabilities. AVG is the mean of the five columns "
        "from Dice to AUC (eq. 9).\n"
    )
    write_text(out / TABLES_MARKDOWN, "\n".join(parts))
    write_json(out / TABLES_JSON, data)
    return Compared(means=means)


def _notes(masks: Path, config: TrainConfig, scenes: Sequence[str], card: ModelCard) -> list[str]:
    info = LabelingFolder.open(masks).info
    truth = info.method if info is not None else "masks of unknown origin"
    what = f"{len(scenes)} scenes" if len(scenes) > 1 else "one scene"
    augmented = "flips and quarter turns" if config.augment else "no augmentation"
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    measured_on = (
        f"Mean over {what} kept back from training ({', '.join(scenes)}), masks at full "
        "resolution; the same scenes chose the best epoch."
    )
    made_with = (
        f"Ground truth: {truth}, in {masks.name}. Training: {config.epochs} epochs of images "
        f"{config.image_size} x {config.image_size}, batch {config.batch_size}, learning rate "
        f"{config.learning_rate:g}, dropout {config.dropout:g}, {augmented}, seed "
        f"{config.seed}, precision {config.precision}. Prediction: scale {DEFAULT_SCALE}, "
        f"threshold {DEFAULT_THRESHOLD:g}. {versions}."
    )
    return [measured_on, made_with]
