import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.ev_sources import brightness_evs, exposure_values, name_evs
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.images import ImageHeader
from bracketseg.brackets.scene_files import Layout, SceneFiles
from bracketseg.errors import FrameError

WriteFrame = Callable[..., Path]


def scene(folder: Path, layout: Layout, names: list[str], slots: list[int]) -> SceneFiles:
    return SceneFiles(
        layout=layout,
        name="house",
        folder=folder,
        set_name="set",
        images=tuple(folder / name for name in names),
        slots=tuple(slots),
        sidecars=(folder / "exposures.npy", folder / "exposure.txt"),
    )


def headers(*times: float | None) -> list[ImageHeader]:
    return [ImageHeader((8, 12, 3), np.dtype(np.uint8), Exposure(time=time)) for time in times]


class TestNames:
    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["UNIS_EV-2", "UNIS_EV0", "UNIS_EV2"], [-2, 0, 2]),
            (["EV-2", "EV0", "EV+2"], [-2, 0, 2]),
            (["a_ev -0.67", "a_ev 0.67"], [-0.67, 0.67]),
            (["room EV_-1 (2)", "room EV_1 (2)"], [-1, 1]),
        ],
    )
    def test_by_hand(self, names: list[str], expected: list[float]) -> None:
        assert name_evs([Path(f"{name}.jpg") for name in names]) == expected

    @pytest.mark.parametrize(
        "names", [["EV0", "other"], ["EV1", "EV1"], ["lev1", "lev2"], ["IMG_1", "IMG_2"]]
    )
    def test_names_that_say_nothing(self, names: list[str]) -> None:
        assert name_evs([Path(f"{name}.jpg") for name in names]) is None

    @given(st.lists(st.integers(-20, 20), min_size=2, max_size=15, unique=True))
    def test_any_stops(self, stops: list[int]) -> None:
        assert name_evs([Path(f"x_EV{stop:+d}.tif") for stop in stops]) == stops


class TestBrightness:
    def test_by_hand(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        # sRGB 188 is 0.5029 and 99 is 0.1248 of white (IEC 61966-2-1), 255 is 1.
        paths = [write_frame(tmp_path / f"{level}.png", level) for level in (99, 188, 255)]
        assert brightness_evs(paths) == pytest.approx(
            [math.log2(0.1248), math.log2(0.5029), 0], abs=2e-3
        )

    def test_black_is_finite(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        evs = brightness_evs([write_frame(tmp_path / f"{v}.png", v) for v in (0, 1)])
        # Code value 1 is one 255 * 12.92th of white, and black is taken as half of that.
        assert evs == pytest.approx([-math.log2(255 * 12.92) - 1, -math.log2(255 * 12.92)])

    def test_equally_bright_pictures_say_nothing(
        self, tmp_path: Path, write_frame: WriteFrame
    ) -> None:
        assert brightness_evs([write_frame(tmp_path / f"{i}.png", 50) for i in range(3)]) is None

    def test_a_broken_picture_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(b"x")
        with pytest.raises(FrameError, match=r"a\.png"):
            brightness_evs([tmp_path / "a.png"])


class TestOrderOfSources:
    def test_exif_before_sidecar_before_names(self, tmp_path: Path) -> None:
        files = scene(tmp_path, "crops", ["0.png", "1.png", "2.png"], [0, 1, 2])
        assert exposure_values(files, headers(None, 1, 2)) == ("names", [-2, 0, 2])
        (tmp_path / "exposure.txt").write_text("1 2 3")
        assert exposure_values(files, headers(None, 1, 2)) == ("sidecar", [1, 2, 3])
        np.save(tmp_path / "exposures.npy", [-3, -1, 1])
        assert exposure_values(files, headers(2, 2, 2)) == ("sidecar", [-3, -1, 1])
        assert exposure_values(files, headers(4, 2, 1)) == ("exif", [2, 1, 0])

    @pytest.mark.parametrize("listed", [[1, 1, 1], [1, 2], [1, 2, 3, 4]])
    def test_a_sidecar_that_does_not_fit_says_nothing(
        self, tmp_path: Path, listed: list[int]
    ) -> None:
        np.save(tmp_path / "exposures.npy", listed)
        files = scene(tmp_path, "flat", ["a_short.png", "a_medium.png", "a_long.png"], [0, 1, 2])
        assert exposure_values(files, headers(None, None, None)) == ("names", [-2, 0, 2])

    def test_a_sidecar_of_three_serves_a_scene_without_medium(self, tmp_path: Path) -> None:
        np.save(tmp_path / "exposures.npy", [-3, -1, 1])
        files = scene(tmp_path, "flat", ["a_short.png", "a_long.png"], [0, 2])
        assert exposure_values(files, headers(None, None)) == ("sidecar", [-3, 1])
        plain = scene(tmp_path, "plain", ["a_EV0.png", "a_EV1.png"], [0, 1])
        assert exposure_values(plain, headers(None, None)) == ("names", [0, 1])

    def test_brightness_is_last(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        files = scene(tmp_path, "plain", ["a.png", "b.png"], [0, 1])
        write_frame(files.images[0], 200)
        write_frame(files.images[1], 100)
        found = exposure_values(files, headers(None, None))
        assert found is not None
        assert found[0] == "brightness"
        assert found[1][0] > found[1][1]
