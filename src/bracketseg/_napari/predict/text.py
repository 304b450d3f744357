"""What the Predict dock says."""

from bracketseg._napari.predict.folder import FolderPrediction
from bracketseg._napari.predict.frames import FramesPrediction
from bracketseg._napari.predict.model_choice import ModelChoice
from bracketseg._napari.predict.score import Score
from bracketseg.brackets.bracket import MaskRole

NO_PICTURE = (
    "No picture yet. Open a folder in the Brackets dock, or drop a dark and a bright picture into "
    "the window."
)
NO_MODEL = "No model yet. Train one in the Train dock, or choose a model file above."


def run_obstacle(frames: FramesPrediction, models: ModelChoice) -> str:
    """Say why nothing can be predicted now; empty if something can."""
    if frames.subject is None:
        return frames.unusable or NO_PICTURE
    return "" if any(models.chosen(role) for role in frames.view.roles) else NO_MODEL


def status_text(
    frames: FramesPrediction, folder: FolderPrediction, models: ModelChoice, *, said: str
) -> str:
    """Write what state things are in, and what to do next.

    Parameters
    ----------
    frames, folder, models
    said : str
        What came of the last thing that a person did, with a ⚠ where it went wrong; empty where
        there is nothing to tell.
    """
    step = folder.step or frames.step
    if step:
        return f"{step}\n{_STOP}" if folder.running or frames.running else step
    problem = folder.problem or frames.problem
    obstacle = run_obstacle(frames, models)
    lines = [text for text in (said, f"⚠ {problem}" if problem else "") if text]
    lines += [outcome for outcome in (folder.outcome, frames.outcome) if outcome]
    if obstacle:
        lines.append(f"⚠ {obstacle}" if frames.unusable else obstacle)
    else:
        lines.append(_next(frames, models))
    return "\n".join(lines)


def score_text(role: MaskRole, score: Score, model: str) -> str:
    """Write what a mask covers and how well, as one paragraph.

    Parameters
    ----------
    role : {"low", "high"}
    score : Score
    model : str
        Who made it, where that is not the model that is chosen.

    Examples
    --------
    >>> score_text("low", Score(foreground=0.25), "")
    'Low: 25.0% foreground.'
    """
    text = f"{role.title()}: {score.foreground:.1%} foreground{f' by {model}' if model else ''}."
    if score.dice is None or score.constant is None:
        if not score.began_from:
            return text
        return (
            f"{text} No Dice: {score.truth} is a correction of this prediction, and does not say "
            "how good it is."
        )
    origin = f", a correction of {score.began_from}," if score.began_from else ""
    if not score.constant:
        return f"{text} No Dice: {score.truth}{origin} has no foreground."
    than = (
        "all foreground would have"
        if score.dice > score.constant
        else ("no better than all foreground,")
    )
    return (
        f"{text} Dice {score.dice:.3f} against {score.truth}{origin or ';'} {than} "
        f"{score.constant:.3f}."
    )


_STOP = "The window stays usable; Stop ends it."


def _next(frames: FramesPrediction, models: ModelChoice) -> str:
    title = frames.subject.title if frames.subject is not None else ""
    wanted = {role: models.chosen(role) for role in frames.view.roles}
    shown = {role: frames.view.layers(role) for role in frames.view.roles}
    old = any(
        model is not None and ((known := shown[role]) is None or known.model != model.name)
        for role, model in wanted.items()
    )
    if not old:
        return f"{title}: move the threshold, or correct the masks in the Ground truth dock."
    named = " and ".join(role for role, model in wanted.items() if model is not None)
    slices = frames.slices
    stack = f" in all {slices} slices, the shown one first" if slices > 1 else ""
    return f"{title}: press Run to predict {named}{stack}."
