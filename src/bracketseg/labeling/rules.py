"""All the rules that make masks, as one type, and their names."""

from collections.abc import Mapping
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import Field

from bracketseg.brackets.bracket import MaskRole, Role
from bracketseg.labeling.automatic import Automatic, find_ranges
from bracketseg.labeling.histogram_rules import HistogramDivision, HistogramRule, Mixture, Valley
from bracketseg.labeling.ranges import ManualRange, Otsu

Rule = Annotated[
    ManualRange | Otsu | Automatic | HistogramDivision | Mixture | Valley,
    Field(discriminator="method"),
]

FOUND_RULES: dict[str, Otsu | Automatic | HistogramDivision | Mixture | Valley] = {
    rule.method: rule for rule in (Otsu(), Automatic(), HistogramDivision(), Mixture(), Valley())
}
"""The rules that find their range themselves, by the name of their method."""


def is_threshold(rule: object) -> bool:
    """Whether this is a rule that parts a frame at one luma, which belongs to the darker side."""
    return isinstance(rule, (Otsu, HistogramRule))


def found_for(
    rules: Mapping[MaskRole, Rule], frames: Mapping[Role, NDArray[Any]]
) -> dict[MaskRole, Rule]:
    """Find the ranges that take the whole bracket; other rules stay as they are.

    Parameters
    ----------
    rules : mapping of role to Rule
    frames : mapping of role to array
        As for :func:`~bracketseg.labeling.automatic.find_ranges`, where there is such a rule.

    Raises
    ------
    LabelingError
        As :func:`~bracketseg.labeling.automatic.find_ranges`.
    """
    if not needs_bracket(rules):
        return dict(rules)
    found = find_ranges(frames)
    return {
        role: found[role] if isinstance(rule, Automatic) and rule.found is None else rule
        for role, rule in rules.items()
    }


def needs_bracket(rules: Mapping[MaskRole, Rule]) -> bool:
    """Whether one of the rules is still to be found from all frames of a bracket."""
    return any(isinstance(rule, Automatic) and rule.found is None for rule in rules.values())
