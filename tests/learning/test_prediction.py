"""A frame in, a probability for each of its pixels out: at both scales, in tiles and whole."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import DeviceError, FrameError, LabelingError, ModelError, OutOfMemoryError
from bracketseg.learning import estimate, prediction
from bracketseg.learning.checkpoints import Model
from bracketseg.learning.config import NetworkConfig, Scale
from bracketseg.learning.estimate import memory_per_pixel
from bracketseg.learning.model_card import ModelCard
from bracketseg.learning.network_input import network_input
from bracketseg.learning.prediction import (
    binarize,
    require_role,
)
from bracketseg.learning.unet import INPUT_DEVIATION, INPUT_MEAN, UNet, receptive_radius

# What is worked by hand or compared to the last digit is so in float32 alone.
predict_probability = partial(prediction.predict_probability, precision="float32")

SMALL = NetworkConfig(filters=(4, 6, 8, 8, 8))
BAND_SMALL = NetworkConfig(filters=(4, 8))


def model_of(
    config: NetworkConfig = SMALL, *, role: MaskRole = "low", image_size: int = 64, gain: float = 1
) -> Model:
    """A network with random weights whose logits are `gain` times as large as at first."""
    unet = UNet(config, torch.Generator().manual_seed(1)).eval().requires_grad_(False)
    unet.head.weight.mul_(gain)
    card = ModelCard(
        role=role,
        network=config,
        image_size=image_size,
        ground_truth={"method": "otsu"},
        loss="bce",
        seed=0,
        epoch=1,
        metrics={},
        versions={},
    )
    return Model(unet=unet, card=card, path=Path("run/best.safetensors"))


def lively_model(config: NetworkConfig = SMALL) -> Model:
    """A network whose output varies strongly, and mostly through its coarsest level."""
    model = model_of(config)
    for index in range(len(config.filters) - 1):
        model.unet.get_parameter(f"decoder.{index}.up.weight").mul_(9.0 if index == 0 else 3.0)
    logits = _logits(model, _noise((256, 256)))
    model.unet.head.weight.mul_(3.0 / logits.std())
    model.unet.get_parameter("head.bias").sub_(3.0 * logits.median() / logits.std())
    return model


def brightness_model(weight: float, bias: float) -> Model:
    """A network that is worked out by hand: sigmoid(weight * mean(R, G, B) + bias)."""
    model = model_of(NetworkConfig(filters=(1,)), image_size=16)
    for values in model.unet.parameters():
        values.zero_()
    # The first layer undoes the network's own centring of its input.
    model.unet.get_parameter("encoder.0.first.weight")[0, :, 1, 1] = INPUT_DEVIATION / 3
    model.unet.get_parameter("encoder.0.first.bias").fill_(INPUT_MEAN)
    model.unet.get_parameter("encoder.0.second.weight")[0, 0, 1, 1] = 1
    model.unet.head.weight.fill_(weight)
    model.unet.get_parameter("head.bias").fill_(bias)
    return model


def _noise(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


def _logits(model: Model, picture: NDArray[np.uint8]) -> Tensor:
    with torch.inference_mode():
        out: Tensor = model.unet(torch.tensor(picture).permute(2, 0, 1)[None] / 255)
    return out[0, 0]


def _predict(model: Model, image: NDArray[Any], **options: Any) -> NDArray[np.float32]:
    """Predict by torch; test_openvino_engine.py holds OpenVINO against it."""
    return predict_probability(model, image, device="cpu", engine="torch", **options)


@pytest.mark.parametrize("scale", ["train", "full"])
def test_a_network_worked_by_hand(scale: Scale) -> None:
    model = brightness_model(weight=4.0, bias=-2.0)
    frame = np.full((20, 30, 3), [51, 102, 153], np.uint8)  # mean 0.4

    probability = _predict(model, frame, scale=scale)

    assert probability.shape == (20, 30)
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(2.0 - 4.0 * 0.4)), atol=1e-6)


@pytest.mark.parametrize(
    "convert",
    [
        lambda grey: grey[..., np.newaxis],
        lambda grey: np.stack([grey] * 3, axis=2),
        lambda grey: np.dstack([grey] * 3 + [np.zeros_like(grey)]),
        lambda grey: grey.astype(np.uint16) * 257,
        lambda grey: (grey / 255).astype(np.float32),
        lambda grey: (np.stack([grey] * 3, axis=2) / 255).astype(np.float64),
    ],
    ids=["channel", "rgb", "rgba", "uint16", "float32", "float64 rgb"],
)
def test_every_kind_of_frame_is_seen_alike(
    convert: Callable[[NDArray[np.uint8]], NDArray[Any]],
) -> None:
    grey = _noise((24, 40))[..., 0]
    model = lively_model()

    expected = _predict(model, grey, scale="full")

    np.testing.assert_array_equal(_predict(model, convert(grey), scale="full"), expected)


def test_a_read_only_frame_is_taken_and_left_alone() -> None:
    frame = _noise((24, 40))
    before = frame.copy()
    frame.flags.writeable = False

    _predict(lively_model(), frame, scale="full")

    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize("shape", [(5,), (5, 5, 5), (0, 5, 3), (2, 5, 5, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(FrameError):
        _predict(model_of(), np.zeros(shape, np.uint8))


def test_grey_becomes_three_channels() -> None:
    grey = np.array([[0, 7], [200, 255]], np.uint8)

    assert network_input(grey).shape == (2, 2, 3)
    assert (network_input(grey) == grey[..., np.newaxis]).all()


def test_train_scale_against_torchs_own_resizing() -> None:
    model = lively_model()
    frame = _noise((90, 130))

    probability = _predict(model, frame, scale="train")

    small = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)
    square = torch.sigmoid(_logits(model, np.asarray(small, np.uint8)))[None, None]
    expected = F.interpolate(square, (90, 130), mode="bilinear", align_corners=False)[0, 0]
    np.testing.assert_allclose(probability, expected.numpy(), atol=1e-5)
    assert probability.std() > 0.1


@pytest.mark.parametrize("shape", [(100, 37), (16, 16), (9, 300), (1, 1), (2, 17)])
@pytest.mark.parametrize("tile", [None, 1, 100, 4096])
def test_small_frames_tiled_and_whole_agree(shape: tuple[int, int], tile: int | None) -> None:
    model = lively_model()
    frame = _noise(shape)

    probability = _predict(model, frame, scale="full", tile=tile)

    whole = torch.sigmoid(_logits(model, frame)).numpy()
    np.testing.assert_allclose(probability, whole, rtol=0, atol=1e-3)


@pytest.mark.parametrize("tile", [None, 64, 100, 320])
def test_tiled_and_whole_agree(tile: int | None) -> None:
    model = lively_model()
    frame = _noise((333, 517))

    probability = _predict(model, frame, scale="full", tile=tile)

    whole = torch.sigmoid(_logits(model, frame)).numpy()
    assert whole.min() < 0.05
    assert whole.max() > 0.95
    np.testing.assert_allclose(probability, whole, rtol=0, atol=1e-3)


def test_a_tile_reads_as_far_as_the_network_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of()
    sizes = _record_sizes(monkeypatch)

    _predict(model, _noise((16, 700)), scale="full", tile=16)

    radius = receptive_radius(SMALL)
    assert max(width for _, width in sizes) == 16 + 2 * (-(-radius // 16) * 16)


def test_a_frame_beyond_the_memory_of_a_tile_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lively_model()
    frame = _noise((333, 517))
    sizes = _record_sizes(monkeypatch)
    whole = _predict(model, frame, scale="full")
    assert sizes == [(336, 528)]

    monkeypatch.setattr(
        estimate, "TILE_MEMORY", int(150_000 * memory_per_pixel(SMALL, in_bands=True))
    )
    tiled = _predict(model, frame, scale="full")

    assert len(sizes) > 2
    assert max(height * width for height, width in sizes[1:]) <= 150_000
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-3)


def _record_sizes(
    monkeypatch: pytest.MonkeyPatch, limit: int | None = None
) -> list[tuple[int, int]]:
    """Note the sizes that the network is given; more pixels than `limit` run out of memory."""
    sizes: list[tuple[int, int]] = []
    forward = prediction.forward_in_bands

    def noted(unet: UNet, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        sizes.append((height, width))
        if limit is not None and height * width > limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return forward(unet, x)

    monkeypatch.setattr(prediction, "forward_in_bands", noted)
    return sizes


@pytest.mark.parametrize("tile", [None, 400])
def test_out_of_memory_is_tried_again_in_smaller_tiles(
    monkeypatch: pytest.MonkeyPatch, tile: int | None
) -> None:
    model = lively_model()
    frame = _noise((333, 517))
    whole = _predict(model, frame, scale="full")
    sizes = _record_sizes(monkeypatch, limit=120_000)

    probability = _predict(model, frame, scale="full", tile=tile)

    np.testing.assert_allclose(probability, whole, rtol=0, atol=1e-3)
    failed = [height * width for height, width in sizes if height * width > 120_000]
    assert failed == sorted(failed, reverse=True)
    assert 1 <= len(failed) <= 3


def test_memory_for_not_even_a_small_tile_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of()
    sizes = _record_sizes(monkeypatch, limit=0)

    with pytest.raises(OutOfMemoryError, match="scale train") as caught:
        _predict(model, _noise((700, 500)), scale="full")

    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert len(sizes) < 10


def test_other_errors_of_torch_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of()

    def broken(_unet: UNet, _: Tensor) -> Tensor:
        raise RuntimeError("expected scalar type Float")

    monkeypatch.setattr(prediction, "forward_in_bands", broken)

    with pytest.raises(RuntimeError, match="scalar type"):
        _predict(model, _noise((20, 20)))


@pytest.mark.parametrize("filters", [(2,), (2, 2), (2, 2, 2), (2, 2, 2, 2, 2)])
def test_the_halo_is_as_far_as_one_pixel_reaches(filters: tuple[int, ...]) -> None:
    """All weights positive and one pixel raised above all: each output it reaches changes."""
    config = NetworkConfig(filters=filters)
    unet = UNet(config).eval().requires_grad_(False).double()
    for values in unet.parameters():
        values.abs_().add_(0.1)
    radius = receptive_radius(config)
    grid = unet.stride
    middle = -(-(radius + grid) // grid) * grid
    frame = torch.rand(1, 3, grid, 2 * middle, dtype=torch.float64)
    raised = frame.repeat(grid, 1, 1, 1)
    for position in range(grid):
        raised[position, :, 0, middle + position] = 1e4

    with torch.inference_mode():
        changed = ((unet(raised) - unet(frame)).abs() > 0).any(dim=(1, 2))

    reach = [
        abs(column - middle - position)
        for position in range(grid)
        for column in changed[position].nonzero().flatten().tolist()
    ]
    assert max(reach) == radius


def test_a_network_in_training_is_not_disturbed() -> None:
    model = model_of(SMALL.model_copy(update={"dropout": 0.9}))
    model.unet.train()

    first, second = (_predict(model, _noise((40, 40))) for _ in range(2))

    np.testing.assert_array_equal(first, second)
    assert model.unet.training


def test_bfloat16_is_near() -> None:
    model = lively_model()
    frame = _noise((64, 96))

    near = _predict(model, frame, scale="full", precision="bfloat16")

    difference = np.abs(near - _predict(model, frame, scale="full"))
    assert near.dtype == np.float32
    assert 0 < difference.mean() < 0.03


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceError, match="cuda:7"):
        predict_probability(model_of(), _noise((8, 8)), device="cuda:7")


@pytest.mark.parametrize("scale", ["train", "full"])
def test_weights_that_are_no_numbers_are_told(scale: Scale) -> None:
    model = model_of()
    model.unet.get_parameter("head.bias").fill_(float("nan"))

    with pytest.raises(ModelError, match=r"best\.safetensors.*choose another model"):
        _predict(model, _noise((8, 8)), scale=scale)


def test_a_model_for_other_channels_is_refused() -> None:
    with pytest.raises(ModelError, match="takes 1 channels"):
        _predict(model_of(NetworkConfig(in_channels=1, filters=(2,))), _noise((8, 8)))


@pytest.mark.parametrize("options", [{"scale": "half"}, {"tile": 0}])
def test_a_scale_or_tile_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be train or full"):
        _predict(model_of(), _noise((8, 8)), **options)


@pytest.mark.parametrize("scale", ["train", "full"])
def test_a_mask_is_the_probability_against_the_threshold(
    scale: Scale, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, frame = lively_model(), _noise((333, 517))
    options: dict[str, Any] = {"scale": scale, "device": "cpu", "precision": "float32"}
    options["engine"] = "torch"
    monkeypatch.setattr(estimate, "TILE_MEMORY", 150_000 * memory_per_pixel(SMALL, in_bands=True))

    mask = prediction.predict_mask(model, frame, threshold=0.3, **options)

    expected = binarize(_predict(model, frame, scale=scale), 0.3)
    assert mask.dtype == np.bool_
    assert 0.1 < expected.mean() < 0.9
    np.testing.assert_array_equal(mask, expected)
    with pytest.raises(LabelingError, match="choose one from 0 to 1"):
        prediction.predict_mask(model, frame, threshold=2.0)


def test_a_mask_of_a_large_frame_takes_no_more_than_its_tiles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that NumPy takes beside the mask belongs to one tile, and to the plan."""
    pixels = 40_000

    def cheap(_unet: UNet, x: Tensor) -> Tensor:
        assert x.shape[-2] * x.shape[-1] <= pixels
        return x[:, :1]

    monkeypatch.setattr(prediction, "forward_in_bands", cheap)
    monkeypatch.setattr(
        estimate, "TILE_MEMORY", int(pixels * memory_per_pixel(BAND_SMALL, in_bands=True))
    )
    model = model_of(BAND_SMALL)
    options: dict[str, Any] = {"device": "cpu", "precision": "float32", "engine": "torch"}
    frame = np.zeros((1000, 1600, 3), np.uint8)
    tracemalloc.start()
    try:
        mask = prediction.predict_mask(model, frame, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak - mask.nbytes < 24 * pixels < frame.nbytes


def test_the_threshold_itself_is_foreground() -> None:
    below, above = np.nextafter(np.float32(0.3), np.array([0, 1], np.float32))
    probability = np.array([[0, below, 0.3, above, 1]], np.float32)

    assert binarize(probability, 0.3).tolist() == [[False, False, True, True, True]]
    assert binarize(probability, 0.0).all()
    assert binarize(probability, 1.0).tolist() == [[False, False, False, False, True]]
    assert binarize(np.array([[0.5]], np.float32)).dtype == np.bool_


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float) -> None:
    with pytest.raises(LabelingError, match="choose one from 0 to 1"):
        binarize(np.zeros((2, 2), np.float32), threshold)


def test_a_model_of_the_other_role_is_refused() -> None:
    model = model_of(role="high")
    require_role(model, "high")

    with pytest.raises(ModelError, match=r"best\.safetensors.*trained for the high exposure"):
        require_role(model, "low")
