import numpy as np
import torch

from bracketseg.learning.batches import (
    Draw,
    augment,
    generator_for,
    seed_for,
    to_network,
    to_target,
)


def test_seeds_differ_by_use_seed_and_place():
    seeds = {
        seed_for(draw, seed, epoch, step)
        for draw in Draw
        for seed in (0, 1)
        for epoch in (1, 2)
        for step in (1, 2)
    }
    assert len(seeds) == len(Draw) * 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_for(Draw.ORDER, 3, 1) == seed_for(Draw.ORDER, 3, 1)


def test_all_eight_ways_come_up_and_the_mask_turns_along(rng):
    images = np.repeat(rng.integers(0, 256, (1, 4, 4, 3), dtype=np.uint8), 400, axis=0)
    masks = images[..., 0] > 127
    batch = (torch.from_numpy(images), torch.from_numpy(masks))
    drawn = augment(batch, generator_for(Draw.AUGMENT, 0, 1, 1))
    turned, turned_masks = (tensor.numpy() for tensor in drawn)
    assert np.array_equal(turned[..., 0] > 127, turned_masks)
    found, counts = np.unique(turned.reshape(400, -1), axis=0, return_counts=True)
    expected = [np.rot90(m, k) for k in range(4) for m in (images[0], images[0][:, ::-1])]
    assert {f.tobytes() for f in found} == {np.ascontiguousarray(e).tobytes() for e in expected}
    assert counts.min() > 25


def test_augmenting_leaves_what_it_was_given():
    images = torch.arange(96, dtype=torch.uint8).reshape(2, 4, 4, 3)
    before = images.clone()
    augment((images, images[..., 0] > 0), np.random.default_rng(0))
    assert torch.equal(images, before)


def test_images_and_masks_as_the_network_takes_them():
    images = np.zeros((2, 4, 6, 3), np.uint8)
    images[1, 2, 5] = 255, 51, 0
    x = to_network(images, torch.device("cpu"))
    assert x.shape == (2, 3, 4, 6)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x[1, :, 2, 5], torch.tensor([1.0, 0.2, 0.0]))
    assert images.max() == 255
    y = to_target(images[..., 0] > 0, torch.device("cpu"))
    assert y.shape == (2, 1, 4, 6)
    assert y.dtype == torch.float32
    assert y.sum() == 1.0
    assert y[1, 0, 2, 5] == 1.0
