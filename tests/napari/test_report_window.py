import pytest
from qtpy.QtCore import QTimer

from bracketseg._napari.widgets import report_window
from bracketseg._napari.widgets.report_window import ReportWindow


@pytest.fixture
def window(qtbot):
    made = ReportWindow("report", "Report", ("Scene", "Dice"))
    qtbot.addWidget(made)
    made.show()
    return made


def test_rows_come_in_their_order(window, qtbot):
    for number in range(300):
        window.add_row([f"{number:03}", "0.5"])
    qtbot.waitUntil(lambda: window.table.rowCount() == 300)
    assert [window.table.item(row, 0).text() for row in range(300)] == [
        f"{number:03}" for number in range(300)
    ]


def test_many_rows_leave_the_window_its_turns(window, qtbot, monkeypatch):
    monkeypatch.setattr(report_window, "TURN", 0)
    for number in range(5):
        window.add_row([str(number), "0.5"])
    turns = []
    other = QTimer(window)
    other.timeout.connect(lambda: turns.append(window.table.rowCount()))
    other.start(0)
    qtbot.waitUntil(lambda: window.table.rowCount() == 5)
    assert set(turns) >= {1, 2, 3, 4}


def test_it_ends_when_all_rows_are_there(window, qtbot, monkeypatch):
    monkeypatch.setattr(report_window, "TURN", 0)
    for number in range(20):
        window.add_row([str(number), "0.5"])
    window.end("20 scenes.")
    assert window.stop.isEnabled()
    assert not window.export.isEnabled()
    qtbot.waitUntil(lambda: not window.stop.isEnabled())
    assert window.table.rowCount() == 20
    assert window.export.isEnabled()


def test_there_is_nothing_to_save_without_rows(window, qtbot):
    window.end("Nothing.")
    qtbot.waitUntil(lambda: not window.stop.isEnabled())
    assert not window.export.isEnabled()
