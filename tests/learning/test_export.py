import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from bracketseg.errors import ModelError
from bracketseg.learning.checkpoints import load_model, save_model
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.export import export_onnx, onnx_model
from bracketseg.learning.model_card import ModelCard
from bracketseg.learning.prediction import predict_probability
from bracketseg.learning.unet import UNet

SAMPLE = Path(__file__).parents[2] / "sample_data" / "brackets" / "dog" / "low.jpg"


@pytest.fixture
def save(tmp_path):
    """Write a model with random weights and give its file."""

    def make(**network):
        config = NetworkConfig(**network)
        unet = UNet(config, torch.Generator().manual_seed(5))
        card = ModelCard(
            role="high",
            network=config,
            image_size=64,
            ground_truth={"method": "otsu"},
            loss="focal",
            seed=0,
            epoch=3,
            metrics={"dice": 0.75},
            versions={"bracketseg": "1.2.3"},
        )
        save_model(tmp_path / "best.safetensors", unet, card)
        return tmp_path / "best.safetensors"

    return make


def run(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"image": images})[0]


def test_sums_of_convolutions_are_the_convolution_of_what_is_joined(save):
    unet = load_model(save(filters=(3, 5, 6))).unet
    images = np.random.default_rng(1).random((1, 3, 32, 48), np.float32)
    joined, added = (
        onnxruntime.InferenceSession(
            onnx_model(unet, joining=joining).SerializeToString(),
            providers=["CPUExecutionProvider"],
        ).run(None, {"image": images})[0]
        for joining in (True, False)
    )
    assert np.ptp(joined) > 0.01
    np.testing.assert_allclose(added, joined, atol=1e-6, rtol=0)


@pytest.mark.parametrize("filters", [(16, 32, 64, 128, 256), (4,), (3, 5)])
def test_onnx_runtime_gives_the_same_probabilities(save, tmp_path, filters):
    source, out = save(filters=filters), tmp_path / "new" / "model.onnx"
    export_onnx(source.parent, out)
    unet = load_model(source).unet
    for shape in ((1, 3, 64, 64), (2, 3, 48, 112), (1, 3, 16, 16)):
        images = np.random.default_rng(1).random(shape, np.float32)
        with torch.no_grad():
            expected = torch.sigmoid(unet(torch.from_numpy(images))).numpy()
        found = run(out, images)
        assert (found.shape, found.dtype) == (expected.shape, np.float32)
        assert np.ptp(expected) > 0.01
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("rows", "columns"), [(133, 200), (128, 96)])
def test_a_picture_prepared_as_the_bundle_says_gives_the_same_mask(save, tmp_path, rows, columns):
    source, out = save(), tmp_path / "model.onnx"
    bundle = json.loads(export_onnx(source, out).read_text())
    frame = cv2.resize(cv2.imread(str(SAMPLE))[..., ::-1], (columns, rows))
    step = 16
    assert f"multiples of {step}" in bundle["input"]["size"]
    edges = ((0, -rows % step), (0, -columns % step), (0, 0))
    padded = np.pad(frame, edges, mode="reflect").astype(np.float32) / 255
    found = run(out, padded.transpose(2, 0, 1)[np.newaxis])[0, 0, :rows, :columns]
    model = load_model(source)
    expected = predict_probability(model, frame, device="cpu", precision="float32")
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def test_file_and_bundle_say_how_to_use_the_model(save, tmp_path):
    out = tmp_path / "low.onnx"
    beside = export_onnx(save(filters=(2, 3)), out)
    assert beside == tmp_path / "low.json"
    bundle = json.loads(beside.read_text())
    model = onnx.load(out)
    onnx.checker.check_model(model, full_check=True)
    told = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert {"model": "low.onnx", **told} == bundle
    assert (told["role"], told["image_size"], told["threshold"]) == ("high", 64, 0.5)
    assert (told["loss"], told["ground_truth"]) == ("focal", {"method": "otsu"})
    assert told["versions"] == {"bracketseg": "1.2.3", "onnx": onnx.__version__}
    (given,), (result,) = model.graph.input, model.graph.output
    assert (given.name, result.name) == (told["input"]["name"], told["output"]["name"])
    dims = [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim]
    assert dims == ["batch", 3, "height", "width"]
    assert "multiples of 2:" in told["input"]["size"]


def test_the_same_model_makes_the_same_file(save, tmp_path):
    source = save(filters=(2, 3))
    for name in ("a.onnx", "b.onnx"):
        export_onnx(source, tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_a_missing_package_is_named(save, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelError, match=r'pip install "bracketseg\[onnx\]"'):
        export_onnx(save(filters=(2,)), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_another_suffix_is_refused(save, tmp_path):
    with pytest.raises(ModelError, match=r"model\.json: an ONNX file is called \.onnx"):
        export_onnx(save(filters=(2,)), tmp_path / "model.json")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        export_onnx(tmp_path / "none", tmp_path / "model.onnx")
