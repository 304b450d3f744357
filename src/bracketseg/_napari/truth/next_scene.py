"""Which scene, or slice of a stack, is to be labelled next."""

from collections.abc import Callable

from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import Session
from bracketseg._napari.session.subject import Subject


class NextScene:
    """Finds what has no masks yet, and goes there.

    Parameters
    ----------
    session : Session
    choice : FrameChoice
    has_masks : callable
        Takes the name of a slice's scene; tells whether its masks are saved, or about to be.
    saving : callable
        Gives the scenes whose masks are about to be saved.
    tell : callable
        Takes a sentence for the person.
    """

    def __init__(
        self,
        session: Session,
        choice: FrameChoice,
        has_masks: Callable[[str], bool],
        saving: Callable[[], frozenset[str]],
        tell: Callable[[str], object],
    ) -> None:
        self._session = session
        self._choice = choice
        self._has_masks = has_masks
        self._saving = saving
        self._tell = tell

    def is_one(self, subject: Subject | None, *, in_session: bool) -> bool:
        """Whether there is another scene or slice to go to."""
        if in_session:
            return len(self._session.brackets) > 1
        return subject is not None and bool(subject.index) and len(self._choice.slices()) > 1

    def go(self, subject: Subject | None, *, in_session: bool) -> bool:
        """Go to the next scene or slice without masks.

        Returns
        -------
        bool
            False where there is none, which is told, too.
        """
        if in_session:
            return self._session.next_unlabelled(but=self._saving())
        if subject is None or not subject.index:
            return False
        slices = self._choice.slices()
        here = slices.index(subject.index)
        for index in slices[here + 1 :] + slices[:here]:
            if not self._has_masks(subject.scene_at(index)):
                self._choice.go_to(index)
                return True
        self._tell(f"All {len(slices)} slices of {subject.title} are labelled.")
        return False

    def all_labelled(self) -> bool:
        """Whether every scene of the session has masks."""
        session = self._session
        return (
            bool(session.brackets)
            and not session.scanning
            and all(session.is_labeled(bracket.scene) for bracket in session.brackets)
        )
