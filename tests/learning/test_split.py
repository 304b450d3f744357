import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.errors import TrainingError
from bracketseg.learning.split import (
    SAME_SCENE,
    group_scenes,
    similarity,
    split_scenes,
)


def scenery(seed: int, size: int = 300) -> np.ndarray:
    """A picture with structure at all sizes, as photographs have it."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size, size, 3), np.float32)
    for cells in (3, 6, 12, 24, 48):
        coarse = rng.random((cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR) / cells
    picture -= picture.min()
    return np.rint(picture / picture.max() * 255).astype(np.uint8)


def video(seed: int, frames: int, pan: int = 6) -> list[np.ndarray]:
    """Views 256 pixels wide that pan along a scene, with changing brightness and noise."""
    rng = np.random.default_rng(seed)
    whole = scenery(seed)
    views = []
    for i in range(frames):
        view = whole[:256, i * pan : i * pan + 256] * rng.uniform(0.8, 1.0)
        noisy = view + rng.normal(0, 3, view.shape)
        views.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    return views


def names(count: int) -> list[str]:
    return [f"{i:04d}" for i in range(count)]


def test_frames_of_a_video_are_one_group_and_other_scenes_are_not():
    images = [scenery(1, 256), *video(2, 5), scenery(3, 256), scenery(4, 256), *video(5, 3)]
    groups = group_scenes(names(len(images)), images)
    assert [len(group) for group in groups] == [1, 5, 1, 1, 3]
    assert [scene for group in groups for scene in group] == names(len(images))


def test_ordinary_scenes_are_not_joined():
    images = [scenery(seed, 128) for seed in range(40)]
    assert len(group_scenes(names(40), images)) == 40


def test_only_neighbours_are_joined():
    first, second = video(2, 2)
    groups = group_scenes(names(3), [first, scenery(3, 256), second])
    assert [len(group) for group in groups] == [1, 1, 1]


def test_similarity_knows_no_brightness_and_no_contrast():
    image = scenery(1, 128)
    assert similarity(image, image) == pytest.approx(1.0, abs=1e-4)
    assert similarity(image, image // 4 + 60) > SAME_SCENE
    assert similarity(image, 255 - image) < 0.5
    assert similarity(image, scenery(2, 128)) == similarity(scenery(2, 128), image)


def test_flat_pictures_are_like_nothing():
    black = np.zeros((64, 64, 3), np.uint8)
    assert similarity(black, black) == 0.0
    assert similarity(black, scenery(1, 64)) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_never_lie_on_both_sides(seed):
    images = [*video(1, 4), *video(2, 4), scenery(3, 256), *video(4, 3)]
    groups = group_scenes(names(len(images)), images)
    split = split_scenes(groups, 0.3, np.random.default_rng(seed))
    for video_of in (range(4), range(4, 8), range(9, 12)):
        sides = {names(12)[i] in split.validation for i in video_of}
        assert len(sides) == 1


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=12),
    validation=st.floats(0.01, 0.99),
    seed=st.integers(0, 99),
)
def test_a_split_takes_every_scene_once_and_groups_whole(sizes, validation, seed):
    scenes = iter(names(sum(sizes)))
    groups = [tuple(next(scenes) for _ in range(size)) for size in sizes]
    split = split_scenes(groups, validation, np.random.default_rng(seed))
    assert sorted(split.train + split.validation) == names(sum(sizes))
    assert split.train
    assert split.validation
    for group in groups:
        assert set(group) <= set(split.train) or set(group) <= set(split.validation)
    again = split_scenes(groups, validation, np.random.default_rng(seed))
    assert split == again


@pytest.mark.parametrize(
    ("scenes", "fraction", "expected"),
    [(10, 0.25, 3), (10, 0.24, 2), (79, 0.15, 12), (3, 0.01, 1), (3, 0.99, 2), (2, 0.5, 1)],
)
def test_the_number_of_validation_scenes_is_rounded(scenes, fraction, expected):
    groups = [(name,) for name in names(scenes)]
    split = split_scenes(groups, fraction, np.random.default_rng(0))
    assert len(split.validation) == expected


def test_a_group_that_is_too_large_is_not_kept_back():
    groups = [tuple(names(9)), ("9",)]
    for seed in range(8):
        assert split_scenes(groups, 0.2, np.random.default_rng(seed)).validation == ("9",)


def test_the_smallest_group_is_kept_back_where_none_fits():
    groups = [("0", "1", "2"), ("3", "4")]
    for seed in range(8):
        split = split_scenes(groups, 0.1, np.random.default_rng(seed))
        assert split.validation == ("3", "4")


def test_the_seed_decides_which():
    groups = [(name,) for name in names(40)]
    sides = {split_scenes(groups, 0.1, np.random.default_rng(s)).validation for s in range(5)}
    assert len(sides) == 5


def test_one_group_cannot_be_split():
    with pytest.raises(TrainingError, match="3 usable scenes that all show the same"):
        split_scenes([("a", "b", "c")], 0.5, np.random.default_rng(0))
    with pytest.raises(TrainingError, match="1 usable scene cannot be split"):
        split_scenes([("a",)], 0.5, np.random.default_rng(0))
