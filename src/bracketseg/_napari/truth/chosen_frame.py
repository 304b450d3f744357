"""The open image that somebody chooses as the dark or the bright frame."""

from napari.layers import Image

from bracketseg._napari.layers.frames import source_of
from bracketseg._napari.session.frame_choice import FrameChoice
from bracketseg._napari.session.session import Session
from bracketseg.brackets.bracket import MASK_ROLES, MaskRole
from bracketseg.errors import BracketError


def choose_frame(
    session: Session,
    choice: FrameChoice,
    role: MaskRole,
    image: Image | None,
    *,
    in_session: bool,
) -> str:
    """Take an open image, or none, for a role.

    Another frame of the scene that the session shows becomes the scene's own choice, so
    that the other docks and the command go by it, too.

    Parameters
    ----------
    session : Session
    choice : FrameChoice
    role : {"low", "high"}
    image : Image or None
    in_session : bool
        Whether the scene that is being labelled is that of the session.

    Returns
    -------
    str
        Why it cannot be taken; empty if it was.
    """
    bracket = session.current
    path = source_of(image) if image is not None else None
    frame = next((it for it in bracket.frames if it.path == path), None) if bracket else None
    if bracket is None or frame is None or not in_session:
        choice.choose(role, image)
        return ""
    problem = ""
    roles = {which: bracket.frame(which) for which in MASK_ROLES}
    try:
        if roles[role] != frame:
            roles[role] = frame
            session.choose_roles(roles["low"], roles["high"])
        elif choice.images.get(role) is not image:
            choice.choose(role, image)
    except BracketError:
        other = "brighter high" if role == "low" else "darker low"
        problem = (
            f"⚠ {frame.path.name} cannot be {role}: the low frame has to be darker than the "
            f"high one. Choose a {other} frame first."
        )
    choice.listed.emit()
    return problem
