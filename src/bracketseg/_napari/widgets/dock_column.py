"""How every dock is laid out, so that none makes a small window larger."""

from qtpy.QtWidgets import QLayout, QVBoxLayout, QWidget

from bracketseg._napari.widgets.upright_area import UprightArea


def fill_dock(dock: QWidget, inside: QWidget, *foot: QWidget | QLayout) -> UprightArea:
    """Put into a dock what scrolls, up and down only, and below it what stays in sight.

    While a dock is opened the window makes room for it and for the others below each other,
    and never gives that room back: what stays in sight has to be low.

    Parameters
    ----------
    dock : QWidget
        Gets the layout.
    inside : QWidget
        With its layout; what takes room that is left over has to be in it.
    *foot : QWidget or QLayout
        The main buttons and the status line, from above.

    Returns
    -------
    UprightArea
        Which scrolls.
    """
    area = UprightArea(inside, dock)
    layout = QVBoxLayout(dock)
    layout.setContentsMargins(6, 4, 6, 6)
    layout.setSpacing(4)
    layout.addWidget(area, 1)
    for part in foot:
        if isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)
    layout.addStretch(0)
    return area
