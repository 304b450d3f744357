"""A legend as rich text."""

from collections.abc import Sequence


def legend_text(entries: Sequence[tuple[str, str]]) -> str:
    """Write a square of its colour before each word.

    Parameters
    ----------
    entries
        The words, each with its colour as CSS writes it.
    """
    return "&nbsp; ".join(
        f'<span style="color:{color}; font-size:large">■</span>&nbsp;{word.replace(" ", "&nbsp;")}'
        for word, color in entries
    )
