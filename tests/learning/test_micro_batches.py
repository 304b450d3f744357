"""Batches that do not fit into memory are learned in parts."""

import pytest
import torch

from bracketseg.errors import OutOfMemoryError
from bracketseg.learning import training
from bracketseg.learning.estimate import fixed_step_bytes, image_step_bytes
from bracketseg.learning.events import Cached, Finished, MicroBatch, Planned, StepDone
from bracketseg.learning.training import train
from bracketseg.learning.unet import UNet

CPU_MESSAGE = (
    "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 17179869184 bytes. Error code 12 (Cannot allocate memory)"
)
ERRORS = [
    RuntimeError(CPU_MESSAGE),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
]


@pytest.fixture
def room(monkeypatch):
    """Let the network run out of memory where more than some images come at once."""

    def allow(images, error=ERRORS[0], when=lambda _unet: True):
        forward = UNet.forward

        def limited(unet, x):
            if len(x) > images and when(unet):
                raise error
            return forward(unet, x)

        monkeypatch.setattr(UNet, "forward", limited)

    return allow


def tensors(run):
    return torch.load(run / "last.pt", weights_only=True)["model"]


def assert_close(one, other):
    first, second = tensors(one), tensors(other)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-3, atol=2e-5)


def smaller(events):
    return [(e.images, e.batch_size) for e in events if isinstance(e, MicroBatch)]


@pytest.mark.parametrize("error", ERRORS, ids=["cpu", "cuda"])
@pytest.mark.parametrize("loss", ["bce", "focal", "dice-bce"])
def test_too_large_a_batch_is_learned_in_parts_with_the_same_result(
    setting, tiny, room, error, loss
):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"batch_size": 5, "epochs": 4, "loss": loss})
    whole = list(train(brackets, masks, config, folder / "whole"))
    room(3, error)
    parts = list(train(brackets, masks, config, folder / "parts"))
    assert smaller(whole) == []
    assert smaller(parts) == [(3, 5)]  # five images become three and two
    first_step = next(e for e in parts if isinstance(e, StepDone))
    assert isinstance(parts[parts.index(first_step) - 1], MicroBatch)
    assert isinstance(parts[-1], Finished)
    assert_close(folder / "whole", folder / "parts")
    for one, other in zip(
        (e.loss for e in whole if isinstance(e, StepDone)),
        (e.loss for e in parts if isinstance(e, StepDone)),
        strict=True,
    ):
        assert one == pytest.approx(other, rel=1e-4)


def test_a_batch_is_halved_down_to_single_images(setting, tiny, room):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"batch_size": 5})
    list(train(brackets, masks, config, folder / "whole"))
    room(1)
    events = list(train(brackets, masks, config, folder / "run"))
    assert smaller(events) == [(1, 5)]
    assert isinstance(events[-1], Finished)
    assert_close(folder / "whole", folder / "run")


def test_memory_may_run_out_later_and_in_the_validation(setting, tiny, room):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"batch_size": 4})
    list(train(brackets, masks, config, folder / "whole"))
    room(1, when=lambda unet: not unet.training)
    events = list(train(brackets, masks, config, folder / "run"))
    assert smaller(events) == [(1, 4)]
    assert_close(folder / "whole", folder / "run")


def test_a_run_is_the_same_after_an_interruption_in_parts(setting, tiny, room, assert_same_run):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"batch_size": 4})
    room(2)
    list(train(brackets, masks, config, folder / "straight"))
    events = []
    for event in train(
        brackets, masks, config, folder / "halted", should_stop=lambda: smaller(events) != []
    ):
        events.append(event)  # noqa: PERF402 - read while it grows
    resumed = list(train(brackets, masks, config, folder / "halted", resume=True))
    assert smaller(resumed) == [(2, 4)]  # nothing is remembered: there may be room by now
    assert_same_run(folder / "straight", folder / "halted")


@pytest.mark.parametrize(
    ("precision", "advice"),
    [
        ("float32", "an image size of 32 or precision bfloat16"),
        ("bfloat16", "an image size of 32"),
    ],
)
def test_not_even_one_image_ends_with_advice(setting, tiny, room, monkeypatch, precision, advice):
    brackets, masks, folder = setting
    room(0)
    config = tiny.model_copy(update={"batch_size": 4, "image_size": 64, "precision": precision})
    message = rf"cpu has not enough memory to learn even one image of 64x64 in {precision}; .*"
    with pytest.raises(OutOfMemoryError, match=message + advice + "$"):
        list(train(brackets, masks, config, folder / "run"))
    monkeypatch.undo()
    # Nothing was learned, so that other settings may begin in the same folder.
    smaller_images = config.model_copy(update={"image_size": 32, "epochs": 1})
    assert isinstance(list(train(brackets, masks, smaller_images, folder / "run"))[-1], Finished)


def test_other_errors_are_not_taken_for_a_lack_of_memory(setting, tiny, room):
    brackets, masks, folder = setting
    room(1, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        list(train(brackets, masks, tiny, folder / "run"))


def test_a_batch_beyond_the_free_memory_begins_in_parts(setting, tiny, monkeypatch):
    brackets, masks, folder = setting
    config = tiny.model_copy(update={"batch_size": 5})
    list(train(brackets, masks, config, folder / "whole"))
    free = fixed_step_bytes(config.network, "float32") + 2 * image_step_bytes(config, "float32")
    monkeypatch.setattr(training, "free_memory", lambda: free)
    events = list(train(brackets, masks, config, folder / "parts"))
    assert smaller(events) == [(2, 5)]
    kinds = [type(event) for event in events]
    assert kinds.index(Planned) < kinds.index(Cached) < kinds.index(MicroBatch)
    assert kinds.index(MicroBatch) < kinds.index(StepDone)
    assert_close(folder / "whole", folder / "parts")


@pytest.mark.parametrize("free", [None, 2**40])
def test_with_enough_memory_or_none_known_a_batch_stays_whole(setting, tiny, monkeypatch, free):
    brackets, masks, folder = setting
    monkeypatch.setattr(training, "free_memory", lambda: free)
    assert smaller(train(brackets, masks, tiny, folder / "run")) == []
