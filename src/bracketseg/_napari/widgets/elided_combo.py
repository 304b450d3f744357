"""A list to choose from whose long entries lose their middle, not their end."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter


class ElidedCombo(QComboBox):
    """Names of layers end in what tells them apart: `a long scene low`, `a long scene high`."""

    def paintEvent(self, e: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Draw the current entry, shortened in the middle where it does not fit."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        style = self.style()
        if style is not None:
            field = style.subControlRect(
                QStyle.ComplexControl.CC_ComboBox,
                option,
                QStyle.SubControl.SC_ComboBoxEditField,
                self,
            )
            option.currentText = self.fontMetrics().elidedText(
                self.currentText() or self.placeholderText(),
                Qt.TextElideMode.ElideMiddle,
                field.width() - 6,
            )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        # Not left to Python: a painter that lives longer than this is one too many for Qt.
        painter.end()
