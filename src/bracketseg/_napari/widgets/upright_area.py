"""An area that scrolls up and down only, and takes the height of what it holds if it can."""

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget


class UprightArea(QScrollArea):
    """Is as wide as its widget needs, with room for the bar, and at most as high.

    Qt's own area keeps to a height that it once had, and lets the bar cover words.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # It would take the focus, and with it the keys, from the picture.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All of the widget."""
        return self._needed(least=False)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All of its width, and a part of its height."""
        return self._needed(least=True)

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Take another size when the widget needs one."""
        if a0 is self.widget() and a1 is not None and a1.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(a0, a1)

    def _needed(self, *, least: bool) -> QSize:
        widget, bar = self.widget(), self.verticalScrollBar()
        if widget is None or bar is None:
            return super().sizeHint()
        size = widget.minimumSizeHint() if least else widget.sizeHint()
        height = min(size.height(), 120) if least else size.height()
        return QSize(size.width() + bar.sizeHint().width(), height)
