from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import cv2
import napari.settings
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager
from npe2 import PluginManifest
from npe2._pytest_plugin import TestPluginManager


@pytest.fixture
def plugins(npe2pm: TestPluginManager) -> TestPluginManager:
    """napari's own readers and writers, and ours, and nobody else's."""
    for package, name in (("napari_builtins", "builtins.yaml"), ("bracketseg", "napari.yaml")):
        npe2pm.register(PluginManifest.from_file(str(files(package) / name)))
    return npe2pm


@pytest.fixture
def viewer(plugins: TestPluginManager, monkeypatch: pytest.MonkeyPatch) -> ViewerModel:
    """A viewer without a window, whose user has not chosen any preferred reader."""
    fresh = napari.settings.NapariSettings(config_path=None)
    monkeypatch.setattr(napari.settings, "_SETTINGS", fresh)
    return ViewerModel()


@pytest.fixture
def notices() -> Iterator[list[str]]:
    """What napari showed the user."""
    shown: list[str] = []

    def note(notification: Notification) -> None:
        shown.append(notification.message)

    notification_manager.notification_ready.connect(note)
    yield shown
    notification_manager.notification_ready.disconnect(note)


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Write a ramp of 24x32 as a picture below tmp_path; returns its pixels (RGB or grey)."""

    def write(
        name: str, gain: float = 1.0, dtype: type = np.uint8, colour: bool = True
    ) -> np.ndarray:
        white = np.iinfo(dtype).max
        y, x = np.mgrid[:24, :32]
        grey = np.clip((x + y) / 54 * gain, 0, 1)
        channels = [grey, grey * 0.8, grey * 0.5] if colour else [grey]
        pixels = np.rint(np.stack(channels, axis=-1) * white).astype(dtype)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), pixels[..., ::-1])
        return pixels if colour else pixels[..., 0]

    return write


@pytest.fixture
def scene(tmp_path: Path, picture: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """Make `<name>/low.png, medium.png, high.png`; returns the folder."""

    def make(name: str, **options: object) -> Path:
        for role, gain in (("low", 0.4), ("medium", 1.0), ("high", 2.5)):
            picture(f"{name}/{role}.png", gain, **options)
        return tmp_path / name

    return make


@pytest.fixture
def held(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A bracket `hand/held`: low is to be moved 3 pixels left, 2 down; high 4 right, 5 up."""
    base = cv2.GaussianBlur(rng.integers(0, 256, (140, 160), np.uint8), (0, 0), 3)
    base = cv2.normalize(base, None, 0, 255, cv2.NORM_MINMAX)
    folder = tmp_path / "hand" / "held"
    folder.mkdir(parents=True)
    moved = {"low": (3, -2), "medium": (0, 0), "high": (-4, 5)}
    for (role, (dx, dy)), gain in zip(moved.items(), (0.5, 1.0, 1.6), strict=True):
        crop = base[20 - dy : 120 - dy, 20 - dx : 140 - dx]
        pixels = np.clip(crop * gain, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{role}.png"), pixels)
    return folder
