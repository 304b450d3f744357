import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.learning import prediction_estimate
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.estimate import prediction_bytes
from bracketseg.learning.events import ScenePredicted
from bracketseg.learning.prediction_estimate import expect_prediction
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
        folder = tmp_path / "set" / f"s{number:02}"
        folder.mkdir(parents=True)
        for role in ("low", "high"):
            frame = rng.integers(0, 256, shape, dtype=np.uint8)
            cv2.imwrite(str(folder / f"{role}.png"), frame)
    return find_brackets(tmp_path / "set").brackets


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Ten scenes are enough to be worth it."""
    monkeypatch.setattr(prediction_estimate, "WORTH_IT", 20)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "predicted"
    folder.mkdir()
    return folder


@pytest.fixture
def predicted(monkeypatch):
    """What was predicted; 30 ms a scene and 1 µs a pixel, ten times as much the first time."""
    seen = []

    def predict(brackets, models, folder, **options):
        (bracket,) = brackets
        times = 10 if bracket.scene not in [scene for scene, _, _ in seen] else 1
        seen.append((bracket.scene, folder, options))
        height, width = bracket.frame("low").shape[:2]
        yield ScenePredicted(
            scene=bracket.scene,
            index=1,
            total=1,
            seconds=times * (0.03 + height * width * 1e-6),
            foreground={},
            record=None,
        )

    monkeypatch.setattr(prediction_estimate, "predict_brackets", predict)
    return seen


def test_the_time_is_that_of_scenes_of_the_mean_size(brackets, models, out, predicted):
    expected = expect_prediction(brackets, models, ON_CPU, out)
    assert expected.frames == 22
    pixels = 10 * 32 * 48 + 64 * 96
    assert expected.seconds == pytest.approx(11 * 0.03 + pixels * 1e-6)
    assert {scene for scene, _, _ in predicted} == {"s00", "s10"}


def test_what_is_tried_is_what_will_be_done(brackets, models, out, predicted):
    config = ON_CPU.model_copy(update={"scale": "train", "probability": True, "threshold": 0.25})
    expect_prediction(brackets, models, config, out, align="shift")
    for _, folder, options in predicted:
        assert folder.parent == out, "on the same disk"
        assert options["align"] == "shift"
        assert config.model_dump().items() <= options.items()


def test_a_scene_is_really_predicted_and_nothing_is_left_of_it(brackets, models, out):
    assert expect_prediction(brackets[:10], models, ON_CPU, out, align="shift").seconds > 0
    assert not list(out.iterdir())


def test_asked_to_stop_it_tells_nothing(brackets, models, out):
    asked = []

    def should_stop():
        asked.append(True)
        return len(asked) > 3

    assert expect_prediction(brackets, models, ON_CPU, out, should_stop=should_stop) is None
    assert len(asked) < 8, "it ends before the next frame"
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("changes", "align", "asked"),
    [
        ({}, "off", {}),
        ({"scale": "train", "probability": True}, "off", {"side": 256, "probabilities": 2}),
        ({}, "homography", {"aligned": True}),
    ],
)
def test_the_memory_is_that_of_the_largest_frame(
    brackets, models, out, predicted, changes, align, asked
):
    config = ON_CPU.model_copy(update=changes)
    card = models["low"].card
    asked = asked | ({"side": card.image_size} if "side" in asked else {})
    expected = expect_prediction(brackets, models, config, out, align=align)
    assert expected.memory_bytes == prediction_bytes(
        card.network, (64, 96), "float32", "torch", **asked
    )


def test_a_few_frames_are_not_estimated(brackets, models, out, predicted):
    assert len(brackets) - 1 == prediction_estimate.WORTH_IT // len(models)
    assert expect_prediction(brackets[2:], models, ON_CPU, out) is None
    assert expect_prediction(brackets[1:], models, ON_CPU, out) is not None


def test_frames_that_cannot_be_read_are_passed_over(brackets, models, out):
    for number, bracket in enumerate(brackets):
        if number == 2:
            assert expect_prediction(brackets, models, ON_CPU, out) is not None
        for role in ("low", "high"):
            bracket.frame(role).path.write_bytes(b"")
    assert expect_prediction(brackets, models, ON_CPU, out) is None


def test_a_scene_that_fails_is_passed_over(brackets, models, out, predicted, monkeypatch):
    works = prediction_estimate.predict_brackets

    def predict(brackets, *others, **options):
        if brackets[0].scene == "s00":
            yield SceneFailed(scene="s00", error=None, index=1, total=1)
        else:
            yield from works(brackets, *others, **options)

    monkeypatch.setattr(prediction_estimate, "predict_brackets", predict)
    assert expect_prediction(brackets, models, ON_CPU, out) is not None
    assert {scene for scene, _, _ in predicted} == {"s01", "s10"}
