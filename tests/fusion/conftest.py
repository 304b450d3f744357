from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from bracketseg.brackets.luma import luma
from bracketseg.brackets.radiance import displayed
from bracketseg.fusion.exposures import Exposures, as_weight
from bracketseg.fusion.frame_taken import NONE
from bracketseg.labeling.ranges import DEFAULT_RANGES

BRIGHTEST = 1.5
"""Stops above the white of the medium frame, at the right end of a ramp."""


@dataclass
class Scene:
    """A scene of known radiance, and the bracket that a perfect camera makes of it."""

    radiance: np.ndarray
    evs: tuple[float, ...] = (-2.0, 0.0, 2.0)
    dtype: type = np.uint8

    @property
    def images(self):
        return tuple(stored(displayed(self.radiance, ev), self.dtype) for ev in self.evs)

    def exposures(self, low=None, high=None, **more):
        images = more.pop("images", self.images)
        masks = {"low": low, "high": high}
        for role, image in (("low", images[0]), ("high", images[-1])):
            if masks[role] is None:
                values = luma(image)
                masks[role] = DEFAULT_RANGES[role].bounds(values, role).mask(values)
            masks[role] = as_weight(masks[role])
        return Exposures(images=images, evs=more.pop("evs", self.evs), **masks, **more)


def stored(picture, dtype):
    """Encode 0..1 as the samples of a file."""
    if dtype == np.float32:
        return picture
    return np.rint(picture * np.iinfo(dtype).max).astype(dtype)


def ramp(height, width, stops=8.0):
    """Radiance that grows from left to right by so many stops, in colour: (H, W, 3).

    The low frame, 2 stops below the medium one, just does not clip at the right end.
    """
    light = 2.0 ** np.linspace(BRIGHTEST - stops, BRIGHTEST, width)
    colour = np.array([1.0, 0.8, 0.6])
    return (light[None, :, None] * np.ones((height, 1, 1)) * colour).astype(np.float32)


@pytest.fixture
def scene():
    return Scene(ramp(97, 181))


@pytest.fixture
def textured(rng):
    """A ramp with texture on it, smooth over a few pixels."""
    texture = cv2.GaussianBlur(rng.standard_normal((120, 200)).astype(np.float32), (0, 0), 2)
    return Scene(ramp(120, 200, 6) * np.exp2(texture / texture.std() * 0.3)[..., None])


AREA = (slice(40, 80), slice(60, 100))
"""Rows and columns in which something moved; see `moved`."""


def moved(textured, value=0.2):
    """The bracket with something else in the low and the high frame, and where that is."""
    taken = np.full((120, 200), NONE, np.int8)
    taken[AREA] = 1
    images = [image.copy() for image in textured.images]
    white = 1 if images[0].dtype.kind == "f" else np.iinfo(images[0].dtype).max
    images[0][AREA] = images[2][AREA] = value * white
    return images, taken
