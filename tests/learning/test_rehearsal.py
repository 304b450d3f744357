import math

import numpy as np
import pytest
import torch

from bracketseg.learning import rehearsal
from bracketseg.learning.config import TrainConfig
from bracketseg.learning.dataset import Dataset
from bracketseg.learning.device_data import DeviceData
from bracketseg.learning.optimization import Optimization
from bracketseg.learning.rehearsal import WORTH_IT, rehearse

CPU = torch.device("cpu")
STEP, LEARNING, LOOK, SAVING = 3.0, 0.25, 0.5, 2.0


@pytest.fixture
def data(rng) -> DeviceData:
    images = rng.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    masks = images[..., 0] > 99
    nowhere = np.zeros_like(masks)
    names = tuple(map(str, range(12)))
    return DeviceData(
        Dataset(scenes=names, images=images, masks=masks, outside=nowhere, rethresholded=0), CPU
    )


def optimization() -> Optimization:
    config = TrainConfig(batch_size=4, image_size=16, filters=(2, 3), epochs=WORTH_IT)
    return Optimization(config, CPU, None)


def test_nothing_is_learned_by_a_rehearsal(data):
    rows, kept_back = np.arange(10), np.arange(10, 12)
    rehearsed, fresh = optimization(), optimization()
    assert rehearse(rehearsed, data, rows, kept_back, WORTH_IT) is not None
    batch = data.batch(rows[:4])
    for number in (1, 2):
        assert rehearsed.step(batch, 1, number) == fresh.step(batch, 1, number)
    for one, other in zip(rehearsed.unet.parameters(), fresh.unet.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_time_is_that_of_all_images_in_all_epochs(data, monkeypatch):
    # The first takes longer, as a first step does, and a first look.
    clock = iter([0.0, 9 * LOOK, 10.0, 10.0 + LOOK, 20.0, 20.0 + SAVING])
    monkeypatch.setattr(rehearsal, "perf_counter", lambda: next(clock))
    tried = optimization()
    steps = iter([9 * STEP, STEP])
    monkeypatch.setattr(tried, "rehearse", lambda _batch, **_total: next(steps))
    monkeypatch.setattr(tried, "rehearse_learning", lambda: LEARNING)
    seconds = rehearse(tried, data, np.arange(10), np.arange(8, 12), 20)
    # Three steps an epoch; four images were looked at, as many as are kept back.
    epoch = STEP * 10 / 4 + 3 * LEARNING + LOOK + SAVING
    assert seconds == pytest.approx(20 * epoch + LOOK)


def test_what_is_written_is_written_in_the_rehearsal_too(data):
    saved = []
    rehearse(
        optimization(),
        data,
        np.arange(10),
        np.array([10]),
        WORTH_IT,
        save=lambda: saved.append(True),
    )
    assert saved == [True]


@pytest.mark.parametrize("asked", range(4))
def test_it_ends_when_it_is_asked_to(data, monkeypatch, asked):
    """Before either step, and before either look."""
    tried, done, questions = optimization(), [], []
    work, look = tried.rehearse, tried.look
    monkeypatch.setattr(tried, "rehearse", lambda *a, **k: done.append(1) or work(*a, **k))
    monkeypatch.setattr(tried, "look", lambda *a: done.append(1) or look(*a))

    def should_stop():
        questions.append(True)
        return len(questions) > asked

    rows = np.arange(10)
    assert rehearse(tried, data, rows, np.array([10]), WORTH_IT, should_stop=should_stop) is None
    assert len(done) == asked


def test_a_short_training_is_not_rehearsed(data):
    steps = math.ceil(10 / 4)
    enough = -(-WORTH_IT // steps)
    assert rehearse(optimization(), data, np.arange(10), np.array([10]), enough - 1) is None
    assert rehearse(optimization(), data, np.arange(10), np.array([10]), enough) is not None


def test_a_step_of_many_images_is_rehearsed_with_few(data, monkeypatch):
    tried = optimization()
    tried.config = tried.config.model_copy(update={"batch_size": 100})
    seen = []
    monkeypatch.setattr(tried, "rehearse", lambda _batch, total: seen.append(total) or 1.0)
    rehearse(tried, data, np.arange(12), np.array([0]), WORTH_IT)
    assert seen == [rehearsal.IMAGES] * 2
