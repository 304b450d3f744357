"""The list of keys, made from the registry that binds them."""

from html import escape

from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QFrame, QLabel, QToolButton, QVBoxLayout, QWidget

from bracketseg._napari.widgets.shortcuts import Shortcuts


class KeyHelp(QToolButton):
    """A button that opens and closes a panel with all keys of the viewer's docks.

    Parameters
    ----------
    shortcuts : Shortcuts
    name : str
        Object name of the button; the text in the panel has `<name>.text`.
    parent : QWidget
    """

    def __init__(self, shortcuts: Shortcuts, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setText("Keys")
        self.setToolTip("The keys of all docks")
        self._shortcuts = shortcuts
        self._panel = QFrame(self, Qt.WindowType.Popup)
        self._panel.setObjectName(f"{name}.panel")
        self._text = QLabel(self._panel)
        self._text.setObjectName(f"{name}.text")
        QVBoxLayout(self._panel).addWidget(self._text)
        self.clicked.connect(self._open)

    def _open(self) -> None:
        rows = "".join(
            f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(title)}</td></tr>"
            for key, title in self._shortcuts.table()
        )
        self._text.setText(f"<table>{rows}</table>")
        self._panel.adjustSize()
        corner = self.mapToGlobal(QPoint(self.width(), self.height()))
        self._panel.move(corner - QPoint(self._panel.width(), 0))
        self._panel.show()
