"""What a run says of the scenes that it kept back from training, as masks on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bracketseg.brackets.masks import probability_name
from bracketseg.errors import BracketSegError, TrainingError
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.records import Network
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.predict_folder import predict_brackets
from bracketseg.learning.prediction import DEFAULT_SCALE, DEFAULT_THRESHOLD
from bracketseg.learning.run_files import PREDICTIONS
from bracketseg.learning.runs import read_split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bracketseg.brackets.bracket import Bracket
    from bracketseg.labeling.label_folder import SceneFailed
    from bracketseg.learning.model_card import ModelCard


def predict_kept_back(
    run: Path,
    brackets: Sequence[Bracket],
    *,
    device: str = "auto",
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[ScenePredicted | SceneFailed]:
    """Predict the validation scenes of a run at full resolution, into its ``validation``.

    Scenes that this very model predicted before, from the same frame, are left as they are.

    Parameters
    ----------
    run
        A run folder with a model.
    brackets
        Those that are no validation scenes of the run do not count.
    device
        As in `bracketseg.learning.prediction.predict_probability`.
    should_stop
        Asked before each frame; true ends the work.

    Raises
    ------
    ModelError
        If the run cannot be read.
    TrainingError
        If there was something to predict, and none of it could be.
    """
    scenes = read_split(run).validation
    model = load_model(run)
    sha256 = file_sha256(model.path)
    missing = [
        bracket
        for bracket in brackets
        if bracket.scene in scenes
        and not _predicted(run / PREDICTIONS, bracket, model.card, sha256)
    ]
    if not missing:
        return
    if (run / PREDICTIONS).is_symlink():
        raise TrainingError(
            f"{run / PREDICTIONS}: is a link, and predictions are written into the run itself; "
            "remove the link"
        )
    done = 0
    for event in predict_brackets(
        missing,
        {model.card.role: model},
        run / PREDICTIONS,
        probability=True,
        device=device,
        overwrite=True,
        should_stop=should_stop,
    ):
        done += isinstance(event, ScenePredicted)
        yield event
    if not done and not should_stop():
        raise TrainingError(f"{run}: none of its validation scenes could be predicted")


def _predicted(folder: Path, bracket: Bracket, card: ModelCard, sha256: str) -> bool:
    scene = bracket.scene
    try:
        labeling = LabelingFolder.open(folder)
        record = labeling.record(scene)
        frame = file_sha256(bracket.frame(card.role).path)
    except BracketSegError:
        return False  # whatever is there is replaced
    mask = None if record is None else record.masks.get(card.role)
    path = labeling.masks.get((scene, card.role))
    if mask is None or path is None or not isinstance(mask.origin, Network):
        return False
    origin = mask.origin
    made = (origin.model_sha256, origin.threshold, origin.scale)
    return (
        made == (sha256, DEFAULT_THRESHOLD, DEFAULT_SCALE)
        and mask.frame_sha256 == frame
        and mask.mask_sha256 == file_sha256(path)
        and (folder / probability_name(scene, card.role)).is_file()
    )
