from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bracketseg.brackets.bracket import MASK_ROLES, Bracket, Frame
from bracketseg.errors import BracketError, FrameError

WriteFrame = Callable[..., Path]
Roles = dict[str, float]


def bracket_at(evs: Sequence[float], folder: Path = Path("house")) -> Bracket:
    frames = tuple(Frame(path=folder / f"{i}.png", ev=ev) for i, ev in enumerate(evs))
    return Bracket(scene="house", frames=frames, ev_source="exif", folder=folder)


def evs_by_role(bracket: Bracket) -> Roles:
    return {role: frame.ev for role, frame in bracket.roles.items()}


@pytest.fixture
def long_bracket(tmp_path: Path, write_frame: WriteFrame) -> Callable[..., Bracket]:
    """A bracket on the disk with frames of the given mean luma."""

    def make(evs: Sequence[float], levels: Sequence[int]) -> Bracket:
        bracket = bracket_at(evs, tmp_path)
        for frame, level in zip(bracket.frames, levels, strict=True):
            write_frame(frame.path, level)
        return bracket

    return make


class TestRoles:
    def test_of_two(self) -> None:
        assert evs_by_role(bracket_at([-1, 3])) == {"low": -1, "high": 3}

    def test_of_three(self) -> None:
        assert evs_by_role(bracket_at([-4, 3, 5])) == {"low": -4, "medium": 3, "high": 5}

    def test_of_nine_by_hand(self, long_bracket: Callable[..., Bracket]) -> None:
        # 120 is nearest to 127.5: EV 1. Two stops below and above it: -1 and 3.
        bracket = long_bracket(range(-4, 5), [1, 10, 20, 40, 80, 120, 180, 240, 255])
        assert evs_by_role(bracket) == {"low": -1, "medium": 1, "high": 3}

    def test_nearest_when_no_frame_is_two_stops_away(
        self, long_bracket: Callable[..., Bracket]
    ) -> None:
        bracket = long_bracket([-9, -3, -0.5, 0, 0.6, 5], [1, 9, 90, 128, 150, 250])
        assert evs_by_role(bracket) == {"low": -3, "medium": 0, "high": 0.6}

    def test_ties_go_to_the_darker_frame(self, long_bracket: Callable[..., Bracket]) -> None:
        # 127 and 128 are as near to 127.5; -3 and -1 are as near to -2; 1 and 3 to 2.
        bracket = long_bracket([-3, -1, 0, 0.5, 1, 3], [10, 20, 127, 128, 220, 250])
        assert evs_by_role(bracket) == {"low": -3, "medium": 0, "high": 1}

    @pytest.mark.parametrize("levels", [[128, 1, 2, 3], [1, 2, 3, 128], [0, 0, 0, 0]])
    def test_the_first_and_the_last_are_never_medium(
        self, long_bracket: Callable[..., Bracket], levels: list[int]
    ) -> None:
        bracket = long_bracket([0, 1, 2, 3], levels)
        assert bracket.roles["medium"] in bracket.frames[1:-1]

    @given(st.lists(st.integers(0, 255), min_size=4, max_size=15), st.data())
    def test_three_different_frames_in_order(
        self, tmp_path_factory: pytest.TempPathFactory, levels: list[int], data: st.DataObject
    ) -> None:
        count = len(levels)
        evs = sorted(data.draw(st.lists(st.floats(-9, 9), min_size=count, max_size=count)))
        bracket = bracket_at(evs, tmp_path_factory.mktemp("bracket"))
        for frame, level in zip(bracket.frames, levels, strict=True):
            Image.fromarray(np.full((2, 2), level, np.uint8)).save(frame.path)
        low, medium, high = (bracket.frames.index(bracket.roles[role]) for role in bracket.roles)
        assert low < medium < high

    def test_a_frame_that_cannot_be_read_is_named(
        self, long_bracket: Callable[..., Bracket]
    ) -> None:
        bracket = long_bracket([0, 1, 2, 3], [1, 2, 3, 4])
        bracket.frames[1].path.write_bytes(b"")
        with pytest.raises(FrameError, match=r"1\.png"):
            _ = bracket.roles

    def test_frame_and_role_of(self) -> None:
        bracket = bracket_at([0, 1])
        assert bracket.frame("high") is bracket.frames[1]
        assert bracket.role_of(bracket.frames[0]) == "low"
        assert bracket.role_of(Frame(path=Path("other.png"), ev=0)) is None

    def test_two_frames_have_no_medium(self) -> None:
        with pytest.raises(BracketError, match="house has no medium frame, only low and high"):
            bracket_at([0, 1]).frame("medium")

    def test_mask_roles(self) -> None:
        assert MASK_ROLES == ("low", "high")


class TestWithRoles:
    def test_what_a_person_chose(self) -> None:
        bracket = bracket_at([-4, -2, 0, 1, 2, 4])
        chosen = bracket.with_roles(bracket.frames[0], bracket.frames[5])
        # 0 is the middle of -4 and 4. No file is read: there are none.
        assert evs_by_role(chosen) == {"low": -4, "medium": 0, "high": 4}
        assert (chosen.scene, chosen.frames) == (bracket.scene, bracket.frames)
        assert bracket.chosen is None

    def test_neighbours_leave_no_medium(self) -> None:
        bracket = bracket_at([-4, -2, 0])
        assert evs_by_role(bracket.with_roles(*bracket.frames[:2])) == {"low": -4, "high": -2}

    def test_medium_ties_go_to_the_darker_frame(self) -> None:
        bracket = bracket_at([-2, -1, 1, 2])
        assert bracket.with_roles(bracket.frames[0], bracket.frames[3]).frame("medium").ev == -1

    def test_low_has_to_be_darker(self) -> None:
        bracket = bracket_at([0, 1, 2])
        for low, high in ((2, 0), (1, 1)):
            with pytest.raises(BracketError, match=r"\.png: as low frame.*exchange the two"):
                bracket.with_roles(bracket.frames[low], bracket.frames[high])

    def test_exposures_of_one_radiance_map_are_not_chosen(self) -> None:
        frames = [replace(frame, path=Path("map.hdr")) for frame in bracket_at([0, 1, 2]).frames]
        bracket = replace(bracket_at([0, 1, 2]), frames=tuple(frames))
        with pytest.raises(BracketError, match=r"map\.hdr: .* in map_exposure\.txt"):
            bracket.with_roles(frames[0], frames[1])

    def test_a_stranger_is_refused(self) -> None:
        bracket = bracket_at([0, 1])
        stranger = Frame(path=Path("other.png"), ev=3)
        with pytest.raises(BracketError, match=r"other\.png: is no frame of scene house.*0\.png"):
            bracket.with_roles(bracket.frames[0], stranger)


class TestBracket:
    def test_one_frame_is_none(self) -> None:
        with pytest.raises(BracketError, match=r"house.*1 frame.*two or more"):
            bracket_at([0])

    def test_frames_run_from_dark_to_bright(self) -> None:
        with pytest.raises(BracketError, match="from dark to bright"):
            bracket_at([1, 0])

    def test_it_is_frozen_and_hashable(self) -> None:
        bracket = bracket_at([0, 1])
        with pytest.raises(AttributeError):
            bracket.scene = "other"  # type: ignore[misc]
        assert bracket == bracket_at([0, 1])
        assert hash(bracket) == hash(bracket_at([0, 1]))


class TestFrame:
    def test_shape_dtype_and_pixels(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        frame = Frame(path=write_frame(tmp_path / "a.png", 7, size=(4, 3)), ev=0.0)
        assert frame.shape == (3, 4, 3)
        assert frame.dtype == np.uint8
        np.testing.assert_array_equal(frame.read(), np.full((3, 4, 3), 7))

    def test_the_header_is_read_once(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        frame = Frame(path=write_frame(tmp_path / "a.png"), ev=0.0)
        assert frame.shape == (8, 12, 3)
        frame.path.unlink()
        assert frame.shape == (8, 12, 3)
        assert frame.dtype == np.uint8

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        frame = Frame(path=tmp_path / "gone.png", ev=0.0)
        with pytest.raises(FrameError, match=r"gone\.png"):
            frame.read()
        with pytest.raises(FrameError, match=r"gone\.png"):
            _ = frame.shape
