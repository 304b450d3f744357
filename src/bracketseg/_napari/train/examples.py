"""What the network says of some validation scenes while it learns."""

from collections.abc import Callable

import cv2
import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from bracketseg._napari.layers.provenance import METADATA_KEY, Provenance
from bracketseg._napari.widgets.still_text import StillText
from bracketseg._napari.widgets.turns import turns_of
from bracketseg.learning.events import ExamplesSeen

_SIDE = 192
"""Of the pictures that are kept, pixels; the dock seldom has room for larger ones."""

_GAP = 4
_CAPTIONS = ("image", "ground truth", "network")
_LAYERS: dict[str, str | None] = {"image": None, "ground truth": "green", "network": "magenta"}


class ExamplesView(QWidget):
    """Thumbnails of the examples, a scene a row, and a button that makes layers of them.

    Parameters
    ----------
    name : str
        Object name; the parts below it have names of their own.
    show_layers : callable
        Called when the button is pressed.
    """

    def __init__(
        self, name: str, show_layers: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._words = StillText(self, f"{name}.text", lines=2)
        self._words.setText("Examples of what the network sees come after the first epoch.")
        self._button = QPushButton("As layers", self)
        self._button.setObjectName(f"{name}.as_layers")
        self._button.setToolTip("Show these examples as layers, which follow the training")
        self._button.setEnabled(False)
        self._button.clicked.connect(lambda: show_layers())
        self._grid = _Grid(self)
        top = QHBoxLayout()
        top.addWidget(self._words, 1)
        top.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(top)
        layout.addWidget(self._grid, 1)

    def show_examples(self, seen: ExamplesSeen, run: str, words: str) -> None:
        """Show what the network of a run says now."""
        self._words.setText(f"{run}, after epoch {seen.epoch}. {words}")
        self._button.setEnabled(True)
        self._grid.show_examples(seen)


class _Grid(QWidget):
    """Rows of three pictures, as large as there is room for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: list[list[QPixmap]] = []
        self.setMinimumHeight(60)

    def show_examples(self, seen: ExamplesSeen) -> None:
        masks = seen.masks.astype(np.uint8) * 255
        self._rows = [
            [_pixmap(picture) for picture in row]
            for row in zip(seen.images, masks, seen.probabilities, strict=True)
        ]
        self.setToolTip("\n".join(seen.scenes))
        self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:  # noqa: ARG002, N802 - Qt's name
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        line = self.fontMetrics().height()
        columns, rows = len(_CAPTIONS), len(self._rows)
        wide = (self.width() - _GAP * (columns - 1)) // columns
        side = min(wide, (self.height() - line) // rows - _GAP)
        if side <= 0:
            return
        painter.setPen(self.palette().color(self.foregroundRole()))
        for column, caption in enumerate(_CAPTIONS):
            left = column * (side + _GAP)
            place = QRect(left, 0, side, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, caption)
            for row, pictures in enumerate(self._rows):
                top = line + row * (side + _GAP)
                painter.drawPixmap(QRect(left, top, side, side), pictures[column])


class ExampleLayers:
    """The examples as three layers, one slice a scene.

    napari needs a while for each of them, so that each has a turn of the event loop.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._names: dict[str, str] = {}
        self._due: dict[str, NDArray[np.uint8]] = {}

    @property
    def shown(self) -> bool:
        """Whether they are there."""
        return any(name in self._viewer.layers for name in self._names.values())

    def show(self, seen: ExamplesSeen) -> None:
        """Add the layers, or show the examples of another epoch in them."""
        idle = not self._due
        self._due = {
            "image": seen.images,
            "ground truth": seen.masks.astype(np.uint8) * 255,
            "network": seen.probabilities,
        }
        if idle:
            turns_of(self._viewer).add(self._show_next)

    def cancel(self) -> None:
        """Show nothing more."""
        self._due = {}

    def _show_next(self) -> None:
        if not self._due:
            return
        kind = next(iter(self._due))
        self._show(kind, self._due.pop(kind))
        if self._due:
            turns_of(self._viewer).add(self._show_next)

    def _show(self, kind: str, picture: NDArray[np.uint8]) -> None:
        name, color = self._names.get(kind, ""), _LAYERS[kind]
        if name in self._viewer.layers:
            self._viewer.layers[name].data = picture
            return
        # Not a kind that masks are made or saved from.
        about = Provenance(kind="probability", scene="training examples", role=None)
        options = {} if color is None else {"colormap": color, "blending": "additive"}
        layer = self._viewer.add_image(
            picture,
            name=f"training examples {kind}",
            metadata={METADATA_KEY: about},
            opacity=1.0 if color is None else 0.5,
            **options,
        )
        self._names[kind] = layer.name


def _pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = small.ndim == 2
    kind = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    stride = _SIDE if grey else 3 * _SIDE
    image = QImage(small.tobytes(), _SIDE, _SIDE, stride, kind)
    return QPixmap.fromImage(image)
