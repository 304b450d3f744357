"""Brackets of which it is known how the camera was held and what moved."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

from bracketseg.brackets.layouts import find_brackets

SHAPE = (400, 560)
ORIGIN = (200, 110)
"""Column and row of the scene where the reference begins."""


@cache
def scene():
    """Radiance of a sample scene, larger than the frames: (640, 1024, 3), white of medium 1."""
    root = Path(str(files("bracketseg") / "sample_data" / "brackets"))
    found = {bracket.scene: bracket for bracket in find_brackets(root).brackets}["garden_gate"]
    low, medium = (linear(found.frame(role).read()) for role in ("low", "medium"))
    return np.where(medium < 0.8, medium, 4 * low).astype(np.float32)


def linear(image):
    """Undo sRGB's curve."""
    encoded = image / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def turned(degrees, dx, dy, *, tilt=0.0, growth=1.0):
    """A hand that turns, moves and tilts the camera: from the frame to the reference."""
    height, width = SHAPE
    to_middle = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
    angle = np.deg2rad(degrees)
    cos, sin = growth * np.cos(angle), growth * np.sin(angle)
    move = np.array([[cos, -sin, dx], [sin, cos, dy], [tilt, -tilt / 2, 1]])
    found = np.linalg.inv(to_middle) @ move @ to_middle
    return found / found[2, 2]


def photograph(radiance, stops, rng, matrix=None, noise=1.0):
    """Take a picture of a scene: (400, 560, 3) uint8, noisy and clipped.

    `noise` 1 is that of a good camera: 4000 electrons at white, and 4 of reading.
    """
    begin = np.array([[1, 0, ORIGIN[0]], [0, 1, ORIGIN[1]], [0, 0, 1]], dtype=float)
    way = begin @ (np.eye(3) if matrix is None else matrix)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(radiance, way, SHAPE[::-1], flags=flags) * 2.0**stops
    sigma = noise * np.sqrt(np.maximum(seen, 0) / 4000 + (4 / 4000) ** 2)
    level = np.clip(seen + sigma * rng.standard_normal(seen.shape), 0, 1)
    encoded = np.where(level <= 0.0031308, 12.92 * level, 1.055 * level ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)
