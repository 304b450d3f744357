"""Correcting what a network predicted: masks of the scene on show go over to predictions."""

from collections.abc import Callable

from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.automatic_ranges import AutomaticRanges
from bracketseg._napari.truth.predictions import Predictions
from bracketseg._napari.truth.scene_editor import SceneEditor
from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.prediction import Prediction


class Correction:
    """Takes predictions as what strokes go on top of.

    Parameters
    ----------
    session : Session
    editor : SceneEditor
    predictions : Predictions
    ranges : AutomaticRanges
        What is being found for a mask is of no use to it any more.
    tell : callable
        Takes a sentence for the person.
    """

    def __init__(
        self,
        session: Session,
        editor: SceneEditor,
        predictions: Predictions,
        ranges: AutomaticRanges,
        tell: Callable[[str], object],
    ) -> None:
        self._session = session
        self._editor = editor
        self._predictions = predictions
        self._ranges = ranges
        self._tell = tell

    def go_over(self, role: MaskRole) -> None:
        """Make the mask of a role from its prediction; the strokes stay."""
        if self._editor.subject is None or role not in self._editor.roles:
            return
        found = self._prediction(self._editor.subject, role)
        if isinstance(found, Prediction):
            self._ranges.leave(role)
            self._editor.go_over_to(role, found)
        else:
            self._tell(f"⚠ {found}")

    def begin(self) -> None:
        """Begin anew from the predictions that somebody wants corrected, if a scene is there."""
        wanted, self._session.to_correct = self._session.to_correct, ()
        subject = self._editor.subject
        if subject is None:
            return
        roles = [role for role in self._editor.roles if role in wanted]
        found = {role: self._prediction(subject, role) for role in roles}
        starts = {role: start for role, start in found.items() if isinstance(start, Prediction)}
        told = [f"⚠ {why_not}" for why_not in found.values() if isinstance(why_not, str)]
        for role in starts:
            self._ranges.leave(role)
        fresh = [role for role, start in starts.items() if self._editor.rule(role) != start]
        cleared = [role for role, start in starts.items() if self._editor.begin_from(role, start)]
        if starts:
            self._editor.focus.set(next(iter(starts)))
        if fresh:
            models = " and ".join(dict.fromkeys(starts[role].origin.model for role in fresh))
            told.append(f"Begun from what {models} predicted: {' and '.join(fresh)}.")
        if cleared:
            told.append(
                f"The strokes on {' and '.join(cleared)} were taken off. Undo brings them back."
            )
        if told:
            self._tell(" ".join(told))

    def _prediction(self, subject: Subject, role: MaskRole) -> Prediction | str:
        """Give the prediction of a role, or say why there is none that can be used."""
        why_not = f"There is no prediction of {subject.scene} {role}."
        try:
            found = self._predictions.of(subject, role)
        except LabelingError as error:
            found, why_not = None, str(error)
        return found or self._editor.predicted.get(role) or why_not
