"""Both masks of a 1900x1060 bracket, from uint8 frames to uint8 masks, in every way there is.

    pip install "bracketseg[bench]"
    python tests/benchmarks/inference.py

The ways take turns, so that what else the machine does hits all of them. The same weights are in
each; before the clock starts, the masks of each are held against those of plain torch. Prints
Markdown rows.
"""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import cv2
import numpy as np
import torch
from table import in_turns, print_head, print_rows

from bracketseg.allocator import keep_freed_memory
from bracketseg.learning.checkpoints import Model, load_model
from bracketseg.learning.export import onnx_model
from bracketseg.learning.prediction import predict_mask
from bracketseg.learning.shipped import shipped_model
from bracketseg.learning.unet import INPUT_DEVIATION, INPUT_MEAN, UNet

ROLES = ("low", "high")
PLAIN = "torch eager, float32, whole image"
Way = Callable[[np.ndarray, str], np.ndarray]
"""From an (H, W, 3) uint8 frame and its role to a mask, (H, W) uint8 of 0 and 255."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, nargs=2, default=(1060, 1900), metavar=("H", "W"))
    parser.add_argument("--frames", type=Path, nargs=2, help="the low and the high frame")
    options = parser.parse_args()
    keep_freed_memory()
    models = {role: load_model(shipped_model(role)) for role in ROLES}
    frames = read(options.frames) if options.frames else invent(tuple(options.size))
    ways: dict[str, Way] = {
        "bracketseg": ours(models, "openvino"),
        "bracketseg, by torch": ours(models, "torch"),
        PLAIN: plain(models),
        "Keras, the same weights": keras_way(models),
        "OpenVINO, the same weights": openvino_way(models),
        "ONNX Runtime, the same weights": onnx_way(models),
    }
    reference = [ways[PLAIN](frames[role], role) for role in ROLES]
    notes = {}
    for name, way in ways.items():
        masks = [way(frames[role], role) for role in ROLES]
        agreeing = [np.mean(mask == known) for mask, known in zip(masks, reference, strict=True)]
        notes[name] = f"{100 * np.mean(agreeing):.3f} % of the pixels as plain torch"
    both = {name: partial(both_masks, way, frames) for name, way in ways.items()}
    height, width = frames["low"].shape[:2]
    print_head()
    print_rows(f"both masks, {width}x{height}", in_turns(both, options.rounds), notes)


def both_masks(way: Way, frames: dict[str, np.ndarray]) -> None:
    for role in ROLES:
        way(frames[role], role)


def read(paths: list[Path]) -> dict[str, np.ndarray]:
    return {
        role: np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        for role, path in zip(ROLES, paths, strict=True)
    }


def invent(shape: tuple[int, int]) -> dict[str, np.ndarray]:
    coarse = np.random.default_rng(0).integers(0, 256, (9, 13, 3)).astype(np.float32)
    light = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    gains = {"low": 0.5, "high": 2.0}
    return {role: np.clip(light * gains[role], 0, 255).astype(np.uint8) for role in ROLES}


def as_mask(foreground: np.ndarray) -> np.ndarray:
    return foreground.astype(np.uint8) * 255


def plain(models: dict[str, Model]) -> Way:
    @torch.inference_mode()
    def run(frame: np.ndarray, role: str) -> np.ndarray:
        batch = torch.from_numpy(frame).permute(2, 0, 1)[None].contiguous().float() / 255
        return as_mask(torch.sigmoid(nets[role](batch))[0, 0].numpy() >= 0.5)

    # As anybody would write it: not in channels last.
    nets = {}
    for role, model in models.items():
        nets[role] = UNet(model.card.network).eval()
        nets[role].load_state_dict(model.unet.state_dict())
    return run


def ours(models: dict[str, Model], engine: str) -> Way:
    def run(frame: np.ndarray, role: str) -> np.ndarray:
        return as_mask(predict_mask(models[role], frame, engine=engine))

    return run


def padded(frame: np.ndarray, stride: int = 16) -> np.ndarray:
    below, right = -frame.shape[0] % stride, -frame.shape[1] % stride
    return np.pad(frame, ((0, below), (0, right), (0, 0)), mode="reflect")


def openvino_way(models: dict[str, Model]) -> Way:
    """As its users run it: the ONNX file, its defaults, float32 in."""
    import openvino

    core = openvino.Core()
    compiled = {
        role: core.compile_model(core.read_model(onnx_model(m.unet).SerializeToString()), "CPU")
        for role, m in models.items()
    }

    def run(frame: np.ndarray, role: str) -> np.ndarray:
        batch = padded(frame).astype(np.float32).transpose(2, 0, 1)[None] / 255
        probability = compiled[role](batch)[0][0, 0]
        return as_mask(probability[: frame.shape[0], : frame.shape[1]] >= 0.5)

    return run


def onnx_way(models: dict[str, Model]) -> Way:
    import onnxruntime

    sessions = {
        role: onnxruntime.InferenceSession(
            onnx_model(m.unet).SerializeToString(), providers=["CPUExecutionProvider"]
        )
        for role, m in models.items()
    }

    def run(frame: np.ndarray, role: str) -> np.ndarray:
        batch = padded(frame).astype(np.float32).transpose(2, 0, 1)[None] / 255
        probability = sessions[role].run(None, {"image": np.ascontiguousarray(batch)})[0][0, 0]
        return as_mask(probability[: frame.shape[0], : frame.shape[1]] >= 0.5)

    return run


def keras_way(models: dict[str, Model]) -> Way:
    import tensorflow

    functions = {
        role: tensorflow.function(keras_unet(m.unet), reduce_retracing=True)
        for role, m in models.items()
    }

    def run(frame: np.ndarray, role: str) -> np.ndarray:
        batch = padded(frame)[None].astype(np.float32) / 255
        probability = functions[role](batch).numpy()[0, ..., 0]
        return as_mask(probability[: frame.shape[0], : frame.shape[1]] >= 0.5)

    return run


def keras_unet(unet: UNet) -> object:
    """The network of the paper in Keras, with the weights of ours."""
    import keras
    from keras import layers

    weights = {name: tensor.numpy() for name, tensor in unet.state_dict().items()}
    given = {}

    def conv(x: object, name: str, size: int = 3, activation: str | None = "relu") -> object:
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        layer = layers.Conv2D(len(bias), size, padding="same", activation=activation)
        given[layer] = (kernel.transpose(2, 3, 1, 0), bias)
        return layer(x)

    def up(x: object, name: str) -> object:
        # torch pads both sides by one and adds a last row and column; Keras' "same" pads the other
        # side, so the whole result is made and its first row and column are cut off.
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        layer = layers.Conv2DTranspose(len(bias), 3, strides=2, padding="valid")
        given[layer] = (kernel.transpose(2, 3, 1, 0), bias)
        return layers.Cropping2D(((1, 0), (1, 0)))(layer(x))

    picture = keras.Input((None, None, unet.config.in_channels))
    x, skips = (picture - INPUT_MEAN) / INPUT_DEVIATION, []
    for level in range(len(unet.encoder)):
        if level:
            skips.append(x)
            x = layers.MaxPooling2D()(x)
        x = conv(conv(x, f"encoder.{level}.first"), f"encoder.{level}.second")
    for level in range(len(unet.decoder)):
        x = layers.Concatenate()([up(x, f"decoder.{level}.up"), skips.pop()])
        x = conv(conv(x, f"decoder.{level}.first"), f"decoder.{level}.second")
    network = keras.Model(picture, conv(x, "head", 1, "sigmoid"))
    for layer, values in given.items():
        layer.set_weights(values)
    return network


if __name__ == "__main__":
    main()
