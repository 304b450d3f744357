"""Work on scenes from a person's hand to the disk: at first as drafts, then as masks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bracketseg._napari.background_writer import BackgroundWriter
from bracketseg._napari.scene_work import WorkPlace, copy_of
from bracketseg._napari.subject import Subject
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.drafts import Draft
from bracketseg.labeling.records import SceneRecord

Key = tuple[Path, str]


class WorkKeeper:
    """Keeps in memory what is not on the disk yet, and has it written.

    Attributes
    ----------
    writer : BackgroundWriter
    """

    def __init__(self) -> None:
        self.writer = BackgroundWriter()
        self._in_memory: dict[Key, SceneAnnotation] = {}
        self._known: set[Path] = set()

    def recall(self, place: WorkPlace, subject: Subject) -> SceneAnnotation | None:
        """Give the work on a scene that is in memory, its history included."""
        self._in_memory = {
            key: annotation
            for key, annotation in self._in_memory.items()
            if _draft_key(key) in self.writer or _masks_key(key) in self.writer
        }
        kept = self._in_memory.get((place.drafts, subject.scene))
        return kept if kept is not None and _fits(kept, subject) else None

    def unfinished(self, place: WorkPlace) -> tuple[str, ...]:
        """List the scenes that an earlier start left unfinished; the second time none."""
        if place.drafts in self._known:
            return ()
        self._known.add(place.drafts)
        return place.unfinished()

    def keep(
        self,
        place: WorkPlace,
        annotation: SceneAnnotation,
        on_kept: Callable[[], object],
    ) -> None:
        """Have the work on a scene written as a draft, in the state it is in by then."""
        key = (place.drafts, annotation.scene)
        self._in_memory[key] = annotation
        self._known.add(place.drafts)
        self.writer.put(
            _draft_key(key), partial(_drafting, place, annotation), lambda _result: on_kept()
        )

    def save(
        self,
        place: WorkPlace,
        subject: Subject,
        annotation: SceneAnnotation,
        on_saved: Callable[[SceneRecord], object],
        *,
        overwrite: bool,
    ) -> None:
        """Have the masks of a scene written, in the very state they are in now.

        Parameters
        ----------
        place, subject, annotation
        on_saved : callable
            Takes the record, once the files are there.
        overwrite : bool
            Replace what somebody else made.
        """
        key = (place.drafts, subject.scene)
        self.writer.drop(_draft_key(key))
        self._in_memory[key] = annotation
        saving = partial(place.save, subject, copy_of(annotation), overwrite=overwrite)
        self.writer.put(_masks_key(key), lambda: saving, on_saved)
        self.writer.put(f"coverage {place.labeling}", lambda: place.write_coverage)
        self.writer.flush(now=True)

    def is_saving(self, place: WorkPlace, scene: str) -> bool:
        """Whether the masks of a scene wait to be written."""
        return _masks_key((place.drafts, scene)) in self.writer


def _draft_key(key: Key) -> str:
    return f"draft {key[0]} {key[1]}"


def _masks_key(key: Key) -> str:
    return f"masks {key[0]} {key[1]}"


def _drafting(place: WorkPlace, annotation: SceneAnnotation) -> Callable[[], Any]:
    return partial(place.write_draft, Draft.of(annotation, place.annotator))


def _fits(annotation: SceneAnnotation, subject: Subject) -> bool:
    lumas = subject.lumas
    return annotation.roles == tuple(lumas) and all(
        np.array_equal(annotation.luma(role), luma) for role, luma in lumas.items()
    )
