import numpy as np
import pytest
import torch

from bracketseg.errors import OutOfMemoryError
from bracketseg.learning import device_data
from bracketseg.learning.dataset import Dataset
from bracketseg.learning.device_data import DeviceData

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


def dataset(rng: np.random.Generator, *, outside: bool = False) -> Dataset:
    images = rng.integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)
    beyond = np.zeros((5, 16, 16), np.bool_)
    beyond[3, :, :4] = outside
    return Dataset(
        scenes=tuple("abcde"),
        images=images,
        masks=images[..., 0] > 99,
        outside=beyond,
        rethresholded=0,
    )


def test_a_batch_holds_the_rows_that_were_asked_for(rng):
    known, rows = dataset(rng, outside=True), np.array([3, 0])
    batch = DeviceData(known, CPU).batch(rows)
    assert len(batch) == 2
    assert np.array_equal(batch.images.numpy(), known.images[rows])
    assert np.array_equal(batch.masks.numpy(), known.masks[rows])
    assert batch.outside is not None
    assert np.array_equal(batch.outside.numpy(), known.outside[rows])
    part = batch[1:]
    assert np.array_equal(part.images.numpy(), known.images[[0]])
    assert part.outside is not None
    assert not part.outside.any()


def test_what_is_outside_turns_along(rng):
    known = dataset(rng, outside=True)
    turned = DeviceData(known, CPU).batch(np.arange(5)).turned(np.random.default_rng(0))
    assert turned.outside is not None
    assert turned.outside[3].sum() == 4 * 16
    ways = [np.rot90(m, k) for k in range(4) for m in (known.outside[3], known.outside[3][:, ::-1])]
    images = [np.rot90(i, k) for k in range(4) for i in (known.images[3], known.images[3][:, ::-1])]
    found = [np.array_equal(turned.images[3].numpy(), image) for image in images].index(True)
    assert np.array_equal(turned.outside[3].numpy(), ways[found])


def test_nothing_is_said_to_be_outside_where_nothing_is(rng):
    batch = DeviceData(dataset(rng), CPU).batch(np.arange(2))
    assert batch.outside is None
    assert batch.turned(np.random.default_rng(0)).outside is None


@pytest.mark.parametrize(("missing", "lies_on"), [(0, ELSEWHERE), (1, CPU)])
def test_a_set_lies_on_the_device_if_it_fits(rng, monkeypatch, missing, lies_on):
    known = dataset(rng)
    size = known.images.nbytes + known.masks.nbytes
    monkeypatch.setattr(device_data, "room_for_images", lambda _: size - missing)
    data = DeviceData(known, ELSEWHERE)
    assert data.lies_on == lies_on
    batch = data.batch(np.array([1, 4, 2])).turned(np.random.default_rng(0))
    assert batch.images.device == batch.masks.device == ELSEWHERE
    assert batch.images.shape == (3, 16, 16, 3)
    assert batch.images.dtype == torch.uint8


def test_too_little_memory_for_a_batch_is_told_as_such(rng, monkeypatch):
    data = DeviceData(dataset(rng), CPU)
    batch = data.batch(np.arange(2))

    def fail(*_args, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(DeviceData, "_there", fail)
    with pytest.raises(OutOfMemoryError, match="smaller batch"):
        data.batch(np.arange(2))
    monkeypatch.setattr(device_data, "augment", fail)
    with pytest.raises(OutOfMemoryError, match="smaller batch"):
        batch.turned(np.random.default_rng(0))
