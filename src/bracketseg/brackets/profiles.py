"""ICC profiles: from the colours of a camera or an editor to sRGB."""

from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

# Two of 255 steps: sRGB profiles of different makers differ by less.
_SAME = 2
# The largest profile of a known maker has 4 MB; a forged length has more.
MAX_BYTES = 16 * 2**20

_ROWS = 256

_SPACES = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk"}
_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}


def profile_problem(profile: bytes, channels: int) -> str:
    """Say why the colours of a profile cannot be converted; empty if they can.

    Parameters
    ----------
    profile : bytes
        An ICC profile; empty for none.
    channels : int
        Of the stored pixels: 1 for grey, 3 for RGB, 4 for CMYK.

    Returns
    -------
    str
        A sentence that tells what is done instead.
    """
    if not profile or _is_usable(profile, channels):
        return ""
    instead = "as plain CMYK" if channels == 4 else "as sRGB"
    return (
        f"its colour profile is damaged or of another kind than its pixels: they are read {instead}"
    )


def to_srgb(pixels: NDArray[Any], profile: bytes) -> NDArray[Any]:
    """Convert the colours of a picture to sRGB, as its profile says.

    Parameters
    ----------
    pixels : (H, W), (H, W, 3) or (H, W, 4) array
        Grey, RGB, or CMYK with 0 for no ink; uint8, uint16 or float32. Floats outside 0..1
        are left as they are.
    profile : bytes
        An ICC profile. An empty one, one of sRGB and one that cannot be used change
        nothing, but CMYK always becomes RGB.

    Returns
    -------
    (H, W) or (H, W, 3) array
        Of the same type. Perceptual intent; what lies outside sRGB is clipped.

    References
    ----------
    ICC.1:2022, section 6.2; IEC 61966-2-1:1999 (sRGB).
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if not profile or not _is_usable(profile, channels):
        return _without_inks(pixels) if channels == 4 else pixels
    if channels != 4 and _is_srgb(profile, channels):
        return pixels
    if pixels.dtype.kind == "f":
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            return pixels
        converted = _transformed(pixels, profile, channels).clip(0, 1)
    else:
        converted = _transformed(pixels, profile, channels)
    return np.ascontiguousarray(converted[..., 0]) if channels == 1 else converted


def _without_inks(cmyk: NDArray[Any]) -> NDArray[Any]:
    """RGB of CMYK that no profile explains: each ink takes its share of the light."""
    most = np.iinfo(cmyk.dtype).max
    rgb = np.empty((*cmyk.shape[:2], 3), cmyk.dtype)
    # In parts: as floats, inks and light take many times the memory.
    for start in range(0, len(cmyk), _ROWS):
        rows = slice(start, start + _ROWS)
        light = 1 - cmyk[rows].astype(np.float32) / most
        rgb[rows] = np.rint(light[..., :3] * light[..., 3:] * most)
    return rgb


@lru_cache(maxsize=64)
def _is_usable(profile: bytes, channels: int) -> bool:
    space = _SPACES.get(profile[16:20])
    if len(profile) > MAX_BYTES or space is None or _CHANNELS[space] != channels:
        return False
    try:
        _transformed(np.zeros((1, 1, channels), np.uint8), profile, channels)
    except RuntimeError:  # what the library's own error derives from
        return False
    return True


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes, channels: int) -> bool:
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    if channels == 1:
        grey = np.arange(256, dtype=np.uint8)[None, :, None]
        colours, expected = grey, np.repeat(grey, 3, axis=2)
    else:
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        expected = colours
    difference = _transformed(colours, profile, channels).astype(int) - expected
    return bool(np.abs(difference).max() <= _SAME)


def _transformed(pixels: NDArray[Any], profile: bytes, channels: int) -> NDArray[Any]:
    """RGB by the profile, (H, W, 3)."""
    if channels == 1:
        pixels = pixels.reshape(pixels.shape[:2])
    converted: NDArray[Any] = imagecodecs.cms_transform(
        np.ascontiguousarray(pixels),
        profile,
        _srgb(),
        colorspace={1: "gray", 3: "rgb", 4: "cmyk"}[channels],
        outcolorspace="rgb",
    )
    return converted


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    return bytes(imagecodecs.cms_profile("srgb"))
