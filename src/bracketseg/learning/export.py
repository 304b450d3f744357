"""A model as an ONNX file, for programs that have neither Python nor torch."""

from __future__ import annotations

import json
from importlib.metadata import version
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from bracketseg.brackets.files import atomic_write, sweep, write_json
from bracketseg.errors import ModelError
from bracketseg.learning.checkpoints import load_model
from bracketseg.learning.config import PredictConfig
from bracketseg.learning.unet import INPUT_DEVIATION, INPUT_MEAN

if TYPE_CHECKING:
    from pathlib import Path

    from bracketseg.learning.checkpoints import Model
    from bracketseg.learning.unet import UNet

INPUT, OUTPUT = "image", "probability"

_OPSET, _IR_VERSION = 17, 8
"""Of 2022, so that older runtimes read the file as well."""


def export_onnx(source: Path, out: Path) -> Path:
    """Write a model as ONNX, and beside it a JSON file that says how to use it.

    The graph takes the picture, moves and stretches its values as the network was trained, and
    gives the probability of each pixel. What the JSON file says also stands in the metadata
    of the ONNX file.

    Parameters
    ----------
    source
        A run folder or a safetensors file.
    out
        The ONNX file; the other one has the suffix ``.json``. Both are replaced if there.

    Returns
    -------
    Path
        The JSON file.

    Raises
    ------
    ModelError
        If the model cannot be read, `out` is not called ``.onnx``, or the package onnx is
        missing.
    OSError
        If the files cannot be written.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModelError(
            "the package onnx is needed to export a model; install it with: pip install "
            '"bracketseg[onnx]"'
        ) from error
    if out.suffix.lower() != ".onnx":
        raise ModelError(f"{out}: an ONNX file is called .onnx; choose another name")
    model = load_model(source)
    described = _describe(model)
    graph = onnx_model(model.unet)
    onnx.helper.set_model_props(graph, {key: json.dumps(value) for key, value in described.items()})
    onnx.checker.check_model(graph, full_check=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    sweep(out.parent)
    with atomic_write(out) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
    beside = out.with_suffix(".json")
    write_json(beside, {"model": out.name, **described})
    return beside


def onnx_model(unet: UNet, *, joining: bool = True) -> Any:
    """Return a network in evaluation mode, its values 0..1 to probabilities, as ONNX.

    Parameters
    ----------
    unet
    joining
        Whether the two halves that a decoder block begins with are joined. Without, each is
        convolved by itself and the results are added, which is the same but for rounding: it
        moves less memory where the addition is part of the convolution.
    """
    from onnx import helper

    return helper.make_model(
        _graph(unet, joining=joining),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="bracketseg",
        producer_version=version("bracketseg"),
    )


def _describe(model: Model) -> dict[str, Any]:
    """Return what somebody has to know who runs the model."""
    card, stride = model.card, model.unet.stride
    return {
        "role": card.role,
        "image_size": card.image_size,
        "input": {
            "name": INPUT,
            "layout": "NCHW",
            "type": "float32",
            "channels": "RGB",
            "values": "0 to 1: the 8-bit values of a display-referred (sRGB) picture over 255; a "
            "grey picture has three equal channels",
            "size": f"any, in multiples of {stride}: pad the lower and right edges by reflection "
            "without repeating the last row and column, and crop the result",
            "resolution": f"full for the best masks; resized to {card.image_size} x "
            f"{card.image_size}, as in training, for the fastest",
        },
        "output": {
            "name": OUTPUT,
            "layout": "N1HW",
            "type": "float32",
            "values": f"0 to 1: the probability that a pixel of the {card.role} frame is well "
            "exposed",
        },
        "threshold": PredictConfig().threshold,
        "loss": card.loss,
        "ground_truth": card.ground_truth,
        "metrics": card.metrics,
        "versions": {**card.versions, "onnx": version("onnx")},
    }


def _graph(unet: UNet, *, joining: bool) -> Any:
    """Return the network in evaluation mode as an ONNX graph, layer by layer.

    torch's own exporter takes half a minute and further packages for these fifty nodes, and
    writes the paths of this machine's files into them.
    """
    from onnx import TensorProto, helper, numpy_helper

    weights = {name: tensor.cpu().numpy() for name, tensor in unet.state_dict().items()}
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        for name, value in (("mean", INPUT_MEAN), ("deviation", INPUT_DEVIATION))
    ]
    nodes, numbers = [], count()

    def node(kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        result = to or f"{kind.lower()}_{next(numbers)}"
        nodes.append(helper.make_node(kind, list(inputs), [result], name=result, **attributes))
        return result

    def conv(x: str, layer: str) -> str:
        margin = weights[f"{layer}.weight"].shape[-1] // 2
        return node("Conv", x, f"{layer}.weight", f"{layer}.bias", pads=[margin] * 4)

    def two_convs(x: str, block: str) -> str:
        return second(conv(x, f"{block}.first"), block)

    def second(x: str, block: str) -> str:
        return node("Relu", conv(node("Relu", x), f"{block}.second"))

    def sum_of_convs(x: str, skip: str, layer: str) -> str:
        halves = np.split(weights.pop(f"{layer}.weight"), 2, axis=1)
        for name, half in zip(("x", "skip"), halves, strict=True):
            constants.append(numpy_helper.from_array(half.copy(), f"{layer}.{name}"))
        whole = node("Conv", skip, f"{layer}.skip", f"{layer}.bias", pads=[1] * 4)
        return node("Add", node("Conv", x, f"{layer}.x", pads=[1] * 4), whole)

    x = node("Div", node("Sub", INPUT, "mean"), "deviation")
    skips = []
    for level in range(len(unet.encoder)):
        if level:
            skips.append(x)
            x = node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        x = two_convs(x, f"encoder.{level}")
    for level in range(len(unet.decoder)):
        up = f"decoder.{level}.up"
        inputs = (x, f"{up}.weight", f"{up}.bias")
        x = node("ConvTranspose", *inputs, strides=[2, 2], pads=[1] * 4, output_padding=[1, 1])
        block, skip = f"decoder.{level}", skips.pop()
        if joining:
            x = two_convs(node("Concat", x, skip, axis=1), block)
        else:
            x = second(sum_of_convs(x, skip, f"{block}.first"), block)
    node("Sigmoid", conv(x, "head"), to=OUTPUT)

    def picture(name: str, channels: int) -> Any:
        shape: list[str | int | None] = ["batch", channels, "height", "width"]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    return helper.make_graph(
        nodes,
        "bracketseg",
        [picture(INPUT, unet.config.in_channels)],
        [picture(OUTPUT, 1)],
        constants + [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
