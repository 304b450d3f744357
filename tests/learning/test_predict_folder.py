"""A set of brackets in, a labelling folder out; a bad scene harms only itself."""

import csv
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from bracketseg.brackets.bracket import Bracket, Frame, MaskRole
from bracketseg.brackets.masks import read_mask, read_probability
from bracketseg.errors import (
    BracketSegError,
    DeviceError,
    FrameError,
    LabelingError,
    ModelError,
)
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.learning.checkpoints import Model, load_model, save_model
from bracketseg.learning.config import NetworkConfig, PredictConfig
from bracketseg.learning.model_card import ModelCard
from bracketseg.learning.predict_folder import ScenePredicted, predict_brackets
from bracketseg.learning.prediction import predict_probability
from bracketseg.learning.unet import UNet

SIZE = (40, 53)


def _model(folder: Path, role: MaskRole, gain: float = 10) -> Model:
    """A run whose network gives sigmoid(gain * (mean(R, G, B) - 0.5))."""
    network = NetworkConfig(filters=(1,))
    unet = UNet(network).requires_grad_(False)
    for name, values in {"head.weight": gain, "head.bias": -gain / 2}.items():
        unet.get_parameter(name).fill_(values)
    for name, value in {"first": 1 / 3, "second": 1}.items():
        kernel = unet.get_parameter(f"encoder.0.{name}.weight").zero_()
        kernel[:, :, 1, 1] = value
    card = ModelCard(
        role=role,
        network=network,
        image_size=32,
        ground_truth={"method": "otsu"},
        loss="bce",
        seed=0,
        epoch=1,
        metrics={},
        versions={},
    )
    run = folder / f"run-{role}-{gain}"
    run.mkdir(parents=True)
    save_model(run / "best.safetensors", unet, card)
    return load_model(run)


@pytest.fixture
def models(tmp_path: Path) -> dict[MaskRole, Model]:
    return {"low": _model(tmp_path, "low"), "high": _model(tmp_path, "high", gain=-20)}


@pytest.fixture
def brackets(tmp_path: Path) -> list[Bracket]:
    random = np.random.default_rng(0)
    found = []
    for scene in ("a", "b", "c"):
        folder = tmp_path / "set" / scene
        folder.mkdir(parents=True)
        frames = []
        for ev, role in ((-2.0, "low"), (2.0, "high")):
            path = folder / f"{role}.png"
            # Coarse blotches, so that the prediction of them varies.
            blotches = random.integers(0, 256, (5, 7, 3), np.uint8)
            cv2.imwrite(str(path), cv2.resize(blotches, SIZE[::-1]))
            frames.append(Frame(path=path, ev=ev))
        found.append(Bracket(scene=scene, frames=tuple(frames), ev_source="names", folder=folder))
    return found


def _run(
    brackets: list[Bracket], models: dict[MaskRole, Model], out: Path, **options: Any
) -> Iterator[ScenePredicted | SceneFailed]:
    return predict_brackets(brackets, models, out, **({"device": "cpu"} | options))


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_labelling_folder_comes_out(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "predicted"

    events = list(_run(brackets, models, out, threshold=0.4, scale="full"))

    masks = {f"{scene}_{role}.png" for scene in "abc" for role in ("low", "high")}
    records = {"labeling.json", "coverage.csv", "a.json", "b.json", "c.json"}
    assert _names(out) == masks | records
    assert all(isinstance(event, ScenePredicted) for event in events)
    assert [(event.index, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    for event in events:
        assert isinstance(event, ScenePredicted)
        assert event.seconds > 0
        for role in ("low", "high"):
            mask = read_mask(out / f"{event.scene}_{role}.png")
            frame = brackets[event.index - 1].frame(role).read()
            expected = predict_probability(models[role], frame, scale="full", device="cpu") >= 0.4
            np.testing.assert_array_equal(mask, expected)
            assert event.foreground[role] == expected.mean()
            assert 0.02 < expected.mean() < 0.98


def test_how_it_was_made_stands_beside_it(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"

    list(_run(brackets[:1], models, out, threshold=0.25, scale="train"))

    low = {
        "method": "network",
        "model": "run-low-10",
        "model_sha256": file_sha256(models["low"].path),
        "loss": "bce",
        "threshold": 0.25,
        "scale": "train",
    }
    info = json.loads((out / "labeling.json").read_text())
    assert info["method"] == "network"
    assert info["ranges"]["low"] == low
    assert info["versions"]["torch"] == torch.__version__
    record = json.loads((out / "a.json").read_text())["masks"]["low"]
    assert record["origin"] == low
    assert record["frame"] == "low.png"
    assert record["frame_sha256"] == file_sha256(brackets[0].frame("low").path)
    assert record["mask_sha256"] == file_sha256(out / "a_low.png")
    assert LabelingFolder.open(out).rule("a", "low") is None


def test_the_coverage_table_is_that_of_the_masks(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(_run(brackets, models, out))

    with (out / "coverage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["scene"] for row in rows] == ["a", "b", "c"]
    for row in rows:
        low, high = (read_mask(out / f"{row['scene']}_{role}.png") for role in ("low", "high"))
        assert float(row["low"]) == pytest.approx(low.mean(), abs=1e-6)
        assert float(row["union"]) == pytest.approx((low | high).mean(), abs=1e-6)


def test_a_bad_scene_does_not_stop_the_rest(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    broken = brackets[1].frame("high").path
    broken.write_bytes(b"this is no picture")

    events = list(_run(brackets, models, out, probability=True))

    assert [type(event) for event in events] == [ScenePredicted, SceneFailed, ScenePredicted]
    failed = events[1]
    assert isinstance(failed, SceneFailed)
    assert (failed.scene, failed.index, failed.total) == ("b", 2, 3)
    assert isinstance(failed.error, FrameError)
    assert str(broken) in str(failed.error)
    assert not any(name.startswith("b") for name in _names(out))
    assert len((out / "coverage.csv").read_text().splitlines()) == 3


def test_probabilities_are_written_where_wished(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"

    list(_run(brackets[:1], {"low": models["low"]}, out, probability=True, scale="full"))

    stored = read_probability(out / "a_low_probability.png")
    frame = brackets[0].frame("low").read()
    probability = predict_probability(models["low"], frame, scale="full", device="cpu")
    np.testing.assert_allclose(stored / 65535, probability, rtol=0, atol=0.5 / 65535 + 1e-7)
    assert LabelingFolder.open(out).masks.keys() == {("a", "low")}


def test_the_probability_of_an_earlier_prediction_does_not_stay(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(_run(brackets, {"low": models["low"]}, out, probability=True))
    other = {"low": _model(tmp_path, "low", gain=5)}

    list(_run(brackets[:1], other, out, overwrite=True))  # type: ignore[arg-type]

    assert "a_low_probability.png" not in _names(out)
    assert "b_low_probability.png" in _names(out)


def test_one_role_alone(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"

    events = list(_run(brackets, {"high": models["high"]}, out))

    assert all(isinstance(e, ScenePredicted) and e.foreground.keys() == {"high"} for e in events)
    assert {name for name in _names(out) if name.endswith(".png")} == {
        "a_high.png",
        "b_high.png",
        "c_high.png",
    }


def test_stopping_leaves_whole_scenes(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    answers = iter([False, False, False, True])  # in the middle of the second scene

    events = list(_run(brackets, models, out, should_stop=lambda: next(answers)))

    assert [event.index for event in events] == [1]
    assert not any(name.startswith(("b", "c.")) for name in _names(out))
    assert len((out / "coverage.csv").read_text().splitlines()) == 2


def test_closing_leaves_whole_scenes(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    events = predict_brackets(brackets, models, out, device="cpu")
    next(events)

    events.close()  # type: ignore[attr-defined]

    assert len((out / "coverage.csv").read_text().splitlines()) == 2
    assert "b.json" not in _names(out)


def test_it_goes_on_where_it_was_made_in_the_same_way(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(_run(brackets[:2], models, out))

    events = list(_run(brackets[2:], models, out))

    assert isinstance(events[0], ScenePredicted)
    assert len((out / "coverage.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("change", [{"threshold": 0.6}, {"scale": "train"}])
def test_other_masks_are_not_overwritten_unasked(
    brackets: list[Bracket],
    models: dict[MaskRole, Model],
    tmp_path: Path,
    change: dict[str, Any],
) -> None:
    out = tmp_path / "out"
    list(_run(brackets, models, out, scale="full"))

    with pytest.raises(LabelingError, match="another way"):
        _run(brackets, models, out, **({"scale": "full"} | change))

    events = list(_run(brackets, models, out, overwrite=True, **({"scale": "full"} | change)))
    assert all(isinstance(event, ScenePredicted) for event in events)


def test_a_correction_by_hand_is_kept(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(_run(brackets, models, out, probability=True))
    corrected = np.zeros(SIZE, np.uint8)
    cv2.imwrite(str(out / "b_low.png"), corrected)

    events = list(_run(brackets, models, out))

    assert [type(event) for event in events] == [ScenePredicted, SceneFailed, ScenePredicted]
    assert not read_mask(out / "b_low.png").any()
    assert "b_low_probability.png" in _names(out)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 1.5}, LabelingError, "choose one from 0 to 1"),
        ({"device": "cuda:7"}, DeviceError, "cuda:7"),
        ({"precision": "float16"}, DeviceError, "float16"),
    ],
)
def test_wrong_arguments_are_told_before_any_work(
    brackets: list[Bracket],
    models: dict[MaskRole, Model],
    tmp_path: Path,
    options: dict[str, Any],
    error: type[BracketSegError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        _run(brackets, models, tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()


def test_the_settings_of_a_form_are_the_arguments(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    parameters = inspect.signature(predict_brackets).parameters
    config = PredictConfig()

    assert {name: parameters[name].default for name in PredictConfig.model_fields} == dict(config)
    events = predict_brackets(brackets[:1], models, tmp_path / "out", **config.model_dump())
    assert isinstance(next(events), ScenePredicted)


def test_a_model_is_needed_and_of_the_right_role(
    brackets: list[Bracket], models: dict[MaskRole, Model], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no model was given"):
        _run(brackets, {}, tmp_path / "out")
    with pytest.raises(ModelError, match="trained for the high exposure"):
        _run(brackets, {"low": models["high"]}, tmp_path / "out")

    assert not (tmp_path / "out").exists()
