"""Predict many brackets into a labelling folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

import torch

from bracketseg.brackets.align_method import valid_of_bracket
from bracketseg.brackets.masks import probability_name, write_probability
from bracketseg.errors import BracketSegError, LabelingError, ModelError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord
from bracketseg.learning.devices import resolve_device, resolve_precision
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.prediction import (
    DEFAULT_PRECISION,
    DEFAULT_SCALE,
    DEFAULT_THRESHOLD,
    binarize,
    check_threshold,
    predict_probability,
    require_role,
)
from bracketseg.learning.run_files import BEST

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.bracket import Bracket, MaskRole
    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.config import Precision, Scale


def predict_brackets(
    brackets: Sequence[Bracket],
    models: Mapping[MaskRole, Model],
    out: Path,
    *,
    threshold: float = DEFAULT_THRESHOLD,
    scale: Scale = DEFAULT_SCALE,
    probability: bool = False,
    align: AlignMethod = "off",
    device: str = "auto",
    precision: Precision = DEFAULT_PRECISION,
    overwrite: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[ScenePredicted | SceneFailed, None, None]:
    """Predict the masks of many brackets into a labelling folder.

    What is wrong with the arguments is raised by the call itself, before any work. Scenes
    come in their order; every file is whole, and after the last one, or when the iterator is
    closed, the coverage of what was done is written.

    Parameters
    ----------
    brackets : sequence of Bracket
    models : mapping of role to Model
        One or two; a role without a model is left out.
    out : Path
        The labelling folder, made where it is missing.
    threshold : float, 0..1
        A probability at or above it is foreground.
    scale, device, precision
        As in `bracketseg.learning.prediction.predict_probability`.
    probability : bool
        Also write ``<scene>_<role>_probability.png``. Without it, one that an earlier
        prediction left for the scene is removed: it would not belong to the new mask.
    align : {"off", "shift", "homography"}
        Align the frames and leave the masks empty, and the probabilities 0, where not all of
        them show something. Both are of the pixels of the files all the same.
    overwrite : bool
        Replace masks that were made in another way or corrected by hand.
    should_stop
        Asked before each frame; true ends the work. A scene begun and not finished leaves
        no file.

    Yields
    ------
    ScenePredicted or SceneFailed
        A scene that fails does not stop the others.

    Raises
    ------
    ModelError
        If there is no model, or one was trained for the other exposure.
    LabelingError
        If the threshold is not within 0..1, or `out` holds other masks and overwriting was
        not asked for.
    DeviceError
        If the device is not there or cannot calculate in `precision`.
    """
    if not models:
        raise ModelError("no model was given; choose one for the low or for the high exposure")
    for role, model in models.items():
        require_role(model, role)
    check_threshold(threshold)
    resolve_precision(precision, resolve_device(device))
    origins = {role: _origin(model, threshold, scale) for role, model in models.items()}
    info = LabelingInfo(method="network", ranges=dict(origins))
    info = info.model_copy(update={"versions": info.versions | {"torch": torch.__version__}})
    folder = LabelingFolder.create(out, info, overwrite=overwrite)

    def predict(frame: NDArray[np.generic], role: MaskRole) -> NDArray[np.float32]:
        return predict_probability(
            models[role], frame, scale=scale, device=device, precision=precision
        )

    job = _Job(folder, origins, predict, threshold, probability, align, should_stop)
    return _predict_all(brackets, job)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is the same for all scenes."""

    folder: LabelingFolder
    origins: Mapping[MaskRole, Network]
    predict: Callable[[NDArray[np.generic], MaskRole], NDArray[np.float32]]
    threshold: float
    probability: bool
    align: AlignMethod
    should_stop: Callable[[], bool]


def _origin(model: Model, threshold: float, scale: Scale) -> Network:
    return Network(
        model=model.path.parent.name if model.path.name == BEST else model.path.name,
        model_sha256=file_sha256(model.path),
        loss=model.card.loss,
        threshold=threshold,
        scale=scale,
    )


def _predict_all(
    brackets: Sequence[Bracket], job: _Job
) -> Generator[ScenePredicted | SceneFailed, None, None]:
    total = len(brackets)
    try:
        for index, bracket in enumerate(brackets, start=1):
            start = perf_counter()
            try:
                done = _predict_scene(bracket, job)
            except BracketSegError as error:
                yield SceneFailed(scene=bracket.scene, error=error, index=index, total=total)
                continue
            if done is None:
                return
            record, foreground = done
            yield ScenePredicted(
                scene=bracket.scene,
                index=index,
                total=total,
                seconds=perf_counter() - start,
                foreground=foreground,
                record=record,
            )
    finally:
        job.folder.write_coverage()


def _predict_scene(bracket: Bracket, job: _Job) -> tuple[SceneRecord, dict[MaskRole, float]] | None:
    """Predict one bracket and save it; None when it was stopped on the way."""
    probabilities, records, masks = {}, {}, {}
    valid = valid_of_bracket(bracket, job.align)
    for role, origin in job.origins.items():
        if job.should_stop():
            return None
        frame = bracket.frame(role)
        probabilities[role] = job.predict(frame.read(), role)
        if frame in valid:
            probabilities[role] *= valid[frame]
        records[role] = MaskRecord(
            origin=origin,
            frame=frame.path.name,
            frame_sha256=file_sha256(frame.path),
            aligned=None if job.align == "off" else job.align,
        )
        masks[role] = binarize(probabilities[role], job.threshold)
        if frame in valid:
            # Of a threshold of 0 as well.
            masks[role] &= valid[frame]
    record = SceneRecord(scene=bracket.scene, masks=records, time=datetime.now(UTC))
    # The masks first: where one must not be replaced, its probability stays too.
    record = job.folder.save_scene(masks, record)
    for role, values in probabilities.items():
        path = job.folder.path / probability_name(bracket.scene, role)
        if job.probability:
            write_probability(path, values)
        else:
            _remove(path)
    return record, {role: float(mask.mean()) for role, mask in masks.items()}


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabelingError(
            f"{path}: cannot be removed ({error}), and does not belong to the new mask. Remove it."
        ) from error
