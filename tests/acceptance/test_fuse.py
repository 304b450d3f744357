"""The command `bracketseg fuse`, driven as a person drives it."""

import json

import cv2
import numpy as np
import OpenEXR
import pytest

from bracketseg.brackets.images import read_image


@pytest.fixture
def masks(command, brackets, tmp_path):
    """Manual ground truth of the six scenes."""
    out = tmp_path / "masks"
    assert command("label", brackets, "--method", "manual", "--out", out).status == 0
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_scene_is_fused(command, brackets, masks, tmp_path):
    out = tmp_path / "fused"
    done = command("fuse", brackets, "--labels", masks, "--out", out)
    assert (done.status, done.err) == (0, "")
    assert "6 scenes fused" in done.out
    assert names(out) == [f"s{number}_fused.png" for number in range(6)]
    assert read_image(out / "s3_fused.png").shape == (24, 40, 3)


def test_all_formats_at_once(command, brackets, masks, tmp_path):
    out = tmp_path / "fused"
    formats = ("png", "jpg", "tiff", "exr")
    done = command(
        "fuse", brackets / "s2", "--labels", masks, "--out", out, "--format", *formats, "--json"
    )
    assert done.status == 0, done.err
    wanted = ["s2_fused.exr", "s2_fused.jpg", "s2_fused.png", "s2_fused.tif"]
    assert names(out) == wanted
    (told,) = json.loads(done.out)
    assert sorted(told["files"]) == [str(out / name) for name in wanted]
    assert told["notes"] == ["no file tells the exposures, which are measured in the pictures"]
    assert read_image(out / "s2_fused.tif").dtype == np.uint16
    with OpenEXR.File(str(out / "s2_fused.exr")) as file:
        exposures = json.loads(file.header()["exposures"])
    # None of them is a frame, should somebody write them beside the brackets.
    command("fuse", brackets, "--labels", masks, "--out", brackets / "fused", "--format", *formats)
    found = command("info", brackets, "--json")
    assert found.status == 0, found.err
    assert len(json.loads(found.out)) == 6
    assert [frame["file"] for frame in exposures] == ["low.png", "medium.png", "high.png"]


def test_the_masks_decide(command, brackets, masks, tmp_path):
    pictures = []
    for low, high in ((255, 0), (0, 255)):
        for role, value in (("low", low), ("high", high)):
            cv2.imwrite(str(masks / f"s1_{role}.png"), np.full((24, 40), value, np.uint8))
        out = tmp_path / f"by_{low}"
        command("fuse", brackets / "s1", "--labels", masks, "--out", out)
        pictures.append(read_image(out / "s1_fused.png").mean())
    assert pictures[1] > pictures[0] + 15


def test_a_bad_scene_is_listed_and_the_rest_goes_on(command, brackets, masks, tmp_path):
    out = tmp_path / "fused"
    (masks / "s1_high.png").unlink()
    (brackets / "s4" / "high.png").write_bytes(b"no picture")
    done = command("fuse", brackets, "--labels", masks, "--out", out)
    assert done.status == 1
    assert "s1_high.png: is missing" in done.err
    assert "high.png" in done.err
    assert "Traceback" not in done.err
    assert names(out) == [f"s{number}_fused.png" for number in (0, 2, 3, 5)]


def test_what_is_there_is_kept_unless_it_may_be_replaced(command, brackets, masks, tmp_path):
    out = tmp_path / "fused"
    out.mkdir()
    kept = out / "s1_fused.png"
    kept.write_bytes(b"mine")
    done = command("fuse", brackets, "--labels", masks, "--out", out)
    assert done.status == 1
    assert "--overwrite" in done.err
    assert kept.read_bytes() == b"mine"
    assert len(names(out)) == 6
    done = command("fuse", brackets, "--labels", masks, "--out", out, "--overwrite")
    assert done.status == 0, done.err
    assert read_image(kept).shape == (24, 40, 3)


def test_frames_that_play_no_role_are_told(command, tmp_path):
    folder, masks = tmp_path / "day" / "five", tmp_path / "masks"
    folder.mkdir(parents=True)
    for ev in range(-2, 3):
        frame = np.full((24, 40, 3), 40 * ev + 100, np.uint8)
        cv2.imwrite(str(folder / f"EV{ev}.png"), frame)
    assert command("label", folder, "--method", "manual", "--out", masks).status == 0
    done = command("fuse", folder, "--labels", masks, "--out", tmp_path / "fused")
    assert "Note: 3 of 5 frames are fused, those that play a role: five" in done.out


def test_usage_errors(command, brackets, masks, tmp_path):
    out = tmp_path / "fused"
    wrong = command("fuse", brackets, "--labels", masks, "--out", out, "--format", "gif")
    assert wrong.status == 2
    assert "none of png, jpg, tiff, exr" in wrong.err
    nowhere = command("fuse", brackets, "--labels", tmp_path / "nothing", "--out", out)
    assert nowhere.status == 1
    assert "no such folder" in nowhere.err
    assert not out.exists()


def test_alignment_and_ghosts_can_be_asked_for(command, brackets, masks, tmp_path):
    maps, out = tmp_path / "maps", tmp_path / "fused"
    assert command("ghosts", brackets / "s0", "--out", maps).status == 0
    for more in (("--deghost",), ("--ghosts", maps)):
        done = command(
            *("fuse", brackets / "s0", "--labels", masks, "--out", out, "--overwrite"),
            *("--align", "homography", *more),
        )
        assert done.status == 0, done.err
        assert "Note: nothing that moved was found: s0" in done.out
    assert names(out) == ["s0_fused.png"]
    cv2.imwrite(str(maps / "s0_ghosts.png"), np.tile(np.uint8([[0, 255, 0, 0]]), (24, 10)))
    done = command(
        *("fuse", brackets / "s0", "--labels", masks, "--out", out, "--overwrite", "--json"),
        *("--ghosts", maps),
    )
    (told,) = json.loads(done.out)
    (note,) = told["notes"]
    assert note.startswith("25.0% of the picture moved; ")
