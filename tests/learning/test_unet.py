import pytest
import torch
import torch.nn.functional as F

from bracketseg.learning.config import NetworkConfig
from bracketseg.learning.unet import INPUT_MEAN, Dropout, Noise, UNet, receptive_radius

SMALL = NetworkConfig(filters=(3, 5, 7))


def net(config: NetworkConfig = SMALL, seed: int = 1) -> UNet:
    return UNet(config, torch.Generator().manual_seed(seed)).eval()


def images(*shape: int, seed: int = 2) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_the_network_of_the_paper_has_2158705_parameters():
    assert sum(p.numel() for p in UNet(NetworkConfig()).parameters()) == 2_158_705


def test_channels_and_filters_can_be_chosen():
    unet = net(NetworkConfig(in_channels=1, filters=(2, 3)))
    weights = {name: tuple(p.shape) for name, p in unet.named_parameters() if "weight" in name}
    assert weights == {
        "encoder.0.first.weight": (2, 1, 3, 3),
        "encoder.0.second.weight": (2, 2, 3, 3),
        "encoder.1.first.weight": (3, 2, 3, 3),
        "encoder.1.second.weight": (3, 3, 3, 3),
        "decoder.0.up.weight": (3, 2, 3, 3),
        "decoder.0.first.weight": (2, 4, 3, 3),
        "decoder.0.second.weight": (2, 2, 3, 3),
        "head.weight": (1, 2, 1, 1),
    }


@torch.no_grad()
def test_layers_stand_in_the_order_of_section_2_2():
    unet = net(NetworkConfig(filters=(3, 5)))
    p = unet.state_dict()
    for name in p:
        p[name].add_(0.01)  # biases count too
    x = images(2, 3, 8, 12)

    def conv(x, name):
        return F.relu(F.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding=1))

    skip = conv(conv((x - 0.4) / 0.25, "encoder.0.first"), "encoder.0.second")
    deep = conv(conv(F.max_pool2d(skip, 2), "encoder.1.first"), "encoder.1.second")
    up = F.conv_transpose2d(
        deep,
        p["decoder.0.up.weight"],
        p["decoder.0.up.bias"],
        stride=2,
        padding=1,
        output_padding=1,
    )
    joined = torch.cat((up, skip), dim=1)
    last = conv(conv(joined, "decoder.0.first"), "decoder.0.second")
    expected = F.conv2d(last, p["head.weight"], p["head.bias"])
    torch.testing.assert_close(unet(x), expected)


def test_dropout_stands_where_section_2_2_puts_it():
    unet, called = net(NetworkConfig(filters=(3, 5))), []
    for name, module in unet.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda *_, name=name: called.append(name))
    unet(images(1, 3, 4, 4))
    assert called == [
        *("encoder.0.first", "encoder.0.second", "encoder.0.dropout"),
        *("encoder.1.first", "encoder.1.second", "encoder.1.dropout"),
        *("decoder.0.up", "decoder.0.first", "decoder.0.dropout", "decoder.0.second"),
        "head",
    ]


@torch.no_grad()
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (4, 4), (5, 7), (16, 1), (31, 33)])
def test_any_size_goes_in_and_comes_out(size):
    logits = net()(images(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@torch.no_grad()
def test_padding_reflects_and_repeats_the_edge_where_it_cannot():
    unet = net()
    x = images(1, 3, 6, 1)
    padded = torch.cat((x, x[..., [4, 3], :]), dim=2)  # the last row is not repeated
    padded = padded.expand(-1, -1, -1, 4)
    torch.testing.assert_close(unet(x), unet(padded.contiguous())[..., :6, :1])


def test_weights_begin_so_that_the_signal_keeps_its_variance_and_biases_zero():
    unet = net(NetworkConfig())
    for name, p in unet.named_parameters():
        if name.endswith("bias"):
            assert not p.any()
        elif p.numel() > 1000:
            # A transposed convolution of stride 2 has (inputs, outputs, 3, 3) weights, a
            # quarter of which make one output; no ReLU follows it.
            variance = 4 / (9 * p.shape[0]) if ".up." in name else 2 / (9 * p.shape[1])
            assert p.var().item() == pytest.approx(variance, rel=0.1)


def test_the_input_is_centred_before_the_first_layer():
    unet, seen = net(), []
    unet.encoder[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    unet(torch.tensor([0.0, INPUT_MEAN, 1.0]).expand(1, 3, 4, 3))
    torch.testing.assert_close(seen[0][0, 0, 0, :3], torch.tensor([-1.6, 0.0, 2.4]))


def test_weights_come_from_the_generator_alone():
    before = torch.get_rng_state()
    first, again, other = net(seed=1), net(seed=1), net(seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_dropout_drops_its_rate_and_keeps_the_mean(dtype, memory_format):
    x = torch.ones(3, 5, 101, 67, dtype=dtype).to(memory_format=memory_format)
    dropout = Dropout(0.3, Noise(4)).train()
    y = dropout(x)
    assert y.dtype == dtype
    assert y.stride() == x.stride()
    assert (y == 0).double().mean().item() == pytest.approx(0.3, abs=0.01)
    kept = y[y != 0].unique()
    assert kept.tolist() == pytest.approx([1 / 0.7], rel=4e-3)


def test_dropout_is_even_over_an_image():
    y = Dropout(0.5, Noise(4)).train()(torch.ones(64, 1, 8, 64))
    for axis in (0, 2, 3):
        others = tuple({0, 1, 2, 3} - {axis})
        assert (y == 0).double().mean(others).sub(0.5).abs().max() < 0.12


@pytest.mark.parametrize("rate", [1e-9, 0.999999])
def test_dropout_takes_extreme_rates(rate):
    y = Dropout(rate, Noise()).train()(torch.ones(1, 1, 8, 8))
    assert (y == 0).double().mean().item() == pytest.approx(rate, abs=0.05)


def test_no_dropout_outside_training_or_at_rate_zero():
    x = images(1, 3, 4, 4)
    assert Dropout(0.5, Noise()).eval()(x) is x
    assert Dropout(0.0, Noise()).train()(x) is x


@torch.no_grad()
def test_dropout_follows_its_seed_and_nothing_else():
    unet, x = net(NetworkConfig(filters=(3, 5), dropout=0.5)).train(), images(1, 3, 8, 8)

    def run(seed: int) -> torch.Tensor:
        unet.seed_dropout(seed)
        return unet(x)

    first = run(1)
    before = torch.get_rng_state()
    assert not torch.equal(unet(x), first)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert torch.equal(run(1), first)
    assert not torch.equal(run(2), first)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_batch_in_parts_drops_what_the_whole_batch_drops(dtype):
    x = torch.ones(5, 3, 8, 12, dtype=dtype).to(memory_format=torch.channels_last)
    whole, parts = (Dropout(0.5, Noise(4)).train() for _ in range(2))
    assert torch.equal(whole(x), torch.cat([parts(x[:1]), parts(x[1:3]), parts(x[3:])]))


def test_each_layer_drops_other_values():
    unet = net(NetworkConfig(filters=(3, 5), dropout=0.5)).train()
    unet.seed_dropout(7)
    layers = [module for module in unet.modules() if isinstance(module, Dropout)]
    dropped = [layer(torch.ones(1, 1, 16, 16)) for layer in layers]
    assert len(dropped) == 3
    for i, one in enumerate(dropped):
        assert not any(torch.equal(one, other) for other in dropped[:i])


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_receptive_radius_is_how_far_an_output_sees(depth):
    config = NetworkConfig(in_channels=1, filters=(3,) * depth, dropout=0.0)
    step, radius = 2 ** (depth - 1), receptive_radius(config)
    side = (2 * radius // step + 4) * step
    middle = side // 2 // step * step
    furthest = 0
    for seed in range(4):
        unet = net(config, seed).double()
        with torch.no_grad():
            for p in unet.parameters():
                p.abs_()  # so that no ReLU cuts a path off
        for position in range(middle, middle + step):
            x = images(1, 1, side, side, seed=seed).double().requires_grad_()
            unet(x)[0, 0, position, position].backward()
            seen = x.grad[0, 0].nonzero()
            furthest = max(furthest, int((seen - position).abs().max()))
    assert furthest == radius


def test_receptive_radius_of_the_paper():
    assert receptive_radius(NetworkConfig()) == 122
