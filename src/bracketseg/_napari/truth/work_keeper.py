"""Work on scenes from a person's hand to the disk: at first as drafts, then as masks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from psygnal import Signal

from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.background_writer import BackgroundWriter
from bracketseg._napari.truth.scene_work import WorkPlace, copy_of
from bracketseg.errors import BracketSegError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.drafts import Draft
from bracketseg.labeling.records import SceneRecord

Key = tuple[Path, str]
OnSaved = Callable[[WorkPlace, SceneRecord], object]


class WorkKeeper:
    """Keeps in memory what is not on the disk yet, and has it written.

    Attributes
    ----------
    writer : BackgroundWriter

    Signals
    -------
    notice(str)
        Something that a person should read, though all work is saved.
    """

    notice = Signal(str)

    def __init__(self) -> None:
        self.writer = BackgroundWriter()
        self._in_memory: dict[Key, SceneAnnotation] = {}
        self._saves: dict[Key, _Save] = {}
        self._later: dict[Key, Callable[[], None]] = {}
        self._known: set[Path] = set()
        self._told = ""

    def recall(self, place: WorkPlace, subject: Subject) -> SceneAnnotation | None:
        """Give the work on a scene that is in memory, its history included."""
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
        self._later[key] = partial(self.keep, place, annotation, on_kept)
        self.writer.put(
            _draft_key(key), partial(_drafting, place, annotation), partial(self._kept, on_kept)
        )

    def save(
        self,
        place: WorkPlace,
        subject: Subject,
        annotation: SceneAnnotation,
        on_saved: OnSaved,
        *,
        overwrite: bool,
    ) -> None:
        """Have the masks of a scene written, in the very state they are in now.

        Parameters
        ----------
        place, subject, annotation
        on_saved : callable
            Takes the place and the record, once the files are there.
        overwrite : bool
            Replace what somebody else made.
        """
        key = (place.drafts, subject.scene)
        self.writer.drop(_draft_key(key))
        self._later.pop(key, None)
        self._in_memory[key] = annotation
        self._put_masks(place, _Save(subject, copy_of(annotation), on_saved), overwrite=overwrite)
        self.writer.flush(now=True)

    def move(self, place: WorkPlace, target: WorkPlace, on_kept: Callable[[], object]) -> None:
        """Have what still waits to be written to a place written to another one."""
        for key in [key for key in self._in_memory if key[0] == place.drafts]:
            annotation, save = self._in_memory.pop(key), self._saves.pop(key, None)
            was_draft = self._later.pop(key, None) is not None
            self.writer.drop(_draft_key(key))
            self.writer.drop(_masks_key(key))
            if save is not None:
                self._in_memory[target.drafts, key[1]] = annotation
                self._put_masks(target, save, overwrite=False)
            if was_draft:
                self.keep(target, annotation, on_kept)
        self.writer.flush(now=True)

    def is_saving(self, place: WorkPlace, scene: str) -> bool:
        """Whether the masks of a scene wait to be written."""
        return _masks_key((place.drafts, scene)) in self.writer

    def _put_masks(self, place: WorkPlace, save: "_Save", *, overwrite: bool) -> None:
        key = (place.drafts, save.subject.scene)
        self._saves[key] = save
        saving = partial(_saving, place, save, overwrite=overwrite)
        self.writer.put(_masks_key(key), lambda: saving, partial(self._saved, save, place))

    def _kept(self, on_kept: Callable[[], object], _result: object) -> None:
        self._let_go()
        on_kept()

    def _saved(self, save: "_Save", place: WorkPlace, result: "_Saved") -> None:
        later = self._later.get((place.drafts, save.subject.scene))
        if later is not None:
            # Saving took the draft away, and this scene was changed since.
            later()
        self._let_go()
        save.on_saved(place, result.record)
        if result.coverage_problem and result.coverage_problem != self._told:
            self.notice.emit(
                f"The masks are saved, but the table of what they cover is not up to date: "
                f"{result.coverage_problem} The next Accept writes it again."
            )
        self._told = result.coverage_problem

    def _let_go(self) -> None:
        """Forget what is on the disk."""
        for key in list(self._in_memory):
            if _masks_key(key) not in self.writer:
                self._saves.pop(key, None)
                if _draft_key(key) not in self.writer:
                    del self._in_memory[key]
                    self._later.pop(key, None)


class _Save(NamedTuple):
    subject: Subject
    annotation: SceneAnnotation
    on_saved: OnSaved


class _Saved(NamedTuple):
    record: SceneRecord
    coverage_problem: str


def _draft_key(key: Key) -> str:
    return f"draft {key[0]} {key[1]}"


def _masks_key(key: Key) -> str:
    return f"masks {key[0]} {key[1]}"


def _saving(place: WorkPlace, save: _Save, *, overwrite: bool) -> _Saved:
    """Save masks, then the table of what they cover, without which they are saved, too."""
    record = place.save(save.subject, save.annotation, overwrite=overwrite)
    try:
        place.write_coverage()
    except (BracketSegError, OSError) as error:
        return _Saved(record, str(error))
    return _Saved(record, "")


def _drafting(place: WorkPlace, annotation: SceneAnnotation) -> Callable[[], Any]:
    return partial(place.write_draft, Draft.of(annotation, place.annotator))


def _fits(annotation: SceneAnnotation, subject: Subject) -> bool:
    lumas = subject.lumas
    return annotation.roles == tuple(lumas) and all(
        np.array_equal(annotation.luma(role), luma) for role, luma in lumas.items()
    )
