"""What the Metrics dock says: words, formulas, numbers."""

from collections.abc import Mapping, Sequence

from bracketseg.brackets.bracket import MaskRole
from bracketseg.evaluation.curves import BestThreshold, Curves, best_threshold, dice_at
from bracketseg.evaluation.metrics import Metrics
from bracketseg.evaluation.pairs import Matched, SceneMetrics
from bracketseg.wording import counted

TITLES = {
    "dice": "Dice",
    "jaccard": "Jaccard",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc_eq9": "AUC (eq. 9)",
    "roc_auc": "ROC AUC",
    "avg": "AVG",
    "reference_foreground": "Ref. covers",
    "prediction_foreground": "Pred. covers",
}
"""Attribute of Metrics to what its row or column is called."""

SHORT = {
    "dice": "Dice",
    "jaccard": "Jac-\ncard",
    "sensitivity": "Sensi-\ntivity",
    "specificity": "Speci-\nficity",
    "auc_eq9": "AUC\neq. 9",
    "roc_auc": "ROC\nAUC",
    "avg": "AVG",
    "reference_foreground": "Ref.\narea",
    "prediction_foreground": "Pred.\narea",
}
"""The same for columns that have little room."""

COUNTS = {
    "tp": "True positives",
    "fp": "False positives",
    "fn": "False negatives",
    "tn": "True negatives",
}

TIPS = {
    "dice": "Dice index, eq. 5: 2 TP / (2 TP + FP + FN). It is 1 where both masks are empty.",
    "jaccard": "Jaccard index, eq. 6: TP / (TP + FP + FN), which is Dice / (2 - Dice). It is 1 "
    "where both masks are empty.",
    "sensitivity": "Eq. 7: TP / (TP + FN), the part of the reference that was found. It is 1 "
    "where the reference is empty: nothing was missed.",
    "specificity": "Eq. 8: TN / (TN + FP), the part of the background that was left alone. It is "
    "1 where the reference covers everything.",
    "auc_eq9": "Eq. 9: 1 - (FP / (FP + TN) + FN / (FN + TP)) / 2, as the paper writes it. It is "
    "the mean of sensitivity and specificity, not the area under the ROC curve, and reads empty "
    "masks as they do.",
    "roc_auc": "Area under the ROC curve of the probabilities: the chance that a foreground pixel "
    "has a higher one than a background pixel; ties count half. There is none without "
    "probabilities (tick Probability in the Predict dock), or where the reference is empty or "
    "covers everything.",
    "avg": "AVG of the paper: the mean of Dice, Jaccard, sensitivity, specificity and AUC (eq. 9).",
    "reference_foreground": "(TP + FN) / all pixels: the part of the frame that the reference "
    "covers.",
    "prediction_foreground": "(TP + FP) / all pixels: the part of the frame that the prediction "
    "covers.",
    "tp": "TP: pixels that are foreground in both masks.",
    "fp": "FP: pixels that are foreground in the prediction only.",
    "fn": "FN: pixels that are foreground in the reference only.",
    "tn": "TN: pixels that are foreground in neither mask.",
}
"""What each row or column is, its equation in the paper, and how it reads empty masks."""

ALL_TIP = "What a mask that is foreground everywhere would score against this reference."
NONE_TIP = "What a mask without any foreground would score against this reference."


def number_text(name: str, value: float | None) -> str:
    """Write a value as the tables show it; a dash where there is none."""
    if value is None:
        return "–"
    if name.endswith("foreground"):
        return f"{value:.0%}" if value in (0, 1) else f"{value:.1%}"
    return f"{value:.3f}"


def short_text(name: str, value: float | None) -> str:
    """Write a value as :func:`number_text` does, where there is little room.

    >>> short_text("dice", 0.951), short_text("reference_foreground", 0.0003)
    ('.951', '<.1%')
    """
    if value is None:
        return "–"
    if name.endswith("foreground") and 0 < value < 0.0005:
        return "<.1%"
    if name.endswith("foreground"):
        return f"{value:.1%}"[1:] if 0 < value < 0.01 else f"{value:.0%}"
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0") else text[:4]


def empty_text(metrics: Metrics) -> str:
    """Say how the metrics of a pair read a mask that is empty or full; often nothing."""
    reference, prediction = metrics.reference_foreground, metrics.prediction_foreground
    if not reference and not prediction:
        return "Both masks are empty: they agree, and all metrics are 1."
    if not reference:
        return "The reference is empty: sensitivity is 1, since there was nothing to miss."
    if reference == 1:
        return "The reference covers everything: specificity is 1, since nothing was to be left."
    return "The prediction is empty." if not prediction else ""


def better_text(metrics: Metrics, everything: Metrics, nothing: Metrics) -> str:
    """Say so where a constant mask has at least as high a Dice index."""
    best = max(everything.dice, nothing.dice)
    if metrics.dice > best:
        return ""
    if metrics.dice == best == 1:
        return ""
    what = "all foreground" if everything.dice >= nothing.dice else "no foreground"
    return f"A mask of {what} has a Dice index of {best:.3f}: this is no better."


def trained_text(count: int, scenes: int) -> str:
    """Say that networks are measured on scenes that they learned from.

    >>> trained_text(67, 79).partition(":")[0]
    '⚠ 67 of 79 scenes were used in training'
    """
    if not count:
        return ""
    return (
        f"⚠ {count} of {counted(scenes, 'scene')} {'was' if count == 1 else 'were'} used in "
        "training: choose 'Not used in training' above to see how new ones are predicted."
    )


def seen_text(prediction: str) -> str:
    """Say that a network is measured on a scene that it learned from."""
    return (
        f"⚠ The network of {prediction} was trained on this scene, and new scenes are harder: "
        "compare all scenes."
    )


def corrected_text(count: int) -> str:
    """Say that references began from the predictions that are held against them."""
    if not count:
        return ""
    are, flatter = ("is a correction", "flatters") if count == 1 else ("are corrections", "flatter")
    masks = counted(count, "reference mask")
    return f"⚠ {masks} {are} of these predictions, and {flatter} them."


def outdated_text(count: int) -> str:
    """Say that masks were written since they were measured."""
    if not count:
        return ""
    return f"⚠ Masks of {counted(count, 'scene')} have changed since: press Again to measure them."


def elsewhere_text(role: MaskRole | None) -> str:
    """Say why the errors are not shown, though they are asked for."""
    return f"The errors are those of the {role} frame, and are shown over it alone."


def left_out(matched: Matched) -> list[str]:
    """List what two folders hold that is not compared, with the reason."""
    return [
        *matched.unmatched,
        *(
            f"{path} is left out: its name is no mask's, or a PNG of the same mask goes before it"
            for path in matched.strangers
        ),
    ]


def detail_text(scene: SceneMetrics, everything: Metrics, nothing: Metrics) -> str:
    """Write what the table of scenes has no room for."""
    counts = scene.counts
    text = (
        f"{scene.scene} {scene.role}: Dice {scene.metrics.dice:.3f}; all foreground would have "
        f"{everything.dice:.3f}, none {nothing.dice:.3f}. TP {counts.tp:,}, FP {counts.fp:,}, "
        f"FN {counts.fn:,}, TN {counts.tn:,}."
    )
    return joined([text, empty_text(scene.metrics)])


def joined(parts: Sequence[str]) -> str:
    """Put sentences one after the other, without those that are empty."""
    return " ".join(part for part in parts if part)


NO_CURVES = "No curves yet: they need a prediction and what it is held against."


def threshold_text(
    means: Mapping[MaskRole | None, Curves],
    best: Mapping[MaskRole | None, BestThreshold],
    together: Curves | None,
    threshold: float | None,
) -> str:
    """Name the best thresholds, and what the one that was used is worth.

    Parameters
    ----------
    means : mapping of role to Curves
        Over the scenes.
    best : mapping of role to BestThreshold
    together : Curves or None
        Over the scenes of both roles; None without any.
    threshold : float or None
        At which the masks were made, where that is known.
    """
    if together is None:
        return (
            "No curves without probabilities: tick Probability in the Predict dock. For all "
            "scenes, tick it before All scenes."
        )
    parts = []
    for role, curves in means.items():
        text = f"{role or 'best'} {best[role].threshold:.2f} (Dice {best[role].dice:.3f}"
        if threshold is not None:
            text += f"; {dice_at(curves, threshold):.3f} at {threshold:.2f}"
        area = "" if curves.area is None else f", ROC AUC {curves.area:.3f}"
        parts.append(f"{text}{area})")
    if len(means) > 1:
        both = best_threshold(together)
        parts.append(f"both {both.threshold:.2f} (Dice {both.dice:.3f})")
    now = "" if threshold is None else " ○ is where the masks were made."
    return f"★ Best threshold: {', '.join(parts)}.{now}"
