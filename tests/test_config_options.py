import inspect

from typer.models import OptionInfo

from bracketseg.config_options import options_from
from bracketseg.learning.config import PredictConfig, TrainConfig


def options(config):
    """Return the options that a command gets for a config."""

    @options_from(config, leave_out={"filters"})
    def command(path: str, *, config: object) -> None:
        """Do nothing."""

    return command, inspect.signature(command).parameters


def test_the_options_defaults_are_the_configs():
    for config in (TrainConfig, PredictConfig):
        made = []

        @options_from(config, leave_out={"filters"})
        def command(*, config, made=made):
            made.append(config)

        command(
            **{
                name: parameter.default
                for name, parameter in inspect.signature(command).parameters.items()
                if name != "made"
            },
            made=made,
        )
        assert made == [config()]


def test_every_field_has_an_option_with_its_help():
    _, parameters = options(TrainConfig)
    for name, field in TrainConfig.model_fields.items():
        if name != "filters":
            (option,) = (
                extra
                for extra in parameters[name].annotation.__metadata__
                if isinstance(extra, OptionInfo)
            )
            assert option.help == field.description


def test_the_commands_own_parameters_stay():
    command, parameters = options(PredictConfig)
    assert "path" in parameters
    assert "config" not in parameters
    assert command.__doc__ == "Do nothing."
