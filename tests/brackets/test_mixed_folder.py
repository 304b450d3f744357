"""A photographer's folder, from its files to its brackets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.photographs import BASE, Card

from bracketseg.brackets.arrangement import arrangement_of
from bracketseg.brackets.decisions import DECISION_NAME, Decision, keep_decision
from bracketseg.brackets.layouts import BracketSet, find_brackets
from bracketseg.errors import BracketError


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def names(found: BracketSet) -> dict[str, list[str]]:
    return {
        bracket.scene: [frame.path.name for frame in bracket.frames] for bracket in found.brackets
    }


def left(found: BracketSet) -> dict[str, str]:
    return {one.path.name: one.reason for one in found.left_over}


def test_a_day(card: Card, tmp_path: Path) -> None:
    card.take(0)
    card.rest(100)
    card.take(0, -2, 2)
    card.take(0, -2, 2)
    card.rest(50)
    card.take(0, -3, -2, -1, 1, 2, 3)
    card.rest(500)
    card.take(1, 1, 1)
    card.rest(500)
    card.take(0, -2, 2, size=(8, 12))
    found = find_brackets(tmp_path)
    assert found.problems == ()
    assert names(found) == {
        "IMG_0002": ["IMG_0003.jpg", "IMG_0002.jpg", "IMG_0004.jpg"],
        "IMG_0005": ["IMG_0006.jpg", "IMG_0005.jpg", "IMG_0007.jpg"],
        "IMG_0008": [f"IMG_{n:04}.jpg" for n in (9, 10, 11, 8, 12, 13, 14)],
        "IMG_0018": ["IMG_0019.jpg", "IMG_0018.jpg", "IMG_0020.jpg"],
    }
    assert list(left(found)) == ["IMG_0001.jpg", "IMG_0015.jpg", "IMG_0016.jpg", "IMG_0017.jpg"]
    assert left(found)["IMG_0001.jpg"] == "a single photograph: none was taken within 30 s"
    assert "do not vary in exposure" in left(found)["IMG_0016.jpg"]


def test_iso_that_varies_inside_a_bracket(card: Card, tmp_path: Path) -> None:
    for _ in range(2):
        card.take(0, iso=200)
        card.take(-1, iso=100)
        card.take(0, iso=800)
        card.rest(30)
    found = find_brackets(tmp_path)
    assert names(found) == {
        "IMG_0001": ["IMG_0002.jpg", "IMG_0001.jpg", "IMG_0003.jpg"],
        "IMG_0004": ["IMG_0005.jpg", "IMG_0004.jpg", "IMG_0006.jpg"],
    }
    assert [round(f.ev - found.brackets[0].frames[0].ev) for f in found.brackets[0].frames] == [
        0,
        2,
        4,
    ]


def test_one_bracket_in_a_folder_has_its_name(card: Card, tmp_path: Path) -> None:
    card.folder = tmp_path / "church"
    card.take(0, -2, 2)
    assert list(names(find_brackets(tmp_path))) == ["church"]


def test_pictures_without_exif_are_left_over(card: Card, tmp_path: Path, write_frame: Any) -> None:
    card.take(0, -2, 2)
    card.take(0, -2, 2)
    write_frame(tmp_path / "drawing.png")
    found = find_brackets(tmp_path)
    assert len(found.brackets) == 2
    assert left(found) == {"drawing.png": "its EXIF does not tell how it was exposed"}


def test_a_broken_picture_is_a_problem_and_the_others_are_grouped(
    card: Card, tmp_path: Path
) -> None:
    card.take(0, -2, 2)
    card.take(0, -2, 2)
    (tmp_path / "IMG_0009.jpg").write_bytes(b"broken")
    found = find_brackets(tmp_path)
    assert len(found.brackets) == 2
    (problem,) = found.problems
    assert "IMG_0009.jpg: cannot be read" in str(problem)


def test_a_broken_frame_of_one_bracket_is_not_passed_over(card: Card, tmp_path: Path) -> None:
    card.take(0, -2, 2)
    (tmp_path / "IMG_0002.jpg").write_bytes(b"broken")
    found = find_brackets(tmp_path)
    assert found.brackets == ()
    assert "IMG_0002.jpg: cannot be read" in str(found.problems[0])


def test_singles_only(card: Card, tmp_path: Path) -> None:
    for stop in (0, 1, -1, 0, 2):
        card.take(stop)
        card.rest(10_000 if stop < 2 else 1)
    card.take(2)
    found = find_brackets(tmp_path)
    assert found.brackets == ()
    assert len(found.left_over) == 6
    assert "of its 6 pictures none make a bracket" in str(found.problems[0])


def test_pictures_exposed_alike_are_ordered_by_brightness(tmp_path: Path, write_frame: Any) -> None:
    for index, level in enumerate((120, 60, 180)):
        write_frame(tmp_path / f"{index}.jpg", level, time=BASE, taken=100.0 + index, model="Phone")
    (bracket,) = find_brackets(tmp_path).brackets
    assert [frame.path.stem for frame in bracket.frames] == ["1", "0", "2"]
    assert bracket.ev_source == "brightness"


def test_a_raw_file_beside_its_picture(card: Card, tmp_path: Path, write_raw: Any) -> None:
    card.take(0, -2, 2)
    for number, time in ((1, BASE), (2, BASE / 4), (3, BASE * 4)):
        write_raw(tmp_path / f"IMG_{number:04}.DNG", np.full((40, 60), 1000, np.uint16), time=time)
    found = find_brackets(tmp_path)
    assert names(found) == {tmp_path.name: ["IMG_0002.jpg", "IMG_0001.jpg", "IMG_0003.jpg"]}
    assert left(found)["IMG_0001.DNG"] == "is the same photograph as IMG_0001.jpg"


def test_raw_files_alone_are_a_bracket(tmp_path: Path, write_raw: Any) -> None:
    for number, time in enumerate((BASE, BASE / 4, BASE * 4)):
        write_raw(tmp_path / f"{number}.dng", np.full((40, 60), 1000, np.uint16), time=time)
    (bracket,) = find_brackets(tmp_path).brackets
    assert [frame.path.name for frame in bracket.frames] == ["1.dng", "0.dng", "2.dng"]
    assert bracket.ev_source == "exif"
    assert bracket.frame("low").read().dtype == np.uint16


def test_one_picture_gives_its_bracket(card: Card, tmp_path: Path) -> None:
    card.take(0, -2, 2)
    card.take(0, -2, 2)
    card.rest(100)
    card.take(1)
    (bracket,) = find_brackets(tmp_path / "IMG_0005.jpg").brackets
    assert bracket.scene == "IMG_0004"
    with pytest.raises(BracketError, match=r"IMG_0007\.jpg: belongs to no bracket: a single"):
        find_brackets(tmp_path / "IMG_0007.jpg")


def test_a_list_of_exposures_makes_one_bracket(card: Card, tmp_path: Path) -> None:
    card.take(0, -2, 2)
    card.take(0, -2, 2)
    (tmp_path / "exposure.txt").write_text("0 1 2 3 4 5")
    assert list(names(find_brackets(tmp_path))) == [tmp_path.name]


class TestDecision:
    @pytest.fixture(autouse=True)
    def day(self, card: Card, tmp_path: Path) -> Decision:
        card.take(0, -2, 2)
        card.take(0, -2, 2)
        card.rest(100)
        card.take(1)
        return arrangement_of(tmp_path).decision

    def test_of_what_was_found_changes_nothing(self, day: Decision, tmp_path: Path) -> None:
        before = find_brackets(tmp_path)
        keep_decision(tmp_path, day)
        after = find_brackets(tmp_path)
        assert after.brackets == before.brackets
        assert left(after) == left(before)

    def test_merged_and_left_out(self, day: Decision, tmp_path: Path) -> None:
        keep_decision(
            tmp_path, day.merge("IMG_0001", "IMG_0004").leave_out("IMG_0004.jpg", "IMG_0005.jpg")
        )
        found = find_brackets(tmp_path)
        assert names(found) == {
            "IMG_0001": ["IMG_0002.jpg", "IMG_0001.jpg", "IMG_0003.jpg", "IMG_0006.jpg"]
        }
        assert left(found)["IMG_0004.jpg"] == "was left out by hand"

    def test_split_and_named(self, day: Decision, tmp_path: Path) -> None:
        keep_decision(
            tmp_path,
            day.put("door/1", "IMG_0001.jpg", "IMG_0003.jpg").leave_out("IMG_0002.jpg"),
        )
        assert names(find_brackets(tmp_path)) == {
            "door_1": ["IMG_0001.jpg", "IMG_0003.jpg"],
            "IMG_0004": ["IMG_0005.jpg", "IMG_0004.jpg", "IMG_0006.jpg"],
        }

    def test_reordered(self, day: Decision, tmp_path: Path) -> None:
        order = ["IMG_0003.jpg", "IMG_0001.jpg", "IMG_0002.jpg"]
        keep_decision(tmp_path, day.reorder("IMG_0001", order))
        bracket = find_brackets(tmp_path).brackets[0]
        assert [frame.path.name for frame in bracket.frames] == order
        assert bracket.ev_source == "person"
        steps = [frame.ev - bracket.frames[0].ev for frame in bracket.frames]
        assert steps == pytest.approx([0, 2, 4])

    def test_new_pictures_are_grouped(self, day: Decision, card: Card, tmp_path: Path) -> None:
        keep_decision(tmp_path, day.merge("IMG_0001", "IMG_0004"))
        card.rest(100)
        card.take(0, -2, 2)
        found = find_brackets(tmp_path)
        assert list(names(found)) == ["IMG_0001", "IMG_0008"]

    def test_missing_pictures_are_a_problem(self, day: Decision, tmp_path: Path) -> None:
        keep_decision(tmp_path, day)
        (tmp_path / "IMG_0002.jpg").unlink()
        found = find_brackets(tmp_path)
        assert names(found)["IMG_0001"] == ["IMG_0001.jpg", "IMG_0003.jpg"]
        assert f"{DECISION_NAME}: names IMG_0002.jpg" in str(found.problems[0])

    def test_one_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / DECISION_NAME).write_text("{")
        found = find_brackets(tmp_path)
        assert len(found.brackets) == 2
        assert "is no JSON" in str(found.problems[0])

    def test_a_path_leads_nowhere(self, tmp_path: Path, write_frame: Any) -> None:
        write_frame(tmp_path.parent / "outside.jpg")
        outside = f'"../outside.jpg", "{tmp_path.parent / "outside.jpg"}", "IMG_0001.jpg"'
        (tmp_path / DECISION_NAME).write_text(
            f'{{"version": 1, "brackets": [{{"name": "x", "frames": [{outside}]}}]}}'
        )
        found = find_brackets(tmp_path)
        assert all(f.path.parent == tmp_path for b in found.brackets for f in b.frames)
        assert "which are not there" in str(found.problems[0])
