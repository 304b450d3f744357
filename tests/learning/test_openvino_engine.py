"""OpenVINO gives what torch gives; it is in the environment of the tests."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from bracketseg.errors import DeviceError
from bracketseg.learning import openvino_engine, prediction
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.prediction import predict_probability, resolve_engine
from bracketseg.learning.shipped import shipped_model

CPU = torch.device("cpu")


@pytest.fixture
def model():
    return load_model(shipped_model("low"))


@pytest.fixture
def frame():
    from importlib.resources import files

    import cv2

    path = files("bracketseg") / "sample_data" / "brackets" / "garden_gate"
    first = sorted(path.iterdir())[0]
    return cv2.imread(str(first))[..., ::-1]


@pytest.mark.parametrize(("precision", "most"), [("float32", 1e-3), ("bfloat16", 0.2)])
@pytest.mark.parametrize("tile", [None, 96])
def test_openvino_agrees_with_torch(model, frame, precision, most, tile):
    options = {"device": "cpu", "precision": precision}
    by_torch = predict_probability(model, frame, engine="torch", **options)
    found = predict_probability(model, frame, engine="openvino", tile=tile, **options)
    assert found.shape == frame.shape[:2]
    assert found.dtype == np.float32
    assert np.abs(found - by_torch).max() < most
    assert ((found >= 0.5) == (by_torch >= 0.5)).mean() >= 0.999


def test_frames_of_changing_size_are_each_predicted_as_they_are(model, frame):
    options = {"engine": "openvino", "device": "cpu", "precision": "float32"}
    narrow = frame[:, :100]
    first = [predict_probability(model, part, **options) for part in (frame, narrow)]
    again = [predict_probability(model, part, **options) for part in (frame, narrow)]
    for one, other, part in zip(first, again, (frame, narrow), strict=True):
        assert one.shape == part.shape[:2]
        assert np.array_equal(one, other)


def test_the_engine_follows_weights_that_change(model, frame):
    first = predict_probability(model, frame, engine="openvino", device="cpu")
    compiled = openvino_engine._compiled[model.unet][1]
    again = predict_probability(model, frame, engine="openvino", device="cpu")
    assert np.array_equal(first, again)
    assert openvino_engine._compiled[model.unet][1] is compiled, "it is compiled once"
    with torch.no_grad():
        model.unet.head.bias.add_(9.0)
    assert predict_probability(model, frame, device="cpu").mean() > first.mean() + 0.1


def test_the_program_of_a_frame_in_parts_leaves_its_memory_to_the_next_network(model, frame):
    options = {"engine": "openvino", "device": "cpu"}
    whole = predict_probability(model, frame, **options)
    assert model.unet in openvino_engine._compiled
    parts = predict_probability(model, frame, tile=32, **options)
    assert model.unet not in openvino_engine._compiled
    assert ((parts >= 0.5) == (whole >= 0.5)).mean() > 0.999


def test_it_is_taken_by_itself_where_it_is_installed(model, frame, monkeypatch):
    asked = []
    network = openvino_engine.openvino_network

    def counted(unet, dtype):
        asked.append(dtype)
        return network(unet, dtype)

    monkeypatch.setattr(prediction, "openvino_network", counted)
    predict_probability(model, frame, device="cpu")
    assert len(asked) == 1
    predict_probability(model, frame, device="cpu", engine="torch")
    assert len(asked) == 1


@pytest.fixture
def unknown():
    """Whether OpenVINO works is found out anew."""
    openvino_engine.openvino_problem.cache_clear()
    yield
    openvino_engine.openvino_problem.cache_clear()


@pytest.mark.usefixtures("unknown")
def test_where_it_is_not_installed_torch_calculates(monkeypatch, caplog):
    monkeypatch.setattr(openvino_engine.importlib.util, "find_spec", lambda _: None)
    assert resolve_engine("auto", CPU) == "torch"
    with pytest.raises(DeviceError, match=r"pip install 'bracketseg\[openvino\]'"):
        resolve_engine("openvino", CPU)
    assert not caplog.records


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("broken", ["onnx", "openvino"])
def test_an_install_that_is_broken_is_passed_over_in_one_sentence(monkeypatch, caplog, broken):
    working = openvino_engine.importlib.import_module

    def load(name):
        if name == broken:
            raise ImportError(f"{name}: cannot open shared object file")
        return working(name)

    monkeypatch.setattr(openvino_engine.importlib, "import_module", load)
    assert [resolve_engine("auto", CPU) for _ in range(3)] == ["torch"] * 3
    (said,) = caplog.messages
    assert broken in said
    assert "engine auto is torch" in said
    with pytest.raises(DeviceError, match=f"does not work .*{broken}.*--force-reinstall"):
        resolve_engine("openvino", CPU)
    assert resolve_engine("torch", CPU) == "torch"


@pytest.mark.usefixtures("unknown")
def test_an_install_without_its_part_for_the_cpu_is_passed_over(monkeypatch, caplog):
    class Core:
        available_devices = ("GPU",)

    monkeypatch.setattr("openvino.Core", Core)
    assert resolve_engine("auto", CPU) == "torch"
    assert "finds no CPU" in caplog.text


def test_it_is_only_for_the_cpu():
    assert resolve_engine("auto", torch.device("cuda")) == "torch"
    with pytest.raises(DeviceError, match="choose device cpu"):
        resolve_engine("openvino", torch.device("cuda"))


def test_a_model_loaded_in_inference_mode_is_one_as_any_other(model, frame):
    with torch.inference_mode():
        loaded = load_model(shipped_model("low"))
        found = predict_probability(loaded, frame, engine="openvino", device="cpu")
    assert np.array_equal(found, predict_probability(model, frame, engine="openvino", device="cpu"))


def test_a_result_stays_what_it_was(model, frame):
    network = openvino_engine.openvino_network(model.unet, None)
    part = np.ascontiguousarray(frame[:64, :96])
    first = network(part)
    kept = first.copy()
    network(255 - part)
    assert np.array_equal(first, kept)


def test_threads_that_share_a_network_each_get_their_own_frame(model, frame):
    parts = [np.ascontiguousarray(frame[y : y + 128, :192]) for y in range(0, 64, 16)]
    options = {"engine": "openvino", "device": "cpu", "precision": "float32"}
    alone = [predict_probability(model, part, **options) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            found = list(pool.map(lambda part: predict_probability(model, part, **options), parts))
            assert all(map(np.array_equal, found, alone))
