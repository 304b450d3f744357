"""The list of the ways in which frames can be aligned, as every dock names them."""

from qtpy.QtWidgets import QComboBox, QWidget

from bracketseg.brackets.align_method import AlignMethod

_WAYS: dict[AlignMethod, tuple[str, str]] = {
    "off": ("Off", "The frames lie as they were taken."),
    "shift": ("Shift", "By whole pixels (median threshold bitmaps): quick."),
    "homography": (
        "Homography",
        "Turned and tilted as well, by matching features: for brackets held in the hand.",
    ),
}


class AlignChoice(QComboBox):
    """Chooses how the frames of a bracket are aligned.

    Parameters
    ----------
    parent : QWidget or None
    name : str
        Object name.
    tip : str
        What aligning does here; what the ways are is added.
    """

    def __init__(self, parent: QWidget | None, name: str, tip: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        for method, (title, _) in _WAYS.items():
            self.addItem(title, method)
        # No wider than it has to be: docks are narrow.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        ways = "\n".join(f"{title}: {what}" for title, what in _WAYS.values())
        self.setToolTip(f"{tip}\n\n{ways}")

    @property
    def method(self) -> AlignMethod:
        """What is chosen."""
        method: AlignMethod = self.currentData()
        return method

    @method.setter
    def method(self, method: AlignMethod) -> None:
        self.setCurrentIndex(list(_WAYS).index(method))
