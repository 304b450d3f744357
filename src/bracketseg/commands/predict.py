"""The command `bracketseg predict`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bracketseg.allocator import keep_freed_memory
from bracketseg.arguments import (
    AlignOption,
    JsonOption,
    OverwriteOption,
    PathArgument,
    SchedulerOption,
    WorkersOption,
)
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.brackets.layouts import find_brackets
from bracketseg.commands.spread import for_all, spread
from bracketseg.config_options import options_from
from bracketseg.console import (
    errors,
    follow_scenes,
    output,
    report_problems,
    stopping_on_interrupt,
    tell_expected,
)
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.shipped import shipped_model
from bracketseg.wording import counted

ModelOption = Annotated[
    Path | None,
    typer.Option(
        help="Run folder, or the .safetensors file in one; with neither role named, the models "
        "that bracketseg brings for both."
    ),
]


@options_from(PredictConfig)
def predict(
    path: PathArgument,
    out: Annotated[Path, typer.Option(help="Folder for the masks.")],
    low_model: ModelOption = None,
    high_model: ModelOption = None,
    align: AlignOption = "off",
    overwrite: OverwriteOption = False,
    scheduler: SchedulerOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    *,
    config: PredictConfig,
) -> None:
    """Predict the masks of brackets with one trained network per role."""
    paths: dict[MaskRole, Path | None] = {"low": low_model, "high": high_model}
    shipped = not any(paths.values())
    if shipped:
        paths = {role: shipped_model(role) for role in MASK_ROLES}
    keep_freed_memory()
    from bracketseg.learning.checkpoints import load_model
    from bracketseg.learning.predict_folder import predict_brackets
    from bracketseg.learning.prediction_estimate import WORTH_IT, expect_prediction

    with spread(scheduler, workers) as pool:
        models = {
            role: load_model(for_all(model, pool))
            for role, model in paths.items()
            if model is not None
        }
        found = find_brackets(for_all(path, pool))
        predicting = predict_brackets(
            found.brackets,
            models,
            for_all(out, pool),
            align=align,
            overwrite=overwrite,
            pool=pool,
            **config.model_dump(),
        )
        if pool is None:
            with stopping_on_interrupt() as should_stop:
                expected = expect_prediction(
                    found.brackets, models, config, out, align=align, should_stop=should_stop
                )
            if should_stop():
                errors.print("Stopped before the first scene.")
                raise typer.Exit(1)
            if expected is not None:
                tell_expected(expected)
        elif len(found.brackets) * len(models) >= WORTH_IT:
            errors.print("With several processes, nobody knows beforehand how long it will take.")
        predicted, failed = follow_scenes(
            predicting, "Predicting", keep=_record if as_json else _scene_of
        )
    if as_json:
        typer.echo(json.dumps(predicted, indent=2))
    else:
        models_used = " with the models that bracketseg brings" if shipped else ""
        output.print(f"{counted(len(predicted), 'scene')} predicted in {out}{models_used}")
    report_problems([*found.problems, *failed], len(predicted))


def _record(event: ScenePredicted | SceneFailed) -> dict[str, Any] | None:
    return None if isinstance(event, SceneFailed) else event.record.model_dump(mode="json")


def _scene_of(event: ScenePredicted | SceneFailed) -> str | None:
    return None if isinstance(event, SceneFailed) else event.scene
