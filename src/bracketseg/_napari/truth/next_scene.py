"""Which scene, or slice of a stack, is to be labelled next."""

from collections.abc import Callable

from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import Session
from bracketseg._napari.truth.current_place import CurrentPlace
from bracketseg._napari.truth.scene_editor import SceneEditor


class NextScene:
    """Finds what has no masks yet, and goes there.

    Parameters
    ----------
    session : Session
    choice : FrameChoice
    editor : SceneEditor
    place : CurrentPlace
    tell : callable
        Takes a sentence for the person.
    """

    def __init__(
        self,
        session: Session,
        choice: FrameChoice,
        editor: SceneEditor,
        place: CurrentPlace,
        tell: Callable[[str], object],
    ) -> None:
        self._session = session
        self._choice = choice
        self._editor = editor
        self._place = place
        self._tell = tell

    @property
    def is_one(self) -> bool:
        """Whether there is another scene or slice to go to."""
        if self._place.in_session:
            return len(self._session.brackets) > 1
        subject = self._editor.subject
        return subject is not None and bool(subject.index) and len(self._choice.slices()) > 1

    @property
    def on_its_way(self) -> bool:
        """Whether the session is about to show another scene than the one on show."""
        loading = self._session.loading
        return self._place.in_session and loading not in (None, self._session.current)

    def go(self) -> bool:
        """Go to the next scene or slice without masks.

        Returns
        -------
        bool
            False where there is none, which is told, too, or another scene is about to be
            shown already.
        """
        if self.on_its_way:
            return False
        if self._place.in_session:
            return self._session.next_unlabelled(but=self._place.saving())
        subject = self._editor.subject
        if subject is None or not subject.index:
            return False
        slices = self._choice.slices()
        here = slices.index(subject.index)
        for index in slices[here + 1 :] + slices[:here]:
            if not self._place.is_labelled(subject.scene_at(index)):
                self._choice.go_to(index)
                return True
        self._tell(f"All {len(slices)} slices of {subject.title} are labelled.")
        return False

    @property
    def all_labelled(self) -> bool:
        """Whether every scene of the session has masks, the one on show included."""
        session = self._session
        return (
            self._place.in_session
            and bool(session.brackets)
            and not session.scanning
            and all(session.is_labeled(bracket.scene) for bracket in session.brackets)
        )
