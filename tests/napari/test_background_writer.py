import pytest

from bracketseg._napari.truth.background_writer import RETRY, BackgroundWriter
from bracketseg._napari.widgets import jobs
from bracketseg.errors import LabelingError


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)


class Disk:
    """Takes writes unless it is full, and a clock that stands still."""

    def __init__(self):
        self.written = []
        self.full = False
        self.time = 100.0

    def write(self, what):
        if self.full:
            raise LabelingError(f"{what}: the disk is full")
        self.written.append(what)
        return f"{what}!"


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def writer(disk):
    return BackgroundWriter(clock=lambda: disk.time)


def put(writer, disk, key, what, on_written=None):
    writer.put(key, lambda: lambda: disk.write(what), on_written)


def test_nothing_is_written_before_it_is_asked_for(writer, disk):
    put(writer, disk, "a", "a1")
    assert disk.written == []
    assert not writer.idle
    assert "a" in writer
    writer.flush()
    assert disk.written == ["a1"]
    assert writer.idle
    assert "a" not in writer


def test_the_newest_of_a_key_is_written_once(writer, disk):
    put(writer, disk, "a", "a1")
    put(writer, disk, "b", "b1")
    put(writer, disk, "a", "a2")
    writer.flush()
    assert disk.written == ["b1", "a2"]


def test_what_was_dropped_is_not_written(writer, disk):
    put(writer, disk, "a", "a1")
    writer.drop("a")
    writer.drop("never there")
    writer.flush()
    assert disk.written == []


def test_the_state_is_taken_when_writing_starts(writer, disk):
    state = ["early"]
    writer.put("a", lambda: (lambda taken: lambda: disk.write(taken))(state[0]))
    state[0] = "late"
    writer.flush()
    assert disk.written == ["late"]


def test_who_waits_hears_what_was_written(writer, disk):
    heard = []
    put(writer, disk, "a", "a1", heard.append)
    writer.flush()
    assert heard == ["a1!"]


def test_what_fails_is_kept_and_tried_again_after_a_while(writer, disk):
    heard, failures, recoveries = [], [], []
    writer.failed.connect(failures.append)
    writer.recovered.connect(lambda: recoveries.append(1))
    disk.full = True
    put(writer, disk, "a", "a1", heard.append)
    writer.flush()
    assert writer.failing
    assert "a" in writer
    writer.flush()
    disk.time += RETRY
    writer.flush()
    assert [str(error) for error in failures] == ["a1: the disk is full"]
    disk.full = False
    writer.flush()
    assert disk.written == []
    disk.time += RETRY
    writer.flush()
    assert disk.written == ["a1"]
    assert heard == ["a1!"]
    assert recoveries == [1]
    assert not writer.failing


def test_somebody_who_presses_a_button_does_not_wait_for_the_next_try(writer, disk):
    disk.full = True
    put(writer, disk, "a", "a1")
    writer.flush()
    disk.full = False
    writer.flush(now=True)
    assert disk.written == ["a1"]


def test_one_that_fails_does_not_hold_up_the_others(writer, disk):
    def refuse():
        raise LabelingError("a: read-only")

    writer.put("a", lambda: refuse)
    put(writer, disk, "b", "b1")
    writer.flush()
    assert disk.written == ["b1"]
    assert "a" in writer


def test_a_newer_state_goes_before_the_one_that_failed(writer, disk):
    disk.full = True

    def put_newer():
        put(writer, disk, "a", "a2")
        return lambda: disk.write("a1")

    writer.put("a", put_newer)
    writer.flush()
    disk.full = False
    writer.flush(now=True)
    assert disk.written == ["a2"]


def test_what_failed_is_written_before_what_came_later(writer, disk):
    disk.full = True

    def put_another():
        put(writer, disk, "b", "b1")
        return lambda: disk.write("a1")

    writer.put("a", put_another)
    writer.flush()
    disk.full = False
    writer.flush(now=True)
    assert disk.written == ["a1", "b1"]


def test_the_end_writes_all_that_waits(writer, disk):
    put(writer, disk, "a", "a1")
    writer.finish()
    assert disk.written == ["a1"]
    assert writer.idle


def test_the_end_waits_for_a_write_under_way(qtbot, monkeypatch, disk):
    monkeypatch.undo()
    writer = BackgroundWriter()
    put(writer, disk, "a", "a1")
    writer.flush()
    put(writer, disk, "b", "b1")
    writer.finish()
    assert "b1" in disk.written
    assert "a1" in disk.written
    assert writer.idle


def test_what_was_dropped_while_it_was_written_is_not_tried_again(writer, disk):
    disk.full = True

    def drop_it():
        writer.drop("a")
        return lambda: disk.write("a1")

    writer.put("a", drop_it)
    writer.flush()
    assert writer.idle
    disk.full = False
    writer.flush(now=True)
    assert disk.written == []


def test_another_reason_is_told(writer, disk):
    failures = []
    writer.failed.connect(lambda error: failures.append(str(error)))
    reasons = iter(("gone", "gone", "read-only", "gone"))

    def refuse():
        raise LabelingError(next(reasons))

    writer.put("a", lambda: refuse)
    for _ in range(4):
        writer.flush(now=True)
    assert failures == ["gone", "read-only", "gone"]


def test_a_failed_key_that_was_put_anew_is_written_after_what_came_before_it(writer, disk):
    disk.full = True

    def put_two():
        put(writer, disk, "b", "b1")
        put(writer, disk, "c", "c1")
        put(writer, disk, "a", "a2")
        return lambda: disk.write("a1")

    writer.put("a", put_two)
    writer.flush()
    disk.full = False
    writer.flush(now=True)
    assert disk.written == ["b1", "c1", "a2"]


def test_only_what_failed_waits_for_the_next_try(writer, disk):
    told, recoveries = [], []
    writer.failed.connect(lambda error: told.append(str(error)))
    writer.recovered.connect(lambda: recoveries.append(1))
    refused = [True]

    def refuse():
        if refused:
            raise LabelingError("a: read-only")
        return disk.write("a1")

    writer.put("a", lambda: refuse)
    writer.flush()
    put(writer, disk, "b", "b1")
    writer.flush()
    assert disk.written == ["b1"]
    assert writer.failing
    assert recoveries == []
    refused.clear()
    writer.flush()
    assert disk.written == ["b1"]
    disk.time += RETRY
    writer.flush()
    assert disk.written == ["b1", "a1"]
    assert told == ["a: read-only"]
    assert recoveries == [1]
