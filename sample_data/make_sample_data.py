"""Make the exposure brackets in ``brackets/`` from CC0 radiance maps, with a simulated camera.

Two packages hold the maps; fetch and unpack them in an empty folder, then run this script::

    npm pack @pmndrs/assets@1.7.0 && tar -xzf pmndrs-assets-1.7.0.tgz
    apt-get download blender-data && dpkg-deb -x blender-data_*.deb blender
    python sample_data/make_sample_data.py --assets package --blender blender

It needs NumPy, OpenCV, Pillow and the ``OpenEXR`` wheel. With the same versions of these and the
same seed it writes the same bytes. README.md beside this file says what the pictures are.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import fractions
import math
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import OpenEXR  # type: ignore[import-not-found]
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from scenes import SCENES, Scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
QUALITY = 93
SUPERSAMPLING = 2
FULL_WELL = 16_000.0  # electrons that fill one pixel at ISO 100
READ_NOISE = 4.0  # electrons, standard deviation
WHITE_BALANCE = np.array([1.8, 1.0, 1.5], np.float32)  # gains after the sensor, R G B


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """How a camera turns exposure into display values.

    Attributes
    ----------
    shoulder : float
        Strength of the highlight roll-off, above 0.
    contrast : float
        Share of the S-curve, 0 to 1.
    white : float
        Display value of a pixel that clips, 0 to 1.
    """

    shoulder: float = 1.8
    contrast: float = 0.35
    white: float = 1.0


RESPONSE = Response()


def read_map(scene: Scene, assets: Path, blender: Path) -> NDArray[np.float32]:
    """Read one equirectangular radiance map out of the unpacked packages.

    Parameters
    ----------
    scene : Scene
        Names the package and the map.
    assets : Path
        The unpacked npm package, the folder that holds ``hdri/``.
    blender : Path
        The unpacked Debian package, the folder that holds ``usr/``.

    Returns
    -------
    (H, 2H, 3) float32
        Linear RGB radiance in relative units, all above zero.

    Raises
    ------
    SystemExit
        If the map is not there.
    """
    if scene.package == "blender-data":
        worlds = "usr/share/blender/datafiles/studiolights/world"
        path = blender / worlds / f"{scene.map_name}.exr"
    else:
        path = assets / "hdri" / f"{scene.map_name}.exr.js"
    if not path.is_file():
        raise SystemExit(f"{path} is missing: unpack {scene.package} as the top of this file says")
    if path.suffix == ".exr":
        return repair(read_exr(path))
    match = re.search(r"base64,([A-Za-z0-9+/=]+)", path.read_text(encoding="ascii"))
    if match is None:
        raise SystemExit(f"{path} holds no base64 data: fetch {scene.package} again")
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "map.exr"
        unpacked.write_bytes(base64.b64decode(match.group(1)))
        return repair(read_exr(unpacked))


def read_exr(path: Path) -> NDArray[np.float32]:
    """Read the RGB channels of an EXR file as (H, W, 3) float32."""
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        whole = channels.get("RGB") or channels.get("RGBA")
        if whole is not None:
            pixels = whole.pixels[..., :3]
        else:
            pixels = np.stack([channels[name].pixels for name in "RGB"], axis=-1)
        return np.asarray(pixels, np.float32)


def repair(radiance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill the dark rings that resampling left around windows, lamps and the sun.

    The maps were made smaller with a filter that undershoots, so that some values beside a bright
    edge are negative or far too dark. A morphological closing takes their place: 3 x 3 where a
    channel is under 2 % of the median luminance, 5 x 5 where it is under half of its surroundings
    within four pixels of something 200 times as bright as the median.

    Parameters
    ----------
    radiance : (H, W, 3) float32
        Linear radiance as stored.

    Returns
    -------
    (H, W, 3) float32
        Linear radiance, at least 0.1 % of the median luminance.
    """
    luminance = radiance.mean(axis=2)
    median = float(np.median(luminance))
    fine = cv2.morphologyEx(radiance, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    coarse = cv2.morphologyEx(radiance, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    source = (luminance > 200 * median).astype(np.uint8)
    near = cv2.dilate(source, np.ones((9, 9), np.uint8)) > 0
    lowest = radiance.min(axis=2)
    halo = near & (lowest < 0.5 * coarse.min(axis=2))
    filled = np.where((lowest < 0.02 * median)[..., None], fine, radiance)
    filled = np.where(halo[..., None], coarse, filled)
    return np.maximum(filled, 0.001 * median).astype(np.float32)


def view(radiance: NDArray[np.float32], scene: Scene) -> NDArray[np.float32]:
    """Render what a wide-angle lens sees in one direction.

    The projection is Panini's with distance d = ``scene.panini``: verticals stay straight; d = 0
    is the ordinary perspective (gnomonic) one, d = 1 keeps the sides of a wide view from being
    stretched. Resampling is Lanczos on the logarithm, so that a lamp throws no rings, at
    `SUPERSAMPLING` times the size, then averaged down.

    Parameters
    ----------
    radiance : (H, 2H, 3) float32
        Equirectangular map; its centre column looks to yaw 0, its middle row is the horizon.
    scene : Scene
        Direction, field of view and size.

    Returns
    -------
    (height, width, 3) float32
        Linear radiance.
    """
    rows, columns = radiance.shape[:2]
    width, height = (SUPERSAMPLING * side for side in scene.size)
    d = scene.panini
    half = math.radians(scene.field_of_view) / 2
    extent = (d + 1) * math.sin(half) / (d + math.cos(half))
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * extent
    y = (1 - (np.arange(height) + 0.5) / height * 2) * extent * height / width
    # Solves x = (d + 1) sin(phi) / (d + cos(phi)) for phi, then y = (d + 1) tan(theta) / (...).
    k = x**2 / (d + 1) ** 2
    cosine = (-k * d + np.sqrt(k**2 * d**2 - (k + 1) * (k * d**2 - 1))) / (k + 1)
    scale = (d + 1) / (d + cosine)
    azimuth = np.arctan2(x, scale * cosine)
    rise = y[:, None] / scale
    ray = np.stack(np.broadcast_arrays(np.sin(azimuth), rise, np.cos(azimuth)), axis=-1)
    pitch = math.radians(scene.pitch)
    up = ray[..., 1] * math.cos(pitch) + ray[..., 2] * math.sin(pitch)
    ahead = ray[..., 2] * math.cos(pitch) - ray[..., 1] * math.sin(pitch)
    longitude = np.arctan2(ray[..., 0], ahead) + math.radians(scene.yaw)
    latitude = np.arctan2(up, np.hypot(ray[..., 0], ahead))
    u = np.mod(longitude / (2 * math.pi) + 0.5, 1) * columns - 0.5
    v = (0.5 - latitude / math.pi) * rows - 0.5
    toe = np.float32(0.03 * np.median(radiance))
    seen = cv2.remap(
        np.log(radiance + toe),
        u.astype(np.float32),
        v.astype(np.float32),
        cv2.INTER_LANCZOS4,
        borderMode=cv2.BORDER_WRAP,
    )
    seen = sharpen(cv2.resize(seen, scene.size, interpolation=cv2.INTER_AREA), scene.sharpening)
    return np.maximum(np.exp(seen) - toe, 0).astype(np.float32)


def sharpen(log_radiance: NDArray[np.float32], amount: float) -> NDArray[np.float32]:
    """Unsharp mask (sigma 1.2 pixels) that stays within each pixel's 5 x 5 neighbourhood."""
    kernel = np.ones((5, 5), np.uint8)
    blurred = cv2.GaussianBlur(log_radiance, (0, 0), 1.2)
    sharp = log_radiance + amount * (log_radiance - blurred)
    low, high = cv2.erode(log_radiance, kernel), cv2.dilate(log_radiance, kernel)
    return np.clip(sharp, low, high).astype(np.float32)


def respond(exposure: NDArray[np.float32], response: Response = RESPONSE) -> NDArray[np.float32]:
    """Turn exposure (1 clips the sensor) into display values from 0 to 1.

    A roll-off ``(1 - exp(-s x)) / (1 - exp(-s))``, the sRGB transfer function (IEC 61966-2-1)
    and a share of the S-curve ``3 v^2 - 2 v^3``: rising throughout, the same for every frame.
    """
    x = np.clip(exposure, 0, 1)
    x = -np.expm1(-response.shoulder * x) / -math.expm1(-response.shoulder)
    v = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    v = v + response.contrast * (v * v * (3 - 2 * v) - v)
    return np.asarray(response.white * v, np.float32)


def mean_luma(display: NDArray[np.float32]) -> float:
    """Mean of the BT.601 luma of (H, W, 3) values from 0 to 1, on the scale 0 to 255."""
    return float((display.mean(axis=(0, 1)) @ np.array([0.299, 0.587, 0.114])) * 255)


def meter(radiance: NDArray[np.float32], target: float, response: Response = RESPONSE) -> float:
    """Find by bisection the factor that brings the mean luma of a frame to `target`."""
    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        if mean_luma(respond(radiance * 2.0**middle, response)) < target:
            low = middle
        else:
            high = middle
    return float(2.0 ** ((low + high) / 2))


def expose(
    scaled: NDArray[np.float32],
    ev: float,
    iso: int,
    generator: np.random.Generator,
    response: Response = RESPONSE,
) -> NDArray[np.uint8]:
    """Take one picture: shot and read noise, clipping, white balance, response, 8 bit.

    Parameters
    ----------
    scaled : (H, W, 3) float32
        Exposure of the medium frame; 1 clips.
    ev : float
        Stops above the medium frame.
    iso : int
        Sensitivity: a higher one is filled by fewer electrons, so that it is noisier.
    generator : numpy.random.Generator
        Source of the noise.
    response : Response
        Of the camera.

    Returns
    -------
    (H, W, 3) uint8
        Display-referred sRGB.
    """
    well = FULL_WELL * 100 / iso / WHITE_BALANCE
    electrons = np.clip(scaled * 2.0**ev, 0, 4).astype(np.float64) * well
    measured = generator.poisson(electrons) + generator.normal(0, READ_NOISE, scaled.shape)
    display = respond((measured / well).astype(np.float32), response)
    return np.rint(display * 255).astype(np.uint8)


def save(
    path: Path,
    pixels: NDArray[np.uint8],
    scene: Scene,
    ev: float,
    taken: datetime.datetime,
    quality: int = QUALITY,
) -> None:
    """Write a JPEG whose EXIF tells the exposure that made it."""
    time, iso = scene.settings(ev)
    exif = Image.Exif()
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif[0x010F], exif[0x0110] = "bracketseg", "bracketseg simulated camera"
    exif[0x0112], exif[0x0132] = 1, stamp
    photo = exif.get_ifd(0x8769)
    photo[0x829A] = IFDRational(time.numerator, time.denominator)
    aperture = fractions.Fraction(str(scene.f_number))
    photo[0x829D] = IFDRational(aperture.numerator, aperture.denominator)
    photo[0x8827] = iso
    photo[0x9003] = photo[0x9004] = stamp
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=quality, optimize=True, exif=exif)


def main() -> None:
    """Write every bracket of ``scenes.py``."""
    parser = argparse.ArgumentParser(description="Make the sample brackets.")
    parser.add_argument("--assets", type=Path, required=True, help="unpacked @pmndrs/assets")
    parser.add_argument("--blender", type=Path, required=True, help="unpacked blender-data")
    parser.add_argument("--out", type=Path, default=HERE / "brackets")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    day = datetime.datetime(2024, 5, 4, 9, 0, 0)  # EXIF times carry no zone
    for number, scene in enumerate(SCENES):
        generator = np.random.default_rng([arguments.seed, number])
        radiance = view(read_map(scene, arguments.assets, arguments.blender), scene)
        scaled = radiance * np.float32(meter(radiance, scene.metered))
        for place, (name, ev) in enumerate(scene.frames()):
            taken = day + datetime.timedelta(minutes=20 * number, seconds=2 * place)
            pixels = expose(scaled, ev, scene.settings(ev)[1], generator)
            save(arguments.out / scene.name / name, pixels, scene, ev, taken)
        print(scene.name)


if __name__ == "__main__":
    main()
