"""In bands of rows a network gives the very values that it gives at once."""

from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bracketseg.learning import bands
from bracketseg.learning.bands import forward_in_bands, plan_bands
from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.unet import UNet


def network(filters: tuple[int, ...]) -> UNet:
    return UNet(NetworkConfig(filters=filters)).eval().to(memory_format=torch.channels_last)


@pytest.mark.parametrize("filters", [(4,), (4, 6), (4, 6, 8, 8, 8)])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
@pytest.mark.parametrize("values", [1, 5_000, 2**21])
def test_bands_change_nothing(
    filters: tuple[int, ...],
    dtype: torch.dtype | None,
    values: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unet = network(filters)
    monkeypatch.setattr(bands, "BAND_VALUES", values)
    x = torch.rand(2, 3, 96, 80).contiguous(memory_format=torch.channels_last)

    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype is not None):
        found, expected = forward_in_bands(unet, x), unet(x)

    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 if dtype is None else 2e-2)
    assert expected.std() > 0.01


def test_only_what_a_later_block_needs_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    unet = network((4, 6, 8))
    monkeypatch.setattr(bands, "BAND_VALUES", 1)
    rows: dict[str, int] = {}

    def note(name: str, _layer: torch.nn.Module, _given: object, result: torch.Tensor) -> None:
        rows.setdefault(name, result.shape[2])

    for name, layer in unet.named_modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_hook(partial(note, name))

    with torch.inference_mode():
        forward_in_bands(unet, torch.rand(1, 3, 128, 16))

    assert rows.pop("encoder.2.first") == rows.pop("encoder.2.second") == 32, (
        "the coarsest is whole"
    )
    # Eight rows, and four more on the side that the first band has.
    assert rows.pop("head") == 8
    assert set(rows.values()) == {12}


@given(st.integers(1, 300), st.integers(1, 2**22))
@settings(max_examples=60, deadline=None)
def test_bands_give_every_row_once_and_read_their_neighbours(half: int, values: int) -> None:
    height = 2 * half
    plan = list(plan_bands(height, values))

    assert plan[0].top == 0
    assert plan[-1].bottom == height
    assert all(one.bottom == other.top for one, other in pairwise(plan))
    for band in plan:
        assert (band.bottom - band.top) * values <= max(bands.BAND_VALUES, 8 * values)
        assert band.begin == max(0, band.top - 4)
        assert band.end == min(height, band.bottom + 4)
        assert all(n % 2 == 0 for n in (band.top, band.bottom, band.begin, band.end))
