import json
from pathlib import Path
from typing import Any

import pytest

from bracketseg.brackets.decisions import (
    DECISION_NAME,
    Decided,
    Decision,
    keep_decision,
    read_decision,
)
from bracketseg.errors import BracketError

TWO = Decision(
    brackets=(
        Decided(name="a", frames=("1.jpg", "2.jpg", "3.jpg")),
        Decided(name="b", frames=("4.jpg", "5.jpg")),
    )
)


def frames(decision: Decision) -> dict[str, tuple[str, ...]]:
    return {bracket.name: bracket.frames for bracket in decision.brackets}


class TestChanges:
    def test_merge(self) -> None:
        merged = TWO.merge("b", "a")
        assert frames(merged) == {"b": ("4.jpg", "5.jpg", "1.jpg", "2.jpg", "3.jpg")}

    def test_a_new_bracket_comes_behind_the_one_it_was_in(self) -> None:
        parted = TWO.put("new", "1.jpg", "3.jpg")
        assert list(frames(parted).items()) == [
            ("a", ("2.jpg",)),
            ("new", ("1.jpg", "3.jpg")),
            ("b", ("4.jpg", "5.jpg")),
        ]
        assert frames(parted.merge("a", "new")) == {
            "a": ("2.jpg", "1.jpg", "3.jpg"),
            "b": ("4.jpg", "5.jpg"),
        }

    def test_pictures_of_several_brackets_and_of_none(self) -> None:
        mixed = TWO.leave_out("4.jpg").put("new", "7.jpg", "4.jpg", "1.jpg")
        assert list(frames(mixed).items()) == [
            ("a", ("2.jpg", "3.jpg")),
            ("b", ("5.jpg",)),
            ("new", ("7.jpg", "4.jpg", "1.jpg")),
        ]
        assert mixed.left_out == ()

    def test_nothing_new_changes_nothing(self) -> None:
        ordered = TWO.reorder("a", ["3.jpg", "2.jpg", "1.jpg"])
        assert ordered.put("a", "1.jpg") == ordered
        assert ordered.put("c") == ordered

    def test_a_bracket_of_which_all_is_taken_is_gone(self) -> None:
        assert frames(TWO.put("a", "5.jpg", "4.jpg")) == {
            "a": ("1.jpg", "2.jpg", "3.jpg", "5.jpg", "4.jpg")
        }

    def test_reorder(self) -> None:
        ordered = TWO.reorder("b", ["5.jpg", "4.jpg"])
        assert ordered.brackets[1] == Decided(name="b", frames=("5.jpg", "4.jpg"), ordered=True)
        assert ordered.merge("b", "a").brackets[0].ordered is False

    def test_leave_out(self) -> None:
        left = TWO.leave_out("4.jpg", "5.jpg", "other.jpg")
        assert frames(left) == {"a": ("1.jpg", "2.jpg", "3.jpg")}
        assert left.left_out == ("4.jpg", "5.jpg", "other.jpg")
        assert left.leave_out("4.jpg").left_out == left.left_out

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda: TWO.merge("a", "c"), "c: is no bracket here; take one of a, b"),
            (lambda: TWO.reorder("a", ["1.jpg", "2.jpg"]), "a: give all of its 3 frames"),
            (lambda: TWO.reorder("b", ["4.jpg", "4.jpg"]), "each once"),
        ],
    )
    def test_what_cannot_be(self, change: Any, reason: str) -> None:
        with pytest.raises(BracketError, match=reason):
            change()


class TestFile:
    def test_comes_back(self, tmp_path: Path) -> None:
        decision = TWO.reorder("b", ["5.jpg", "4.jpg"]).leave_out("größe 夜.jpg")
        keep_decision(tmp_path, decision)
        assert read_decision(tmp_path) == decision
        keep_decision(tmp_path, Decision())
        assert list(tmp_path.iterdir()) == []
        assert read_decision(tmp_path) is None

    @pytest.mark.parametrize(
        "document",
        [
            [],
            {},
            {"version": True},
            {"version": "1"},
            {"version": 1, "brackets": {}},
            {"version": 1, "brackets": [[]]},
            {"version": 1, "brackets": [{"name": "a"}]},
            {"version": 1, "brackets": [{"name": "a", "frames": []}]},
            {"version": 1, "brackets": [{"name": "a", "frames": [1, 2]}]},
            {"version": 1, "brackets": [{"name": "a", "frames": "ab"}]},
            {"version": 1, "brackets": [{"name": 1, "frames": ["x"]}]},
            {"version": 1, "brackets": [{"name": "", "frames": ["x"]}]},
            {"version": 1, "brackets": [{"name": "a", "frames": ["x"], "ordered": 1}]},
            {"version": 1, "left_out": "x"},
            {"version": 1, "left_out": None},
        ],
    )
    def test_surprising_types_are_refused(self, tmp_path: Path, document: Any) -> None:
        (tmp_path / DECISION_NAME).write_text(json.dumps(document))
        with pytest.raises(BracketError, match=rf"{DECISION_NAME}: does not hold.*move it away"):
            read_decision(tmp_path)

    @pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000])
    def test_what_is_no_json(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / DECISION_NAME).write_bytes(data)
        with pytest.raises(BracketError, match=f"{DECISION_NAME}: is no JSON"):
            read_decision(tmp_path)

    def test_a_picture_in_two_brackets(self, tmp_path: Path) -> None:
        twice = {"version": 1, "brackets": [{"name": n, "frames": ["x.jpg", "y"]} for n in "ab"]}
        (tmp_path / DECISION_NAME).write_text(json.dumps(twice))
        with pytest.raises(BracketError, match=r"says of x\.jpg more than once"):
            read_decision(tmp_path)

    def test_what_a_newer_version_wrote_stays(self, tmp_path: Path) -> None:
        (tmp_path / DECISION_NAME).write_text('{"version": 2}')
        with pytest.raises(BracketError, match="newer bracketseg"):
            keep_decision(tmp_path, TWO)
        assert (tmp_path / DECISION_NAME).read_text() == '{"version": 2}'

    def test_a_folder_of_that_name(self, tmp_path: Path) -> None:
        (tmp_path / DECISION_NAME).mkdir()
        with pytest.raises(BracketError, match="is no file"):
            read_decision(tmp_path)

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(BracketError, match=rf"{DECISION_NAME}: cannot be written"):
            keep_decision(tmp_path / "missing", TWO)
