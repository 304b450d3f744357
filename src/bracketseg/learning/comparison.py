"""The paper's experiment: each loss for each role, measured on scenes kept back (sec. 3.5)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, MaskRole
from bracketseg.brackets.files import write_json, write_text
from bracketseg.errors import TrainingError
from bracketseg.evaluation.folders import SceneMetrics, evaluate_folders
from bracketseg.evaluation.tables import (
    TABLE_NUMBERS,
    scenes_csv,
    table_csv,
    table_markdown,
)
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.learning.checkpoints import LAST, load_model
from bracketseg.learning.events import Stopped, TrainEvent
from bracketseg.learning.predict_folder import ScenePredicted, predict_brackets
from bracketseg.learning.prediction import DEFAULT_SCALE
from bracketseg.learning.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bracketseg.evaluation.metrics import Metrics
    from bracketseg.labeling.label_folder import SceneFailed
    from bracketseg.learning.config import Loss, TrainConfig

TABLES_MARKDOWN = "tables.md"
TABLES_JSON = "tables.json"

LOSS_LABELS: dict[Loss, str] = {"bce": "BCE", "focal": "Focal", "dice-bce": "Dice - BCE"}
"""What the first column of the paper's tables calls each loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """One of the trainings begins.

    Attributes
    ----------
    role : {"low", "high"}
    loss : {"bce", "focal", "dice-bce"}
    index, total : int
        This is training number `index` of `total`, counted from 1.
    """

    role: MaskRole
    loss: Loss
    index: int
    total: int


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
    """Train each loss for each role and measure all of them on the same unseen scenes.

    Each network is trained into ``<out>/<role>-<loss>``; the validation scenes of its split
    are then predicted at full resolution and measured against `masks`. ``tables.md``,
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
        If a loss was named twice or a training cannot start.
    """
    if len(set(losses)) < len(losses) or not losses:
        raise TrainingError(f"losses {' '.join(losses)}: name each loss to compare once")
    measured: dict[MaskRole, dict[Loss, list[SceneMetrics]]] = {role: {} for role in roles}
    means: dict[MaskRole, dict[Loss, Metrics]] = {role: {} for role in roles}
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
        kept_back = json.loads((run / "split.json").read_text(encoding="utf-8"))["validation"]
        predicted = run / "validation"
        yield from predict_brackets(
            [bracket for bracket in brackets if bracket.scene in kept_back],
            {role: load_model(run)},
            predicted,
            probability=True,
            device=config.device,
            overwrite=True,
        )
        evaluation = evaluate_folders(masks, predicted, scenes=kept_back)
        measured[role][loss] = list(evaluation.scenes)
        means[role][loss] = evaluation.mean[role]
    yield _write_tables(out, masks, config, measured, means)


def _write_tables(
    out: Path,
    masks: Path,
    config: TrainConfig,
    measured: Mapping[MaskRole, Mapping[Loss, Sequence[SceneMetrics]]],
    means: dict[MaskRole, dict[Loss, Metrics]],
) -> Compared:
    info = LabelingFolder.open(masks).info
    truth = info.method if info is not None else "masks of unknown origin"
    parts = ["## Comparison of loss functions", ""]
    for role, by_loss in means.items():
        rows = {LOSS_LABELS[loss]: metrics for loss, metrics in by_loss.items()}
        kept_back = next(iter(measured[role].values()))
        names = ", ".join(scene.scene for scene in kept_back)
        measured_on = (
            f"Mean over {len(kept_back)} scenes kept back from training ({names}), masks at "
            f"full resolution; ground truth: {truth}, {masks.name}."
        )
        trained_with = (
            f"{config.epochs} epochs of images {config.image_size} x {config.image_size}, "
            f"batch {config.batch_size}, learning rate {config.learning_rate:g}, seed "
            f"{config.seed}; predicted at scale {DEFAULT_SCALE}."
        )
        notes = [measured_on, trained_with]
        parts.append(table_markdown(role, rows, notes))
        write_text(out / f"table{TABLE_NUMBERS[role]}_{role}.csv", table_csv(rows))
        for loss, found in measured[role].items():
            write_text(out / f"scenes_{role}_{loss}.csv", scenes_csv(found))
    parts.append(
        "AUC (eq. 9) is the mean of sensitivity and specificity, as the paper defines it; ROC AUC "
        "is the area under the ROC curve of the probabilities. AVG is the mean of the five columns "
        "from Dice to AUC (eq. 9).\n"
    )
    write_text(out / TABLES_MARKDOWN, "\n".join(parts))
    write_json(
        out / TABLES_JSON,
        {
            role: {loss: asdict(metrics) | {"avg": metrics.avg} for loss, metrics in rows.items()}
            for role, rows in means.items()
        },
    )
    return Compared(means=means)
