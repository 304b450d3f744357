import platform

import pytest
import torch

from bracketseg.errors import DeviceError, OutOfMemoryError
from bracketseg.learning import devices
from bracketseg.learning.devices import (
    autocast,
    cpu_has_bfloat16,
    device_label,
    list_devices,
    memory_guard,
    resolve_device,
    resolve_precision,
)

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda:0"), torch.device("mps")


@pytest.fixture
def machine(monkeypatch):
    """Pretend a machine with some GPUs."""

    def pretend(gpus=(), *, mps=False, bfloat16=True):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gpus))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: gpus[i])
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: bfloat16)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize(
    ("gpus", "mps", "expected"),
    [(("A", "B"), True, "cuda:0"), ((), True, "mps"), ((), False, "cpu")],
)
def test_auto_takes_the_best_there_is(machine, gpus, mps, expected):
    machine(gpus, mps=mps)
    assert resolve_device("auto") == torch.device(expected)


def test_a_gpu_can_be_named(machine):
    machine(("A", "B"))
    assert resolve_device("cuda") == torch.device("cuda:0")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    assert resolve_device("cpu") == CPU


def test_a_missing_device_is_refused_with_those_that_are_there(machine):
    machine(("A",))
    for name in ("cuda:1", "mps"):
        with pytest.raises(DeviceError, match=f"'{name}' is not on this machine.*cuda:0, cpu"):
            resolve_device(name)
    with pytest.raises(DeviceError, match="'tpu' is not a device"):
        resolve_device("tpu")


def test_devices_have_names_for_people(machine):
    machine(("Big GPU",), mps=True)
    names = list_devices()
    assert names[:2] == [("cuda:0", "Big GPU"), ("mps", "Apple GPU")]
    assert names[2][0] == "cpu"
    assert platform.machine() in names[2][1]
    assert device_label(torch.device("cuda:0")) == "Big GPU"
    assert device_label(torch.device("cuda")) == "Big GPU"


@pytest.mark.parametrize(
    ("device", "native", "expected"),
    [
        (CUDA, True, torch.bfloat16),
        (CUDA, False, torch.float16),
        (CPU, True, torch.bfloat16),
        (CPU, False, None),
        (MPS, True, None),
    ],
)
def test_auto_precision_is_what_the_device_is_fast_in(
    machine, monkeypatch, device, native, expected
):
    machine(("A",), mps=True, bfloat16=native)
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: native)
    assert resolve_precision("auto", device) is expected


def test_a_precision_can_be_chosen(machine):
    machine(("A",))
    assert resolve_precision("float32", CUDA) is None
    assert resolve_precision("bfloat16", CPU) is torch.bfloat16
    assert resolve_precision("bfloat16", CUDA) is torch.bfloat16
    assert resolve_precision("float16", CUDA) is torch.float16


@pytest.mark.parametrize(
    ("precision", "device", "message"),
    [
        ("float16", CPU, "float16 is for GPUs"),
        ("float16", MPS, "not supported on mps"),
        ("bfloat16", MPS, "not supported on mps"),
        ("bfloat16", CUDA, "A has no bfloat16"),
    ],
)
def test_a_precision_that_a_device_lacks_is_refused(machine, precision, device, message):
    machine(("A",), bfloat16=False)
    with pytest.raises(DeviceError, match=message):
        resolve_precision(precision, device)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({}, False),
    ],
)
def test_native_bfloat16_is_asked_of_the_cpu(monkeypatch, found, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert cpu_has_bfloat16() is expected


def test_native_bfloat16_is_asked_of_an_older_torch_too(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for answer in (True, False):
        monkeypatch.setattr(
            torch.cpu, "_is_avx512_bf16_supported", lambda answer=answer: answer, raising=False
        )
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
        assert cpu_has_bfloat16() is answer


def test_autocast_runs_in_its_type_and_leaves_float32_alone():
    conv, x = torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)
    with autocast(CPU, torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    with autocast(CPU, None):
        assert conv(x).dtype == torch.float32


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("could not create a primitive"),
        RuntimeError("cpu_memory.cpp:257: Failed to allocate 94961664 bytes of memory"),
        MemoryError("Unable to allocate 3 TiB"),
    ],
)
def test_too_little_memory_becomes_our_error(error):
    with pytest.raises(OutOfMemoryError, match="try less") as raised, memory_guard("try less"):
        raise error
    assert raised.value.__cause__ is error
    assert not isinstance(raised.value, RuntimeError)


def test_torch_out_of_memory_on_the_cpu_is_recognised():
    with pytest.raises(OutOfMemoryError, match="try less"), memory_guard("try less"):
        torch.empty(2**62, dtype=torch.uint8)


@pytest.mark.parametrize(
    "words",
    ["shapes do not fit", "could not create a primitive descriptor for the matmul primitive"],
)
def test_other_errors_pass_the_memory_guard(words):
    with pytest.raises(RuntimeError, match=words), memory_guard("try less"):
        raise RuntimeError(words)
