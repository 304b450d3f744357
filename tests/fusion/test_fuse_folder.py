"""What fusing a folder says of each scene."""

import cv2
import numpy as np
import pytest

from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import write_mask
from bracketseg.fusion.config import FusionConfig
from bracketseg.fusion.fuse_folder import fuse_brackets
from bracketseg.labeling.mask_store import LabelingFolder

SHAPE = (120, 200)


@pytest.fixture
def fused(tmp_path):
    """Fuse three frames, and give what is said after."""

    def fuse(frames, **config):
        folder, labels = tmp_path / "set" / "room", tmp_path / "labels"
        folder.mkdir(parents=True)
        labels.mkdir()
        for role, frame in zip(("low", "medium", "high"), frames, strict=True):
            cv2.imwrite(str(folder / f"{role}.png"), frame)
        for role in ("low", "high"):
            write_mask(labels / f"room_{role}.png", np.ones(SHAPE, bool))
        (event,) = fuse_brackets(
            find_brackets(tmp_path / "set").brackets,
            LabelingFolder.open(labels),
            tmp_path / "out",
            FusionConfig(**config),
        )
        assert event.paths[0].is_file()
        return event.found

    return fuse


@pytest.fixture
def room():
    return np.tile(np.linspace(50, 110, 100).astype(np.uint8), (SHAPE[0], 1))


def test_a_frame_in_which_what_moved_cannot_be_seen_is_named(fused, room):
    dark, white = np.zeros_like(room), np.full_like(room, 255)
    halves = (dark, room), (room, white), (2 * room, white)
    unseen, nothing = fused([np.hstack(pair) for pair in halves], deghost=True)
    assert unseen.startswith("what moved in the low frame cannot be seen")
    assert nothing == "nothing that moved was found"


def test_a_frame_that_could_not_be_aligned_is_named(fused, rng):
    scene = rng.integers(20, 100, SHAPE, dtype=np.uint8)
    (note,) = fused([scene // 2, scene, np.full(SHAPE, 255, np.uint8)], align="shift")
    assert note.startswith("the high frame was not aligned")


def test_frames_that_do_not_belong_together_are_doubted(fused, room):
    rising = np.hstack((room, room))
    (note,) = fused([rising // 2, rising, 2 * rising[:, ::-1]], deghost=True)
    assert "do these frames belong together?" in note


def test_nothing_is_said_where_nothing_was_asked_for(fused, rng):
    scene = rng.integers(20, 100, SHAPE, dtype=np.uint8)
    assert fused([scene // 2, scene, 2 * scene]) == ()
