"""Predict many brackets into a labelling folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bracketseg.brackets.align_method import valid_of_bracket
from bracketseg.brackets.masks import probability_name, write_probability
from bracketseg.errors import BracketSegError, LabelingError, ModelError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.devices import resolve_device, resolve_precision
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.network_input import network_input
from bracketseg.learning.prediction import (
    DEFAULT_ENGINE,
    DEFAULT_PRECISION,
    DEFAULT_SCALE,
    DEFAULT_THRESHOLD,
    binarize,
    check_threshold,
    predict_mask,
    predict_probability,
    require_role,
    resolve_engine,
)
from bracketseg.learning.run_files import BEST
from bracketseg.scene_pool import OneByOne

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.bracket import Bracket, MaskRole
    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.config import Engine, Precision, Scale
    from bracketseg.scene_pool import ScenePool


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
    engine: Engine = DEFAULT_ENGINE,
    overwrite: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    pool: ScenePool | None = None,
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
    scale, device, precision, engine
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
        no file. With a pool it is not asked: close the iterator.
    pool : ScenePool, optional
        Who does it; by default one scene after the other, here. Elsewhere each process reads the
        models from their files, once, and chooses the device by itself.

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
        If the device is not there or cannot calculate in `precision` or with `engine`.
    """
    if not models:
        raise ModelError("no model was given; choose one for the low or for the high exposure")
    for role, model in models.items():
        require_role(model, role)
    check_threshold(threshold)
    if pool is None:
        resolve_precision(precision, resolve_device(device))
        resolve_engine(engine, resolve_device(device))
    origins = {role: _origin(model, threshold, scale) for role, model in models.items()}
    info = LabelingInfo(method="network", ranges=dict(origins))
    info = info.model_copy(update={"versions": info.versions | {"torch": torch.__version__}})
    work = _PredictScene(
        folder=LabelingFolder.create(out, info, overwrite=overwrite),
        origins=origins,
        models={role: partial(_read_once, model.path) for role, model in models.items()},
        settings={"scale": scale, "device": device, "precision": precision},
        engine=engine,
        threshold=threshold,
        probability=probability,
        align=align,
    )
    if pool is None:
        here = {role: _given(model) for role, model in models.items()}
        work = replace(work, models=here, should_stop=should_stop)
    return _predict_all(brackets, work, pool or OneByOne())


@lru_cache(maxsize=2)
def _read_once(path: Path, sha256: str) -> Model:
    """Read a model in a process that predicts many scenes, and make sure that it is the one."""
    if file_sha256(path) != sha256:
        raise ModelError(
            f"{path}: is not the file that it was when the prediction began, or another one "
            "on this machine; begin again with a model that stays, and is the same everywhere"
        )
    return load_model(path)


def _given(model: Model) -> Callable[[str], Model]:
    return lambda _: model


def _origin(model: Model, threshold: float, scale: Scale) -> Network:
    return Network(
        model=model.path.parent.name if model.path.name == BEST else model.path.name,
        model_sha256=file_sha256(model.path),
        loss=model.card.loss,
        threshold=threshold,
        scale=scale,
    )


@dataclass(frozen=True, slots=True)
class _Packed:
    """A mask in an eighth of its memory, while the next frame is predicted.

    Attributes
    ----------
    bits : (H, W / 8 rounded up) uint8
    width
        Of the mask.
    """

    bits: NDArray[np.uint8]
    width: int

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> _Packed:
        return cls(np.packbits(mask, axis=1), mask.shape[1])

    def unpacked(self) -> NDArray[np.bool_]:
        return np.unpackbits(self.bits, axis=1, count=self.width).view(np.bool_)


@dataclass(frozen=True, slots=True)
class _Predicted:
    """A scene that is on disk."""

    record: SceneRecord
    foreground: dict[MaskRole, float]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _PredictScene:
    """What is the same for all scenes; called with one of them, it predicts and saves it.

    Attributes
    ----------
    models
        For each role, a function that gives the model with a certain SHA-256.
    """

    folder: LabelingFolder
    origins: Mapping[MaskRole, Network]
    models: Mapping[MaskRole, Callable[[str], Model]]
    settings: Mapping[str, Any]
    engine: Engine
    threshold: float
    probability: bool
    align: AlignMethod
    should_stop: Callable[[], bool] | None = None

    def __call__(self, bracket: Bracket) -> _Predicted | None:
        """Return None when it was stopped on the way."""
        start = perf_counter()
        probabilities, records, packed = {}, {}, {}
        valid = valid_of_bracket(bracket, self.align)
        engine = resolve_engine(self.engine, resolve_device(self.settings["device"]))
        settings = {**self.settings, "engine": engine}
        for role, origin in self.origins.items():
            if self.should_stop is not None and self.should_stop():
                return None
            frame = bracket.frame(role)
            model = self.models[role](origin.model_sha256)
            shown = valid.get(frame)
            # No frame has a name: it is gone before the next one is read, and so is what a frame
            # of 16 bits has beyond 8.
            if self.probability:
                values = predict_probability(model, network_input(frame.read()), **settings)
                if shown is not None:
                    values *= shown
                probabilities[role] = values
                mask = binarize(values, self.threshold)
            else:
                mask = predict_mask(
                    model, network_input(frame.read()), threshold=self.threshold, **settings
                )
            if shown is not None:
                # Of a threshold of 0 as well.
                mask &= shown
            packed[role] = _Packed.of(mask)
            del mask
            records[role] = MaskRecord(
                origin=origin,
                frame=frame.path.name,
                frame_sha256=file_sha256(frame.path),
                aligned=None if self.align == "off" else self.align,
                engine=engine,
            )
        masks = {role: mask.unpacked() for role, mask in packed.items()}
        record = SceneRecord(scene=bracket.scene, masks=records, time=datetime.now(UTC))
        # The masks first: where one must not be replaced, its probability stays too.
        record = self.folder.save_scene(masks, record)
        for role in masks:
            path = self.folder.path / probability_name(bracket.scene, role)
            if self.probability:
                write_probability(path, probabilities[role])
            else:
                _remove(path)
        foreground = {role: float(mask.mean()) for role, mask in masks.items()}
        return _Predicted(record, foreground, perf_counter() - start)


def _predict_all(
    brackets: Sequence[Bracket], work: _PredictScene, pool: ScenePool
) -> Generator[ScenePredicted | SceneFailed, None, None]:
    total = len(brackets)
    results = pool.in_order(brackets, work)
    try:
        for index, (bracket, done) in enumerate(results, start=1):
            if done is None:
                return
            if isinstance(done, BracketSegError):
                yield SceneFailed(scene=bracket.scene, error=done, index=index, total=total)
            else:
                yield ScenePredicted(
                    scene=bracket.scene,
                    index=index,
                    total=total,
                    seconds=done.seconds,
                    foreground=done.foreground,
                    record=done.record,
                )
    finally:
        results.close()
        # Listed anew: another process may have written the masks.
        LabelingFolder.at(work.folder.path).write_coverage()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LabelingError(
            f"{path}: cannot be removed ({error}), and does not belong to the new mask. Remove it."
        ) from error
