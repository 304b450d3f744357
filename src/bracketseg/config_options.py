"""Command-line options made from a config, so that no parameter is written twice."""

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from typer.core import TyperCommand

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def options_from(
    config: type[BaseModel],
    *,
    leave_out: Collection[str] = (),
    required: Collection[str] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option per field of a config.

    The command takes the finished, validated config as its argument `config`; a value that the
    config refuses is a usage error that names the option.

    Parameters
    ----------
    config : type
        A pydantic model. Description and default of each field become the option's help and
        default.
    leave_out : collection of str
        Fields that get no option and keep their default.
    required : collection of str
        Fields whose option has no default.
    """
    fields = {name: f for name, f in config.model_fields.items() if name not in leave_out}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        derived = [
            inspect.Parameter(
                name,
                _KEYWORD,
                annotation=Annotated[field.annotation, typer.Option(help=field.description)],
                default=inspect.Parameter.empty if name in required else field.default,
            )
            for name, field in fields.items()
        ]

        @wraps(command)
        def with_config(**given: Any) -> None:
            values = {name: given.pop(name) for name in fields}
            try:
                made = config(**values)
            except ValidationError as error:
                first = error.errors()[0]
                option = "--" + str(first["loc"][0]).replace("_", "-")
                raise typer.BadParameter(f"{first['msg']}", param_hint=option) from error
            command(**given, config=made)

        kept = [p.replace(kind=_KEYWORD) for p in own if p.name != "config"]
        parameters = [*kept, *derived]
        with_config.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_config.__annotations__ = {p.name: p.annotation for p in parameters}
        del with_config.__wrapped__
        return with_config

    return decorate


def taking_lists(options: Mapping[str, Callable[[str], bool]]) -> type[TyperCommand]:
    """Make a kind of command that takes `--losses bce focal` for `--losses bce --losses focal`.

    Parameters
    ----------
    options : mapping of str to callable
        Each option that may be followed by several values, and what tells whether an argument
        is one of its values.
    """

    class TakesLists(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            spread: list[str] = []
            listing = ""
            for argument in args:
                if argument in options:
                    listing = argument
                elif not listing or not options[listing](argument):
                    listing = ""
                elif spread[-1] != listing:
                    spread.append(listing)
                spread.append(argument)
            return super().parse_args(ctx, spread)

    return TakesLists
