"""What the paper prints in its Tables 1 and 2, and which of it no measurement can give."""

from collections.abc import Mapping

from bracketseg.brackets.bracket import MaskRole

PRINTED: dict[MaskRole, dict[str, dict[str, float]]] = {
    "low": {
        "bce": {
            "dice": 0.951, "jaccard": 0.905, "sensitivity": 0.912, "specificity": 0.999,
            "auc_eq9": 0.498, "avg": 0.853,
        },
        "focal": {
            "dice": 0.916, "jaccard": 0.936, "sensitivity": 0.997, "specificity": 0.997,
            "auc_eq9": 0.498, "avg": 0.869,
        },
        "dice-bce": {
            "dice": 0.965, "jaccard": 0.933, "sensitivity": 0.912, "specificity": 0.999,
            "auc_eq9": 0.498, "avg": 0.861,
        },
    },
    "high": {
        "bce": {
            "dice": 0.994, "jaccard": 0.909, "sensitivity": 0.765, "specificity": 0.754,
            "auc_eq9": 0.680, "avg": 0.820,
        },
        "focal": {
            "dice": 0.989, "jaccard": 0.890, "sensitivity": 0.753, "specificity": 0.763,
            "auc_eq9": 0.675, "avg": 0.814,
        },
        "dice-bce": {
            "dice": 0.990, "jaccard": 0.912, "sensitivity": 0.770, "specificity": 0.730,
            "auc_eq9": 0.670, "avg": 0.815,
        },
    },
}  # fmt: skip
"""Role, then loss, then metric. ROC AUC is not in the paper."""

_ROUNDING = 0.001
"""What two numbers of three decimals may be off by together."""


def impossible(row: Mapping[str, float]) -> dict[str, str]:
    """Say which numbers of a printed row contradict the others.

    Over the same pictures, the mean Jaccard index (eq. 6) is never above the mean Dice index
    (eq. 5), since J = D / (2 - D) for each of them, nor above the mean sensitivity (eq. 7),
    since TP / (TP + FP + FN) <= TP / (TP + FN). AUC by eq. 9 is the mean of sensitivity and
    specificity. What rounding to three decimals explains is no contradiction.

    Parameters
    ----------
    row : mapping of str to float
        The metrics of one row of Table 1 or 2 by the names of `Metrics`.

    Returns
    -------
    dict of str to str
        Metric to what is wrong with it; empty where the row can be.

    Examples
    --------
    >>> impossible(PRINTED["low"]["bce"])
    {'auc_eq9': 'AUC by eq. 9 would be 0.9555'}
    """
    found = {}
    above = [
        title
        for title, name in (("Dice", "dice"), ("sensitivity", "sensitivity"))
        if row["jaccard"] > row[name] + _ROUNDING
    ]
    if above:
        found["jaccard"] = f"Jaccard above {' and '.join(above)}"
    by_eq9 = (row["sensitivity"] + row["specificity"]) / 2
    if abs(row["auc_eq9"] - by_eq9) > _ROUNDING:
        found["auc_eq9"] = f"AUC by eq. 9 would be {by_eq9:.4f}"
    return found
