from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import rgb2lab

from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.overlay import OUTCOMES, compose

# What full protanopia, deuteranopia and tritanopia make of linear RGB (Machado 2009).
SIGHTS = {
    "full colour": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(color, sight):
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    turned = np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1)
    shown = np.where(turned <= 0.0031308, turned * 12.92, 1.055 * turned ** (1 / 2.4) - 0.055)
    return rgb2lab(shown)


def test_the_four_outcomes():
    numbers = {outcome.title: outcome.number for outcome in OUTCOMES}
    reference = np.array([[True, True, False, False]])
    prediction = np.array([[True, False, True, False]])
    titles = ["true positive", "false negative", "false positive", "true negative"]
    composed = compose(reference, prediction)
    assert composed.dtype == np.uint8
    np.testing.assert_array_equal(composed, [[numbers[title] for title in titles]])


@given(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
        lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
    )
)
def test_the_picture_holds_the_counts(pair):
    counts = confusion(*pair)
    found = np.bincount(compose(*pair).ravel(), minlength=5)
    numbers = {outcome.title: found[outcome.number] for outcome in OUTCOMES}
    assert numbers == {
        "true positive": counts.tp,
        "false positive": counts.fp,
        "false negative": counts.fn,
        "true negative": counts.tn,
    }
    assert found[0] == 0


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_colours_differ_to_all_eyes(sight):
    colors = {outcome.title: seen(outcome.color, sight) for outcome in OUTCOMES}
    for first, second in combinations(colors, 2):
        apart = np.linalg.norm(colors[first] - colors[second])
        assert apart > 20, (first, second, apart)
