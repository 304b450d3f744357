"""The Brackets dock: a folder of brackets, its scenes, and the one that is shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

from napari.components import ViewerModel
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QDragEnterEvent, QDropEvent, QIcon
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from bracketseg._napari.brackets.alignment_control import AlignmentControl
from bracketseg._napari.brackets.arrange_dialog import ArrangeDialog
from bracketseg._napari.brackets.role_choice import RoleChoice
from bracketseg._napari.brackets.samples import copy_samples, samples_folder
from bracketseg._napari.brackets.scene_table import SceneTable
from bracketseg._napari.brackets.scene_view import ROW_HEIGHT, SceneView
from bracketseg._napari.brackets.thumbnails import Thumbnails
from bracketseg._napari.session.dock_life import join_session
from bracketseg._napari.session.labeled_scenes import all_labelled_text
from bracketseg._napari.session.labels_folder import short_path
from bracketseg._napari.session.session import NEXT, NEXT_UNLABELLED, PREVIOUS, session_of
from bracketseg._napari.widgets.dock_column import fill_dock
from bracketseg._napari.widgets.jobs import JobGroup
from bracketseg._napari.widgets.shortcuts import Shortcut
from bracketseg._napari.widgets.still_text import StillText
from bracketseg.brackets.bracket import Bracket
from bracketseg.errors import BracketSegError
from bracketseg.wording import counted

MIN_WIDTH = 300
"""Pixels at which the second line of every row of the table has room."""


class BracketsDock(QWidget):
    """Opens a folder of brackets and shows one scene after the other.

    Parameters
    ----------
    napari_viewer : ViewerModel
        napari fills in by this name.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session_of(napari_viewer)
        self._error = ""
        # The scene to show again once its folder is read anew.
        self._return_to = ""
        self._jobs = JobGroup()
        self._thumbnails = Thumbnails()
        self._table = SceneTable(self._session, self._thumbnails, self)
        self._build()
        self._thumbnails.ready.connect(self._table.show_thumbnail)
        self.destroyed.connect(self._thumbnails.cancel)
        self.destroyed.connect(self._jobs.cancel)
        session = self._session
        join_session(
            self,
            session,
            [
                (session.folder_changed, self._folder_changed),
                (session.scenes_found, self._scenes_found),
                (session.scan_finished, self._scan_finished),
                (session.scene_loading, self._scene_loading),
                (session.scene_leaving, self._alignment.leave),
                (session.scene_changed, self._scene_changed),
                (session.shifts_changed, self._shifts_changed),
                (session.scene_failed, self._scene_failed),
                (session.labeled_changed, self._labeled_changed),
                (session.labeling_changed, self._labeling_changed),
            ],
        )
        if session.folder is not None:
            self._folder.setText(str(session.folder))
        if session.current is not None:
            self._scene_changed(session.current)
        self._show_problems()
        self._tell()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take folders and pictures that are dragged from a file manager."""
        if event is not None and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Open the folder that was dropped."""
        path = None if event is None else _dropped(event)
        if event is not None and path is not None:
            event.acceptProposedAction()
            self._session.open_folder(path)

    def _build(self) -> None:
        self.setAcceptDrops(True)
        self.setMinimumWidth(MIN_WIDTH)
        self._folder = QLineEdit()
        self._folder.setObjectName("brackets.folder")
        self._folder.setPlaceholderText("Folder of brackets")
        self._folder.setToolTip("Type the folder of your brackets, or drop it on this dock.")
        # What is dropped on the line goes to the dock, which knows what to do with it.
        self._folder.setAcceptDrops(False)
        self._folder.returnPressed.connect(self._open)
        style = self.style()
        icon = QStyle.StandardPixmap.SP_DirOpenIcon
        browse = QAction(QIcon() if style is None else style.standardIcon(icon), "Browse", self)
        browse.setToolTip("Choose a folder")
        browse.triggered.connect(self._browse)
        self._folder.addAction(browse, QLineEdit.ActionPosition.TrailingPosition)
        self._open_button = _button("Open", "brackets.open", self._open)
        self._open_button.setToolTip("Look for brackets in this folder")
        self._samples = _button("Sample brackets", "brackets.samples", self._open_samples)
        self._samples.setToolTip(
            f"Copy the brackets that come with bracketseg to {samples_folder()}, and open them"
        )
        self._scenes = SceneView(self._table, self._thumbnails, self)
        self._scenes.setObjectName("brackets.scenes")
        self._scenes.hint = "Drop a folder of brackets here."
        self._scenes.setMinimumHeight(2 * ROW_HEIGHT)
        self._scenes.scene_chosen.connect(self._session.select)
        self._previous = _button("Previous", "brackets.previous", self._session.previous, PREVIOUS)
        self._next = _button("Next", "brackets.next", self._session.next, NEXT)
        self._unlabelled = _button(
            "Next unlabelled",
            "brackets.next_unlabelled",
            self._session.next_unlabelled,
            NEXT_UNLABELLED,
        )
        self._roles = RoleChoice()
        self._roles.chosen.connect(self._session.choose_roles)
        self._alignment = AlignmentControl(self._session)
        self._status = StillText(self, "brackets.status", lines=3)
        self._problems_button = _button("", "brackets.show_problems", self._toggle_problems)
        self._problems_button.setFlat(True)
        self._arrange = _button("Arrange …", "brackets.arrange", self._open_arrangement)
        self._arrange.setToolTip(
            "See which photographs of this scene's folder are which bracket, and merge, split "
            "and reorder them"
        )
        self._problems = QPlainTextEdit()
        self._problems.setObjectName("brackets.problems")
        self._problems.setReadOnly(True)
        self._problems.setFixedHeight(110)
        self._problems.hide()
        scrolled = QWidget(self)
        layout = QVBoxLayout(scrolled)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(_row(self._folder, self._open_button))
        layout.addWidget(self._samples)
        layout.addWidget(self._scenes, stretch=1)
        layout.addWidget(self._roles)
        layout.addWidget(self._alignment)
        fill_dock(
            self,
            scrolled,
            _row(self._previous, self._next, self._unlabelled),
            self._status,
            _row(self._problems_button, self._arrange),
            self._problems,
        )

    # What the user does.

    def _open(self) -> None:
        typed = self._folder.text().strip()
        if typed:
            self._session.open_folder(Path(typed).expanduser())
        else:
            self._browse()

    def _browse(self) -> None:
        # napari's own list of folders, which the next start finds again.
        start = self._folder.text().strip() or get_open_history()[0]
        chosen = QFileDialog.getExistingDirectory(self, "Folder of brackets", start)
        if chosen:
            self._session.open_folder(Path(chosen))

    def _open_samples(self) -> None:
        self._samples.setEnabled(False)
        self._jobs.run(
            copy_samples,
            on_done=self._samples_copied,
            on_error=self._samples_failed,
            description="copying the sample brackets",
        )

    def _samples_copied(self, folder: Path) -> None:
        # Somebody may have opened another one meanwhile.
        if self._session.folder is None:
            self._session.open_folder(folder)

    def _samples_failed(self, error: Exception) -> None:
        self._samples.setEnabled(True)
        self._error = str(error)
        self._tell()

    def _toggle_problems(self) -> None:
        self._problems.setVisible(self._problems.isHidden())

    def _open_arrangement(self) -> None:
        bracket = self._session.current or next(iter(self._session.brackets), None)
        folder = self._session.folder if bracket is None else bracket.folder
        if folder is not None:
            dialog = ArrangeDialog(folder, "" if bracket is None else bracket.scene, self)
            dialog.saved.connect(self._arranged)
            dialog.open()

    def _arranged(self, _folder: Path) -> None:
        session = self._session
        self._return_to = "" if session.current is None else session.current.scene
        if session.folder is not None:
            session.open_folder(session.folder)

    # What the session says.

    def _folder_changed(self, folder: Path) -> None:
        self._folder.setText(str(folder))
        self._error = ""
        self._thumbnails.clear()
        self._table.clear()
        self._roles.show_bracket(None)
        self._alignment.leave()
        self._show_problems()
        self._tell()

    def _scenes_found(self, brackets: list[Bracket]) -> None:
        self._table.add(brackets)
        session = self._session
        if any(bracket.scene == self._return_to for bracket in brackets):
            session.select(self._return_to)
            self._return_to = ""
        elif session.current is None and session.loading is None and not self._return_to:
            # Where work goes on; in a set that is all labelled, at its start.
            if all(session.is_labeled(bracket.scene) for bracket in session.brackets):
                session.next()
            else:
                session.next_unlabelled()
        self._tell()

    def _scan_finished(self, problems: tuple[BracketSegError, ...]) -> None:
        if self._return_to:
            # Under this name there is no scene any more.
            self._return_to = ""
            self._session.next_unlabelled()
        if not self._session.brackets:
            self._error = str(problems[0])
        elif self._session.folder is not None:
            # It keeps the folder of the file that it is given.
            update_open_history(str(self._session.folder / "bracket"))
        self._show_problems()
        self._tell()

    def _scene_loading(self, bracket: Bracket) -> None:
        self._error = ""
        self._scenes.show_current(bracket.scene)
        self._tell()

    def _scene_changed(self, bracket: Bracket) -> None:
        self._error = ""
        self._table.replace(bracket)
        self._scenes.show_current(bracket.scene)
        self._roles.show_bracket(bracket)
        self._alignment.show_bracket(bracket)
        self._tell()

    def _shifts_changed(self, bracket: Bracket) -> None:
        self._error = ""
        self._alignment.show_bracket(bracket)
        self._tell()

    def _scene_failed(self, bracket: Bracket, error: Exception) -> None:
        self._error = str(error)
        self._scenes.show_current(bracket.scene)
        self._tell()

    def _labeled_changed(self, scenes: frozenset[str]) -> None:
        self._table.show_labels(scenes)
        self._tell()

    def _labeling_changed(self, _path: Path | None) -> None:
        self._table.show_all_labels()
        self._tell()

    def _show_problems(self) -> None:
        session = self._session
        # A single problem, where nothing was found, stands in the status line.
        problems = session.problems if session.brackets else ()
        notes = [
            f"{bracket.scene}: {note}" for bracket in session.brackets for note in bracket.notes
        ]
        left = [f"{left.path.name}: {left.reason}" for left in session.left_over]
        counts = [
            f"{len(found)} {what}{'' if len(found) == 1 else 's'}"
            for found, what in ((problems, "problem"), (left, "unused picture"), (notes, "note"))
            if found
        ]
        texts = [*map(str, problems), *left, *notes]
        self._problems_button.setVisible(bool(texts))
        self._problems_button.setText(", ".join(counts))
        self._problems_button.setToolTip("\n\n".join(texts[:5]))
        self._problems.setPlainText("\n\n".join(texts))
        if not texts:
            self._problems.hide()

    def _tell(self, _: object = None) -> None:
        """Say what state things are in and what to do next, and offer what can be done."""
        session = self._session
        found = len(session.brackets)
        bracket = session.loading or session.current
        place = None if bracket is None else self._table.row_of(bracket.scene)
        self._previous.setEnabled(place is not None and place > 0)
        self._next.setEnabled(found > 0 and (place is None or place + 1 < found))
        self._unlabelled.setEnabled(found > 0)
        self._alignment.setEnabled(found > 0)
        self._arrange.setVisible(session.folder is not None and not session.scanning)
        self._samples.setVisible(session.folder is None)
        self._status.setText(f"⚠ {self._error}" if self._error else self._state())

    def _state(self) -> str:
        session = self._session
        if session.folder is None:
            return (
                "No folder yet: type one, drop one here, press Open, or begin with the sample "
                "brackets."
            )
        found = len(session.brackets)
        if session.loading is not None:
            what = "Reading" if session.align == "off" else "Reading and aligning"
            return f"{what} {session.loading.scene} …"
        if session.scanning and session.current is None:
            return f"Looking for brackets in {session.folder.name} …"
        if session.current is None:
            return f"{counted(found, 'scene')}. Choose one in the table."
        current = session.current.scene
        done = sum(session.is_labeled(bracket.scene) for bracket in session.brackets)
        row = (self._table.row_of(current) or 0) + 1
        if done == found and not session.scanning:
            return f"{current} ({row} of {found}). {all_labelled_text(found)}: you are done."
        where = f"{row} of {found}, {done} labelled"
        if session.is_labeled(current):
            return f"{current} ({where}). It is labelled. Press Next unlabelled to go on."
        further = ", or press Next" if self._next.isEnabled() else ""
        samples = samples_folder()
        copied = f" The samples lie in {short_path(samples, None)}."
        told = copied if session.folder == samples and not done else ""
        return f"{current} ({where}). Label it in the Ground truth dock{further}.{told}"


def _dropped(event: QDropEvent) -> Path | None:
    data = event.mimeData()
    urls = [] if data is None else data.urls()
    paths: Sequence[str] = [url.toLocalFile() for url in urls if url.isLocalFile()]
    return Path(paths[0]) if paths else None


def _button(
    title: str, name: str, action: Callable[[], object], shortcut: Shortcut | None = None
) -> QPushButton:
    button = QPushButton(title)
    button.setObjectName(name)
    if shortcut is not None:
        button.setToolTip(f"{shortcut.title} ({shortcut.text})")
    # Qt would pass on whether the button is checked.
    button.clicked.connect(lambda: action())
    return button


def _text(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    # Long words, such as paths, may break, and never make the dock wider.
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
