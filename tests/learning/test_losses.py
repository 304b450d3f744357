import math

import numpy as np
import pytest
import torch

from bracketseg.learning.config import LOSSES as NAMES
from bracketseg.learning.losses import LOSSES, bce, dice, dice_bce, focal


def batch(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype).reshape(-1, 1, 2, 2)


# Probabilities 0.8, 0.6, 0.3, 0.1 against the target 1, 0, 1, 0.
P = np.array([0.8, 0.6, 0.3, 0.1])
LOGITS = batch(np.log(P / (1 - P)))
TARGET = batch([1, 0, 1, 0])


def test_each_name_has_its_loss():
    assert tuple(LOSSES) == NAMES
    assert list(LOSSES.values()) == [bce, focal, dice_bce]


def test_bce_by_hand():
    expected = -(math.log(0.8) + math.log(0.4) + math.log(0.3) + math.log(0.9)) / 4
    assert bce(LOGITS, TARGET).item() == pytest.approx(expected)


def test_focal_by_hand():
    foreground = 0.25 * (0.2**2 * math.log(0.8) + 0.7**2 * math.log(0.3))
    background = 0.75 * (0.6**2 * math.log(0.4) + 0.1**2 * math.log(0.9))
    assert focal(LOGITS, TARGET).item() == pytest.approx(-(foreground + background) / 4)


def test_dice_by_hand():
    # 2 (0.8 + 0.3) + 1 over 1.8 + 2 + 1.
    assert dice(LOGITS, TARGET).item() == pytest.approx(1 - 3.2 / 4.8)


def test_dice_bce_is_the_sum():
    expected = dice(LOGITS, TARGET) + bce(LOGITS, TARGET)
    assert dice_bce(LOGITS, TARGET).item() == pytest.approx(expected.item())


def test_dice_is_summed_over_an_image_and_averaged_over_images():
    logits = torch.cat((LOGITS, LOGITS.flip(-1) * 2))
    target = torch.cat((TARGET, TARGET))
    single = [dice(logits[i : i + 1], target[i : i + 1]).item() for i in range(2)]
    assert single[0] != pytest.approx(single[1])
    assert dice(logits, target).item() == pytest.approx(sum(single) / 2)


def test_two_empty_masks_have_no_dice_loss():
    assert dice(batch([-100.0] * 4), batch([0.0] * 4)).item() == pytest.approx(0.0)


@pytest.mark.parametrize("loss", [bce, focal, dice, dice_bce])
def test_gradients_are_right(loss):
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 1, 3, 4, dtype=torch.float64, generator=generator)
    target = (torch.rand(2, 1, 3, 4, generator=generator) < 0.4).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, target), logits.requires_grad_())


@pytest.mark.parametrize("loss", [bce, focal, dice, dice_bce])
def test_extreme_logits_stay_finite(loss):
    logits = batch([100.0, -100.0, 100.0, -100.0], torch.float32).requires_grad_()
    target = batch([1.0, 1.0, 0.0, 0.0], torch.float32)
    value = loss(logits, target)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_a_hopeless_pixel_costs_its_logit():
    wrong = batch([100.0] * 4, torch.float32), batch([0.0] * 4, torch.float32)
    assert bce(*wrong).item() == pytest.approx(100.0)
    assert focal(*wrong).item() == pytest.approx(0.75 * 100.0)


@pytest.mark.parametrize("loss", [bce, focal, dice, dice_bce])
def test_a_perfect_answer_costs_nothing_and_the_size_does_not_count(loss):
    target = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).reshape(1, 1, 2, 2)
    logits = (target - 0.5) * 60
    assert loss(logits, target).item() == pytest.approx(0.0, abs=1e-6)
    assert loss(logits, target).shape == ()
    if loss is not dice_bce and loss is not dice:
        doubled = loss(LOGITS.repeat(1, 1, 2, 2), TARGET.repeat(1, 1, 2, 2))
        assert doubled.item() == pytest.approx(loss(LOGITS, TARGET).item())
