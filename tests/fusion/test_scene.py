from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.fusion.conftest import Scene, ramp
from tests.handheld import SHAPE, photograph
from tests.handheld import scene as garden

from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import ghosts_name, write_mask, write_probability
from bracketseg.errors import FrameError, LabelingError
from bracketseg.fusion.config import FusionConfig
from bracketseg.fusion.display import display_picture
from bracketseg.fusion.exposures import as_weight, smaller
from bracketseg.fusion.laid_frames import lay_frames
from bracketseg.fusion.scene import read_scene
from bracketseg.labeling.label_folder import label_bracket
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import Otsu
from bracketseg.labeling.records import LabelingInfo


@pytest.fixture
def place(tmp_path):
    """A bracket `barn` on the disk, and masks of it: low to the right, high to the left."""
    folder = tmp_path / "set" / "barn"
    folder.mkdir(parents=True)
    scene = Scene(ramp(30, 40))
    for role, image in zip(("low", "medium", "high"), scene.images, strict=True):
        cv2.imwrite(str(folder / f"{role}.png"), image[..., ::-1])
    labels = tmp_path / "labels"
    labels.mkdir()
    right = np.zeros((30, 40), bool)
    right[:, 30:] = True
    write_mask(labels / "barn_low.png", right)
    write_mask(labels / "barn_high.png", ~right)
    return tmp_path


def read(place, bracket=None, **config):
    if bracket is None:
        (bracket,) = find_brackets(place / "set").brackets
    labels = LabelingFolder.open(place / "labels")
    return read_scene(bracket, labels, FusionConfig(**config))[1]


def test_a_scene_is_read_with_its_masks(place):
    found = read(place)
    assert found.evs == (-2.0, 0.0, 2.0)
    assert [image.shape for image in found.images] == [(30, 40, 3)] * 3
    assert found.images[0].mean() < found.images[1].mean() < found.images[2].mean()
    assert (found.low[:, 30:].min(), found.low[:, :30].max()) == (1, 0)
    np.testing.assert_array_equal(found.high, 1 - found.low)


def test_a_probability_counts_but_where_the_mask_was_corrected(place):
    probability = np.full((30, 40), 0.25, np.float32)
    probability[:, 30:] = 0.75
    probability[:10] = 0.9  # the mask says no: somebody has painted it out
    write_probability(place / "labels" / "barn_low_probability.png", probability)
    low = read(place).low
    np.testing.assert_allclose(low[20, [0, 35]], [0.25, 0.75], atol=1e-4)
    np.testing.assert_allclose(low[5, [0, 35]], [0, 0.9], atol=1e-4)


def test_a_missing_mask_is_named(place):
    (place / "labels" / "barn_high.png").unlink()
    with pytest.raises(LabelingError, match=r"barn_high\.png: is missing; label or predict both"):
        read(place)


def test_a_mask_of_another_frame_is_refused(place):
    (bracket,) = find_brackets(place / "set").brackets
    info = LabelingInfo(method="otsu", ranges={"low": Otsu(), "high": Otsu()})
    folder = LabelingFolder.create(place / "otsu", info)
    label_bracket(bracket, info.ranges, folder)
    assert read_scene(bracket, folder, FusionConfig())[1].low.any()
    low, medium, high = bracket.frames
    other = (replace(medium, ev=-2.0), replace(low, ev=0.0), high)
    swapped = replace(bracket, frames=other)
    with pytest.raises(
        LabelingError, match=r"barn_low\.png: was made on low\.png, but medium\.png"
    ):
        read_scene(swapped, folder, FusionConfig())


def test_a_mask_of_another_size_is_named(place):
    write_mask(place / "labels" / "barn_low.png", np.ones((3, 4), bool))
    with pytest.raises(LabelingError, match=r"barn_low\.png: is \(3, 4\), but its frame low\.png"):
        read(place)


def test_frames_of_different_sizes_are_named(place):
    (bracket,) = find_brackets(place / "set").brackets
    cv2.imwrite(str(bracket.frame("medium").path), np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(FrameError, match=r"scene barn: .*one size"):
        read(place, bracket)


def test_ghosts_come_from_a_folder_of_maps(place):
    maps = place / "maps"
    maps.mkdir()
    with pytest.raises(LabelingError, match="bracketseg ghosts"):
        read(place, ghosts=maps)
    moved = np.zeros((30, 40), bool)
    moved[3:9, 4:10] = True
    write_mask(maps / ghosts_name("barn"), moved)
    np.testing.assert_array_equal(read(place, ghosts=maps).ghosts, moved)


def test_a_map_of_other_frames_is_named(place):
    maps = place / "maps"
    maps.mkdir()
    write_mask(maps / ghosts_name("barn"), np.zeros((10, 10), bool))
    with pytest.raises(LabelingError, match=r"barn_ghosts\.png: is \(10, 10\), but the frames"):
        read(place, ghosts=maps)


def hand_held(rng, dx, dy):
    """A bracket whose bright frame was taken with the camera moved."""
    move = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], float)
    return [
        photograph(garden(), stops, rng, matrix)
        for stops, matrix in ((-2, None), (0, None), (2, move))
    ]


@pytest.mark.parametrize("method", ["shift", "homography"])
def test_a_frame_that_was_moved_is_laid_on_the_others(rng, method):
    images = hand_held(rng, 7, -4)
    laid = lay_frames(images, (-2, 0, 2), method=method)
    assert laid.images[2].shape == (*SHAPE, 3)
    still = photograph(garden(), 2, rng)[20:-20, 20:-20].astype(float)
    before = np.abs(images[2][20:-20, 20:-20] - still).mean()
    after = np.abs(laid.images[2][20:-20, 20:-20] - still).mean()
    assert after < before / 3
    # Its mask goes with it, and counts nothing beyond what it shows.
    full = np.ones(SHAPE, bool)
    exposures = laid.exposures(as_weight(~full), as_weight(full))
    seen = laid.covers[2]
    assert (seen.mean(), laid.covers[1].mean()) == (pytest.approx(0.98, abs=0.02), 1)
    assert exposures.high[~seen].max() < 1
    assert exposures.high[seen].mean() > 0.99


def test_reduced_frames_lay_reduced_masks_where_they_belong(rng):
    images = hand_held(rng, 14, -8)
    laid = lay_frames(images, (-2, 0, 2), method="shift")
    mask = np.zeros(SHAPE, np.float32)
    mask[60:140, 90:210] = 1
    small = laid.reduced(max(SHAPE) // 4)
    size = small.images[0].shape[:2]
    found = small.exposures(smaller(0 * mask, size), smaller(mask, size)).high
    wanted = laid.exposures(0 * mask, mask).reduced(max(SHAPE) // 4).high
    assert np.abs(found - wanted).mean() < 0.005
    # Frames that lie still keep their masks as they are.
    still = lay_frames(images, (-2, 0, 2)).reduced(max(SHAPE) // 4)
    weight = smaller(mask, size)
    assert still.exposures(0 * weight, weight).high is weight


def test_what_moved_is_taken_from_one_frame(rng):
    low, medium, high = hand_held(rng, 0, 0)
    high = high.copy()
    # Something striped stood there in this one alone.
    high[150:230, 200:280] = np.where(np.arange(80) % 8 < 4, 10, 50)[:, None, None]
    full = np.ones(SHAPE, np.float32)
    pictures = {}
    for deghost in (False, True):
        laid = lay_frames((low, medium, high), (-2, 0, 2), deghost=deghost)
        pictures[deghost] = display_picture(laid.exposures(0 * full, full))
    assert laid.ghosts[160:220, 210:270].mean() > 0.8
    clean = medium[170:210, 220:260] / 255
    detail = clean - cv2.blur(clean, (15, 15))

    def resemblance(picture):
        part = picture[170:210, 220:260]
        return np.corrcoef((part - cv2.blur(part, (15, 15))).ravel(), detail.ravel())[0, 1]

    assert resemblance(pictures[True]) > 0.95
    assert resemblance(pictures[False]) < 0.8


def test_nothing_is_resampled_where_nothing_moved(rng):
    images = hand_held(rng, 0, 0)
    laid = lay_frames(images, (-2, 0, 2), method="shift")
    assert laid.placements == (Shift(), Shift(), Shift())
    assert all(a is b for a, b in zip(laid.images, images, strict=True))
    assert laid.covers is None
