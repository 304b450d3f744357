"""A worker process, as the window uses it."""

import sys

import numpy as np
import pytest

from bracketseg.brackets.images import read_image
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import read_mask
from bracketseg.errors import BracketError, ModelError, WorkerError
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.events import Finished, Planned, ScenePredicted, StepDone, Stopped
from bracketseg.worker.client import Worker
from bracketseg.worker.requests import (
    DevicesListed,
    FramePredicted,
    ListDevices,
    PredictFolder,
    PredictFrames,
    Ready,
    Train,
)

CPU = PredictConfig(device="cpu")


def train_in(worker, folder, config, run, **options):
    masks = folder / "masks"
    return worker.ask(Train(path=folder / "scenes", masks=masks, config=config, out=run, **options))


@pytest.fixture(scope="session")
def run(worker, folder, tiny):
    """A finished training."""
    list(train_in(worker, folder, tiny, folder / "run"))
    return folder / "run"


def test_devices_have_names(worker):
    ready, listed = worker.ask(ListDevices())
    assert isinstance(ready, Ready)
    assert isinstance(listed, DevicesListed)
    names = [name for name, _ in listed.devices]
    assert names[-1] == "cpu"
    assert all(label for _, label in listed.devices)


def test_a_run_of_the_worker_is_that_of_the_library(run, folder, tiny, tmp_path):
    from bracketseg.learning.training import train

    brackets = find_brackets(folder / "scenes").brackets
    here = list(train(brackets, folder / "masks", tiny, tmp_path / "run"))
    assert isinstance(here[-1], Finished)
    name = "best.safetensors"
    assert (run / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_events_come_as_they_were_made(worker, folder, tiny, tmp_path):
    events = list(train_in(worker, folder, tiny, tmp_path / "run"))
    assert [type(event) for event in events[:2]] == [Ready, Planned]
    assert isinstance(events[-1], Finished)
    assert events[-1].run == tmp_path / "run"
    assert [(e.epoch, e.step) for e in events if isinstance(e, StepDone)] == [
        (1, 1), (1, 2), (2, 1), (2, 2)
    ]  # fmt: skip


def test_a_training_stops_on_demand_and_is_resumed(worker, folder, tiny, run, tmp_path):
    again = tmp_path / "run"
    stopped = None
    for event in train_in(worker, folder, tiny, again):
        if isinstance(event, StepDone) and event.epoch == 1:
            worker.stop()
        stopped = event
    assert isinstance(stopped, Stopped)
    assert stopped.resumable
    events = list(train_in(worker, folder, tiny, again, resume=True))
    assert isinstance(events[-1], Finished)
    name = "best.safetensors"
    assert (again / name).read_bytes() == (run / name).read_bytes()


def test_a_stop_is_not_kept_for_the_next_request(worker, folder, tiny, tmp_path):
    worker.stop()
    list(worker.ask(ListDevices()))
    worker.stop()
    assert isinstance(list(train_in(worker, folder, tiny, tmp_path / "run"))[-1], Finished)


def test_closing_in_the_middle_saves_the_state(folder, tiny, tmp_path):
    worker = Worker()
    config = tiny.model_copy(update={"epochs": 1000})
    events = train_in(worker, folder, config, tmp_path / "run")
    while not isinstance(next(events), StepDone):
        pass
    worker.close()
    rest = list(events)
    assert isinstance(rest[-1], Stopped)
    assert rest[-1].resumable
    assert not worker.running


def test_a_reader_that_goes_away_ends_the_process_with_its_state_saved(folder, tiny, tmp_path):
    worker = Worker()
    config = tiny.model_copy(update={"epochs": 1000})
    events = train_in(worker, folder, config, tmp_path / "run")
    while not isinstance(next(events), StepDone):
        pass
    events.close()
    assert not worker.running
    longer = train_in(Worker(), folder, config, tmp_path / "run", resume=True)
    while not isinstance(event := next(longer), StepDone):
        pass
    assert (event.epoch, event.step) > (1, 1)
    longer.close()


def test_frames_are_predicted_as_a_folder_is(worker, folder, run, tmp_path):
    bracket = find_brackets(folder / "scenes").brackets[0]
    frame = bracket.frame("low").read()
    request = PredictFrames(frames={"low": frame}, models={"low": run}, config=CPU)
    _, predicted = worker.ask(request)
    assert isinstance(predicted, FramePredicted)
    assert predicted.probability.shape == frame.shape[:2]
    assert predicted.probability.dtype == np.float32
    events = list(
        worker.ask(
            PredictFolder(
                path=folder / "scenes", models={"low": run}, out=tmp_path / "out", config=CPU
            )
        )
    )
    assert sum(isinstance(event, ScenePredicted) for event in events) == 5
    mask = read_mask(tmp_path / "out" / f"{bracket.scene}_low.png")
    np.testing.assert_array_equal(mask, predicted.probability >= 0.5)
    origin = LabelingFolder.open(tmp_path / "out").record(bracket.scene).masks["low"].origin
    assert (predicted.model_sha256, predicted.loss) == (origin.model_sha256, origin.loss)
    assert predicted.model_sha256 == file_sha256(run / "best.safetensors")
    aligned = PredictFolder(
        path=folder / "scenes",
        models={"low": run},
        out=tmp_path / "moved",
        config=CPU,
        align="shift",
    )
    list(worker.ask(aligned))
    record = LabelingFolder.open(tmp_path / "moved").record(bracket.scene)
    assert record.masks["low"].aligned == "shift"


def test_a_model_that_was_trained_anew_is_read_anew(worker, folder, tiny, tmp_path):
    frame = read_image(folder / "scenes" / "s0" / "low.png")
    run = tmp_path / "run"

    def probability():
        request = PredictFrames(frames={"low": frame}, models={"low": run}, config=CPU)
        answer = list(worker.ask(request))[-1]
        assert answer.model_sha256 == file_sha256(run / "best.safetensors")
        return answer.probability

    list(train_in(worker, folder, tiny, run))
    before = probability()
    np.testing.assert_array_equal(probability(), before)
    other = tiny.model_copy(update={"seed": 1})
    list(train_in(worker, folder, other, tmp_path / "other"))
    (tmp_path / "other" / "best.safetensors").replace(run / "best.safetensors")
    assert not np.array_equal(probability(), before)


def test_an_error_of_ours_comes_as_it_was_raised_and_the_worker_goes_on(worker, folder, tiny, run):
    with pytest.raises(BracketError, match="nowhere"):
        list(train_in(worker, folder / "nowhere", tiny, folder / "other"))
    high = PredictFrames(
        frames={"high": np.zeros((16, 16), np.uint8)}, models={"high": run}, config=CPU
    )
    with pytest.raises(ModelError, match="trained for the low exposure"):
        list(worker.ask(high))
    assert list(worker.ask(ListDevices()))


def test_any_other_error_is_told_with_its_kind(worker):
    with pytest.raises(WorkerError, match=r"TypeError: .*stands in the terminal"):
        list(worker.ask(Train(path=None, masks=None, config=None, out=None)))
    assert list(worker.ask(ListDevices()))


def test_a_process_that_the_system_ends_is_named_and_replaced(folder, tiny, tmp_path):
    worker = Worker((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(WorkerError, match="memory"):
        list(worker.ask(ListDevices()))
    assert not worker.running
    with pytest.raises(WorkerError, match="memory"):
        list(worker.ask(ListDevices()))


def test_killing_on_purpose_ends_without_a_word(folder, tiny, tmp_path):
    worker = Worker()
    config = tiny.model_copy(update={"epochs": 1000})
    events = train_in(worker, folder, config, tmp_path / "run")
    while not isinstance(next(events), StepDone):
        pass
    worker.kill()
    assert not any(isinstance(event, Stopped | Finished) for event in events)
    assert list(worker.ask(ListDevices()))
    worker.close(wait=True)


def test_a_program_that_is_not_there(tmp_path):
    missing = tmp_path / "python"
    with pytest.raises(WorkerError, match="cannot be started"):
        list(Worker((str(missing),)).ask(ListDevices()))


def test_what_the_worker_prints_is_no_answer(folder):
    code = (
        "import sys; from bracketseg.worker import serve;"
        "serve._import_torch = lambda: print('words', flush=True);"
        "serve.main()"
    )
    worker = Worker((sys.executable, "-c", code))
    assert [type(answer) for answer in worker.ask(ListDevices())] == [Ready, DevicesListed]
    worker.close(wait=True)


def test_one_request_at_a_time(worker):
    first = worker.ask(ListDevices())
    next(first)
    with pytest.raises(WorkerError, match="another request"):
        list(worker.ask(ListDevices()))
    list(first)
