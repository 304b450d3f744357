"""Brackets whose true radiance is known: views into CC0 radiance maps, by a simulated camera."""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sample_data"))

from make_models import TEST_MAPS, random_light, random_response, random_scene
from make_sample_data import Response, expose, meter, read_map, respond, view
from scenes import Package

STOPS = (-2, 0, 2)
"""Of the frames low, medium and high."""

WHITE = 4.0
"""What the low frame can hold at most, in the unit of the radiance: what the medium one can."""

# The rule `auto` was tuned on the first half alone; the networks that the package brings have
# learned from none of the maps in TEST_MAPS.
TUNING: dict[Package, tuple[str, ...]] = {
    "blender-data": ("city", "forest", "studio", "sunrise"),
    "@pmndrs/assets": (
        *("apartment", "esplanade", "hall", "night", "sky"),
        *("studio", "sunset", "warehouse", "workshop"),
    ),
}
HELD_OUT: dict[Package, tuple[str, ...]] = {
    "blender-data": (*TEST_MAPS["blender-data"], "night", "sunset"),
    "@pmndrs/assets": (*TEST_MAPS["@pmndrs/assets"], "bridge", "lab", "park", "venice"),
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """One bracket of one scene.

    Attributes
    ----------
    name : str
    frames : tuple of (H, W, 3) uint8
        Dark to bright, at `STOPS`.
    truth : (H, W, 3) float32
        Linear radiance; 1 clips in the medium frame.
    inverse : (256,) float32
        What the medium frame says of the radiance by each of its values.
    clips_at : int
        The value of a channel that clips.
    unseen : bool
        Whether no network of the package has learned from its map.
    """

    name: str
    frames: tuple[NDArray[np.uint8], ...]
    truth: NDArray[np.float32]
    inverse: NDArray[np.float32]
    clips_at: int
    unseen: bool

    @property
    def radiances(self) -> list[NDArray[np.float32]]:
        """What each frame by itself says of the radiance."""
        pairs = zip(self.frames, STOPS, strict=True)
        return [self.inverse[frame] / np.float32(2.0**ev) for frame, ev in pairs]


def simulate(
    maps: dict[Package, tuple[str, ...]],
    *,
    assets: Path,
    blender: Path,
    iso: int,
    views: int,
    size: tuple[int, int],
    quality: int | None,
) -> Iterator[Simulated]:
    """Take brackets of random views, the same ones at every ISO.

    Parameters
    ----------
    maps : dict of package to names
    assets, blender : Path
        The unpacked packages; a package that is missing is left out.
    iso : int
        100 is the least noisy.
    views : int
        Of each map.
    size : tuple of int
        Width, height.
    quality : int or None
        Of the JPEG that each frame goes through; None for none.
    """
    for package, names in maps.items():
        if not {"blender-data": blender, "@pmndrs/assets": assets}[package].is_dir():
            continue
        for name in names:
            radiance = None
            for number in range(views):
                generator = np.random.default_rng([1, *f"{package}/{name}".encode(), number])
                scene = random_scene(package, name, number, size, generator)
                if radiance is None:
                    radiance = read_map(scene, assets, blender)
                seen = random_light(view(radiance, scene), generator)
                response = random_response(generator)
                truth = seen * np.float32(meter(seen[::4, ::4], scene.metered, response))
                noise = np.random.default_rng([2, number, iso])
                frames = [expose(truth, ev, iso, noise, response) for ev in STOPS]
                yield Simulated(
                    name=scene.name,
                    frames=tuple(_stored(frame, quality) for frame in frames),
                    truth=truth,
                    inverse=_inverse(response),
                    clips_at=round(255 * response.white),
                    unseen=name in TEST_MAPS[package],
                )


def _inverse(response: Response) -> NDArray[np.float32]:
    exposures = np.linspace(0, 1, 65537, dtype=np.float32)
    values = respond(exposures, response) * 255
    return np.interp(np.arange(256), values, exposures).astype(np.float32)


def _stored(frame: NDArray[np.uint8], quality: int | None) -> NDArray[np.uint8]:
    if quality is None:
        return frame
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.uint8)
