"""The three losses that the paper compares (section 2.3), on logits.

Each takes the logits z of the network and a target y of 0 and 1, both
(N, 1, H, W) float, and returns a scalar. With p = sigmoid(z), the paper writes them as
sums over the pixels; here they are means, since in a sum the Dice part of eq. 4, which
never exceeds 1, would vanish beside the cross-entropy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bracketseg.learning.config import Loss

ALPHA = 0.25
"""Weight of the foreground in eq. 2; the background has 1 - ALPHA."""

GAMMA = 2.0
"""How much eq. 2 turns away from pixels that are already right."""

SMOOTH = 1.0
"""Added to both parts of the fraction in eq. 3, so that two empty masks have a loss of 0."""


def bce(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy, eq. 1: the mean of ``-(y log p + (1 - y) log(1 - p))``.

    Examples
    --------
    >>> float(bce(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)))  # log 2
    0.6931471824645996
    """
    return F.binary_cross_entropy_with_logits(logits, target)


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """Focal loss, eq. 2, with alpha 0.25 on the foreground and gamma 2.

    The mean of ``-(alpha y (1 - p)^gamma log p + (1 - alpha) (1 - y) p^gamma log(1 - p))``.

    References
    ----------
    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", DOI 10.1109/ICCV.2017.324.
    """
    # With s = z on the foreground and -z elsewhere, sigmoid(-s) is how wrong a pixel is and
    # softplus(-s) its cross-entropy; neither overflows.
    wrong = torch.where(target > 0.5, -logits, logits)
    weight = torch.where(target > 0.5, ALPHA, 1.0 - ALPHA)
    return (weight * torch.sigmoid(wrong) ** GAMMA * F.softplus(wrong)).mean()


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """Dice loss, eq. 3: ``1 - (2 sum(y p) + 1) / (sum(y) + sum(p) + 1)``.

    The sums run over the pixels of each image; the losses of the images are averaged.
    """
    p = torch.sigmoid(logits).flatten(1)
    y = target.flatten(1)
    overlap = (p * y).sum(1)
    return (1.0 - (2.0 * overlap + SMOOTH) / (p.sum(1) + y.sum(1) + SMOOTH)).mean()


def dice_bce(logits: Tensor, target: Tensor) -> Tensor:
    """Dice loss plus binary cross-entropy, eq. 4."""
    return dice(logits, target) + bce(logits, target)


LOSSES: dict[Loss, Callable[[Tensor, Tensor], Tensor]] = {
    "bce": bce,
    "focal": focal,
    "dice-bce": dice_bce,
}
"""The loss of each name in a config."""
