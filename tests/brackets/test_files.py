import errno
import json
import os
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.files import (
    atomic_write,
    cannot_write,
    sweep,
    temporary_folder,
    write_bytes,
    write_json,
    write_text,
)


def test_the_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert (temporary.parent, temporary.suffix) == (path.parent, path.suffix)
        assert temporary.name.startswith(".")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EROFS, "save to another folder"),
        (errno.EACCES, "save to another folder"),
        (errno.ENOENT, "Check that the folder is there"),
    ],
)
def test_each_reason_has_its_advice(code: int, advice: str) -> None:
    text = cannot_write(Path("a/b.png"), OSError(code, os.strerror(code)))
    assert text.startswith(
        f"a/b.png: cannot be written ({os.strerror(code)})".replace("a/b.png", str(Path("a/b.png")))
    )
    assert advice in text


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "missing" / "a.txt", b"")


def test_what_is_being_written_stays_however_the_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with atomic_write(Path("a.txt")) as temporary:
        temporary.write_text("new")
        sweep(tmp_path, idle=0.0)
    assert Path("a.txt").read_text() == "new"


def test_an_error_without_a_number_keeps_what_it_says(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "a.png"):
            raise OSError("encoder error -2")

    with pytest.raises(OSError, match=r"\Aencoder error -2\Z") as caught:
        fail()
    assert "(encoder error -2)" in cannot_write(tmp_path / "a.png", caught.value)


def test_a_file_that_is_read_meanwhile_is_named_itself(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_write(tmp_path / "copy.png"):
            (tmp_path / "source.png").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "source.png")


def test_nobody_is_told_of_the_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_bytes(tmp_path / "missing" / "a.txt", b"")
    assert caught.value.filename == str(tmp_path / "missing" / "a.txt")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_bytes(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_text_is_utf8_with_line_feeds(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "Größe\n1\n")
    assert (tmp_path / "a.csv").read_bytes() == "Größe\n1\n".encode()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_JSON)
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value


def test_json_refuses_what_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"dice": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a b.c.png") as temporary:
        temporary.write_bytes(b"half")
        left = [temporary.name, atomic_name("labels"), atomic_name("s1_low.png")]
        other = [".hidden.png", f"{'0' * 32}.png", f".a.{'0' * 32}.png", f"{left[1]}.bak.png"]
        for name in (*left[1:], *other):
            (tmp_path / name).write_bytes(b"half")
        (tmp_path / atomic_name("folder")).mkdir()
        (tmp_path / atomic_name("link.png")).symlink_to(tmp_path / "nowhere")
        kept = {path.name for path in tmp_path.iterdir()} - set(left[1:])
        sweep(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == kept | set(left), "they are new"
        sweep(tmp_path, idle=0.0)
        # Not even then what this process is writing.
        assert {path.name for path in tmp_path.iterdir()} == kept
        (tmp_path / left[1]).write_bytes(b"half")
        os.utime(tmp_path / left[1], (0, 0))
        sweep(tmp_path)
        assert not (tmp_path / left[1]).exists()
    sweep(tmp_path / "missing")


def test_a_temporary_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    def fail() -> None:
        with temporary_folder(tmp_path) as folder:
            (folder / "within").mkdir()
            sweep(tmp_path, idle=0.0)
            assert (folder.parent, (folder / "within").is_dir()) == (tmp_path, True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_temporary_folder_that_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    mine = tmp_path / f".mine.{uuid.uuid4().hex}"
    for folder in (mine, tmp_path / f".scratch.{uuid.uuid4().hex}"):
        folder.mkdir()
        (folder / "a.png").touch()
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2, "they are new"
    sweep(tmp_path, idle=0.0)
    assert list(tmp_path.iterdir()) == [mine]


def atomic_name(name: str) -> str:
    """The name of a temporary file, as somebody else would write it."""
    path = Path(name)
    return f".{path.stem}.{uuid.uuid4().hex}{path.suffix}"
