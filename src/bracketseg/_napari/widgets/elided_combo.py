"""A list to choose from whose long entries lose their middle, not their end."""

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QHelpEvent, QPaintEvent
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

_START = 4
"""Letters of a long name that always begin it."""


class ElidedCombo(QComboBox):
    """Names of layers end in what tells them apart: `a long scene low`, `a long scene high`.

    A name that is shortened stands in the tip, and all of them in the list that opens.
    """

    def event(self, event: QEvent | None) -> bool:
        """Begin the tip with the current entry where not all of it is seen."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            option = QStyleOptionComboBox()
            self.initStyleOption(option)
            if self._elided(option) != self._words():
                tip = "\n".join(text for text in (self._words(), self.toolTip()) if text)
                QToolTip.showText(event.globalPos(), tip, self)
                return True
        return super().event(event)

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        """Open the list as wide as its longest entry."""
        view = self.view()
        if view is not None:
            bar = view.verticalScrollBar()
            room = 0 if bar is None else bar.sizeHint().width()
            view.setMinimumWidth(view.sizeHintForColumn(0) + room)
        super().showPopup()

    def paintEvent(self, e: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        """Draw the current entry, shortened in the middle where it does not fit."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self._elided(option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        # Not left to Python: a painter that lives longer than this is one too many for Qt.
        painter.end()

    def _words(self) -> str:
        return self.currentText() or self.placeholderText()

    def _elided(self, option: QStyleOptionComboBox) -> str:
        style = self.style()
        if style is None:
            return self._words()
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        words, room = self._words(), field.width() - 6
        metrics = self.fontMetrics()
        if metrics.horizontalAdvance(words) <= room:
            return words
        # Qt's middle leaves half of the room to each end, too little for `high ground truth`.
        start = words[:_START]
        rest = room - metrics.horizontalAdvance(start)
        return start + metrics.elidedText(words[_START:], Qt.TextElideMode.ElideLeft, rest)
