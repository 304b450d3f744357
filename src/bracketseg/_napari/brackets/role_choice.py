"""Two boxes that say which frames of a long bracket are low and high."""

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg.brackets.bracket import Bracket


class RoleChoice(QWidget):
    """Lets the user take two frames of a bracket as low and high.

    Signals
    -------
    chosen(Frame, Frame)
        The user took these two as low and high; low is the darker one.
    """

    chosen = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bracket: Bracket | None = None
        self._low, self._high = _box("brackets.low_frame"), _box("brackets.high_frame")
        self._low.setToolTip("The dark frame: its masks keep what is bright enough in it.")
        self._high.setToolTip("The bright frame: its masks keep what is not too bright in it.")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for row, (title, box) in enumerate((("Low", self._low), ("High", self._high))):
            layout.addWidget(QLabel(title), row, 0)
            layout.addWidget(box, row, 1)
        layout.setColumnStretch(1, 1)
        self._low.currentIndexChanged.connect(self._low_changed)
        self._high.currentIndexChanged.connect(self._high_changed)
        self.show_bracket(None)

    def show_bracket(self, bracket: Bracket | None) -> None:
        """Offer the frames of a bracket; of three and fewer there is nothing to choose."""
        self._bracket = bracket if bracket is not None and len(bracket.frames) > 3 else None
        with QSignalBlocker(self._low), QSignalBlocker(self._high):
            self._low.clear()
            self._high.clear()
            if self._bracket is not None:
                frames = self._bracket.frames
                medium = self._bracket.roles.get("medium", frames[len(frames) // 2])
                titles = [f"{frame.ev - medium.ev:+.1f} EV  {frame.path.name}" for frame in frames]
                self._low.addItems(titles[:-1])
                self._high.addItems(titles[1:])
                self._low.setCurrentIndex(frames.index(self._bracket.frame("low")))
                self._high.setCurrentIndex(frames.index(self._bracket.frame("high")) - 1)
        self.setVisible(self._bracket is not None)

    def _low_changed(self) -> None:
        # The high box starts with the second frame: the same index is the next brighter one.
        with QSignalBlocker(self._high):
            self._high.setCurrentIndex(max(self._high.currentIndex(), self._low.currentIndex()))
        self._choose()

    def _high_changed(self) -> None:
        with QSignalBlocker(self._low):
            self._low.setCurrentIndex(min(self._low.currentIndex(), self._high.currentIndex()))
        self._choose()

    def _choose(self) -> None:
        if self._bracket is not None:
            frames = self._bracket.frames
            low, high = self._low.currentIndex(), self._high.currentIndex() + 1
            self.chosen.emit(frames[low], frames[high])


def _box(name: str) -> QComboBox:
    box = ElidedCombo()
    box.setObjectName(name)
    # Long file names make no dock wider.
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
    return box
