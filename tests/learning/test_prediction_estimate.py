import itertools

import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets
from bracketseg.learning import prediction_estimate
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.estimate import prediction_bytes
from bracketseg.learning.prediction_estimate import WORTH_IT, expect_prediction
from bracketseg.learning.shipped import shipped_model

ON_CPU = PredictConfig(device="cpu", precision="float32", engine="torch")


@pytest.fixture
def models():
    return {role: load_model(shipped_model(role)) for role in ("low", "high")}


@pytest.fixture
def brackets(tmp_path, rng):
    """Ten scenes of 32x48 pixels and one of 64x96."""
    for number in range(11):
        shape = (64, 96, 3) if number == 10 else (32, 48, 3)
        (tmp_path / f"s{number:02}").mkdir()
        for role in ("low", "high"):
            frame = rng.integers(0, 256, shape, dtype=np.uint8)
            cv2.imwrite(str(tmp_path / f"s{number:02}" / f"{role}.png"), frame)
    return find_brackets(tmp_path).brackets


@pytest.fixture
def ticking(monkeypatch):
    """Each look at the clock is a second after the one before."""
    clock = itertools.count()
    monkeypatch.setattr(prediction_estimate, "perf_counter", lambda: float(next(clock)))


def test_the_time_grows_with_the_pixels_of_all_frames(brackets, models, ticking):
    expected = expect_prediction(brackets, models, ON_CPU)
    # A frame of the size of the first takes a second to read and another to predict.
    assert expected.frames == 22
    assert expected.seconds == pytest.approx(2 * (10 * 2 + 1 * 2 * 4))


def test_at_the_size_of_training_only_reading_grows(brackets, models, ticking):
    expected = expect_prediction(brackets, models, ON_CPU.model_copy(update={"scale": "train"}))
    assert expected.seconds == pytest.approx(2 * (10 * 2 + 1 * (1 + 4)))


def test_the_memory_is_that_of_the_largest_frame(brackets, models):
    expected = expect_prediction(brackets, models, ON_CPU)
    network = models["low"].card.network
    assert expected.memory_bytes == prediction_bytes(network, (64, 96), "float32", "torch")


def test_a_few_frames_are_not_estimated(brackets, models):
    assert len(brackets) - 1 == WORTH_IT // len(models)
    assert expect_prediction(brackets[2:], models, ON_CPU) is None
    assert expect_prediction(brackets[1:], models, ON_CPU) is not None


def test_frames_that_cannot_be_read_are_passed_over(brackets, models):
    for number, bracket in enumerate(brackets):
        if number == 2:
            assert expect_prediction(brackets, models, ON_CPU) is not None
        for role in ("low", "high"):
            bracket.frame(role).path.write_bytes(b"")
    assert expect_prediction(brackets, models, ON_CPU) is None
