"""What the numbers of a report mean, and what they do not, in sentences."""

from typing import TYPE_CHECKING

from bracketseg.evaluation.metrics import METRIC_NAMES
from bracketseg.evaluation.printed import PRINTED, impossible
from bracketseg.evaluation.significance import FEWEST, LEVEL, PairedTest
from bracketseg.evaluation.tables import TABLE_NUMBERS
from bracketseg.report.baselines import ALL, NONE
from bracketseg.report.content import LOSS_LABELS, CoverageContent, RoleContent, listed, several

if TYPE_CHECKING:
    from bracketseg.learning.config import Loss

OPTIMISTIC = (
    "The scenes that were kept back also chose the best epoch of each run, so the figures of the "
    "networks are somewhat optimistic. Those of the masks without a network are not."
)

READING = (
    "Each number is the mean over seeds of the means over scenes. Its standard deviation over "
    "seeds tells what another start and another split of the scenes change; that over scenes, each "
    "averaged over its seeds, how much scenes differ. Of one seed, or one scene, there is none."
)

DEFINITIONS = (
    "Every metric comes from the pixels of a scene: Dice = 2 TP / (2 TP + FP + FN) (eq. 5), "
    "Jaccard = TP / (TP + FP + FN) (eq. 6), sensitivity = TP / (TP + FN) (eq. 7), specificity = "
    "TN / (TN + FP) (eq. 8). AUC (eq. 9) is the mean of sensitivity and specificity, as the paper "
    "defines it; ROC AUC is the area under the ROC curve of the probabilities. AVG is the mean of "
    f"the {len(METRIC_NAMES)} columns from Dice to AUC (eq. 9). A ratio whose denominator is empty "
    "is 1: nothing was missed."
)


def verdict(content: RoleContent) -> list[str]:
    """Say which loss is better, as far as the paired test over scenes supports it."""
    role, losses = content.role, content.results.losses
    if len(losses) < 2:
        return [f"{role.capitalize()} exposure: one loss only, so there is nothing to compare."]
    beaten = {
        loss: {_other(test, loss) for test in content.tests if test.better == loss}
        for loss in losses
    }
    best = [loss for loss in losses if len(beaten[loss]) == len(losses) - 1]
    if best:
        others = listed([LOSS_LABELS[loss] for loss in losses if loss != best[0]])
        first = f"{LOSS_LABELS[best[0]]} does better than {others}."
    elif any(beaten.values()):
        first = "No loss does better than all others."
    else:
        first = "No difference between the losses is supported."
    return [f"{role.capitalize()} exposure: {first}", *map(tested, content.tests)]


def tested(test: PairedTest) -> str:
    """Say what one paired test supports."""
    first, second = _label(test.first), _label(test.second)
    pair = f"{first} and {second}"
    if test.too_few or test.p_holm is None:
        differ = "differs" if test.differing == 1 else "differ"
        return (
            f"{pair}: {several(test.differing, 'scene')} {differ}; "
            f"with fewer than {FEWEST} no difference can be significant, so none is claimed."
        )
    swapped = test.better == test.second
    mean, middle = (
        -value if swapped else value for value in (test.mean_difference, test.median_difference)
    )
    figures = (
        f"mean difference in Dice {mean:+z.3f}, median {middle:+z.3f}, "
        f"{several(test.scenes, 'scene')}, {p_text(test.p_holm)}"
    )
    if test.better is None:
        return f"{pair}: no difference is supported ({figures})."
    better, worse = (second, first) if swapped else (first, second)
    return f"{better} does better than {worse} ({figures})."


def p_text(p: float) -> str:
    """Write a p-value.

    >>> p_text(0.04321), p_text(0.00001)
    ('p = 0.043', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def how_tested() -> str:
    """Say how the losses were held against each other."""
    return (
        "Two-sided Wilcoxon signed-rank test on the Dice of each scene, averaged over seeds, with "
        f"Holm's correction for the pairs of losses; a difference counts below p = {LEVEL:g}."
    )


def constant_warnings(content: RoleContent) -> list[str]:
    """Warn of each loss whose Dice a mask that does not look at the picture comes close to."""
    constant = {
        row.label: row.summary.mean("dice") or 0.0
        for row in content.baselines
        if row.label in (ALL, NONE)
    }
    label, reached = max(constant.items(), key=lambda item: item[1])
    close: list[Loss] = []
    for loss in content.results.losses:
        spread = content.results.summary(loss).values["dice"]
        if spread is not None and reached >= spread.mean - (spread.over_scenes or 0.0):
            close.append(loss)
    if not close:
        return []
    names = listed([LOSS_LABELS[loss] for loss in close])
    text = (
        f"{content.role.capitalize()} exposure: a mask of {label.lower()} reaches a Dice of "
        f"{reached:.3f} without looking at the picture, which is within the spread over scenes of "
        f"{names}. There the Dice means little: look at the specificity and at the area under the "
        "ROC curve."
    )
    return [text]


def measured_on(content: RoleContent) -> str:
    """Say on how many scenes a table was measured, and how many are not labelled yet."""
    by_seed = content.results.scenes_of
    scenes = several(len(content.results.scenes), "scene")
    parts = [f"seed {seed}: {several(len(found), 'scene')}" for seed, found in by_seed.items()]
    text = (
        f"Measured on {scenes} that were kept back from training ({', '.join(parts)}), masks at "
        "full resolution, threshold 0.5."
    )
    if content.unlabelled:
        without = several(len(content.unlabelled), "scene")
        text += f" Without a {content.role} mask, and so not learned from: {without}."
    return text


def printed_notes(content: RoleContent) -> list[str]:
    """Say which of the numbers that the paper prints no measurement can give, and why."""
    role = content.role
    found = {
        LOSS_LABELS[loss]: "; ".join(impossible(PRINTED[role][loss]).values())
        for loss in LOSS_LABELS
    }
    wrong = [f"{label}: {why}" for label, why in found.items() if why]
    if not wrong:
        return []
    text = (
        f"† Cannot be, whatever was measured: {'. '.join(wrong)}. Over the same pictures the mean "
        "Jaccard is never above the mean Dice nor above the mean sensitivity, and eq. 9 is the "
        f"mean of two other columns. So the printed Table {TABLE_NUMBERS[role]} is no target; it "
        "was also measured on another set."
    )
    return [text]


def coverage_words(coverage: CoverageContent) -> str:
    """Say which of the two covers more."""
    more, total = coverage.manual_covers_more()
    return (
        f"The manual masks of low and high together cover more than Otsu's on {more} of "
        f"{several(total, 'scene')}. (The paper finds that they do, on its set.)"
    )


def _other(test: PairedTest, loss: str) -> str:
    return test.second if test.first == loss else test.first


def _label(loss: str) -> str:
    return next(label for name, label in LOSS_LABELS.items() if name == loss)
