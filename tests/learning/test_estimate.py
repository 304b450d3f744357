import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from bracketseg.learning.batches import to_network, to_target
from bracketseg.learning.config import LOSSES, NetworkConfig, TrainConfig
from bracketseg.learning.devices import autocast
from bracketseg.learning.estimate import (
    ALIGNED,
    FRAME,
    HUGE,
    KERNELS,
    PROCESS,
    TILE_MEMORY,
    activation_bytes,
    activation_size,
    cache_bytes,
    fixed_step_bytes,
    image_step_bytes,
    images_that_fit,
    memory_per_pixel,
    parameter_count,
    prediction_bytes,
    tile_bytes,
    training_bytes,
)
from bracketseg.learning.losses import LOSSES as LOSS_FUNCTIONS
from bracketseg.learning.unet import UNet

CPU = torch.device("cpu")
MIB = 2**20


def kept_by_torch(network, loss, precision, images, size):
    """Bytes that the forward pass of one batch keeps, the weights and their copies left out."""
    unet = UNet(network).to(memory_format=torch.channels_last).train()
    rng = np.random.default_rng(0)
    x = to_network(rng.integers(0, 256, (images, size, size, 3), np.uint8), CPU)
    y = to_target(rng.random((images, size, size)) > 0.5, CPU)
    weights = {tuple(p.shape) for p in unet.parameters()}
    storages, alive = {}, []

    def keep(tensor):
        if tuple(tensor.shape) not in weights:
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        alive.append(tensor)  # or its address would be given to another
        return tensor

    dtype = None if precision == "float32" else torch.bfloat16
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        with autocast(CPU, dtype):
            logits = unet(x)
        LOSS_FUNCTIONS[loss](logits.float(), y)
    return sum(storages.values())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("filters", [(4,), (4, 8), (5, 3, 7), (16, 32, 64, 128, 256)])
def test_the_layers_keep_what_the_formula_says(filters, dropout, loss, precision):
    network = NetworkConfig(filters=filters, dropout=dropout)
    images, size = 3, 32
    measured = kept_by_torch(network, loss, precision, images, size)
    expected = activation_bytes(network, loss, precision) * images * size * size
    # The few numbers an image that the Dice loss keeps are not counted.
    assert measured == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("filters", [(4,), (5, 3, 7), (16, 32, 64, 128, 256)])
def test_parameters_are_counted_as_the_network_has_them(filters):
    network = NetworkConfig(filters=filters)
    assert parameter_count(network) == sum(p.numel() for p in UNet(network).parameters())


# Measured once: the peaks of the resident memory, MiB, of processes that learned batches of these
# sizes, the lowest and the highest of several (an allocator's holes differ from run to run), and
# of `bracketseg predict` with both roles, in bfloat16.
PEAKS = [
    (128, 2, "float32", 491, 500),
    (128, 2, "bfloat16", 466, 480),
    (256, 8, "float32", 1140, 1470),
    (256, 8, "bfloat16", 844, 952),
    (512, 4, "float32", 2118, 2549),
    (512, 4, "bfloat16", 1485, 1567),
    (512, 8, "float32", 3573, 4638),
    (512, 8, "bfloat16", 2253, 2792),
]
PREDICTION_PEAKS = [
    ((1060, 1900), "torch", 662),
    ((4000, 6000), "torch", 748),
    ((1060, 1900), "openvino", 938),
    ((4000, 6000), "openvino", 839),
    ((8660, 11547), "torch", 1006),
    ((8660, 11547), "openvino", 1113),
]


@pytest.mark.parametrize(("size", "batch", "precision", "lowest", "highest"), PEAKS)
def test_a_training_takes_about_what_was_measured(size, batch, precision, lowest, highest):
    config = TrainConfig(image_size=size, batch_size=batch)
    without_cache = training_bytes(config, batch, precision) - cache_bytes(batch, size)
    for peak in (lowest, highest):
        assert without_cache / MIB == pytest.approx(peak, rel=0.25)


@pytest.mark.parametrize(("shape", "engine", "peak"), PREDICTION_PEAKS)
def test_a_prediction_takes_about_what_was_measured(shape, engine, peak):
    expected = prediction_bytes(NetworkConfig(), shape, "bfloat16", engine)
    assert expected / MIB == pytest.approx(peak, rel=0.25)


def test_a_training_is_the_sum_of_its_parts():
    config = TrainConfig(image_size=64, batch_size=4)
    image, fixed = image_step_bytes(config, "float32"), fixed_step_bytes(config.network, "float32")
    assert fixed == 16 * parameter_count(config.network) + KERNELS
    images = 10 * 64 * 64 * 4
    assert training_bytes(config, 10, "float32", "cuda") == fixed + 4 * image + images
    assert training_bytes(config, 10, "float32") == fixed + 4 * image + images + PROCESS
    # Where there is no room for all images, those of a batch are there.
    assert training_bytes(config, 10, "float32", "cuda", images) == fixed + 4 * image + images
    sent = training_bytes(config, 10, "float32", "cuda", images - 1)
    assert sent == fixed + 4 * image + 4 * 64 * 64 * 4
    # There is no batch of more images than there are.
    assert training_bytes(config, 3, "float32", "cuda") == fixed + 3 * image + 3 * 64 * 64 * 4


def test_a_shorter_precision_takes_less_and_auto_counts_as_the_most():
    config = TrainConfig()
    sizes = [training_bytes(config, 9, p) for p in ("auto", "float32", "bfloat16", "float16")]
    assert sizes[0] == sizes[1] > sizes[2] == sizes[3]
    assert [activation_size(p) for p in ("auto", "float32", "bfloat16", "float16")] == [4, 4, 2, 2]


@pytest.mark.parametrize(
    ("room", "images", "fit"),
    [(8.0, 8, 8), (7.9, 8, 4), (3.0, 8, 3), (2.5, 5, 2), (1.0, 5, 1), (0.2, 5, 1), (-9, 5, 1)],
)
def test_parts_are_as_few_and_as_equal_as_fit(room, images, fit):
    config = TrainConfig(image_size=64)
    available = fixed_step_bytes(config.network, "float32") + int(
        room * image_step_bytes(config, "float32")
    )
    assert images_that_fit(config, images, "float32", available) == fit


def test_memory_per_pixel_of_the_papers_network():
    # At full resolution the decoder joins 16 upsampled with 16 skipped features.
    assert memory_per_pixel(NetworkConfig()) == 404
    assert memory_per_pixel(NetworkConfig(), item_size=2) == 212
    # In bands only the skip and the result are whole, beside the coarser result.
    assert memory_per_pixel(NetworkConfig(), in_bands=True) == (2 * 16 + 8) * 4 + 20
    # The deeper level is the widest here, beside the skip of the finer one.
    assert memory_per_pixel(NetworkConfig(filters=(4, 64))) == (4 + 6 * 16) * 4 + 20


def test_a_large_frame_is_predicted_in_tiles():
    small, large, twice = (
        prediction_bytes(NetworkConfig(), (side, 4096)) for side in (512, 4096, 8192)
    )
    assert large - small < 2 * TILE_MEMORY
    assert twice - large == FRAME * 4096 * 4096


def test_parts_of_a_frame_that_is_itself_large_are_smaller():
    for engine, in_bands in (("torch", True), ("openvino", False)):
        sizes = [tile_bytes(frame, engine, in_bands=in_bands) for frame in (HUGE - 1, HUGE)]
        assert sizes[1] < 0.7 * sizes[0]


def test_probabilities_alignment_and_the_size_of_training_count():
    network, shape = NetworkConfig(), (4096, 4096)

    def more(**options):
        return prediction_bytes(network, shape, **options) - prediction_bytes(network, shape)

    assert more(probabilities=2) == 8 * 4096 * 4096
    assert more(aligned=True) == ALIGNED * 4096 * 4096
    # The network is shown little, but the frame is read all the same.
    small = prediction_bytes(network, (256, 256))
    resized = prediction_bytes(network, shape, side=256)
    assert resized - small == (FRAME + 4) * 4096 * 4096 - FRAME * 256 * 256
