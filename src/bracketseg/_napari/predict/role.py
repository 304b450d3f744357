"""The controls of one role in the Predict dock: its image and its model."""

from collections.abc import Sequence

from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from bracketseg._napari.predict.model_choice import ModelEntry
from bracketseg._napari.widgets.elided_combo import ElidedCombo
from bracketseg.brackets.bracket import MaskRole

_FRAMES: dict[MaskRole, str] = {"low": "the dark frame", "high": "the bright frame"}
_NO_IMAGE = "(none)"
_LEAVE_OUT = "(leave out)"
_CHOOSE = "Choose…"


class PredictRole(QFrame):
    """Shows one role and tells what a person asks for; it changes nothing itself.

    Signals
    -------
    image_chosen(role, Image or None)
    model_chosen(role, ModelEntry or None)
    file_wanted(role)
        The model is to be chosen from a file.
    touched(role)
        The user wants to see this role.
    """

    image_chosen = Signal(str, object)
    model_chosen = Signal(str, object)
    file_wanted = Signal(str)
    touched = Signal(str)

    def __init__(self, role: MaskRole, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = role
        self._images: list[Image] = []
        self._models: list[ModelEntry] = []
        self.title = QPushButton(role.title(), self)
        self.title.setObjectName(f"predict.{role}")
        self.title.setCheckable(True)
        self.title.setToolTip(f"Show {_FRAMES[role]} and its predicted mask")
        self.title.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.image = _combo(self, f"predict.{role}_image")
        self._image_tip = f"The open image that is {_FRAMES[role]}"
        self.model = _combo(self, f"predict.{role}_model")
        self._model_tip = f"The network that predicts the mask of {_FRAMES[role]}"
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 2)
        grid.setSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.image, 0, 1)
        grid.addWidget(self.model, 1, 0, 1, 2)
        self.title.clicked.connect(self._title_clicked)
        self.image.currentIndexChanged.connect(self._image_picked)
        self.model.activated.connect(self._model_picked)

    def show_images(self, images: Sequence[Image], chosen: Image | None) -> None:
        """List the images that can be chosen, the topmost first."""
        self._images = list(reversed(images))
        names = [*(image.name for image in self._images), _NO_IMAGE]
        here = [i for i, image in enumerate(self._images) if image is chosen]
        _fill(self.image, names, here[0] if here else len(self._images))
        self.image.setEnabled(bool(self._images))
        self.image.setToolTip(f"{self._image_tip}: {chosen.name}" if chosen else self._image_tip)

    def show_models(
        self, models: Sequence[ModelEntry], chosen: ModelEntry | None, *, left_out: bool
    ) -> None:
        """List the models that can be chosen."""
        self._models = list(models)
        titles = [*(model.title for model in self._models), _LEAVE_OUT, _CHOOSE]
        if chosen is not None:
            here = self._models.index(chosen)
        else:
            here = len(self._models) if left_out else len(self._models) + 1
        _fill(self.model, titles, here)
        for place, model in enumerate(self._models):
            self.model.setItemData(place, str(model.path), Qt.ItemDataRole.ToolTipRole)
        tip = f"{self._model_tip}: {chosen.title}\n{chosen.path}" if chosen else self._model_tip
        self.model.setToolTip(tip)

    def show_focus(self, *, focused: bool, enabled: bool) -> None:
        """Show whether this is the role that is shown, and whether there is something to show."""
        self.title.setChecked(focused and enabled)
        self.title.setEnabled(enabled)

    def _title_clicked(self) -> None:
        self.title.setChecked(True)
        self.touched.emit(self._role)

    def _image_picked(self, index: int) -> None:
        image = self._images[index] if index < len(self._images) else None
        self.image_chosen.emit(self._role, image)

    def _model_picked(self, index: int) -> None:
        if index > len(self._models):
            self.file_wanted.emit(self._role)
        else:
            model = self._models[index] if index < len(self._models) else None
            self.model_chosen.emit(self._role, model)


def _combo(parent: QWidget, name: str) -> ElidedCombo:
    combo = ElidedCombo(parent)
    combo.setObjectName(name)
    # Long names make no dock wider; a list that has the focus takes letters for names in it.
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(12)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return combo


def _fill(combo: QComboBox, titles: Sequence[str], current: int) -> None:
    combo.blockSignals(True)
    combo.clear()
    combo.addItems(list(titles))
    combo.setCurrentIndex(current)
    view = combo.view()
    if view is not None:
        # The list may be wider than the dock, so that the ends of its lines are seen.
        view.setMinimumWidth(view.sizeHintForColumn(0) + 24)
    combo.blockSignals(False)
