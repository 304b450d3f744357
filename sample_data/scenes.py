"""The pictures that ``make_sample_data.py`` takes: where the camera looks and how it exposes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Package = Literal["blender-data", "@pmndrs/assets"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One bracket: a view into a radiance map and the settings of the camera.

    Attributes
    ----------
    name : str
        Folder of the bracket.
    package, map_name : str
        The package and the stem of the map in it.
    yaw, pitch : float
        Direction in degrees: to the right of the map's centre column, above the horizon.
    field_of_view : float
        Horizontal, in degrees.
    time : Fraction
        Exposure time of the medium frame, seconds.
    f_number : float
        Aperture, the same for all frames.
    iso : int
        Sensitivity of the medium frame.
    metered : float
        Mean luma that the medium frame is metered to, 0 to 255.
    evs : tuple of float
        Stops of the frames from the medium one, dark to bright.
    auto_iso : bool
        Whether frames above 0 EV raise the sensitivity instead of the time.
    size : tuple of int
        Width and height, pixels.
    panini : float
        Distance of the Panini projection; 0 is the gnomonic one.
    sharpening : float
        Amount of the unsharp mask.
    """

    name: str
    package: Package
    map_name: str
    yaw: float
    pitch: float
    field_of_view: float
    time: Fraction
    f_number: float
    iso: int
    metered: float = 120.0
    evs: tuple[float, ...] = (-2.0, 0.0, 2.0)
    auto_iso: bool = False
    size: tuple[int, int] = (384, 256)
    panini: float = 1.0
    sharpening: float = 0.7

    def settings(self, ev: float) -> tuple[Fraction, int]:
        """Exposure time (s) and ISO of the frame `ev` stops from the medium one."""
        factor = Fraction(2.0**ev).limit_denominator(64)
        if self.auto_iso and ev > 0:
            return self.time, int(self.iso * factor)
        return self.time * factor, self.iso

    def frames(self) -> list[tuple[str, float]]:
        """File name and relative EV of each frame, dark to bright."""
        if len(self.evs) == 3:
            names = ["low.jpg", "medium.jpg", "high.jpg"]
        else:
            names = [f"IMG_{number:04d}.jpg" for number in range(1, len(self.evs) + 1)]
        return list(zip(names, self.evs, strict=True))


SCENES: tuple[Scene, ...] = (
    Scene(
        name="building_site",
        package="blender-data",
        map_name="city",
        yaw=25,
        pitch=10,
        field_of_view=105,
        time=Fraction(1, 250),
        f_number=8,
        iso=100,
        metered=112,
    ),
    Scene(
        name="carport",
        package="blender-data",
        map_name="courtyard",
        yaw=-25,
        pitch=4,
        field_of_view=115,
        time=Fraction(1, 60),
        f_number=5.6,
        iso=100,
        evs=(-4, -2, 0, 2, 4),
    ),
    Scene(
        name="dog",
        package="blender-data",
        map_name="courtyard",
        yaw=-122,
        pitch=-10,
        field_of_view=105,
        time=Fraction(1, 80),
        f_number=4,
        iso=200,
        metered=122,
    ),
    Scene(
        name="garden_path",
        package="blender-data",
        map_name="forest",
        yaw=-115,
        pitch=8,
        field_of_view=110,
        time=Fraction(1, 125),
        f_number=5.6,
        iso=200,
    ),
    Scene(
        name="hotel_chair",
        package="blender-data",
        map_name="interior",
        yaw=8,
        pitch=-10,
        field_of_view=120,
        time=Fraction(1, 15),
        f_number=4,
        iso=400,
        metered=118,
        size=(448, 298),
    ),
    Scene(
        name="hotel_bed",
        package="blender-data",
        map_name="interior",
        yaw=120,
        pitch=-2,
        field_of_view=110,
        time=Fraction(1, 30),
        f_number=4,
        iso=400,
        metered=122,
        auto_iso=True,
    ),
    Scene(
        name="meadow",
        package="blender-data",
        map_name="sunrise",
        yaw=25,
        pitch=-2,
        field_of_view=110,
        time=Fraction(1, 160),
        f_number=11,
        iso=100,
        metered=112,
        size=(480, 320),
    ),
    Scene(
        name="sea",
        package="blender-data",
        map_name="sunset",
        yaw=40,
        pitch=-3,
        field_of_view=110,
        time=Fraction(1, 30),
        f_number=8,
        iso=200,
        metered=114,
        size=(448, 298),
    ),
    Scene(
        name="villa",
        package="blender-data",
        map_name="sunset",
        yaw=162,
        pitch=6,
        field_of_view=95,
        time=Fraction(1, 30),
        f_number=8,
        iso=200,
    ),
    Scene(
        name="palace",
        package="@pmndrs/assets",
        map_name="sunset",
        yaw=-50,
        pitch=8,
        field_of_view=120,
        time=Fraction(1, 40),
        f_number=5.6,
        iso=200,
    ),
    Scene(
        name="boulevard",
        package="@pmndrs/assets",
        map_name="city",
        yaw=112,
        pitch=8,
        field_of_view=120,
        time=Fraction(1, 200),
        f_number=8,
        iso=200,
        metered=124,
    ),
    Scene(
        name="lobby",
        package="@pmndrs/assets",
        map_name="lobby",
        yaw=-50,
        pitch=-4,
        field_of_view=125,
        time=Fraction(1, 20),
        f_number=5.6,
        iso=800,
        metered=128,
    ),
    Scene(
        name="workshop",
        package="@pmndrs/assets",
        map_name="workshop",
        yaw=95,
        pitch=3,
        field_of_view=125,
        time=Fraction(1, 15),
        f_number=5.6,
        iso=800,
        metered=116,
    ),
    Scene(
        name="laboratory",
        package="@pmndrs/assets",
        map_name="lab",
        yaw=120,
        pitch=3,
        field_of_view=125,
        time=Fraction(1, 10),
        f_number=5.6,
        iso=400,
        metered=126,
    ),
    Scene(
        name="garden_gate",
        package="blender-data",
        map_name="forest",
        yaw=115,
        pitch=0,
        field_of_view=150,
        time=Fraction(1, 100),
        f_number=8,
        iso=200,
        metered=118,
        size=(1024, 640),
        sharpening=1.0,
    ),
)
