"""Names of scenes, as parts of file names."""

import re

from bracketseg.errors import LabelingError

_SAFE = re.compile(r'[^.<>:"/\\|?*\x00-\x1f][^<>:"/\\|?*\x00-\x1f]*')
_LONGEST = 200  # of the 255 bytes that file systems allow, the rest is for role and suffix


def check_scene_name(scene: str) -> None:
    """Refuse a name that cannot be part of a file name in one folder.

    Scenes that :func:`~bracketseg.brackets.layouts.find_brackets` found are named safely;
    a layer of napari may have any name.

    Raises
    ------
    LabelingError
        If the name is empty or long, begins with a dot, or has a character that
        separates folders or that some file system refuses.

    Examples
    --------
    >>> check_scene_name("Training_001")
    """
    if _SAFE.fullmatch(scene) is None or len(scene.encode(errors="replace")) > _LONGEST:
        raise LabelingError(
            f"{scene!r}: cannot be the name of a scene, because files are named by it. Name it "
            "with letters, digits, spaces, dots, - and _ only."
        )
