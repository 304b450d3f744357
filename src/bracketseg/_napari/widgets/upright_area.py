"""An area that scrolls up and down only, and takes the height of what it holds if it can."""

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QWidget,
)

_LEAST = 60
"""Pixels that are seen of what is inside, however low the window is."""


class UprightArea(QScrollArea):
    """Is as wide as its widget needs, with room for the bar.

    It is at most as high as its widget, unless that makes use of more. Qt's own area keeps to
    a height that it once had, and lets the bar cover words.

    Parameters
    ----------
    inside : QWidget
        With its layout.
    parent : QWidget
    """

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # It would take the focus, and with it the keys, from the picture.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = inside.layout()
        fills = layout is not None and layout.expandingDirections() & Qt.Orientation.Vertical
        self.setSizePolicy(
            QSizePolicy.Policy.Preferred,
            QSizePolicy.Policy.Expanding if fills else QSizePolicy.Policy.Maximum,
        )
        self.setWidget(inside)
        self._wanted: QWidget | None = None
        self._revealing = QTimer(self)
        self._revealing.setSingleShot(True)
        self._revealing.setInterval(0)
        self._revealing.timeout.connect(self._reveal)
        for kind in (QAbstractSpinBox, QComboBox, QSlider):
            for control in inside.findChildren(kind):
                self._leave_wheel(control)

    def reveal(self, widget: QWidget) -> None:
        """Scroll to a part of what is inside, once that has its place."""
        self._wanted = widget
        self._revealing.start()

    def _reveal(self) -> None:
        if self._wanted is not None:
            self.ensureWidgetVisible(self._wanted, 0, 0)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All of the widget."""
        return self._needed(least=False)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All of its width, and a part of its height."""
        return self._needed(least=True)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let the key go on to the window: those that would scroll page through the scenes."""
        if event is not None:
            event.ignore()

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Take another size when the widget needs one, and the wheel from its controls."""
        if a1 is not None and a0 is self.widget() and a1.type() == QEvent.Type.LayoutRequest:
            self._make_room()
            self.updateGeometry()
        turned = a1 is not None and a1.type() == QEvent.Type.Wheel and a0 is not self.widget()
        if a1 is not None and turned and isinstance(a0, QWidget) and not a0.hasFocus():
            a1.ignore()
            return True
        return super().eventFilter(a0, a1)

    def resizeEvent(self, a0: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(a0)
        self._make_room()

    def _make_room(self) -> None:
        """Have words that take several lines in this width get them, which Qt's area does not."""
        widget, viewport = self.widget(), self.viewport()
        layout = None if widget is None else widget.layout()
        if widget is None or viewport is None or layout is None or not layout.hasHeightForWidth():
            return
        least = layout.minimumHeightForWidth(viewport.width())
        if least != widget.minimumHeight():
            widget.setMinimumHeight(least)

    def _leave_wheel(self, control: QWidget) -> None:
        """Have the wheel scroll, and not change what the pointer happens to come across."""
        if control.focusPolicy() == Qt.FocusPolicy.WheelFocus:
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        control.installEventFilter(self)

    def _needed(self, *, least: bool) -> QSize:
        widget, bar = self.widget(), self.verticalScrollBar()
        if widget is None or bar is None:
            return super().sizeHint()
        size = widget.minimumSizeHint() if least else widget.sizeHint()
        wanted = max(size.height(), widget.minimumHeight())
        height = min(wanted, _LEAST) if least else wanted
        # A style may have drawn a border around it.
        border = self.width() - self.contentsRect().width()
        return QSize(size.width() + bar.sizeHint().width() + border, height + border)
