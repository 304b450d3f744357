"""Two masks in one picture: where they agree, and where only one of them is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What can become of a pixel of a prediction.

    Attributes
    ----------
    number : int
        In the picture that :func:`compose` makes of a reference and a prediction; 0 never
        occurs and stays free for what is not compared.
    title : str
    color : str
        "#rrggbb".
    """

    number: int
    title: str
    color: str


# Of Okabe and Ito's palette the four without black that are furthest apart to every kind of
# eye; black would hide what a dark frame shows. What is right is cool, what is wrong is warm.
OUTCOMES = (
    Outcome(number=3, title="true positive", color="#56b4e9"),
    Outcome(number=2, title="false positive", color="#d55e00"),
    Outcome(number=1, title="false negative", color="#f0e442"),
    Outcome(number=4, title="true negative", color="#0072b2"),
)


def compose(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Tell the four ways in which two masks can meet apart by numbers.

    Parameters
    ----------
    first, second : (H, W) bool
        A reference and a prediction, say.

    Returns
    -------
    (H, W) uint8
        1 where only the first is true, 2 only the second, 3 both, 4 neither.

    Examples
    --------
    >>> compose(np.array([True, True, False, False]), np.array([True, False, True, False]))
    array([3, 1, 2, 4], dtype=uint8)
    """
    numbers: NDArray[np.uint8] = first.view(np.uint8) | (second.view(np.uint8) << np.uint8(1))
    numbers |= (numbers == 0).view(np.uint8) << np.uint8(2)
    return numbers
