"""Two processes that write to one labelling: the second is told, and nothing is lost."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.robustness import crashes

from bracketseg.errors import LabelingError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import Otsu
from bracketseg.labeling.records import LabelingInfo

INFO = LabelingInfo(method="otsu", ranges={"low": Otsu(), "high": Otsu()})


def hold(folder: str, has: Any, end: Any) -> None:
    """Write to a labelling until the end."""
    labeling = LabelingFolder.create(Path(folder), INFO)
    has.set()
    end.wait(60)
    del labeling


@pytest.fixture
def other(tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """A process that writes to `out`, and what ends it."""
    context = multiprocessing.get_context("spawn")
    has, end = context.Event(), context.Event()
    child = context.Process(target=hold, args=(str(tmp_path / "out"), has, end))
    child.start()
    assert has.wait(60)
    yield child, end
    child.kill()
    child.join()


def test_the_second_is_told(tmp_path: Path, other: tuple[Any, Any], capsys: Any) -> None:
    child, end = other
    crashes.make_set(tmp_path / "data")
    with pytest.raises(SystemExit) as ended:
        crashes.label(tmp_path / "data", tmp_path / "out")
    assert ended.value.code == 1
    assert "out: another process writes to this labelling" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labeling.json"]
    end.set()
    child.join(60)
    crashes.label(tmp_path / "data", tmp_path / "out")
    assert len(LabelingFolder.open(tmp_path / "out").masks) == 2 * crashes.SCENES


def test_one_that_was_killed_holds_nothing(tmp_path: Path, other: tuple[Any, Any]) -> None:
    child, _ = other
    child.kill()
    child.join(60)
    LabelingFolder.create(tmp_path / "out", INFO)


def test_within_a_process_it_may_be_held_again(tmp_path: Path) -> None:
    first = LabelingFolder.create(tmp_path / "out", INFO)
    second = LabelingFolder.create(tmp_path / "out", INFO)
    del first
    context = multiprocessing.get_context("spawn")
    has, end = context.Event(), context.Event()
    child = context.Process(target=hold, args=(str(tmp_path / "out"), has, end))
    child.start()
    child.join(60)
    assert child.exitcode == 1
    assert not has.is_set()
    del second
    LabelingFolder.create(tmp_path / "out", INFO)


def test_a_refusal_lets_go(tmp_path: Path, other: tuple[Any, Any]) -> None:
    _, end = other
    with pytest.raises(LabelingError, match="another process"):
        LabelingFolder.create(tmp_path / "out", INFO)
    manual = INFO.model_copy(update={"annotator": "Ana"})
    end.set()
    other[0].join(60)
    with pytest.raises(LabelingError, match="made in another way"):
        LabelingFolder.create(tmp_path / "out", manual)
