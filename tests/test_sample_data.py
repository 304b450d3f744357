"""The sample brackets are what their README says they are."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[1] / "sample_data"
README = (SAMPLES / "README.md").read_text(encoding="utf-8")
SCENES = sorted(folder.name for folder in (SAMPLES / "brackets").iterdir() if folder.is_dir())
NAMES = ["low.jpg", "medium.jpg", "high.jpg"]
ROLL = [f"IMG_{number:04d}.jpg" for number in range(1, 6)]


def table(heading: str) -> dict[str, dict[str, str]]:
    """Rows by scene of the README's table whose second column is `heading`."""
    lines = README.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| scene | {heading} |"))
    columns = [cell.strip() for cell in lines[start].strip("|").split("|")]
    rows = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0]] = dict(zip(columns, cells, strict=True))
    return rows


def frames(scene: str) -> list[Path]:
    """Files of a scene in the order that their names promise, dark to bright."""
    folder = SAMPLES / "brackets" / scene
    names = NAMES if (folder / "low.jpg").exists() else ROLL
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    return [folder / name for name in names]


def settings(path: Path) -> tuple[Fraction, float, int]:
    with Image.open(path) as image:
        photo = image.getexif().get_ifd(0x8769)
    time = photo[0x829A]
    return Fraction(time.numerator, time.denominator), float(photo[0x829D]), int(photo[0x8827])


def exposure_value(path: Path) -> float:
    time, f_number, iso = settings(path)
    return math.log2(time * iso / 100) - 2 * math.log2(f_number)


def luma(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def test_a_dozen_small_brackets_and_a_large_one_in_eight_megabytes() -> None:
    widths = [luma(frames(scene)[0]).shape[1] for scene in SCENES]
    assert sum(width >= 1024 for width in widths) == 1
    assert sum(384 <= width <= 480 for width in widths) >= 12
    assert sum(len(frames(scene)) == 5 for scene in SCENES) == 1
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 8e6


def test_the_readme_names_every_scene_and_no_other() -> None:
    assert sorted(table("size")) == SCENES
    assert sorted(table("map")) == SCENES


def test_every_map_comes_from_a_package_whose_terms_are_stated() -> None:
    for scene, row in table("map").items():
        assert re.fullmatch(r"(blender-data|@pmndrs/assets): \S+\.exr(\.js)?", row["map"]), scene
    for words in ("3.4.1+dfsg-2", "1.7.0", "license.txt", "CC0"):
        assert words in README
    assert "CC0-1.0" in (SAMPLES / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("scene", SCENES)
def test_exif_says_what_the_readme_says(scene: str) -> None:
    row, files = table("size")[scene], frames(scene)
    evs = [exposure_value(path) for path in files]
    middle = evs[len(evs) // 2]
    documented = [float(ev) for ev in row["EV"].split(",")]
    assert [ev - middle for ev in evs] == pytest.approx(documented, abs=1e-6)
    times = [Fraction(time) for time in row["time (s)"].split(",")]
    assert [settings(path)[0] for path in files] == times
    assert {settings(path)[1] for path in files} == {float(row["f-number"])}
    isos = [int(iso) for iso in row["ISO"].split(",")]
    assert [settings(path)[2] for path in files] == (isos if len(isos) > 1 else isos * len(files))
    for path in files:
        with Image.open(path) as image:
            assert "x".join(map(str, image.size)) == row["size"]
            assert (image.mode, image.format) == ("RGB", "JPEG")
            assert image.getexif()[0x0110] == "bracketseg simulated camera"


@pytest.mark.parametrize("scene", SCENES)
def test_more_exposure_is_brighter_everywhere_but_for_noise(scene: str) -> None:
    files = frames(scene)
    evs = [exposure_value(path) for path in files]
    assert evs == sorted(evs)
    pictures = [luma(path).astype(int) for path in files]
    for darker, brighter in pairwise(pictures):
        assert brighter.mean() > darker.mean() + 20
        assert np.mean(brighter < darker - 16) < 0.01


@pytest.mark.parametrize("scene", SCENES)
def test_the_medium_frame_is_well_metered(scene: str) -> None:
    files = frames(scene)
    assert 108 <= luma(files[len(files) // 2]).mean() <= 132


def test_the_frames_were_taken_one_after_another() -> None:
    taken = {}
    for scene in SCENES:
        stamps = []
        for path in frames(scene):
            with Image.open(path) as image:
                stamps.append(image.getexif().get_ifd(0x8769)[0x9003])
        assert stamps == sorted(set(stamps))
        taken[scene] = stamps[0]
    assert len(set(taken.values())) == len(SCENES)


def test_both_masks_have_work_to_do_in_most_scenes() -> None:
    useful = 0
    for scene in SCENES:
        files = frames(scene)
        # Of five frames the second and the fourth lie two stops from the middle one.
        dark, bright = (files[0], files[2]) if len(files) == 3 else (files[1], files[3])
        low, high = np.mean(luma(dark) >= 120), np.mean(luma(bright) <= 200)
        useful += bool(0.03 < low < 0.5 and 0.2 < high < 0.8)
    assert useful >= 12
