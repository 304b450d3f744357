"""The report on finished trainings, asked for in the Metrics dock."""

import threading

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDialog, QWidget

from bracketseg._napari.metrics.dock import MetricsDock
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets.jobs import cancel_all
from bracketseg.errors import FrameError, ReportError
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.report.events import ReportStep, ReportWritten
from bracketseg.worker.requests import Ready


class FakeWorker:
    """Answers three steps, one by one, as the test lets them go."""

    def __init__(self):
        self.requests = []
        self.go = threading.Semaphore(0)
        self.error = None
        self.left_out = ()
        self.silent = False
        self.stopped = threading.Event()
        self.ended = threading.Event()

    def ask(self, request):
        self.requests.append(request)
        if self.silent:
            self.ended.wait(10)
            return
        yield Ready()
        if self.error is not None:
            raise self.error
        error = FrameError("broken")
        steps = [
            SceneFailed(scene="s1", error=error, index=1, total=2),
            ReportStep(doing="measuring low-bce", index=1, total=3),
            ReportStep(doing="measuring the coverage", index=2, total=3),
        ]
        for step in steps:
            while not self.go.acquire(timeout=0.01):
                if self.stopped.is_set() or self.ended.is_set():
                    return
            yield step
        request.out.mkdir(exist_ok=True)
        (request.out / "report.html").write_text("done")
        yield ReportWritten(
            page=request.out / "report.html", runs=6, left_out=self.left_out, index=3, total=3
        )

    def stop(self):
        self.stopped.set()

    def kill(self):
        self.ended.set()

    def close(self):
        self.ended.set()


class Hand:
    """Uses the window as a person does."""

    def __init__(self, viewer, qtbot):
        self.qtbot = qtbot
        self.session = session_of(viewer)
        self.frame = QWidget()
        qtbot.addWidget(self.frame)
        self.frame.resize(440, 800)
        self.dock = MetricsDock(viewer)
        self.dock.setParent(self.frame)
        self.dock.resize(440, 800)
        self.frame.show()
        self.worker = FakeWorker()
        self.questions, self.answer, self.shown = [], True, []
        self.chosen = {}
        report = self.dock.report
        report.make_worker = lambda: self.worker
        report.ask = self._asked
        report.choose_folder = self.chosen.get
        report.show_page = self.shown.append

    def _asked(self, question):
        self.questions.append(question)
        return self.answer

    @property
    def window(self):
        return self.dock.findChild(QDialog, "report")

    def find(self, name):
        found = self.dock.findChild(QWidget, name)
        assert found is not None, name
        return found

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def says(self, part):
        self.qtbot.waitUntil(lambda: part in self.find("report.status").text(), timeout=10_000)

    def begin(self, runs, out):
        self.click("metrics.report")
        self.chosen |= {"runs": runs, "out": out}
        self.click("report.choose_runs")
        self.click("report.choose_out")
        self.click("report.start")


@pytest.fixture
def hand(viewer, qtbot):
    made = Hand(viewer, qtbot)
    yield made
    made.worker.kill()
    assert cancel_all(10)


def test_the_button_asks_for_both_folders_and_makes_the_report(hand, tmp_path):
    hand.click("metrics.report")
    assert hand.window.isVisible()
    assert "Choose a folder that holds finished trainings" in hand.find("report.status").text()
    assert "No folder is open" in hand.find("report.frames").text()
    assert not hand.find("report.start").isEnabled()
    hand.chosen["runs"] = tmp_path / "runs"
    hand.click("report.choose_runs")
    assert hand.find("report.out").text() == str(tmp_path / "report")
    hand.chosen["out"] = tmp_path / "out"
    hand.click("report.choose_out")
    assert not hand.find("report.show").isEnabled()
    hand.click("report.start")
    hand.worker.go.release()
    hand.says("Predicting what was kept back: scene 1 of 2")
    hand.worker.go.release()
    hand.says("Measuring low-bce: step 1 of 3")
    assert (hand.find("report.progress").value(), hand.find("report.progress").maximum()) == (1, 3)
    hand.worker.go.release()
    hand.says(f"Report on 6 trainings in {tmp_path / 'out' / 'report.html'}.")
    assert "left out" not in hand.find("report.status").text()
    (request,) = hand.worker.requests
    assert (request.path, request.runs) == (None, tmp_path / "runs")
    hand.click("report.show")
    assert hand.shown == [tmp_path / "out" / "report.html"]
    assert hand.worker.ended.is_set()


def test_the_open_folder_gives_frames_and_the_runs_in_it(hand, scene, tmp_path):
    scene("barn")
    (tmp_path / "runs").mkdir()
    hand.session.open_folder(tmp_path)
    hand.qtbot.waitUntil(lambda: not hand.session.scanning, timeout=10_000)
    hand.click("metrics.report")
    assert hand.find("report.runs").text() == str(tmp_path / "runs")
    assert hand.find("report.frames").text() == str(tmp_path)
    hand.click("report.start")
    hand.qtbot.waitUntil(lambda: bool(hand.worker.requests), timeout=10_000)
    assert hand.worker.requests[0].path == tmp_path


def test_what_is_left_out_is_pointed_to(hand, tmp_path):
    hand.worker.left_out = ("old: another experiment", "older: not finished")
    hand.worker.go.release(3)
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.says("⚠ Left out: old: another experiment (and 1 more); see its last section.")


def test_a_report_that_is_there_is_replaced_only_on_demand(hand, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("old")
    hand.answer = False
    hand.worker.go.release(3)
    hand.begin(tmp_path / "runs", out)
    assert "holds tables or a report already (report.html)" in hand.questions[0]
    assert hand.worker.requests == []
    hand.answer = True
    hand.click("report.start")
    hand.says("Report on 6 trainings")
    assert (out / "report.html").read_text() == "done"


def test_tables_of_another_kind_are_replaced_only_on_demand(hand, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "coverage.csv").write_text("of a labelling")
    hand.answer = False
    hand.begin(tmp_path / "runs", out)
    assert "(coverage.csv)" in hand.questions[0]
    assert hand.worker.requests == []


def test_it_stops_on_demand(hand, tmp_path):
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.worker.go.release()
    hand.says("Predicting")
    hand.click("report.stop")
    hand.says("Stopped.")
    assert hand.worker.stopped.is_set()
    assert not hand.find("report.show").isEnabled()
    assert hand.find("report.start").isEnabled()


def test_closing_the_window_stops_it(hand, tmp_path):
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.worker.go.release()
    hand.says("Predicting")
    hand.window.close()
    hand.says("Stopped.")
    assert hand.worker.stopped.is_set()


def test_it_stops_before_the_worker_is_ready(hand, tmp_path):
    hand.worker.silent = True
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.qtbot.waitUntil(lambda: bool(hand.worker.requests), timeout=10_000)
    hand.click("report.stop")
    assert "Stopped" in hand.find("report.status").text()
    assert hand.worker.ended.is_set()


def test_an_error_is_told_and_it_can_be_tried_again(hand, tmp_path):
    hand.worker.error = ReportError("there is no finished run to report on. Train first.")
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.says("⚠ there is no finished run")
    hand.worker = FakeWorker()
    hand.worker.go.release(3)
    hand.click("report.start")
    hand.says("Report on 6 trainings")


def test_the_dock_ends_what_it_began(hand, tmp_path):
    hand.begin(tmp_path / "runs", tmp_path / "out")
    hand.worker.go.release()
    hand.says("Predicting")
    # As napari does with a dock that is closed.
    hand.dock.setParent(None)
    hand.qtbot.waitUntil(hand.worker.ended.is_set, timeout=10_000)
