import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractSpinBox, QCheckBox, QComboBox, QWidget

from bracketseg._napari.widgets.forms import ConfigForm
from bracketseg.learning.config import LOSSES, PredictConfig, TrainConfig

DEVICES = {"device": ("auto", "cpu")}


@pytest.fixture
def form(qtbot):
    return ConfigForm(TrainConfig(), "train", leave_out=("filters",), choices=DEVICES)


def test_there_is_a_control_for_each_field_that_is_not_left_out(form):
    assert set(form.names) == set(TrainConfig.model_fields) - {"filters"}
    for name in form.names:
        assert isinstance(form.native(name), QWidget)
        assert form.native(name).objectName() == f"train.{name}"
        assert form.native(name).toolTip() == TrainConfig.model_fields[name].description


def test_a_field_of_a_kind_without_a_control_has_to_be_left_out(qtbot):
    with pytest.raises(TypeError, match="filters: there is no control"):
        ConfigForm(TrainConfig(), "train", choices=DEVICES)


@pytest.mark.parametrize("config", [TrainConfig, PredictConfig])
def test_the_form_of_the_defaults_gives_the_defaults(qtbot, config):
    left_out = {"filters"} & set(config.model_fields)
    form = ConfigForm(config(), "it", leave_out=left_out, choices=DEVICES)
    assert form.config() == config()
    assert form.problem() == ""


@pytest.mark.parametrize("rate", [1e-3, 1e-4, 3e-5, 0.5])
def test_a_learning_rate_is_what_was_typed(form, rate):
    box = form.native("learning_rate")
    box.lineEdit().setText(f"{rate:.5f}")
    box.interpretText()
    assert form.config().learning_rate == rate
    again = ConfigForm(
        TrainConfig(learning_rate=rate), "train", leave_out=("filters",), choices=DEVICES
    )
    assert again.config().learning_rate == rate


def test_each_kind_of_field_has_its_kind_of_control(form):
    assert isinstance(form.native("epochs"), QAbstractSpinBox)
    assert isinstance(form.native("dropout"), QAbstractSpinBox)
    assert isinstance(form.native("augment"), QCheckBox)
    loss = form.native("loss")
    assert isinstance(loss, QComboBox)
    assert tuple(loss.itemText(place) for place in range(loss.count())) == LOSSES


@pytest.mark.parametrize("config", [TrainConfig, PredictConfig])
def test_the_ends_of_each_number_are_taken_by_the_config(qtbot, config):
    left_out = {"filters"} & set(config.model_fields)
    form = ConfigForm(config(), "it", leave_out=left_out, choices=DEVICES)
    numbers = [n for n in form.names if isinstance(form.native(n), QAbstractSpinBox)]
    assert numbers
    for name in numbers:
        box = form.native(name)
        for end in (box.minimum(), box.maximum()):
            box.setValue(end)
            assert getattr(form.config(), name) == pytest.approx(end)
    assert form.problem() == ""


def test_a_number_can_be_typed_digit_by_digit(form, qtbot):
    box = form.native("image_size")
    box.selectAll()
    qtbot.keyClicks(box, "128")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert form.config().image_size == 128


def test_numbers_beyond_the_limits_cannot_be_entered(form):
    form.native("epochs").setValue(0)
    form.native("dropout").setValue(1.0)
    form.native("validation").setValue(-3.0)
    config = form.config()
    assert (config.epochs, config.dropout, config.validation) == (1, 0.99, 0.01)


def test_an_image_size_goes_up_in_steps_that_the_network_takes(form):
    size = form.native("image_size")
    size.stepUp()
    assert form.config().image_size == 528


def test_what_the_config_refuses_is_said(form):
    form.native("image_size").setValue(500)
    assert form.problem() == "Image size is 500, but should be a multiple of 16."
    with pytest.raises(ValidationError):
        form.config()


def test_a_reset_shows_the_defaults_again_and_tells(form, qtbot):
    form.native("epochs").setValue(7)
    form.native("loss").setCurrentText("focal")
    form.native("augment").setChecked(False)
    assert form.config() == TrainConfig(epochs=7, loss="focal", augment=False)
    told = []
    form.changed.connect(lambda: told.append(True))
    form.reset()
    assert form.config() == TrainConfig()
    assert told


def test_fields_without_a_control_are_given_or_as_in_the_defaults(qtbot):
    defaults = TrainConfig(filters=(4, 8))
    form = ConfigForm(defaults, "train", leave_out=("filters", "role"), choices=DEVICES)
    assert form.config() == defaults
    assert form.config(role="high").role == "high"


def test_limits_that_are_excluded_are_out_of_reach(qtbot):
    class Config(BaseModel):
        model_config = ConfigDict(frozen=True)
        count: int = Field(default=3, gt=1, lt=9)

    form = ConfigForm(Config(), "it")
    assert (form.native("count").minimum(), form.native("count").maximum()) == (2, 8)
