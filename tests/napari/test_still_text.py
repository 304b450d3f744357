"""Words that change often, in a window that is to stand still."""

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from bracketseg._napari.widgets.still_text import StillText


class Layouts(QObject):
    """Counts how often a widget is laid out anew."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched, event):  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def page(qtbot):
    page = QWidget()
    layout = QVBoxLayout(page)
    page.text = StillText(page, "words", lines=2)
    layout.addWidget(page.text)
    layout.addWidget(QPushButton("below", page))
    page.resize(300, 400)
    qtbot.addWidget(page)
    page.text.setText("one")
    with qtbot.waitExposed(page):
        page.show()
    return page


def test_other_words_of_as_many_lines_lay_out_nothing(page):
    QApplication.processEvents()
    layouts, height = Layouts(page), page.text.height()
    for number in range(5):
        page.text.setText(f"step {number}")
        QApplication.processEvents()
    assert page.text.text() == "step 4"
    assert layouts.count == 0
    assert page.text.height() == height
    page.text.setText("words " * 200)
    QApplication.processEvents()
    assert layouts.count > 0


def test_more_lines_get_more_room_and_give_it_back(page, qtbot):
    height = page.text.minimumHeight()
    assert height >= 2 * page.text.fontMetrics().lineSpacing()
    page.text.setText("a long sentence that goes on " * 9)
    assert page.text.minimumHeight() > 2 * height
    page.resize(900, 400)
    qtbot.waitUntil(lambda: page.text.minimumHeight() < 2 * height)
    page.text.setText("short")
    assert page.text.minimumHeight() == height


def test_words_without_end_take_six_lines_and_scroll(page, qtbot):
    line = page.text.fontMetrics().lineSpacing()
    bar = page.text.verticalScrollBar()
    page.text.setText("a few words " * 10)
    assert not bar.isVisible()
    for words in ("a long sentence that goes on " * 40, "and another one that is longer " * 90):
        page.text.setText(words)
        assert page.text.minimumHeight() == pytest.approx(6 * line, abs=4)
    qtbot.waitUntil(bar.isVisible)
    inside, seen = page.text.widget(), page.text.viewport()
    assert inside.width() <= seen.width()
    bar.setValue(bar.maximum())
    assert inside.geometry().bottom() == pytest.approx(seen.height() - 1, abs=2)


def test_a_long_word_makes_nothing_wider(page):
    before = page.minimumSizeHint().width()
    page.text.setText("/folder" * 100)
    assert page.minimumSizeHint().width() == before


def test_words_that_no_longer_scroll_give_their_room_back_at_once(page, qtlog):
    height = page.text.minimumHeight()
    for _ in range(2):
        page.text.setText("words " * 400)
        QApplication.processEvents()
        page.text.setText("short")
        assert page.text.minimumHeight() == height
    assert not [record.message for record in qtlog.records]
