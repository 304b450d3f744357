"""A form made from a config, so that no setting is written twice."""

import math
from collections.abc import Collection, Mapping
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from magicgui.widgets.bases import ValueWidget
from psygnal import Signal
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtWidgets import QAbstractSpinBox, QWidget

ConfigT = TypeVar("ConfigT", bound=BaseModel)

_MIN_WIDTH = 100
_SMALL = 0.01
"""A float with a default below that is one to try in several orders of magnitude."""


class ConfigForm(Generic[ConfigT]):
    """One control for each field of a config.

    Type, limits, description and default of a field become the control, its limits, its
    tool tip and what it shows at first.

    Parameters
    ----------
    defaults : BaseModel
        What the form shows at first, and after :meth:`reset`.
    prefix : str
        The control of a field has the object name `<prefix>.<field>`.
    leave_out : collection of str
        Fields without a control; :meth:`config` takes them from `defaults` or is given them.
    choices : mapping of str to sequence of str
        What can be chosen for a field of text.

    Signals
    -------
    changed()
        Some control shows another value.
    """

    changed = Signal()

    def __init__(
        self,
        defaults: ConfigT,
        prefix: str,
        *,
        leave_out: Collection[str] = (),
        choices: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._defaults = defaults
        self._controls: dict[str, ValueWidget[Any]] = {}
        for name, field in type(defaults).model_fields.items():
            if name in leave_out:
                continue
            offered = (choices or {}).get(name)
            control = _control(name, field, getattr(defaults, name), offered)
            native = control.native
            native.setObjectName(f"{prefix}.{name}")
            native.setToolTip(field.description or "")
            control.changed.connect(self._emit)
            self._controls[name] = control

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that have a control, in their order."""
        return tuple(self._controls)

    def title(self, name: str) -> str:
        """Say what a field is called beside its control.

        >>> ConfigForm.title(None, "learning_rate")
        'Learning rate'
        """
        return name.replace("_", " ").capitalize()

    def native(self, name: str) -> QWidget:
        """Give the control of a field, to be laid out."""
        native: QWidget = self._controls[name].native
        return native

    def config(self, **others: Any) -> ConfigT:
        """Give what the form says.

        Parameters
        ----------
        **others
            Values of fields that have no control.

        Raises
        ------
        ValidationError
            If the config refuses a value; :meth:`problem` says it in words.
        """
        shown = {name: control.value for name, control in self._controls.items()}
        kept = self._defaults.model_dump(exclude=set(shown))
        return type(self._defaults)(**{**kept, **shown, **others})

    def problem(self) -> str:
        """Say which value the config refuses, and why; empty if it takes all."""
        try:
            self.config()
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            reason = first["msg"].removeprefix("Input ")
            return f"{self.title(name)} is {first['input']}, but {reason}."
        return ""

    def reset(self) -> None:
        """Show the defaults again."""
        for name, control in self._controls.items():
            control.value = getattr(self._defaults, name)

    def _emit(self, _value: object = None) -> None:
        self.changed.emit()


def _control(
    name: str, field: FieldInfo, default: Any, choices: Collection[str] | None
) -> ValueWidget[Any]:
    kind = field.annotation
    if choices is not None or get_origin(kind) is Literal:
        return _chooser(get_args(kind) if choices is None else choices, default)
    if kind is bool:
        return CheckBox(value=default, text="")
    if kind is int:
        low, high = _limits(field, 1)
        steps = [getattr(limit, "multiple_of", 1) for limit in field.metadata]
        box = SpinBox(value=default, min=int(low), max=int(high), step=max(steps, default=1))
        # Else the least value takes the place of the first digit that is typed.
        box.native.setKeyboardTracking(False)
        return box
    if kind is float:
        return _float_box(field, default)
    raise TypeError(f"{name}: there is no control for {kind}; leave it out")


def _chooser(choices: Collection[str], default: str) -> ValueWidget[Any]:
    box = ComboBox(choices=list(choices), value=default)
    # Long words make no dock wider.
    native = box.native
    native.setSizeAdjustPolicy(native.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    native.setMinimumWidth(_MIN_WIDTH)
    return box


def _float_box(field: FieldInfo, default: float) -> ValueWidget[Any]:
    small = 0 < default < _SMALL
    decimals = 2 - math.floor(math.log10(default)) if small else 2
    unit = 10.0**-decimals
    low, high = _limits(field, unit)
    # The step tells magicgui how many decimals there are, and the value is set after it.
    box = FloatSpinBox(value=default, min=low, max=high, step=unit)
    if small:
        # From here on one step is a tenth of the value, whatever its order of magnitude.
        box.native.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
    else:
        box.native.setSingleStep(5 * unit)
    return box


def _limits(field: FieldInfo, unit: float) -> tuple[float, float]:
    """Give the least and the greatest number that a field takes, in steps of `unit`."""
    low, high = -math.inf, math.inf
    for limit in field.metadata:
        low = getattr(limit, "ge", low)
        high = getattr(limit, "le", high)
        if hasattr(limit, "gt"):
            low = limit.gt + unit
        if hasattr(limit, "lt"):
            high = limit.lt - unit
    return low, high
