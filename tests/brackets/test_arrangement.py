"""How the photographs of a folder are parted, as a person sees it before changing it."""

from pathlib import Path

import pytest
from tests.photographs import Card

from bracketseg.brackets.arrangement import arrangement_of
from bracketseg.brackets.decisions import DECISION_NAME, Decided, Decision, keep_decision
from bracketseg.errors import BracketError


@pytest.fixture
def card(tmp_path: Path) -> Card:
    card = Card(tmp_path / "day")
    card.take(0, -2, 2)
    card.rest(100)
    card.take(0, -2, 2)
    card.rest(500)
    card.take(0)
    return card


def test_brackets_and_what_is_in_none(card: Card) -> None:
    found = arrangement_of(card.folder)
    assert found.by_itself
    assert [bracket.name for bracket in found.decision.brackets] == ["IMG_0001", "IMG_0004"]
    assert found.in_order(found.decision.brackets[0]) == (
        "IMG_0002.jpg",
        "IMG_0001.jpg",
        "IMG_0003.jpg",
    )
    assert found.in_none(found.decision) == ("IMG_0007.jpg",)
    assert "none was taken within 30 s" in found.photographs["IMG_0007.jpg"].reason


def test_what_was_decided_and_what_would_be_without(card: Card) -> None:
    decided = arrangement_of(card.folder).decision.leave_out("IMG_0004.jpg")
    decided = decided.reorder("IMG_0001", ["IMG_0003.jpg", "IMG_0001.jpg", "IMG_0002.jpg"])
    keep_decision(card.folder, decided)
    found = arrangement_of(card.folder)
    assert not found.by_itself
    # The photograph that no decision names is grouped as before.
    assert found.decision == decided
    assert found.in_order(found.decision.brackets[0])[0] == "IMG_0003.jpg"
    assert found.photographs["IMG_0004.jpg"].reason == "was left out by hand"
    automatic = arrangement_of(card.folder, by_itself=True)
    assert automatic.by_itself
    assert len(automatic.decision.brackets[1].frames) == 3


def test_a_picture_that_cannot_be_read_has_its_reason(card: Card) -> None:
    (card.folder / "IMG_0009.jpg").write_bytes(b"broken")
    found = arrangement_of(card.folder)
    assert "IMG_0009.jpg" in found.photographs["IMG_0009.jpg"].reason
    broken = Decided(name="new", frames=("IMG_0001.jpg", "IMG_0009.jpg"))
    assert found.fault(broken) == "one of them cannot be read"
    # In the order that it was given, as not all exposures are known.
    assert found.in_order(broken) == broken.frames


def test_why_photographs_can_be_no_bracket(card: Card) -> None:
    card.take(0, size=(20, 8))
    found = arrangement_of(card.folder)

    def fault(*numbers: int) -> str:
        frames = tuple(f"IMG_{number:04}.jpg" for number in numbers)
        return found.fault(Decided(name="new", frames=frames))

    assert fault(1, 2) == ""
    assert fault(1) == "a bracket has 2 to 15 photographs"
    assert fault(*range(1, 9), *range(1, 9)) == "a bracket has 2 to 15 photographs"
    assert fault(1, 8) == "they are not of one size"


def test_a_folder_whose_names_tell_is_not_arranged(tmp_path: Path, card: Card) -> None:
    for name in ("low", "high"):
        (tmp_path / "scene").mkdir(exist_ok=True)
        (tmp_path / "scene" / f"{name}.jpg").write_bytes(
            (card.folder / "IMG_0001.jpg").read_bytes()
        )
    with pytest.raises(BracketError, match="scene: the names of its files tell"):
        arrangement_of(tmp_path / "scene")
    with pytest.raises(BracketError, match="nowhere: cannot be listed"):
        arrangement_of(tmp_path / "nowhere")


def test_a_decision_that_cannot_be_read_is_not_passed_over(card: Card) -> None:
    (card.folder / DECISION_NAME).write_text("{")
    with pytest.raises(BracketError, match=DECISION_NAME):
        arrangement_of(card.folder)
    assert arrangement_of(card.folder, by_itself=True).decision != Decision()
