import threading

import pytest
from qtpy.QtCore import QTimer

from bracketseg._napari.widgets import courier, jobs
from bracketseg._napari.widgets.jobs import JobGroup, cancel_all, run_job, running_jobs
from bracketseg.errors import FrameError


class Heard:
    """Callbacks that note what they were called with, and on which thread."""

    def __init__(self):
        self.events, self.errors, self.results, self.threads = [], [], [], set()

    def _note(self, values, value):
        values.append(value)
        self.threads.add(threading.current_thread())

    @property
    def callbacks(self):
        return {
            "on_event": lambda value: self._note(self.events, value),
            "on_error": lambda value: self._note(self.errors, value),
            "on_done": lambda value: self._note(self.results, value),
        }

    @property
    def finished(self):
        return bool(self.errors or self.results)


@pytest.fixture
def heard(qapp):
    yield Heard()
    assert cancel_all(10)


def failing_generator(error):
    yield "one"
    raise error


def raise_(error):
    raise error


def test_a_function_runs_elsewhere_and_its_result_comes_to_the_main_thread(qtbot, heard):
    run_job(threading.current_thread, **heard.callbacks)
    qtbot.waitUntil(lambda: heard.finished)
    assert heard.results[0] is not threading.main_thread()
    assert heard.threads == {threading.main_thread()}
    assert heard.events == heard.errors == []


def test_the_events_of_a_generator_come_in_order_and_then_what_it_returns(qtbot, heard):
    def count():
        for number in range(100):
            yield number, threading.current_thread()
        return "end"

    run_job(count, **heard.callbacks)
    qtbot.waitUntil(lambda: heard.finished)
    assert [number for number, _ in heard.events] == list(range(100))
    assert threading.main_thread() not in {thread for _, thread in heard.events}
    assert heard.results == ["end"]


@pytest.mark.parametrize(
    "error",
    [RuntimeError("CUDA out of memory"), FrameError("a.png: broken"), KeyError("x"), SystemExit()],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("kind", ["function", "generator"])
def test_whatever_is_raised_reaches_on_error(qtbot, heard, error, kind):
    if kind == "function":
        job = run_job(lambda: raise_(error), **heard.callbacks)
    else:
        job = run_job(lambda: failing_generator(error), **heard.callbacks)
    qtbot.waitUntil(lambda: heard.finished)
    assert heard.errors == [error]
    assert heard.results == []
    assert heard.threads == {threading.main_thread()}
    qtbot.waitUntil(lambda: not job.running)
    assert job.over


def test_an_error_that_nobody_takes_is_shown_by_napari(qtbot, heard, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "napari.utils.notifications.notification_manager.receive_error",
        lambda _kind, error, _trace: shown.append(error),
    )
    error = RuntimeError("planted")
    run_job(lambda: raise_(error))
    qtbot.waitUntil(lambda: shown == [error])


def test_a_cancelled_generator_is_closed_in_its_own_thread_and_calls_nothing(qtbot, heard):
    closed_in = []
    started, go_on = threading.Event(), threading.Event()

    def work():
        try:
            started.set()
            go_on.wait(10)
            while True:
                yield "event"
        finally:
            closed_in.append(threading.current_thread())

    job = run_job(work, **heard.callbacks)
    assert started.wait(10)
    job.cancel()
    go_on.set()
    assert job.wait(10)
    qtbot.wait(0)
    assert len(closed_in) == 1
    assert closed_in[0] is not threading.main_thread()
    assert not heard.events
    assert not heard.finished


def test_what_was_already_on_its_way_is_dropped_by_cancel(qtbot, heard):
    job = run_job(lambda: "result", **heard.callbacks)
    assert job.wait(10)
    job.cancel()
    done = []
    QTimer.singleShot(0, lambda: done.append(True))
    qtbot.waitUntil(lambda: bool(done))
    assert not heard.finished


def test_work_can_look_at_its_stop_event(qtbot, heard):
    stop = threading.Event()
    job = run_job(lambda: stop.wait(30), stop=stop, **heard.callbacks)
    job.cancel()
    assert job.wait(10)


def test_a_callback_that_fails_does_not_swallow_those_behind_it(qtbot, heard):
    def fail(_):
        raise ValueError("in a callback")

    callbacks = heard.callbacks | {"on_event": fail}
    with qtbot.captureExceptions() as caught:
        run_job(lambda: (number for number in range(3)), **callbacks)
        qtbot.waitUntil(lambda: heard.finished)
    assert len(caught) == 3


def test_the_window_gets_its_turn_in_a_flood_of_events(qtbot, heard, monkeypatch):
    monkeypatch.setattr(courier, "TURN", 0)
    turns = []
    timer = QTimer()
    timer.timeout.connect(lambda: turns.append(len(heard.events)))
    timer.start(0)
    job = run_job(lambda: (number for number in range(200)), **heard.callbacks)
    assert job.wait(10)
    qtbot.waitUntil(lambda: heard.finished)
    timer.stop()
    assert len({count for count in turns if 0 < count < 200}) > 10


def test_a_group_is_cancelled_together_and_no_thread_stays(qtbot, heard):
    before = threading.active_count()
    stop = threading.Event()
    group = JobGroup()
    for _ in range(3):
        group.run(lambda: stop.wait(30), **heard.callbacks)
    assert len(running_jobs()) == 3
    group.cancel()
    stop.set()
    assert cancel_all(10)
    qtbot.waitUntil(lambda: threading.active_count() <= before)
    assert running_jobs() == ()
    assert not heard.finished


def test_without_an_application_the_work_is_done_at_once(monkeypatch):
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)
    heard = Heard()
    job = run_job(lambda: failing_generator(RuntimeError("planted")), **heard.callbacks)
    assert heard.events == ["one"]
    assert [str(error) for error in heard.errors] == ["planted"]
    assert job.over
    assert not job.running
