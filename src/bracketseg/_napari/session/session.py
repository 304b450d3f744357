"""What all docks of one viewer share: the folder, its scenes, and the one being worked on."""

from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from napari.components import ViewerModel
from psygnal import Signal

from bracketseg._napari.layers.graphics_context import remove_layers_in_own_context
from bracketseg._napari.session import collector
from bracketseg._napari.session.labeled_scenes import LabelsRead, SceneLabels, all_labelled_text
from bracketseg._napari.session.labelings import Labelings
from bracketseg._napari.session.role_keeper import RoleKeeper
from bracketseg._napari.session.scene_list import SceneList
from bracketseg._napari.session.shown_scene import ShownScene
from bracketseg._napari.widgets.shortcuts import Shortcut, Shortcuts, shortcuts_of
from bracketseg.brackets.bracket import MASK_ROLES, Bracket, Frame, MaskRole
from bracketseg.brackets.grouping import LeftOver
from bracketseg.errors import BracketError, BracketSegError

if TYPE_CHECKING:
    from bracketseg.brackets.align_method import AlignMethod
    from bracketseg.brackets.placement import Placement

PREVIOUS = Shortcut(key="PageUp", title="Previous scene", name="previous_scene")
NEXT = Shortcut(key="PageDown", title="Next scene", name="next_scene")
NEXT_UNLABELLED = Shortcut(
    key="Control-PageDown", title="Next unlabelled scene", name="next_unlabelled_scene"
)


class Session:
    """One per viewer; see :func:`session_of`. Holds no widgets and needs no Qt.

    Attributes
    ----------
    role : {"low", "high"}
        Whose frame is shown; the docks turn to the other one together.
    to_correct : tuple of MaskRole
        The roles whose predictions are to be corrected.
    model : Path or None
    threshold : float or None
        The run and the threshold that were chosen for predictions; None where nobody did.
    read_along : list of callable
        What docks read of a scene beside its frames: each takes a Bracket, and is called in
        the thread that has just read the frames.

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
        The frames of this scene are shown. Also after its roles changed.
    shifts_changed(Bracket)
        The frames of this scene, and what was made from them, lie elsewhere: it was aligned,
        or no longer is. Nothing else about it has changed.
    scene_failed(Bracket, Exception)
        The frames of a scene that was selected cannot be shown.
    scene_saved(str)
        Emitted by whoever saved the masks of a scene into `labeling_path`.
    labeled_changed(frozenset of str)
        What `labeled` says of these scenes is new.
    labeling_changed(Path or None)
        `annotator` or `labeling_path` is another.
    run_saved(Path)
        A training has left a model in this run folder.
    model_chosen(Path)
        Predictions are to be made by the model of this run.
    threshold_chosen(float)
        Predictions are to be made at this threshold.
    role_shown(role)
        The frame of the other role is shown.
    correction_wanted()
        Ground truth is to begin from the predictions of the roles in `to_correct`.
    notice(str)
        Something that a person should read; it begins with ⚠ where something went wrong.
    """

    folder_changed = Signal(object)
    scenes_found = Signal(list)
    scan_finished = Signal(tuple)
    scene_loading = Signal(object)
    scene_leaving = Signal(object)
    scene_changed = Signal(object)
    shifts_changed = Signal(object)
    scene_failed = Signal(object, object)
    scene_saved = Signal(str)
    labeled_changed = Signal(object)
    labeling_changed = Signal(object)
    run_saved = Signal(object)
    model_chosen = Signal(object)
    threshold_chosen = Signal(float)
    role_shown = Signal(str)
    correction_wanted = Signal()
    notice = Signal(str)

    def __init__(self, viewer: ViewerModel) -> None:
        # Weak: the session stands in a dictionary that the viewer is the weak key of.
        self._viewer = ref(viewer)
        self._docks: set[object] = set()
        self._runs: dict[Path, None] = {}
        self.role: MaskRole = "low"
        self.to_correct: tuple[MaskRole, ...] = ()
        self.model: Path | None = None
        self.threshold: float | None = None
        viewer.layers.events.removed.connect(_layer_removed)
        remove_layers_in_own_context(viewer)
        # Whose frame somebody has picked, until it is on show.
        self._picked: MaskRole | None = None
        self._scenes = SceneList()
        self._scenes.found.connect(self.scenes_found)
        self._scenes.finished.connect(self._scanned)
        self.read_along: list[Callable[[Bracket], object]] = []
        self._shown = ShownScene(viewer, on_shown=self._load_ahead, along=self.read_along)
        self._shown.loading_started.connect(self.scene_loading)
        self._shown.leaving.connect(self.scene_leaving)
        self._shown.changed.connect(self._turn_to_picked)
        self._shown.changed.connect(self.scene_changed)
        self._shown.shifts_changed.connect(self.shifts_changed)
        self._shown.failed.connect(self._failed)
        self._roles = RoleKeeper()
        self._roles.failed.connect(self._warn)
        self._roles.kept_elsewhere.connect(self.notice)
        self._labelings = Labelings()
        self._labelings.changed.connect(self.labeled_changed)
        self._labelings.path_changed.connect(self.labeling_changed)
        self._labelings.notice.connect(self._warn)
        self._scenes.labels_read.connect(self._labelings.add)
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

    # The folder and its scenes; see SceneList.

    @property
    def folder(self) -> Path | None:
        """The folder of brackets that is open."""
        return self._scenes.folder

    @property
    def brackets(self) -> list[Bracket]:
        """Those found so far, in their order."""
        return self._scenes.brackets

    @property
    def problems(self) -> tuple[BracketSegError, ...]:
        """What the scan could not use."""
        return self._scenes.problems

    @property
    def left_over(self) -> tuple[LeftOver, ...]:
        """Pictures of the folder that are in no bracket, and why; once the scan has ended."""
        return self._scenes.left_over

    @property
    def scanning(self) -> bool:
        """Whether the scan goes on."""
        return self._scenes.scanning

    def open_folder(self, path: Path) -> None:
        """Look for brackets in a folder, in the background.

        Parameters
        ----------
        path : Path
            A folder, or one picture of a bracket.
        """
        self._shown.leave()
        self._stop()
        self._shown.clear()
        self._scenes.open(Path(path).absolute())
        if self.folder is not None:
            self._labelings.start(self.folder)
        self.folder_changed.emit(self.folder)
        self._scenes.scan()

    def bracket(self, scene: str) -> Bracket:
        """Find a scene by its name.

        Raises
        ------
        BracketError
            If no such scene was found.
        """
        return self._scenes.get(scene)

    def place_of(self, bracket: Bracket | None) -> int | None:
        """Say where a scene stands among `brackets`, from 0; None for none of them."""
        return self._scenes.place(bracket)

    def _scanned(self, problems: tuple[BracketSegError, ...]) -> None:
        self.scan_finished.emit(problems)
        collector.settle()
        self._shown.tidy()
        if not self.brackets:
            self._warn(problems[0])

    # The current scene; see ShownScene.

    @property
    def current(self) -> Bracket | None:
        """The scene whose frames are shown; None before the first."""
        return self._shown.bracket

    @property
    def loading(self) -> Bracket | None:
        """The scene that was selected and is being decoded."""
        return self._shown.loading

    @property
    def mouse_held(self) -> bool:
        """Whether somebody is in the middle of a stroke: no other scene is shown meanwhile."""
        return self._shown.mouse.held

    @property
    def shifts(self) -> dict[Path, "Placement"]:
        """Where the layer of each frame was moved; empty without alignment.

        The pixels of a layer are those of its file, aligned or not.
        """
        return self._shown.shifts

    @property
    def align(self) -> "AlignMethod":
        """How the layers of the frames are moved so that the frames lie on each other."""
        return self._shown.align

    @align.setter
    def align(self, method: "AlignMethod") -> None:
        if method != self._shown.align:
            self._shown.align = method

    def select(self, scene: str) -> None:
        """Show the frames of a scene: at once if they are in memory, else when they are read.

        Raises
        ------
        BracketError
            If no such scene was found.
        """
        self._shown.show(self.bracket(scene))

    def next(self) -> bool:
        """Select the scene after this one; False at the end."""
        return self._step(1)

    def previous(self) -> bool:
        """Select the scene before this one; False at the start."""
        return self._step(-1)

    def next_unlabelled(self, but: Container[str] = ()) -> bool:
        """Select the next scene that `labeling_path` holds no masks of, from the start if need be.

        Parameters
        ----------
        but : container of str
            Scenes whose masks are on their way to the disk.

        Returns
        -------
        bool
            False if there is none, which `notice` says, too.
        """
        found = self._unlabelled_after(self._place(), but)
        if found is None:
            self.notice.emit(
                f"{all_labelled_text(len(self.brackets))}."
                if self.brackets
                else "No scenes yet: open a folder of brackets."
            )
            return False
        self.select(found.scene)
        return True

    def choose_roles(self, low: Frame, high: Frame) -> None:
        """Take two frames of the current scene as low and high, and keep that in the folder.

        Raises
        ------
        BracketError
            If there is no current scene, a frame is not one of its, or low is not the darker.
        """
        if self.current is None:
            raise BracketError("no scene is shown. Select one in the table first.")
        bracket = self.current.with_roles(low, high)
        chosen = [role for role in MASK_ROLES if bracket.frame(role) != self.current.frame(role)]
        if len(chosen) == 1:
            self.role = self._picked = chosen[0]
        self._scenes.replace(bracket)
        if self.folder is not None:
            self._roles.keep(self.folder, bracket)
        self._shown.show(bracket)

    def _turn_to_picked(self, _bracket: Bracket) -> None:
        # Once more: what was shown meanwhile had a role of its own.
        if self._picked is not None:
            self.role, self._picked = self._picked, None

    def _failed(self, bracket: Bracket, error: Exception) -> None:
        self._shown.tidy()
        self.scene_failed.emit(bracket, error)
        self._warn(error)

    def _warn(self, what: object) -> None:
        self.notice.emit(f"⚠ {what}")

    def _load_ahead(self) -> None:
        place = self._place()
        if place is None:
            return
        likely = [self._unlabelled_after(place), *self.brackets[place + 1 : place + 2]]
        likely += self.brackets[max(0, place - 1) : place]
        once = dict.fromkeys(bracket for bracket in likely if bracket is not None)
        self._shown.load_ahead(list(once))

    def _place(self) -> int | None:
        """Where the scene that was selected last stands in the list."""
        return self.place_of(self.loading or self.current)

    def _step(self, by: int) -> bool:
        place = self._place()
        target = 0 if place is None else place + by
        if not 0 <= target < len(self.brackets):
            return False
        self.select(self.brackets[target].scene)
        return True

    def _unlabelled_after(self, place: int | None, but: Container[str] = ()) -> Bracket | None:
        start = 0 if place is None else place + 1
        order = self.brackets[start:] + self.brackets[: max(0, start - 1)]
        left = (it for it in order if it.scene not in but and not self.is_labeled(it.scene))
        return next(left, None)

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

    def note_labels(self, read: LabelsRead) -> None:
        """Take in what was just saved into a labelling other than `labeling_path`."""
        self._labelings.add(read)

    def is_labeled(self, scene: str) -> bool:
        """Whether `labeling_path` holds masks of a scene."""
        return self._labelings.holds(scene)

    # The models that were trained here.

    @property
    def runs(self) -> tuple[Path, ...]:
        """The runs of this session that have left a model, the latest last."""
        return tuple(self._runs)

    def note_run(self, path: Path) -> None:
        """Take in that a training has left a model in a run folder."""
        self._runs[path] = None
        self.run_saved.emit(path)

    def show_role(self, role: MaskRole) -> None:
        """Say that the frame of a role is shown, and that of the other one is not."""
        if role != self.role:
            self.role = role
            self.role_shown.emit(role)

    def correct(self, roles: tuple[MaskRole, ...]) -> None:
        """Have the predictions of the shown scene corrected, at once or when somebody can."""
        self.to_correct = roles
        self.correction_wanted.emit()

    def choose_model(self, run: Path) -> None:
        """Have predictions made by a run, by the dock that is open or opens next."""
        self.model = run
        self.model_chosen.emit(run)

    def choose_threshold(self, threshold: float) -> None:
        """Have predictions made at a threshold, by the dock that is open or opens next."""
        self.threshold = threshold
        self.threshold_chosen.emit(threshold)

    # The docks.

    def attach(self, dock: object) -> None:
        """Say that a dock has opened; goes on with a scan that was cut short.

        Parameters
        ----------
        dock : object
            Anything that stands for the dock. It is kept until :meth:`detach`.
        """
        self._docks.add(dock)
        collector.hold(dock)
        if self._scenes.cut_short is not None:
            self.open_folder(self._scenes.cut_short)

    def detach(self, dock: object) -> None:
        """Say that a dock was closed; with the last one all background work ends."""
        self._docks.discard(dock)
        collector.release(dock)
        if not self._docks:
            self._stop()
            self._shown.cancel()

    def _stop(self) -> None:
        self._labelings.cancel()
        self._scenes.stop()


def _layer_removed(_event: object) -> None:
    # napari's layers are full of cycles, and may hold gigabytes.
    collector.thaw()


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
