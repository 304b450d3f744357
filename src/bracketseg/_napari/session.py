"""What all docks of one viewer share: the folder, its scenes, and the one being worked on."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.folder_scan import ScenesFound, scan_folder
from bracketseg._napari.frame_layers import FrameLayers
from bracketseg._napari.jobs import Job, run_job
from bracketseg._napari.labeled_scenes import LabelsRead, SceneLabels
from bracketseg._napari.labelings import Labelings
from bracketseg._napari.scene_frames import SceneFrames
from bracketseg._napari.scene_loader import SceneLoader
from bracketseg._napari.shortcuts import Shortcut, Shortcuts, shortcuts_of
from bracketseg.brackets.bracket import Bracket, Frame
from bracketseg.errors import BracketError, BracketSegError

if TYPE_CHECKING:
    from bracketseg.brackets.alignment import Shift

PREVIOUS = Shortcut(key="PageUp", title="Previous scene", name="previous_scene")
NEXT = Shortcut(key="PageDown", title="Next scene", name="next_scene")
NEXT_UNLABELLED = Shortcut(
    key="Control-PageDown", title="Next unlabelled scene", name="next_unlabelled_scene"
)


class Session:
    """One per viewer; see :func:`session_of`. Holds no widgets and needs no Qt.

    Attributes
    ----------
    folder : Path or None
        The folder of brackets that is open.
    brackets : list of Bracket
        Those found so far, in their order.
    problems : tuple of BracketSegError
        What the scan could not use.
    scanning : bool
        Whether the scan goes on.
    current : Bracket or None
        The scene whose frames are shown; None before the first.
    shifts : dict of Path to Shift
        By how many pixels each frame of the current scene was moved; empty without alignment.

    Signals
    -------
    folder_changed(Path)
        Another folder is being opened; `brackets` is empty.
    scenes_found(list of Bracket)
        A batch was added to `brackets`.
    scan_finished(tuple of BracketSegError)
        The scan has ended, with these problems.
    scene_loading(Bracket)
        A scene was selected and is being decoded; the one before is still shown.
    scene_leaving(Bracket)
        The frames of this scene are about to be replaced: save what belongs to it.
    scene_changed(Bracket)
        The frames of this scene are shown. Also after its roles or its alignment changed.
    scene_failed(Bracket, Exception)
        The frames of a scene that was selected cannot be shown.
    scene_saved(str)
        Emitted by whoever saved the masks of a scene into `labeling_path`.
    labeled_changed(frozenset of str)
        What `labeled` says of these scenes is new.
    labeling_changed(Path or None)
        `annotator` or `labeling_path` is another.
    notice(str)
        Something that a person should read.
    """

    folder_changed = Signal(object)
    scenes_found = Signal(list)
    scan_finished = Signal(tuple)
    scene_loading = Signal(object)
    scene_leaving = Signal(object)
    scene_changed = Signal(object)
    scene_failed = Signal(object, object)
    scene_saved = Signal(str)
    labeled_changed = Signal(object)
    labeling_changed = Signal(object)
    notice = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        # Weak: the session stands in a dictionary that the viewer is the weak key of.
        self._viewer = ref(viewer)
        self.folder: Path | None = None
        self.brackets: list[Bracket] = []
        self.problems: tuple[BracketSegError, ...] = ()
        self.scanning = False
        self.current: Bracket | None = None
        self.shifts: dict[Path, Shift] = {}
        self._opened: Path | None = None
        self._places: dict[str, int] = {}
        self._align = False
        self._layers = FrameLayers(viewer)
        self._shown: SceneFrames | None = None
        self._loader = SceneLoader(self._show, self._fail)
        self._scan: Job | None = None
        self._docks: set[object] = set()
        self._labelings = Labelings()
        self._labelings.changed.connect(self.labeled_changed)
        self._labelings.path_changed.connect(self.labeling_changed)
        self._labelings.notice.connect(self.notice)
        self.scene_saved.connect(self._labelings.note_saved)
        self.shortcuts.add(PREVIOUS, self.previous)
        self.shortcuts.add(NEXT, self.next)
        self.shortcuts.add(NEXT_UNLABELLED, self.next_unlabelled)

    @property
    def viewer(self) -> ViewerModel:
        """The viewer itself, without the proxy that napari puts around it for plugins."""
        viewer = self._viewer()
        if viewer is None:
            raise ReferenceError("the viewer of this session is gone")
        return viewer

    @property
    def shortcuts(self) -> Shortcuts:
        """The keys of all docks of this viewer."""
        return shortcuts_of(self.viewer)

    @property
    def loading(self) -> Bracket | None:
        """The scene that was selected and is being decoded."""
        return self._loader.wanted

    # The folder and its scenes.

    def open_folder(self, path: Path) -> None:
        """Look for brackets in a folder, in the background.

        Parameters
        ----------
        path : Path
            A folder, or one picture of a bracket.
        """
        path = Path(path).absolute()
        self._leave()
        self._stop()
        self._loader.forget()
        self._layers.clear()
        self.current, self._shown, self.shifts = None, None, {}
        self._opened = path
        self.folder = path.parent if path.is_file() else path
        self.brackets, self._places, self.problems = [], {}, ()
        self.scanning = True
        self._labelings.start(self.folder)
        self.folder_changed.emit(self.folder)
        self._scan = run_job(
            partial(scan_folder, path, self.folder),
            on_event=self._found,
            on_done=self._scanned,
            on_error=lambda error: self._scanned((error,)),
            description=f"looking for brackets in {path}",
        )

    def _found(self, event: ScenesFound | LabelsRead) -> None:
        if isinstance(event, LabelsRead):
            self.problems += event.problems
            self._labelings.add(event)
            return
        for bracket in event.brackets:
            self._places[bracket.scene] = len(self.brackets)
            self.brackets.append(bracket)
        self.scenes_found.emit(event.brackets)

    def _scanned(self, problems: tuple[BracketSegError, ...]) -> None:
        self._scan = None
        self.scanning = False
        self.problems = self.problems + problems
        self.scan_finished.emit(self.problems)
        if not self.brackets:
            self.notice.emit(str(self.problems[0]))

    # The current scene.

    def select(self, scene: str) -> None:
        """Show the frames of a scene: at once if they are in memory, else when they are read.

        Raises
        ------
        BracketError
            If no such scene was found.
        """
        bracket = self.bracket(scene)
        shown = self._shown
        if (
            shown is not None
            and (shown.bracket, shown.aligned) == (bracket, self._align)
            and self._layers.complete(shown.layers)
        ):
            self._loader.want_nothing()
            self._load_ahead()
        else:
            self._want(bracket)

    def bracket(self, scene: str) -> Bracket:
        """Find a scene by its name.

        Raises
        ------
        BracketError
            If no such scene was found.
        """
        if scene not in self._places:
            raise BracketError(
                f"{scene}: no such scene in {self.folder}. Choose one of the {len(self.brackets)} "
                "in the table."
            )
        return self.brackets[self._places[scene]]

    def next(self) -> bool:
        """Select the scene after this one; False at the end."""
        return self._step(1)

    def previous(self) -> bool:
        """Select the scene before this one; False at the start."""
        return self._step(-1)

    def next_unlabelled(self) -> bool:
        """Select the next scene that `labeling_path` holds no masks of, from the start if need be.

        Returns
        -------
        bool
            False if there is none, which `notice` says, too.
        """
        found = self._unlabelled_after(self._place())
        if found is None:
            self.notice.emit(
                f"All {len(self.brackets)} scenes are labelled."
                if self.brackets
                else "No scenes yet: open a folder of brackets."
            )
            return False
        self.select(found.scene)
        return True

    def choose_roles(self, low: Frame, high: Frame) -> None:
        """Take two frames of the current scene as low and high.

        Raises
        ------
        BracketError
            If there is no current scene, a frame is not one of its, or low is not the darker.
        """
        if self.current is None:
            raise BracketError("no scene is shown. Select one in the table first.")
        bracket = self.current.with_roles(low, high)
        self.brackets[self._places[bracket.scene]] = bracket
        self._want(bracket)

    @property
    def align(self) -> bool:
        """Whether frames are moved onto each other before they are shown."""
        return self._align

    @align.setter
    def align(self, on: bool) -> None:
        if on == self._align:
            return
        self._align = on
        again = self.loading or self.current
        if again is not None:
            self._want(again)

    def _want(self, bracket: Bracket) -> None:
        self._loader.want(bracket, align=self._align)
        if self._loader.wanted is not None:
            self.scene_loading.emit(bracket)

    def _show(self, frames: SceneFrames) -> None:
        self._leave()
        self.current, self._shown, self.shifts = frames.bracket, frames, frames.shifts
        resized = self._layers.show(frames.layers)
        self.scene_changed.emit(frames.bracket)
        if resized:
            # Only now have the docks put away their layers of the size before.
            self.viewer.reset_view()
        self._load_ahead()

    def _fail(self, bracket: Bracket, error: Exception) -> None:
        self.scene_failed.emit(bracket, error)
        self.notice.emit(str(error))

    def _leave(self) -> None:
        if self.current is not None:
            self.scene_leaving.emit(self.current)

    def _load_ahead(self) -> None:
        place = self._place()
        if place is None:
            return
        likely = [self._unlabelled_after(place), *self.brackets[place + 1 : place + 2]]
        likely += self.brackets[max(0, place - 1) : place]
        once = dict.fromkeys(bracket for bracket in likely if bracket is not None)
        self._loader.load_ahead(list(once), align=self._align)

    def _place(self) -> int | None:
        """Where the scene that was selected last stands in the list."""
        bracket = self.loading or self.current
        return None if bracket is None else self._places.get(bracket.scene)

    def _step(self, by: int) -> bool:
        place = self._place()
        target = 0 if place is None else place + by
        if not 0 <= target < len(self.brackets):
            return False
        self.select(self.brackets[target].scene)
        return True

    def _unlabelled_after(self, place: int | None) -> Bracket | None:
        start = 0 if place is None else place + 1
        order = self.brackets[start:] + self.brackets[: max(0, start - 1)]
        return next((bracket for bracket in order if not self.is_labeled(bracket.scene)), None)

    # Who labels, and where to; see Labelings.

    @property
    def annotator(self) -> str:
        """Who labels; empty for somebody who gave no name. Kept between starts."""
        return self._labelings.annotator

    @annotator.setter
    def annotator(self, name: str) -> None:
        self._labelings.annotator = name

    @property
    def labeling_path(self) -> Path | None:
        """Where masks are saved: ``<folder>/labels/<annotator>`` unless another was chosen."""
        return self._labelings.path

    @labeling_path.setter
    def labeling_path(self, path: Path | None) -> None:
        self._labelings.path = path

    @property
    def labeled(self) -> dict[str, tuple[SceneLabels, ...]]:
        """Who labelled each scene, and what the masks cover; scenes without masks are missing."""
        return self._labelings.labeled

    def is_labeled(self, scene: str) -> bool:
        """Whether `labeling_path` holds masks of a scene."""
        return self._labelings.holds(scene)

    # The docks.

    def attach(self, dock: object) -> None:
        """Say that a dock has opened; goes on with a scan that was cut short.

        Parameters
        ----------
        dock : object
            Anything that stands for the dock. It is kept until :meth:`detach`.
        """
        self._docks.add(dock)
        if self.scanning and self._scan is None and self._opened is not None:
            self.open_folder(self._opened)

    def detach(self, dock: object) -> None:
        """Say that a dock was closed; with the last one all background work ends."""
        self._docks.discard(dock)
        if not self._docks:
            self._stop()
            self._loader.cancel()

    def _stop(self) -> None:
        self._labelings.cancel()
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None


_sessions: WeakKeyDictionary[ViewerModel, Session] = WeakKeyDictionary()


def session_of(viewer: ViewerModel) -> Session:
    """Give the one session of a viewer, the same to every dock.

    Parameters
    ----------
    viewer : ViewerModel
        Or the proxy of one that napari hands to plugins.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _sessions:
        _sessions[viewer] = Session(viewer)
    return _sessions[viewer]
