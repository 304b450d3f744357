"""Work on scenes from a person's hand to the disk: at first as drafts, then as masks."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from psygnal import Signal

from bracketseg._napari.session.subject import Subject
from bracketseg._napari.truth.background_writer import BackgroundWriter
from bracketseg._napari.truth.labels_ahead import read_ahead
from bracketseg._napari.truth.scene_work import WorkPlace, copy_of, names_of
from bracketseg.brackets.bracket import MaskRole
from bracketseg.errors import BracketSegError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.draft import Draft
from bracketseg.labeling.records import SceneRecord

OnSaved = Callable[[WorkPlace, SceneRecord], object]


class _Key(NamedTuple):
    """What is kept apart: of one scene there can be work of others, and on other frames."""

    drafts: Path
    annotator: str
    scene: str
    annotation: int

    @classmethod
    def of(cls, place: WorkPlace, annotation: SceneAnnotation) -> "_Key":
        return cls(place.drafts, place.annotator, annotation.scene, id(annotation))

    def at(self, place: WorkPlace) -> bool:
        """Whether this lies at a place."""
        return (self.drafts, self.annotator) == (place.drafts, place.annotator)


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
        self._in_memory: dict[_Key, SceneAnnotation] = {}
        self._saves: dict[_Key, _Save] = {}
        self._later: dict[_Key, _Kept] = {}
        self._known: set[tuple[Path, str]] = set()
        self._told = ""

    def recall(self, place: WorkPlace, subject: Subject) -> SceneAnnotation | None:
        """Give the work on a scene that is in memory, its history included."""
        there = (it for key, it in self._in_memory.items() if key.at(place))
        return next((it for it in there if _fits(it, subject)), None)

    def unfinished(self, place: WorkPlace) -> tuple[str, ...]:
        """List the scenes that an earlier start left unfinished; the second time none."""
        if (place.drafts, place.annotator) in self._known:
            return ()
        self._known.add((place.drafts, place.annotator))
        return place.unfinished()

    def keep(
        self,
        place: WorkPlace,
        subject: Subject,
        annotation: SceneAnnotation,
        on_kept: Callable[[], object],
    ) -> None:
        """Have the work on a scene written as a draft, in the state it is in by then."""
        key = _Key.of(place, annotation)
        self._in_memory[key] = annotation
        self._known.add((place.drafts, place.annotator))
        self._later[key] = _Kept(place, subject, annotation, on_kept)
        drafting = partial(_drafting, place, annotation, names_of(subject))
        self.writer.put(_draft_key(key), drafting, partial(self._kept, on_kept))

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
        key = _Key.of(place, annotation)
        self.writer.drop(_draft_key(key))
        self._later.pop(key, None)
        self._in_memory[key] = annotation
        waiting = self._saves.get(key)
        # Who was asked before a save that still waits is not asked for this one.
        overwrite = overwrite or (waiting is not None and waiting.overwrite)
        self._put_masks(place, key, _Save(subject, copy_of(annotation), on_saved, overwrite))
        self.writer.flush(now=True)

    def move(self, place: WorkPlace, target: WorkPlace, on_kept: Callable[[], object]) -> None:
        """Have what still waits to be written to a place written to another one."""
        for key in [key for key in self._in_memory if key.at(place)]:
            annotation, save = self._in_memory.pop(key), self._saves.pop(key, None)
            later = self._later.pop(key, None)
            self.writer.drop(_draft_key(key))
            self.writer.drop(_masks_key(key))
            if save is not None:
                moved = _Key.of(target, annotation)
                self._in_memory[moved] = annotation
                self._put_masks(target, moved, save._replace(overwrite=False))
            if later is not None:
                self.keep(target, later.subject, annotation, on_kept)
        self.writer.flush(now=True)

    def saving(self, place: WorkPlace) -> frozenset[str]:
        """Give the scenes whose masks wait to be written."""
        return frozenset(key.scene for key in self._waiting(place))

    def refused(self, place: WorkPlace) -> frozenset[str]:
        """Give those of them that could not be written so far, and may replace nothing."""
        return frozenset(
            key.scene
            for key in self._waiting(place)
            if self.writer.has_failed(_masks_key(key)) and not self._saves[key].overwrite
        )

    def _waiting(self, place: WorkPlace) -> list[_Key]:
        return [key for key in self._saves if key.at(place) and _masks_key(key) in self.writer]

    def _put_masks(self, place: WorkPlace, key: _Key, save: "_Save") -> None:
        self._saves[key] = save
        saving = partial(_saving, place, save)
        self.writer.put(_masks_key(key), lambda: saving, partial(self._saved, key, save, place))

    def _kept(self, on_kept: Callable[[], object], _result: object) -> None:
        self._let_go()
        on_kept()

    def _saved(self, key: _Key, save: "_Save", place: WorkPlace, result: "_Saved") -> None:
        later = self._later.get(key)
        if later is not None:
            # Saving took the draft away, and this scene was changed since.
            self.keep(*later)
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


class _Kept(NamedTuple):
    place: WorkPlace
    subject: Subject
    annotation: SceneAnnotation
    on_kept: Callable[[], object]


class _Save(NamedTuple):
    subject: Subject
    annotation: SceneAnnotation
    on_saved: OnSaved
    overwrite: bool


class _Saved(NamedTuple):
    record: SceneRecord
    coverage_problem: str


def _draft_key(key: _Key) -> str:
    return f"draft {key!r}"


def _masks_key(key: _Key) -> str:
    return f"masks {key!r}"


def _saving(place: WorkPlace, save: _Save) -> _Saved:
    """Save masks, then the table of what they cover, without which they are saved, too."""
    record = place.save(save.subject, save.annotation, overwrite=save.overwrite)
    if place.labeling is not None:
        # For whoever comes back to this scene.
        read_ahead(place.labeling, record.scene)
    try:
        place.write_coverage()
    except (BracketSegError, OSError) as error:
        return _Saved(record, str(error))
    return _Saved(record, "")


def _drafting(
    place: WorkPlace, annotation: SceneAnnotation, names: Mapping[MaskRole, str]
) -> Callable[[], Any]:
    return partial(place.write_draft, Draft.of(annotation, place.annotator, names))


def _fits(annotation: SceneAnnotation, subject: Subject) -> bool:
    lumas = subject.lumas
    if (annotation.scene, annotation.roles) != (subject.scene, tuple(lumas)):
        return False
    return all(np.array_equal(annotation.luma(role), luma) for role, luma in lumas.items())
