"""Words that change many times a second."""

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

_MOST = 6
"""Lines that are seen at once; more of them scroll, and the window stays as it is."""


class StillText(QScrollArea):
    """A paragraph whose new words move nothing as long as they take as many lines.

    A plain label asks for another layout with every text. That goes up to the window, and on
    each of the levels all of it is drawn again, napari's canvas included.

    Parameters
    ----------
    parent : QWidget
    name : str
        Object name.
    lines : int
        Lines that there is room for from the start, so that what is below does not move under
        the mouse.
    """

    def __init__(self, parent: QWidget, name: str, *, lines: int = 1) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # It lies in no layout: nobody hears of it when it wants another size.
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setWidget(self._label)
        # Long words, such as paths, never make the dock wider.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._least = lines
        self._fit()

    def text(self) -> str:
        """Give the words."""
        return self._label.text()

    def setText(self, text: str) -> None:  # noqa: N802 - as a label names it
        """Show other words."""
        if text != self._label.text():
            self._label.setText(text)
            self._fit()

    def resizeEvent(self, a0: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(a0)
        self._fit()

    def showEvent(self, a0: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        super().showEvent(a0)
        self._fit()

    def changeEvent(self, a0: QEvent | None) -> None:  # noqa: N802 - Qt's name
        super().changeEvent(a0)
        if a0 is not None and a0.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        inside = self.contentsRect()
        # A style may have drawn a border around it. Both are asked for at once: with the bar gone
        # the words inside have another width, and Qt has this done again in the midst of it.
        border = self.height() - inside.height()
        line, width = self._label.fontMetrics().lineSpacing(), inside.width()
        least, most = self._least * line, _MOST * line
        # Before it is shown it has no width yet that says anything.
        wanted = self._label.heightForWidth(width) if self.isVisible() else 0
        bar = self.verticalScrollBar()
        if wanted > most and bar is not None:
            width -= bar.sizeHint().width()
            wanted = self._label.heightForWidth(width)
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if wanted > most else policy.ScrollBarAlwaysOff
        )
        self._label.resize(width, max(wanted, least))
        height = min(max(wanted, least), most) + border
        if height != self.minimumHeight():
            self.setFixedHeight(height)
