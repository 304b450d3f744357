import csv

import cv2
import numpy as np
import pytest
from tests.handheld import photograph, scene, turned

from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import is_mask_name, read_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.ghost_folder import GhostsFound, write_ghosts
from bracketseg.labeling.label_folder import SceneFailed


@pytest.fixture
def brackets(tmp_path, rng):
    """`broken`, `held` by hand, and `passed`, in which a ball passes."""
    for name, hand in (("broken", None), ("held", turned(1, 7, -5)), ("passed", None)):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True)
        for role, stops in (("low", -2), ("medium", 0), ("high", 2)):
            frame = photograph(scene(), stops, rng, hand if role == "low" else None)
            if (name, role) == ("passed", "high"):
                cv2.circle(frame, (280, 200), 30, (20, 20, 20), -1)
            assert cv2.imwrite(str(folder / f"{role}.png"), frame[..., ::-1])
    found = find_brackets(tmp_path / "set").brackets
    (tmp_path / "set" / "broken" / "low.png").write_bytes(b"no picture")
    return found


def test_maps_and_a_table_are_written_and_a_broken_scene_costs_itself_only(brackets, tmp_path):
    out = tmp_path / "ghosts"
    events = list(write_ghosts(brackets, out))
    broken, held, passed = events
    assert isinstance(broken, SceneFailed)
    assert (held.scene, held.frame, held.notes) == ("held", "medium.png", ())
    assert held.share < 0.002 < passed.share
    assert [(event.index, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    ghosts = read_mask(out / "passed_ghosts.png")
    assert ghosts[200, 280]
    assert ghosts.mean() == pytest.approx(passed.share)
    with (out / "ghosts.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["scene"] for row in rows] == ["held", "passed"]
    assert float(rows[1]["share"]) == pytest.approx(passed.share, abs=1e-6)
    # Beside its frames, a map is not taken for one of them.
    assert is_mask_name(out / "passed_ghosts.png")


def test_without_alignment_the_hand_is_what_moved(brackets, tmp_path):
    held = [bracket for bracket in brackets if bracket.scene == "held"]
    (off,) = write_ghosts(held, tmp_path / "off", method="off")
    (shifted,) = write_ghosts(held, tmp_path / "shift", method="shift")
    (placed,) = write_ghosts(held, tmp_path / "placed", method="homography")
    assert all(isinstance(event, GhostsFound) for event in (off, shifted, placed))
    assert off.share > 5 * placed.share
    assert placed.share < 0.002


def test_frames_of_which_nobody_knows_where_they_lie_are_named(brackets, tmp_path):
    (held,) = [bracket for bracket in brackets if bracket.scene == "held"]
    cv2.imwrite(str(held.frame("low").path), np.zeros((400, 560, 3), np.uint8))
    (event,) = write_ghosts([held], tmp_path / "ghosts")
    assert event.notes == ("low.png left out: it shows too little in common",)


def test_frames_of_which_nobody_knows_how_bright_they_are_are_named(brackets, tmp_path):
    (held,) = [bracket for bracket in brackets if bracket.scene == "held"]
    cv2.imwrite(str(held.frame("low").path), np.zeros((400, 560, 3), np.uint8))
    (event,) = write_ghosts([held], tmp_path / "ghosts", method="off")
    assert event.notes == (
        "low.png left out: too few pixels tell how much darker than medium.png it is",
    )


def test_a_place_that_cannot_be_written_is_named(brackets, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LabelingError, match="file"):
        list(write_ghosts(brackets, tmp_path / "file" / "out"))
