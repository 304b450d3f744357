"""What the masks of a scene begin from that nothing is known of."""

from collections.abc import Callable, Mapping

from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.predictions import Predictions
from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import LabelingError
from bracketseg.labeling.automatic import Automatic
from bracketseg.labeling.prediction import Basis, Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu


class Beginnings:
    """Ranges, chosen or found, or what a network predicted.

    Parameters
    ----------
    session : Session
    tell : callable
        Takes a sentence for the person.

    Attributes
    ----------
    predictions : Predictions
    from_prediction : bool
        Whether a scene begins from its prediction where there is one.
    """

    def __init__(self, session: Session, tell: Callable[[str], object]) -> None:
        self.predictions = Predictions(session)
        self.from_prediction = False
        self._tell = tell

    def rules(
        self, subject: Subject, before: Mapping[MaskRole, Basis | None]
    ) -> dict[MaskRole, Basis]:
        """Give what each mask begins from.

        Parameters
        ----------
        subject : Subject
        before : mapping of role to Basis or None
            Of the scene that was labelled before this one.

        Returns
        -------
        dict of role to Basis
            An automatic range is not found yet: that takes a while.
        """
        rules: dict[MaskRole, Basis] = dict(DEFAULT_RANGES)
        # Who works with ranges that find themselves goes on with them in the next scene.
        rules |= {role: Otsu() for role, rule in before.items() if isinstance(rule, Otsu)}
        rules |= {role: Automatic() for role, rule in before.items() if isinstance(rule, Automatic)}
        if self.from_prediction:
            found = {role: self.prediction(subject, role) for role in subject.frames}
            rules |= {role: predicted for role, predicted in found.items() if predicted}
        return rules

    def prediction(self, subject: Subject, role: MaskRole) -> Prediction | None:
        """Read the prediction of a frame; None where there is none that can be read."""
        try:
            return self.predictions.of(subject, role)
        except LabelingError as error:
            self._tell(str(error))
            return None
