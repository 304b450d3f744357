"""Learning curves as pictures that a page can hold."""

import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

from bracketseg.learning.config import Loss
from bracketseg.learning.runs import Run

LOSS_COLORS: dict[Loss, str] = {"bce": "#0072b2", "focal": "#d55e00", "dice-bce": "#009e73"}
"""Of Okabe and Ito's palette: told apart by every kind of eye, on white and on black."""

PANELS = {
    "train_loss": "Training loss",
    "validation_loss": "Validation loss",
    "validation_dice": "Validation Dice",
}
"""What is drawn, by its name in the history of a run."""

_INK = "#010203"
"""Stands for the colour of the page's own text until the picture is done."""


def curve_svg(runs: Sequence[Run], panel: str, name: str) -> str:
    """Draw one panel: a thin line a run, in the colour of its loss, its best epoch marked.

    The same runs give the same text. Lines and words take the colour of the text around them.

    Parameters
    ----------
    runs : sequence of Run
        Of one role.
    panel : str
        A key of `PANELS`. Losses are drawn on a logarithmic axis.
    name : str
        Sets this picture's identifiers apart from those of others on the page.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    # It takes a second to import, and most uses of this package never ask for it.
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    style: dict[Any, Any] = {
        "svg.hashsalt": "bracketseg",
        "svg.fonttype": "none",
        "font.size": 9,
        "font.family": "sans-serif",
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "grid.color": _INK,
        "grid.alpha": 0.15,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(4.2, 2.9), layout="constrained")
        axes = figure.add_subplot()
        for run in runs:
            epochs = [record.epoch for record in run.records]
            values = [getattr(record, panel) for record in run.records]
            color = LOSS_COLORS[run.config.loss]
            axes.plot(epochs, values, color=color, linewidth=1)
            best = run.best
            if best is not None:
                axes.plot(best.epoch, getattr(best, panel), "o", color=color, markersize=4)
        axes.set_title(PANELS[panel], fontsize=10)
        axes.set_xlabel("Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=True)
        axes.spines[["top", "right"]].set_visible(False)
        if panel != "validation_dice":
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        else:
            axes.set_ylim(top=1.0)
        text = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    return _inline(text.getvalue(), name)


def _inline(document: str, name: str) -> str:
    """Make of an SVG file an element of a page."""
    element = document[document.index("<svg") :].rstrip()
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'href="#', f'href="#{name}-', element)
    element = element.replace("url(#", f"url(#{name}-")
    return element.replace(_INK, "currentColor")
