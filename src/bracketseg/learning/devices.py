"""Where a network runs and in which number format."""

from __future__ import annotations

import platform
import re
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import torch

from bracketseg.errors import DeviceError, OutOfMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bracketseg.learning.config import Precision


def list_devices() -> list[tuple[str, str]]:
    """Return the devices of this machine, the fastest kind first.

    Returns
    -------
    list of (name, label)
        The name is one that :func:`resolve_device` takes, the label what a person calls it.
    """
    devices = [
        (f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())
    ]
    if torch.backends.mps.is_available():
        devices.append(("mps", "Apple GPU"))
    return [*devices, ("cpu", _cpu_label())]


def _cpu_label() -> str:
    threads = torch.get_num_threads()
    return f"{platform.machine() or 'CPU'}, {threads} {'thread' if threads == 1 else 'threads'}"


def device_label(device: torch.device) -> str:
    """Return what a person calls `device`."""
    name = f"cuda:{device.index or 0}" if device.type == "cuda" else device.type
    return dict(list_devices()).get(name, str(device))


def resolve_device(name: str) -> torch.device:
    """Return the device that `name` asks for.

    Parameters
    ----------
    name
        ``auto`` (CUDA, else Apple's MPS, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    DeviceError
        If it is not there or not known; the message lists the devices that are.
    """
    present = [device for device, _ in list_devices()]
    wanted = present[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted in present:
        return torch.device(wanted)
    known = re.fullmatch(r"cpu|mps|cuda:\d+", wanted)
    reason = "is not on this machine" if known else "is not a device"
    raise DeviceError(f"{name!r} {reason}; choose auto or one of: {', '.join(present)}")


def cpu_has_bfloat16() -> bool:
    """Say whether the CPU multiplies bfloat16 natively (AVX512-BF16 or AMX).

    Without such instructions torch emulates bfloat16 and is slower than in float32, so
    an unknown CPU counts as having none.
    """
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        found = capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    # Before torch 2.12 the same tests had private names only.
    for test in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        supported = getattr(torch.cpu, test, None)
        if supported is not None and supported():
            return True
    return False


def resolve_precision(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Return the data type for autocast on `device`, None for plain float32.

    ``auto`` takes bfloat16 on a GPU that has it and float16 on one that has not, bfloat16
    on a CPU with native instructions for it, and float32 everywhere else.

    Raises
    ------
    DeviceError
        If the device cannot train in what was asked for.
    """
    if precision == "auto":
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
        return torch.bfloat16 if device.type == "cpu" and cpu_has_bfloat16() else None
    if precision == "float32":
        return None
    if precision == "float16" and device.type == "cpu":
        raise DeviceError("float16 is for GPUs; on the CPU choose auto, bfloat16 or float32")
    if device.type == "mps":
        raise DeviceError(f"{precision} is not supported on mps; choose auto or float32")
    if precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise DeviceError(f"{device_label(device)} has no bfloat16; choose auto or float16")
    return torch.float16 if precision == "float16" else torch.bfloat16


def precision_of(dtype: torch.dtype | None) -> Precision:
    """Return the name in a config of what :func:`resolve_precision` gave."""
    names: dict[torch.dtype | None, Precision] = {
        torch.bfloat16: "bfloat16",
        torch.float16: "float16",
    }
    return names.get(dtype, "float32")


def autocast(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    """Return a context in which a network runs in `dtype`; None leaves float32 as it is."""
    if dtype is None:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether `error` is torch's or Python's way of reporting too little memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU allocator, MPS and cuDNN raise a bare RuntimeError.
    words = (
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "ALLOC_FAILED",
        "Failed to allocate",
    )
    # oneDNN's, whole: what a processor cannot do begins in the same way.
    whole = ("could not create a primitive", "could not create a memory object")
    said = str(error)
    return isinstance(error, RuntimeError) and (
        said in whole or any(word in said for word in words)
    )


@contextmanager
def memory_guard(message: str) -> Iterator[None]:
    """Turn an out-of-memory error raised inside into our own.

    Parameters
    ----------
    message
        What was being done and what to try instead.

    Raises
    ------
    OutOfMemoryError
        With `message`, chained to torch's error.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(message) from error
        raise
