import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bracketseg
from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.brackets.choices import (
    CHOICES_NAME,
    MAX_BYTES,
    choices_file,
    keep_choice,
    with_choices,
)
from bracketseg.brackets.layouts import find_brackets
from bracketseg.errors import BracketError

LEVELS = (10, 60, 120, 180, 240)


@pytest.fixture
def dome(tmp_path: Path, write_frame: Callable[..., Path]) -> Bracket:
    """Five frames 0.png to 4.png, a stop apart; low is 0, medium 2, high 4."""
    for index, level in enumerate(LEVELS):
        write_frame(tmp_path / "dome" / f"{index}.png", level)
    frames = tuple(Frame(path=tmp_path / "dome" / f"{i}.png", ev=float(i)) for i in range(5))
    return Bracket(scene="dome", frames=frames, ev_source="exif", folder=tmp_path / "dome")


def chosen(bracket: Bracket, low: int, high: int) -> Bracket:
    return bracket.with_roles(bracket.frames[low], bracket.frames[high])


def holds(folder: Path) -> object:
    return json.loads((folder / CHOICES_NAME).read_text(encoding="utf-8"))


def write(folder: Path, document: object) -> None:
    (folder / CHOICES_NAME).write_text(json.dumps(document), encoding="utf-8")


def test_a_folder_without_choices_is_as_it_was(dome: Bracket, tmp_path: Path) -> None:
    assert with_choices(tmp_path, [dome]) == ((dome,), ())


def test_what_was_kept_comes_back(dome: Bracket, tmp_path: Path) -> None:
    keep_choice(tmp_path, chosen(dome, 1, 3))
    assert holds(tmp_path) == {
        "version": 1,
        "roles": {"dome": {"low": "1.png", "high": "3.png"}},
    }
    assert with_choices(tmp_path, [dome]) == ((chosen(dome, 1, 3),), ())


def test_finding_brackets_gives_them_the_roles_that_were_chosen(
    dome: Bracket, tmp_path: Path
) -> None:
    (found,) = find_brackets(tmp_path).brackets
    first, second, third, *_ = found.frames
    keep_choice(tmp_path, found.with_roles(first, second))
    (again,) = find_brackets(tmp_path).brackets
    assert again.roles == {"low": first, "high": second}
    # That of one picture is kept beside it, and is another.
    keep_choice(tmp_path / "dome", found.with_roles(second, third))
    (of_picture,) = find_brackets(dome.frames[0].path).brackets
    assert of_picture.chosen == (second, third)


def test_the_usual_roles_leave_no_entry_and_no_file(dome: Bracket, tmp_path: Path) -> None:
    keep_choice(tmp_path, chosen(dome, 0, 4))
    assert not (tmp_path / CHOICES_NAME).exists()
    keep_choice(tmp_path, chosen(dome, 1, 4))
    keep_choice(tmp_path, chosen(dome, 0, 4))
    assert not (tmp_path / CHOICES_NAME).exists()


def test_a_choice_that_is_kept_already_is_not_written_again(dome: Bracket, tmp_path: Path) -> None:
    keep_choice(tmp_path, chosen(dome, 1, 3))
    path = tmp_path / CHOICES_NAME
    path.write_text(json.dumps(holds(tmp_path)), encoding="utf-8")
    before = path.read_bytes()
    keep_choice(tmp_path, chosen(dome, 1, 3))
    assert path.read_bytes() == before


def test_other_scenes_and_whatever_else_is_there_stay(dome: Bracket, tmp_path: Path) -> None:
    others = {"gone": {"low": "../../x", "high": 7}, "broken": [1], "dome": {"note": "mine"}}
    write(tmp_path, {"version": 1, "comment": {"a": [None]}, "roles": others})
    keep_choice(tmp_path, chosen(dome, 1, 3))
    assert holds(tmp_path) == {
        "version": 1,
        "comment": {"a": [None]},
        "roles": others | {"dome": {"note": "mine", "low": "1.png", "high": "3.png"}},
    }
    keep_choice(tmp_path, chosen(dome, 0, 4))
    assert holds(tmp_path) == {"version": 1, "comment": {"a": [None]}, "roles": others}


def test_scenes_that_are_not_there_are_no_problem(dome: Bracket, tmp_path: Path) -> None:
    write(tmp_path, {"version": 1, "roles": {"gone": 3}})
    assert with_choices(tmp_path, [dome]) == ((dome,), ())


@pytest.mark.parametrize(
    "entry",
    [
        {"low": "3.png", "high": "1.png"},
        {"low": "1.png", "high": "1.png"},
        {"low": "1.png"},
        {"low": "other.png", "high": "3.png"},
        {"low": "../dome/1.png", "high": "3.png"},
        {"low": 1, "high": ["3.png"]},
        ["1.png", "3.png"],
        "1.png",
        None,
        {},
    ],
)
def test_an_entry_that_names_no_two_frames_is_one_problem(
    dome: Bracket, tmp_path: Path, entry: object
) -> None:
    write(tmp_path, {"version": 1, "roles": {"dome": entry}})
    brackets, (problem,) = with_choices(tmp_path, [dome])
    assert brackets == (dome,)
    assert str(problem).startswith(f"{tmp_path / CHOICES_NAME}: what it says of dome is not used")
    assert "Choose them again" in str(problem)
    # Choosing again mends it.
    keep_choice(tmp_path, chosen(dome, 1, 3))
    assert with_choices(tmp_path, [dome]) == ((chosen(dome, 1, 3),), ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"version": 1, "roles": {}, "x": NaN}', "no JSON"),
        ("9" * 5000, "no JSON"),
        ("[]", "does not hold"),
        ("7", "does not hold"),
        ('{"roles": {}}', "does not hold"),
        ('{"version": "1", "roles": {}}', "does not hold"),
        ('{"version": 1, "roles": []}', "does not hold"),
        ('{"version": 2, "roles": {}}', "newer bracketseg"),
        ("\ufeff{" + " " * MAX_BYTES, "larger than 16 MiB"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_problem_and_is_never_overwritten(
    dome: Bracket, tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / CHOICES_NAME
    path.write_text(content, encoding="utf-8")
    (found,) = find_brackets(tmp_path).problems
    assert isinstance(found, BracketError)
    assert str(found).startswith(f"{path}: ")
    assert said in str(found)
    assert len(find_brackets(tmp_path).brackets) == 1
    with pytest.raises(BracketError, match=said):
        keep_choice(tmp_path, chosen(dome, 1, 3))
    assert path.read_text(encoding="utf-8") == content


def test_bytes_that_are_no_text_are_a_problem(dome: Bracket, tmp_path: Path) -> None:
    (tmp_path / CHOICES_NAME).write_bytes(b'{"version": 1, "roles": "\xff"}')
    _, (problem,) = with_choices(tmp_path, [dome])
    assert "no JSON" in str(problem)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_what_is_no_file_is_a_problem_and_holds_nobody_up(dome: Bracket, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / CHOICES_NAME)
    _, (problem,) = with_choices(tmp_path, [dome])
    assert "is no file" in str(problem)
    (tmp_path / CHOICES_NAME).unlink()
    (tmp_path / "dome" / CHOICES_NAME).mkdir()
    _, (problem,) = with_choices(tmp_path / "dome", [dome])
    assert "is no file" in str(problem)


# A part of the folder that was opened.


def test_a_choice_holds_for_one_bracket_and_one_picture_of_the_folder(
    dome: Bracket, tmp_path: Path
) -> None:
    (found,) = find_brackets(tmp_path).brackets
    keep_choice(tmp_path, chosen(found, 1, 3))
    for path in (tmp_path / "dome", dome.frames[0].path):
        (bracket,) = find_brackets(path).brackets
        assert bracket.chosen == (found.frames[1], found.frames[3])


def test_a_choice_holds_for_a_folder_of_a_set_whose_scenes_are_called_alike(
    tmp_path: Path, write_frame: Callable[..., Path]
) -> None:
    for part in ("Train", "Valid"):
        for index, level in enumerate(LEVELS):
            write_frame(tmp_path / part / "dome" / f"{index}.png", level)
    whole = {bracket.scene: bracket for bracket in find_brackets(tmp_path).brackets}
    assert set(whole) == {"Train_dome", "Valid_dome"}
    keep_choice(tmp_path, chosen(whole["Valid_dome"], 1, 3))
    (train,) = find_brackets(tmp_path / "Train").brackets
    (valid,) = find_brackets(tmp_path / "Valid").brackets
    assert train.chosen is None
    assert valid.chosen == (valid.frames[1], valid.frames[3])


def test_the_folder_itself_goes_before_those_around_it(dome: Bracket, tmp_path: Path) -> None:
    part = tmp_path / "dome"
    keep_choice(tmp_path, chosen(dome, 1, 3))
    keep_choice(part, chosen(dome, 2, 3))
    assert with_choices(part, [dome])[0] == (chosen(dome, 2, 3),)
    # What would be without a choice is not what holds further up.
    keep_choice(part, chosen(dome, 0, 4))
    (bracket,), problems = with_choices(part, [dome])
    assert bracket.roles == dome.roles
    assert problems == ()
    # And what holds further up needs no entry of its own.
    keep_choice(part, chosen(dome, 1, 3))
    assert not (part / CHOICES_NAME).exists()


def test_another_scene_of_that_name_further_up_is_no_problem(dome: Bracket, tmp_path: Path) -> None:
    write(tmp_path, {"version": 1, "roles": {"dome": {"low": "dark.png", "high": "light.png"}}})
    assert with_choices(tmp_path / "dome", [dome]) == ((dome,), ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["version", "roles", "dome", "low", "high"]), inner)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, st.booleans())
def test_no_document_keeps_the_brackets_from_loading(
    dome: Bracket, tmp_path: Path, document: object, headed: bool
) -> None:
    write(tmp_path, {"version": 1, "roles": document} if headed else document)
    (bracket,), problems = with_choices(tmp_path, [dome])
    assert bracket.frames == dome.frames
    assert len(problems) <= 1


def test_a_folder_that_cannot_be_written_is_named(dome: Bracket, tmp_path: Path) -> None:
    with pytest.raises(BracketError, match=rf"{CHOICES_NAME}: .*dome cannot be kept"):
        keep_choice(tmp_path / "gone", chosen(dome, 1, 3))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return tmp_path / "home"


def lock(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let nobody write to a folder, not even those who run tests as the administrator."""
    real = os.access

    def access(path: Path, mode: int) -> bool:
        return real(path, mode) and not (mode & os.W_OK and Path(path) == folder)

    monkeypatch.setattr(os, "access", access)


def test_choices_of_a_locked_folder_are_kept_in_the_users_own(
    dome: Bracket, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"version": 1, "roles": {"dome": {"low": "0.png", "high": "1.png"}}})
    before = holds(tmp_path)
    lock(monkeypatch, tmp_path)
    keep_choice(tmp_path, chosen(dome, 1, 3))
    own = choices_file(tmp_path)
    assert own.parent.parent == home / "bracketseg-labels"
    assert holds(own.parent)["roles"] == {"dome": {"low": "1.png", "high": "3.png"}}
    assert holds(tmp_path) == before
    # It goes before what lies in the folder, also where only a part of it is opened.
    for folder in (tmp_path, tmp_path / "dome"):
        assert with_choices(folder, [dome]) == ((chosen(dome, 1, 3),), ())
    # What the locked file says needs not be said again; anything else has to be.
    keep_choice(tmp_path, chosen(dome, 0, 4))
    assert with_choices(tmp_path, [dome])[0] == (chosen(dome, 0, 4),)
    keep_choice(tmp_path, chosen(dome, 0, 1))
    assert not own.exists()
    assert with_choices(tmp_path, [dome])[0] == (chosen(dome, 0, 1),)


def test_no_choice_is_written_into_the_package(home: Path) -> None:
    samples = Path(bracketseg.__file__).parent / "sample_data" / "brackets" / "garden_gate"
    assert choices_file(samples) == home / "bracketseg-labels" / "garden_gate" / CHOICES_NAME
