"""Decoding scenes in the background: the one that is wanted, then those beside it."""

from collections.abc import Callable, Sequence
from functools import partial

from bracketseg._napari.session.scene_frames import (
    FrameCache,
    SceneFrames,
    frames_bytes,
    read_scene_frames,
)
from bracketseg._napari.widgets.jobs import Job, run_job
from bracketseg.brackets.align_method import AlignMethod
from bracketseg.brackets.bracket import Bracket

MAX_LOADING = 2
"""Scenes decoded at the same time. Who pages faster than that skips those between."""


class SceneLoader:
    """Gives the frames of the scene that was asked for last, from memory if it can.

    Parameters
    ----------
    on_ready : callable
        Takes the frames of the scene that is wanted.
    on_failed : callable
        Takes the scene that is wanted and the error.
    along : sequence of callable
        Each takes a scene whose frames have just been read, in the thread that read them.
    cache : FrameCache, optional
    """

    def __init__(
        self,
        on_ready: Callable[[SceneFrames], object],
        on_failed: Callable[[Bracket, Exception], object],
        along: Sequence[Callable[[Bracket], object]] = (),
        cache: FrameCache | None = None,
    ) -> None:
        self._on_ready = on_ready
        self._on_failed = on_failed
        self._along = along
        self._cache = cache or FrameCache()
        self._jobs: dict[tuple[Bracket, AlignMethod], Job] = {}
        self._loading: set[tuple[Bracket, AlignMethod]] = set()
        self._wanted: tuple[Bracket, AlignMethod] | None = None
        self._ahead: list[tuple[Bracket, AlignMethod]] = []

    @property
    def wanted(self) -> Bracket | None:
        """The scene that was asked for and has not come yet."""
        return self._wanted[0] if self._wanted else None

    def want(self, bracket: Bracket, *, align: AlignMethod) -> None:
        """Ask for a scene; whatever was asked for before and has not come is forgotten."""
        self._ahead = []
        frames = self._known(bracket, align=align)
        if frames is None:
            self._wanted = (bracket, align)
            self._start_next()
        else:
            self._wanted = None
            self._on_ready(frames)

    def want_nothing(self) -> None:
        """Forget what was asked for and has not come."""
        self._wanted = None

    def load_ahead(self, brackets: Sequence[Bracket], *, align: AlignMethod) -> None:
        """Decode scenes that are likely to be wanted next, one after the other.

        Those too large to be kept beside others are left alone.
        """
        room = self._cache.limit // (len(brackets) + 1) if brackets else 0
        self._ahead = [(bracket, align) for bracket in brackets if frames_bytes(bracket) <= room]
        self._start_next()

    def forget(self) -> None:
        """Stop all work and let go of all frames."""
        self.cancel()
        self._cache.clear()

    def cancel(self) -> None:
        """Stop all work."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        self._loading.clear()
        self._wanted = None
        self._ahead = []

    def _start_next(self) -> None:
        if self._wanted is not None:
            if self._wanted not in self._loading and len(self._loading) < MAX_LOADING:
                self._start(self._wanted)
        elif not self._loading:
            while self._ahead:
                bracket, align = self._ahead.pop(0)
                # Each is tried once, so that two that do not fit together cannot take turns.
                if self._known(bracket, align=align) is None:
                    self._start((bracket, align))
                    return

    def _known(self, bracket: Bracket, *, align: AlignMethod) -> SceneFrames | None:
        frames = self._cache.get(bracket)
        lacks = frames is None or (align != "off" and align not in frames.placements)
        return None if lacks else frames

    def _start(self, key: tuple[Bracket, AlignMethod]) -> None:
        bracket, align = key
        self._loading.add(key)
        job = run_job(
            partial(self._read, bracket, align=align, known=self._cache.get(bracket)),
            on_done=partial(self._arrived, key),
            on_error=partial(self._failed, key),
            description=f"reading the frames of {bracket.scene}",
        )
        # Where no event loop runs, it has arrived already.
        if key in self._loading:
            self._jobs[key] = job

    def _read(
        self, bracket: Bracket, *, align: AlignMethod, known: SceneFrames | None
    ) -> SceneFrames:
        frames = read_scene_frames(bracket, align=align, known=known)
        for read in tuple(self._along):
            read(bracket)
        return frames

    def _arrived(self, key: tuple[Bracket, AlignMethod], frames: SceneFrames) -> None:
        self._ended(key)
        self._cache.put(frames)
        if key == self._wanted:
            self._wanted = None
            self._on_ready(frames)
        self._start_next()

    def _failed(self, key: tuple[Bracket, AlignMethod], error: Exception) -> None:
        self._ended(key)
        # One that was only loaded ahead fails again, and aloud, when it is wanted.
        if key == self._wanted:
            self._wanted = None
            self._on_failed(key[0], error)
        self._start_next()

    def _ended(self, key: tuple[Bracket, AlignMethod]) -> None:
        self._loading.discard(key)
        self._jobs.pop(key, None)
