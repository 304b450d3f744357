import gc
import subprocess
import sys
import threading
import weakref
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLabel, QPushButton, QWidget

from bracketseg._napari.brackets import dock as dock_module
from bracketseg._napari.brackets import ghost_finder
from bracketseg._napari.brackets.scene_view import ROW_HEIGHT
from bracketseg._napari.layers.provenance import provenance_of
from bracketseg._napari.session import annotator_name, folder_scan, scene_frames
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets import jobs


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    path = tmp_path / "config"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path)
    return path


@pytest.fixture
def window(plugins, make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    yield viewer
    assert jobs.cancel_all(10)


class Dock:
    """The dock as a person sees it: controls by their names."""

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget("bracketseg", "Brackets")
        self.session = session_of(viewer)

    def __getattr__(self, name):
        found = self.widget.findChild(QWidget, f"brackets.{name}")
        assert found is not None, name
        return found

    @property
    def text(self):
        return self.status.text()

    def open(self, path):
        self.folder.setText(str(path))
        self.widget.findChild(QPushButton, "brackets.open").click()

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=20_000)

    def wait_for(self, scene):
        self.wait(lambda: self.shown == scene and self.session.loading is None)

    @property
    def shown(self):
        return self.session.current.scene if self.session.current else None

    @property
    def rows(self):
        model = self.scenes.model()
        return [model.index(row, 0).data().partition("\n")[0] for row in range(model.rowCount())]

    @property
    def layers(self):
        return [layer.name for layer in self.viewer.layers]


@pytest.fixture
def dock(window, qtbot):
    return Dock(window, qtbot)


@pytest.fixture
def folder(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return tmp_path / "set"


@pytest.fixture
def long_folder(tmp_path, picture):
    for index in range(5):
        picture(f"long/IMG_{index}_EV{index - 2}.png", 2.0 ** (index - 2))
    return tmp_path / "long"


def test_the_dock_needs_no_torch():
    code = "import sys, bracketseg._napari.brackets.dock; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_the_dock_writes_nothing_and_says_what_to_do(dock, config):
    assert not config.exists()
    assert dock.text.startswith("No folder yet: type one, drop one here, press Open, or begin")
    assert not dock.next.isEnabled()
    assert not dock.previous.isEnabled()
    assert not dock.low_frame.isVisible()


@pytest.fixture
def home(monkeypatch, tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setattr(Path, "home", lambda: path)
    return path


def test_the_samples_are_copied_to_the_user_and_opened(dock, home):
    dock.samples.click()
    folder = home / "bracketseg-samples"
    dock.wait(lambda: dock.session.folder == folder)
    dock.wait(lambda: len(dock.rows) == 15 and dock.shown is not None)
    assert not dock.samples.isVisible()
    assert dock.text.endswith("The samples lie in ~/bracketseg-samples.")
    assert [path.name for path in home.iterdir()] == ["bracketseg-samples"]
    source = Path(str(files("bracketseg") / "sample_data" / "brackets"))
    assert sum(path.is_file() for path in folder.rglob("*")) == sum(
        path.is_file() for path in source.rglob("*")
    )


def test_samples_that_somebody_has_worked_in_stay_as_they_are(dock, home, scene):
    kept = scene("home/bracketseg-samples/mine")
    dock.samples.click()
    dock.wait_for("mine")
    assert list((home / "bracketseg-samples").iterdir()) == [kept]


def test_a_folder_that_was_opened_meanwhile_stays(dock, home, folder, monkeypatch):
    copied, release = dock_module.copy_samples, threading.Event()
    monkeypatch.setattr(dock_module, "copy_samples", lambda: release.wait(10) and copied())
    dock.samples.click()
    dock.open(folder)
    release.set()
    dock.wait(lambda: (home / "bracketseg-samples").is_dir() and not jobs.running_jobs())
    dock.wait_for("attic")
    assert dock.session.folder == folder


def test_samples_that_cannot_be_written_are_one_message(dock, home):
    home.rmdir()
    dock.samples.click()
    dock.wait(lambda: "⚠" in dock.text)
    assert f"{home / 'bracketseg-samples'}: cannot be written" in dock.text
    assert dock.samples.isEnabled()


def test_a_folder_fills_the_table_and_its_first_scene_is_shown(dock, folder):
    dock.open(folder)
    dock.wait_for("attic")
    dock.wait(lambda: not dock.session.scanning)
    assert dock.rows == ["attic", "barn", "cave"]
    assert dock.layers == ["attic low", "attic medium", "attic high"]
    assert dock.scenes.currentIndex().row() == 0
    assert dock.text.startswith("attic (1 of 3, 0 labelled). Label it")


def test_work_goes_on_at_the_first_scene_without_labels(dock, folder):
    labels = folder / "labels" / "me"
    labels.mkdir(parents=True)
    for role in ("low", "high"):
        assert cv2.imwrite(str(labels / f"attic_{role}.png"), np.zeros((24, 32), np.uint8))
    dock.open(folder)
    dock.wait_for("barn")
    assert dock.scenes.currentIndex().row() == 1
    assert dock.scenes.model().index(0, 0).data().endswith("\n✓ by me")
    assert "1 labelled" in dock.text
    drawn = []
    dock.scenes.model().dataChanged.connect(lambda first, _: drawn.append(first.row()))
    dock.session.annotator = "Ana"
    assert "0 labelled" in dock.text
    assert 0 in drawn
    assert dock.scenes.model().index(0, 0).data().endswith("\nby me")


def test_a_set_that_is_all_labelled_is_said_to_be_done(dock, folder):
    labels = folder / "labels" / "me"
    labels.mkdir(parents=True)
    for scene in ("attic", "barn", "cave"):
        assert cv2.imwrite(str(labels / f"{scene}_low.png"), np.zeros((24, 32), np.uint8))
    dock.open(folder)
    dock.wait_for("attic")
    dock.wait(lambda: "All 3 scenes are labelled" in dock.text)


def test_next_and_previous_go_through_the_scenes(dock, folder, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    assert not dock.previous.isEnabled()
    dock.next.click()
    dock.wait_for("barn")
    dock.next.click()
    dock.wait_for("cave")
    assert not dock.next.isEnabled()
    assert dock.scenes.currentIndex().row() == 2
    assert dock.layers == ["cave low", "cave medium", "cave high"]
    dock.previous.click()
    dock.wait_for("barn")
    dock.session.scene_saved.emit("cave")
    dock.next_unlabelled.click()
    dock.wait_for("attic")


def test_keys_do_what_the_buttons_do(dock, folder, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    canvas = dock.viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    dock.wait_for("barn")
    qtbot.keyClick(canvas, Qt.Key.Key_PageUp)
    dock.wait_for("attic")
    assert dock.next.toolTip() == "Next scene (Page Down)"


def test_a_click_on_a_row_shows_its_scene(dock, folder, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    place = dock.scenes.visualRect(dock.scenes.model().index(2, 0)).center()
    qtbot.mouseClick(dock.scenes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    dock.wait_for("cave")


def test_a_dropped_folder_is_opened(dock, folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    options = (
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter = QDragEnterEvent(QPoint(20, 20), *options)
    enter.ignore()
    dock.widget.dragEnterEvent(enter)
    assert enter.isAccepted()
    dock.widget.dropEvent(QDropEvent(QPointF(20, 20), *options))
    dock.wait_for("attic")
    assert dock.folder.text() == str(folder)


def test_dropped_text_is_not_taken(dock):
    data = QMimeData()
    data.setText("no file")
    enter = QDragEnterEvent(
        QPoint(20, 20),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter.ignore()
    dock.widget.dragEnterEvent(enter)
    assert not enter.isAccepted()


@pytest.mark.parametrize(("key", "text"), [(Qt.Key.Key_C, "c"), (Qt.Key.Key_PageDown, "")])
def test_keys_of_the_window_are_left_to_it_at_the_table(dock, folder, key, text):
    dock.open(folder)
    dock.wait_for("attic")
    pressed = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, text)
    dock.scenes.keyPressEvent(pressed)
    assert not pressed.isAccepted()
    assert dock.scenes.currentIndex().row() == 0


def test_open_without_a_folder_asks_for_one(dock, folder, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    dock.open("")
    dock.wait_for("attic")


def test_browsing_begins_where_brackets_were_opened_last(dock, folder, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda _dock, _title, start: asked.append(start)
    )
    dock.open(folder)
    dock.wait(lambda: not dock.session.scanning)
    dock.open(tmp_path / "nowhere")
    dock.wait(lambda: not dock.session.scanning)
    dock.open("")
    assert asked == [str(folder)]


def test_a_folder_without_brackets_is_said_in_the_status_line(dock, tmp_path):
    dock.open(tmp_path / "nowhere")
    dock.wait(lambda: not dock.session.scanning)
    assert dock.text.startswith("⚠")
    assert "does not exist" in dock.text
    assert dock.rows == []
    assert not dock.show_problems.isVisible()


def test_problems_of_the_scan_are_counted_and_listed(dock, folder):
    (folder / "barn" / "high.png").write_bytes(b"broken")
    dock.open(folder)
    dock.wait(lambda: not dock.session.scanning and dock.shown == "attic")
    assert dock.rows == ["attic", "cave"]
    assert dock.show_problems.text() == "1 problem"
    assert not dock.problems.isVisible()
    dock.show_problems.click()
    assert dock.problems.isVisible()
    assert "high.png" in dock.problems.toPlainText()


def test_a_scene_that_cannot_be_read_is_said_and_can_be_tried_again(dock, folder, scene, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    broken = folder / "cave" / "low.png"
    content = broken.read_bytes()
    broken.unlink()
    dock.scenes.setCurrentIndex(dock.scenes.model().index(2, 0))
    dock.wait(lambda: dock.text.startswith("⚠"))
    assert "low.png" in dock.text
    assert dock.shown == "attic"
    broken.write_bytes(content)
    place = dock.scenes.visualRect(dock.scenes.model().index(2, 0)).center()
    qtbot.mouseClick(dock.scenes.viewport(), Qt.MouseButton.LeftButton, pos=place)
    dock.wait_for("cave")
    assert not dock.text.startswith("⚠")


def test_low_and_high_of_a_long_bracket_are_chosen_in_boxes(dock, long_folder):
    dock.open(long_folder)
    dock.wait_for("long")
    low, high = dock.low_frame, dock.high_frame
    assert low.isVisible()
    assert [low.itemText(index)[:7] for index in range(low.count())] == [
        f"{ev:+.1f} EV" for ev in range(-2, 2)
    ]
    assert (low.currentText(), high.currentText()) == (
        "-2.0 EV  IMG_0_EV-2.png",
        "+2.0 EV  IMG_4_EV2.png",
    )
    low.setCurrentIndex(1)
    high.setCurrentIndex(high.findText("+1.0 EV  IMG_3_EV1.png"))
    frames = dock.session.brackets[0].frames
    dock.wait(lambda: dock.session.current.chosen == (frames[1], frames[3]))
    by_role = {
        provenance_of(layer.metadata)["role"]: provenance_of(layer.metadata)["path"]
        for layer in dock.viewer.layers
    }
    assert by_role["low"] == str(frames[1].path)
    assert by_role["high"] == str(frames[3].path)
    assert {"long low", "long medium", "long high"} < set(dock.layers)


def test_choosing_a_low_frame_above_the_high_one_moves_the_high_one_up(dock, long_folder):
    dock.open(long_folder)
    dock.wait_for("long")
    frames = dock.session.brackets[0].frames
    dock.high_frame.setCurrentIndex(0)
    dock.wait(lambda: dock.session.current.chosen == (frames[0], frames[1]))
    dock.low_frame.setCurrentIndex(3)
    dock.wait(lambda: dock.session.current.chosen == (frames[3], frames[4]))
    dock.high_frame.setCurrentIndex(1)
    dock.wait(lambda: dock.session.current.chosen == (frames[1], frames[2]))


def test_three_frames_leave_nothing_to_choose(dock, folder):
    dock.open(folder)
    dock.wait_for("attic")
    assert not dock.low_frame.isVisible()


def test_alignment_says_how_far_each_frame_moved(dock, tmp_path, rng):
    base = cv2.GaussianBlur(rng.integers(0, 256, (140, 160), np.uint8), (0, 0), 3)
    base = cv2.normalize(base, None, 0, 255, cv2.NORM_MINMAX)
    held = tmp_path / "hand" / "held"
    held.mkdir(parents=True)
    for role, left, gain in (("low", 17, 0.5), ("medium", 20, 1.0), ("high", 20, 1.6)):
        pixels = np.clip(base[20:120, left : left + 120] * gain, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(held / f"{role}.png"), pixels)
    dock.open(held.parent)
    dock.wait_for("held")
    assert not dock.shifts.isVisible()
    dock.align.setCurrentText("Shift")
    dock.wait(lambda: dock.shifts.isVisible())
    assert dock.shifts.text() == "Moved by pixels: low 3 left; others 0."
    dock.align.setCurrentText("Off")
    dock.wait(lambda: not dock.shifts.isVisible())


def test_nothing_is_read_on_the_main_thread(dock, tmp_path, scene, monkeypatch):
    threads = {}

    def spy(module, name):
        real = getattr(module, name)

        def called(*args, **options):
            threads.setdefault(name, set()).add(threading.current_thread())
            return real(*args, **options)

        monkeypatch.setattr(module, name, called)

    spy(folder_scan, "find_brackets")
    spy(scene_frames, "bracket_layers")
    spy(scene_frames, "find_placements")
    spy(ghost_finder, "find_ghosts")
    monkeypatch.setattr(
        "bracketseg._napari.brackets.thumbnails.read_thumbnail",
        lambda *_, **__: (
            threads.setdefault("thumbnail", set()).add(threading.current_thread())
            or np.zeros((4, 4), np.uint8)
        ),
    )
    scene("set/attic")
    scene("set/barn")
    dock.open(tmp_path / "set")
    dock.wait_for("attic")
    dock.ghosts.setChecked(True)
    dock.align.setCurrentText("Shift")
    wanted = {"find_brackets", "bracket_layers", "find_placements", "find_ghosts", "thumbnail"}
    dock.wait(lambda: wanted <= set(threads))
    assert set(threads) == wanted
    assert all(threading.main_thread() not in used for used in threads.values())


def test_the_window_keeps_its_turn_while_hundreds_of_scenes_arrive(
    dock, tmp_path, scene, monkeypatch
):
    monkeypatch.setattr(folder_scan, "BATCH", 10)
    monkeypatch.setattr("bracketseg._napari.widgets.courier.TURN", 0)
    source = scene("one")
    for number in range(300):
        target = tmp_path / "many" / f"{number:03d}"
        target.mkdir(parents=True)
        for role in ("low", "medium", "high"):
            (target / f"{role}.png").hardlink_to(source / f"{role}.png")
    counts = set()
    timer = QTimer()
    timer.timeout.connect(lambda: counts.add(len(dock.session.brackets)))
    timer.start(0)
    dock.open(tmp_path / "many")
    dock.wait(lambda: len(dock.session.brackets) == 300)
    timer.stop()
    assert len(counts) > 10
    assert len(dock.rows) == 300


def test_thumbnails_are_read_for_the_rows_in_sight_only(dock, tmp_path, scene, monkeypatch):
    from bracketseg._napari.brackets import thumbnails

    read = []
    real = thumbnails.read_thumbnail

    def noted(path, size, **shown):
        read.append(path.parent)
        return real(path, size, **shown)

    monkeypatch.setattr(thumbnails, "read_thumbnail", noted)
    source = scene("one")
    for number in range(200):
        target = tmp_path / "many" / f"{number:03d}"
        target.mkdir(parents=True)
        for role in ("low", "medium", "high"):
            (target / f"{role}.png").hardlink_to(source / f"{role}.png")
    dock.open(tmp_path / "many")
    dock.wait(lambda: len(dock.rows) == 200 and bool(read))
    in_sight = dock.scenes.viewport().height() // ROW_HEIGHT + 2
    last = tmp_path / "many" / "199"
    dock.scenes.scrollToBottom()
    dock.wait(lambda: last in read)
    assert len(set(read)) <= 4 * in_sight


def test_nothing_is_cut_off_or_scrolled_sideways(dock, folder, long_folder):
    for path, name in ((folder, "attic"), (long_folder, "long")):
        dock.open(path)
        dock.wait_for(name)
        dock.align.setCurrentText("Shift")
        dock.wait(lambda: dock.session.loading is None and bool(dock.session.shifts))
        dock.qtbot.wait(10)
        assert dock.widget.width() <= 340
        assert dock.viewer.window._qt_window.width() <= 1400
        assert dock.scenes.horizontalScrollBar().maximum() == 0
        for control in dock.widget.findChildren(QAbstractButton):
            if control.isVisible():
                assert control.width() >= control.minimumSizeHint().width(), control.objectName()
        for label in dock.widget.findChildren(QLabel):
            if label.isVisible():
                assert label.height() >= label.heightForWidth(label.width()), label.objectName()
        for box in dock.widget.findChildren(QComboBox):
            assert dock.widget.rect().contains(box.geometry()) or not box.isVisible()


def test_a_dock_that_is_opened_again_shows_what_was_open(dock, folder, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    dock.next.click()
    dock.wait_for("barn")
    dock.viewer.window.remove_dock_widget(dock.frame)
    again = Dock(dock.viewer, qtbot)
    assert again.folder.text() == str(folder)
    assert again.rows == ["attic", "barn", "cave"]
    assert again.scenes.currentIndex().row() == 1
    assert again.text.startswith("barn (2 of 3")


def test_a_dock_that_was_closed_is_gone_and_its_work_with_it(dock, folder, qtbot):
    dock.open(folder)
    dock.wait_for("attic")
    session, frame = dock.session, dock.frame
    gone = weakref.ref(dock.widget)
    dock.viewer.window.remove_dock_widget(frame)
    dock.widget = dock.frame = frame = None

    def collected():
        gc.collect()
        return gone() is None

    qtbot.waitUntil(collected, timeout=20_000)
    qtbot.waitUntil(lambda: jobs.running_jobs() == (), timeout=20_000)
    session.select("cave")
    qtbot.waitUntil(lambda: session.current.scene == "cave", timeout=20_000)


def test_the_dock_stands_in_the_menu_for_annotation(plugins):
    import npe2

    manifest = npe2.PluginManager.instance().get_manifest("bracketseg")
    titles = {widget.command: widget.display_name for widget in manifest.contributions.widgets}
    assert {"Brackets", "Ground truth"} <= set(titles.values())
    offered = manifest.contributions.menus["napari/layers/annotate"]
    assert {titles[item.command] for item in offered} >= {"Brackets", "Ground truth"}
