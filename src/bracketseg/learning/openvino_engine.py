"""The network on the CPU by OpenVINO, where that is installed (the extra `openvino`).

It calculates the same as torch but for rounding, in less time.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch

from bracketseg.learning.export import onnx_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bracketseg.learning.unet import UNet

_log = logging.getLogger(__name__)

_compiled: WeakKeyDictionary[UNet, tuple[Any, Any]] = WeakKeyDictionary()
"""The last program of each network, and what it was made of."""

_lock = threading.Lock()


@cache
def openvino_problem() -> str | None:
    """Say why OpenVINO cannot calculate here, and what to do; None where it can.

    It needs onnx as well, in whose form it takes a network. Where both are installed and do not
    work, that is told in the log, once.
    """
    if any(importlib.util.find_spec(name) is None for name in ("openvino", "onnx")):
        return "is not installed; install it with: pip install 'bracketseg[openvino]'"
    try:
        for name in ("onnx", "openvino"):
            importlib.import_module(name)
        if "CPU" in importlib.import_module("openvino").Core().available_devices:
            return None
        reason = "it finds no CPU"
    except Exception as error:  # noqa: BLE001 - an install can be broken in any way
        reason = " ".join(str(error).split()) or type(error).__name__
    _log.warning("OpenVINO is installed but does not work (%s): engine auto is torch.", reason)
    return (
        f"is installed but does not work ({reason}); install it anew with: pip install "
        "--force-reinstall openvino onnx, or choose engine torch"
    )


def openvino_network(
    unet: UNet, dtype: torch.dtype | None
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Compile a network, or take the program that was compiled from the same weights before.

    A program is for pictures of one size, which takes half of the memory of one for any and a
    tenth less time; it is compiled in a moment for another size.

    Parameters
    ----------
    unet
        On the CPU.
    dtype
        What it calculates in; None is float32.

    Returns
    -------
    callable
        From (H, W, 3) uint8, H and W multiples of the network's stride, to the probability,
        (H, W) float32.
    """

    def run(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = np.ascontiguousarray(part[np.newaxis])
        # Threads share a program and its memory.
        with _lock:
            request = _program(unet, dtype, batch.shape)
            result = request.infer([batch], share_inputs=True, share_outputs=True)[0]
            return cast("NDArray[np.float32]", result[0, 0].copy())

    return run


def let_go(unet: UNet) -> None:
    """Free the program of a network and its memory; it is compiled anew when it is wanted."""
    with _lock:
        _compiled.pop(unet, None)


def _program(unet: UNet, dtype: torch.dtype | None, shape: tuple[int, ...]) -> Any:
    # torch counts up the version of a tensor that is changed in place.
    weights = [(p.data_ptr(), p._version) for p in unet.parameters()]  # noqa: SLF001
    made_of = (dtype, shape, weights)
    known = _compiled.pop(unet, None)
    if known is None or known[0] != made_of:
        del known  # with the memory of the program
        known = made_of, _compile(unet, dtype, shape).create_infer_request()
    _compiled[unet] = known
    return known[1]


def _compile(unet: UNet, dtype: torch.dtype | None, shape: tuple[int, ...]) -> Any:
    import openvino
    from openvino.preprocess import PrePostProcessor

    core = openvino.Core()
    model = core.read_model(onnx_model(unet, joining=False).SerializeToString())
    steps = PrePostProcessor(model)
    picture = steps.input()
    picture.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    picture.model().set_layout(openvino.Layout("NCHW"))
    picture.preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    hints = {
        "INFERENCE_PRECISION_HINT": "f32" if dtype is None else "bf16",
        "PERFORMANCE_HINT": "LATENCY",
        # As many as torch may take: a process among several has been told to take fewer.
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }
    model = steps.build()
    model.reshape(shape)
    return core.compile_model(model, "CPU", hints)
