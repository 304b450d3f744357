"""What the Ground truth dock says."""

from collections.abc import Sequence

from bracketseg._napari.session.labeled_scenes import all_labelled_text
from bracketseg._napari.session.labels_folder import is_own, short_path
from bracketseg._napari.truth.ground_truth import GroundTruth
from bracketseg._napari.widgets.legend import legend_text
from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.labeling.agreement import Agreement
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import Otsu


def coverage_text(
    annotation: SceneAnnotation | None, *, settled: bool, aligned: bool = False
) -> str:
    """Write what the masks cover.

    Parameters
    ----------
    annotation : SceneAnnotation or None
    settled : bool
        Count the pieces of the remainder, too, which takes longer than all else.
    aligned : bool
        Whether the frames lie elsewhere on the screen than in their files, by whose pixels
        the masks are measured, here as in `coverage.csv`.
    """
    if annotation is None:
        return "No masks yet."
    fractions = annotation.fractions()
    if fractions is None:
        parts = [f"{role} {annotation.mask(role).mean():.1%}" for role in annotation.roles]
        return f"Covered: {', '.join(parts)}."
    covered = ", ".join(f"{name} {fractions[name]:.1%}" for name in ("low", "high", "union"))
    text = f"Covered: {covered}. Remainder {fractions['remainder']:.1%}"
    found = annotation.coverage() if settled else None
    if found is None:
        text = f"{text} in … pieces."
    else:
        text = f"{text} in {found.pieces} piece{'' if found.pieces == 1 else 's'}."
    return f"{text} Counted in the files, without the alignment." if aligned else text


def view_text(entries: Sequence[tuple[str, str]], agreement: Agreement | None) -> str:
    """Write the legend of a view, and how far the two masks agree, as rich text."""
    lines = [legend_text(entries)]
    if agreement is not None:
        dice = [
            f"{role} {agreement.dice[role]:.3f}" for role in MASK_ROLES if role in agreement.dice
        ]
        lines.append(f"Dice with Otsu: {', '.join(dice)}")
        for way, covered in (("Yours", agreement.manual), ("Otsu", agreement.otsu)):
            if covered is not None:
                lines.append(
                    f"{way}: low {covered.low:.1%}, high {covered.high:.1%}, "
                    f"union {covered.union:.1%}, {covered.pieces} pieces left"
                )
    return "<br>".join(lines)


def status_text(truth: GroundTruth, *, said: str = "") -> str:
    """Write what state things are in, and what to do next.

    Parameters
    ----------
    truth : GroundTruth
    said : str
        The last notice, if nothing was done since.
    """
    subject = truth.editor.subject
    if truth.state == "starting":
        text = "Getting the masks ready …"
    elif truth.session.loading is not None:
        what = "Reading and aligning" if truth.session.align != "off" else "Reading"
        text = f"{what} {truth.session.loading.scene} …"
    elif truth.state == "empty":
        text = (
            "No picture yet. Open a folder in the Brackets dock, or drop a dark and a bright "
            "picture into the window."
        )
    elif truth.state == "unusable" or subject is None:
        return f"⚠ {truth.problem}"
    elif truth.editor.picking.on:
        text = f"Click into the picture: the nearer {truth.editor.focus.role} bound moves there."
    else:
        state = _new_text(truth) if truth.state == "new" else _STATES[truth.state]
        if truth.state == "saved" and truth.next.all_labelled:
            state = f"saved. {all_labelled_text(len(truth.session.brackets))}: {_ALL_LABELLED}"
        elif truth.place.is_first_save and truth.state != "saving":
            state = f"{state} {where_text(truth)}"
        text = f"{subject.scene}{_place_text(truth)}: {state}"
    problem = truth.problem
    if problem:
        text = f"⚠ Not saved: {problem} Your work is kept in memory and tried again."
        return f"{subject.scene}: {text}" if subject is not None else text
    if not said and truth.saved_before not in ("", subject.scene if subject else ""):
        said = f"{truth.saved_before} saved."
    return f"{said}\n{text}" if said and said.rstrip(".") not in text else text


def where_text(truth: GroundTruth) -> str:
    """Say where Accept saves, and under whose name."""
    folder, name = truth.place.folder, truth.session.annotator
    if folder is None:
        return "It asks where to save."
    why = ", as nothing can be saved beside the pictures" if is_own(folder) else ""
    who = f"as {name}'s" if name else "without a name (type yours above)"
    return f"Masks go to {short_path(folder, truth.session.folder)}, {who}{why}."


def accept_tip(truth: GroundTruth) -> str:
    """Say what Accept does."""
    if truth.next.all_labelled:
        return "Save the masks of this scene again; all scenes are labelled"
    going_on = " and go to the next one without" if truth.next.is_one else ""
    where = f". {where_text(truth)}" if truth.editor.subject is not None else ""
    return f"Save the masks{going_on}{where}"


def _place_text(truth: GroundTruth) -> str:
    """Say which scene of how many this is; nothing for pictures that are not of the session."""
    if not truth.place.in_session:
        return ""
    session = truth.session
    return f" (scene {(session.place_of(session.current) or 0) + 1} of {len(session.brackets)})"


def _new_text(truth: GroundTruth) -> str:
    """Say what to do with masks that nobody has changed yet, by how they are made."""
    rules = [truth.editor.rule(role) for role in truth.editor.roles]
    if any(isinstance(rule, Prediction) for rule in rules):
        return "as predicted. Correct it with the brush, then Accept."
    if rules and all(isinstance(rule, Otsu) for rule in rules):
        return "by Otsu's threshold. Correct it with the brush, then Accept."
    return "drag a bound, or paint on the picture. Then Accept."


_ALL_LABELLED = (
    "train networks in the dock Train, or compare with Otsu (Whole set…). Accept saves this scene "
    "again."
)

_STATES = {
    "layer": "the open masks were taken over. Change them, then Accept.",
    "draft": "unfinished work is back. Go on, then Accept.",
    "elsewhere": "its masks are of another frame. See what the range gives here, then Accept.",
    "changed": "changed, and kept as a draft. Accept saves the masks.",
    "saving": "saving …",
    "saved": "saved. Change it and Accept again, or go on.",
}
