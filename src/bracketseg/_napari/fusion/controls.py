"""What the Fusion dock looks like."""

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from bracketseg._napari.fusion.text import save_title
from bracketseg._napari.widgets.align_choice import AlignChoice
from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole

_MAIN_HEIGHT = 34
_MIN_WIDTH = 300


class FusionControls:
    """Makes the controls and lays them out in a widget; what they do is said elsewhere.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    """

    def __init__(self, dock: QWidget) -> None:
        self.masks = {role: _mask_list(dock, role) for role in MASK_ROLES}
        self.align = AlignChoice(
            dock,
            "fusion.align",
            "Lay the frames of a hand-held bracket on each other before they are fused.",
        )
        self.deghost = QCheckBox("One frame alone where something moved", dock)
        self.deghost.setObjectName("fusion.deghost")
        self.fuse = QCheckBox("Show the fused picture", dock)
        self.fuse.setObjectName("fusion.fuse")
        self.fuse.setToolTip(
            "A layer below the masks, at a reduced size. It follows the masks while they are\n"
            "painted, and the scene that is shown, until this is unticked."
        )
        self.save = QPushButton(save_title(stack=False), dock)
        self.save.setObjectName("fusion.save")
        self.save.setToolTip("Fuse in full size, to a file. It need not be shown.")
        self.save.setMinimumHeight(_MAIN_HEIGHT)
        for control in (self.fuse, self.save):
            # The keys belong to the picture: a control must not take them with the focus.
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.status = StillText(dock, "fusion.status", lines=3)
        self._lay_out(dock)

    def show_masks(self, role: MaskRole, names: list[str], chosen: int) -> None:
        """List masks; -1 is none."""
        combo = self.masks[role]
        # The list is ours: nobody has chosen anything.
        with QSignalBlocker(combo):
            if [combo.itemText(i) for i in range(combo.count())] != names:
                combo.clear()
                combo.addItems(names)
            combo.setCurrentIndex(chosen)
        combo.setEnabled(bool(names))

    def show_save(self, *, stack: bool) -> None:
        """Say what is saved: the picture, or the slice of a stack that is shown."""
        self.save.setText(save_title(stack=stack))

    def _lay_out(self, dock: QWidget) -> None:
        dock.setMinimumWidth(_MIN_WIDTH)
        inside = QWidget(dock)
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.setColumnStretch(1, 1)
        rows = [
            ("Low mask", self.masks["low"]),
            ("High mask", self.masks["high"]),
            ("Align", self.align),
        ]
        for row, (title, widget) in enumerate(rows):
            grid.addWidget(QLabel(title), row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self.deghost, len(rows), 0, 1, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        # Beside its words a tick box takes no click.
        buttons.addWidget(self.fuse, 0)
        buttons.addStretch(1)
        buttons.addWidget(self.save, 1)
        fill_dock(dock, inside, buttons, self.status)


def _mask_list(dock: QWidget, role: MaskRole) -> QComboBox:
    combo = ElidedCombo(dock)
    combo.setObjectName(f"fusion.{role}_mask")
    combo.setPlaceholderText("none")
    combo.setToolTip(f"Where it holds, the {role} frame is trusted")
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(10)
    return combo
