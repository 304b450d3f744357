import numpy as np
import pytest

from bracketseg.errors import FrameError
from bracketseg.evaluation.mef_ssim import WINDOW, mef_ssim

C = (0.03 * 255) ** 2


@pytest.fixture
def scene(rng):
    """Texture of full contrast, and the same with a quarter of it: two (64, 64) uint8."""
    texture = rng.integers(0, 4, (64, 64)) * 64
    return texture.astype(np.uint8), (texture // 4).astype(np.uint8)


def patch_score(frames, fused):
    """The score of one patch as the paper defines it, without any shortcut."""
    vectors = [frame.astype(float).ravel() - frame.mean() for frame in frames]
    lengths = [np.linalg.norm(vector) for vector in vectors]
    agreement = np.linalg.norm(sum(vectors)) / sum(lengths)
    power = min(np.tan(np.pi / 2 * agreement), 10)
    weights = [length**power for length in lengths]
    structure = sum(w * v / n for w, v, n in zip(weights, vectors, lengths, strict=True))
    wanted = max(lengths) * structure / np.linalg.norm(structure)
    got = fused.astype(float).ravel() - fused.mean()
    size = got.size
    return (2 * wanted @ got / size + C) / (wanted @ wanted / size + got @ got / size + C)


def test_one_patch_is_scored_as_the_paper_defines_it(rng):
    frames = rng.integers(0, 256, (3, WINDOW, WINDOW), dtype=np.uint8)
    fused = np.rint(frames.mean(axis=0) + rng.normal(0, 9, (WINDOW, WINDOW)))
    fused = np.clip(fused, 0, 255).astype(np.uint8)
    assert mef_ssim(frames, fused) == pytest.approx(patch_score(frames, fused), abs=1e-4)


def test_the_frame_with_all_the_structure_is_the_best_picture(scene):
    strong, weak = scene
    frames = np.stack([weak, strong])
    assert mef_ssim(frames, strong) == pytest.approx(1, abs=1e-3)
    assert mef_ssim(frames, weak) < 0.6


def test_the_order_of_the_frames_and_the_brightness_of_the_picture_do_not_count(scene):
    strong, weak = scene
    assert mef_ssim(np.stack([weak, strong]), strong) == pytest.approx(
        mef_ssim(np.stack([strong, weak]), strong // 1 + np.uint8(30))
    )


def test_each_half_wants_the_frame_that_shows_it(scene):
    strong = np.tile(scene[0], (3, 3))
    left, right = strong.copy(), strong.copy()
    # As bright as the texture, so that no edge arises where it ends.
    left[:, 96:] = right[:, :96] = 96
    frames = np.stack([left, right])
    assert mef_ssim(frames, strong) > 0.95
    assert mef_ssim(frames, strong) > mef_ssim(frames, left) + 0.2


def test_flat_frames_are_kept_by_a_flat_picture_of_any_brightness():
    frames = np.stack([np.full((40, 40), value, np.uint8) for value in (10, 250)])
    assert mef_ssim(frames, np.full((40, 40), 90, np.uint8)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("frames", "fused", "words"),
    [((2, 40, 40), (40, 41), "can be compared"), ((2, 10, 40), (10, 40), "11 pixels a side")],
)
def test_pictures_that_do_not_fit_are_refused(frames, fused, words):
    with pytest.raises(FrameError, match=words):
        mef_ssim(np.zeros(frames, np.uint8), np.zeros(fused, np.uint8))
