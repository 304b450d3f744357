from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from bracketseg._napari.widgets.elided_combo import ElidedCombo


def test_a_name_that_is_cut_stands_in_the_tip_and_in_the_list(qtbot):
    combo = ElidedCombo()
    qtbot.addWidget(combo)
    name = "a scene of a long name, the third one of that evening, low ground truth"
    combo.addItems(["short", name])
    combo.setToolTip("Which one")
    combo.resize(120, 24)
    combo.show()
    told = []
    for index in range(2):
        combo.setCurrentIndex(index)
        point = QPoint(5, 5)
        help_wanted = QHelpEvent(QEvent.Type.ToolTip, point, combo.mapToGlobal(point))
        QApplication.sendEvent(combo, help_wanted)
        told.append(QToolTip.text())
    QToolTip.hideText()
    assert told == ["Which one", f"{name}\nWhich one"]
    combo.showPopup()
    assert combo.view().width() >= combo.fontMetrics().horizontalAdvance(name)
    combo.hidePopup()
