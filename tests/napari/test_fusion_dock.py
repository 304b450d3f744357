"""The Fusion dock, driven through its controls."""

import sys
import threading
from functools import partial

import cv2
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QWidget

from bracketseg._napari.fusion import fusing
from bracketseg._napari.fusion.dock import FusionDock
from bracketseg._napari.fusion.place import choose_file
from bracketseg._napari.layers.provenance import METADATA_KEY, find_layer, provenance_of
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.widgets.jobs import cancel_all, running_jobs
from bracketseg.brackets.alignment import Shift
from bracketseg.brackets.images import read_image
from bracketseg.brackets.radiance import read_radiance
from bracketseg.errors import FusionError
from bracketseg.fusion.laid_frames import LaidFrames, lay_frames


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings, which are not the real ones."""
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: tmp_path / "home")
    yield
    cancel_all()


class Hand:
    """Uses the dock as a person does: by what stands on it."""

    def __init__(self, viewer, qtbot):
        self.viewer = viewer
        self.qtbot = qtbot
        self.session = session_of(viewer)
        self.dock = FusionDock(viewer)
        self.dock.choose_file = self._choose
        self.dock.ask = self._ask
        self.proposed, self.file, self.asked, self.answer = [], None, [], True
        qtbot.addWidget(self.dock)
        self.dock.show()

    def _choose(self, proposal):
        self.proposed.append(proposal)
        return self.file

    def _ask(self, question):
        self.asked.append(question)
        return self.answer

    def find(self, name):
        found = self.dock.findChild(QWidget, f"fusion.{name}")
        assert found is not None, name
        return found

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def says(self, part):
        self.qtbot.waitUntil(lambda: part in self.find("status").text(), timeout=10_000)

    def masks(self, role):
        combo = self.find(f"{role}_mask")
        return [combo.itemText(i) for i in range(combo.count())]

    def pick(self, role, name):
        self.find(f"{role}_mask").setCurrentIndex(self.masks(role).index(name))

    def show_scene(self, name):
        self.session.select(name)
        self.qtbot.waitUntil(lambda: getattr(self.session.current, "scene", "") == name)

    @property
    def fused(self):
        found = [
            layer
            for layer in self.viewer.layers
            if (ours := provenance_of(layer.metadata)) and ours["kind"] == "fused"
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def fuse(self):
        self.click("fuse")
        self.says("fused,")
        return self.fused.data.copy()

    def becomes(self, check):
        """Wait until the picture is as it should be."""
        self.qtbot.waitUntil(lambda: check(self.fused.data), timeout=10_000)


@pytest.fixture
def hand(viewer, qtbot):
    return Hand(viewer, qtbot)


def add_mask(viewer, role, scene="barn", kind="ground truth", fill=None):
    frame = find_layer(viewer.layers, "frame", scene, role)
    mask = np.zeros(frame.data.shape[:2], np.uint8)
    mask[:, 16:] = role == "low"
    mask[:, :16] = role == "high"
    if fill is not None:
        mask[...] = fill
    ours = {"kind": kind, "scene": scene, "role": role}
    return viewer.add_labels(mask, name=f"{scene} {role} {kind}", metadata={METADATA_KEY: ours})


@pytest.fixture
def barn(hand, scene, tmp_path):
    """The scene `barn` of a folder of two is shown, and has ground truth."""
    for name in ("attic", "barn"):
        scene(f"set/{name}")
    hand.session.open_folder(tmp_path / "set")
    hand.qtbot.waitUntil(lambda: not hand.session.scanning)
    hand.show_scene("barn")
    for role in ("low", "high"):
        add_mask(hand.viewer, role)
    hand.says("Ready: barn, 3 frames and two masks")
    return hand


def brightness(picture):
    return float(picture.mean())


def test_it_says_what_is_missing(hand, scene):
    assert "Open a bracket first" in hand.find("status").text()
    assert not hand.find("fuse").isEnabled()
    assert not hand.find("save").isEnabled()
    hand.viewer.open(scene("barn"), plugin="bracketseg")
    hand.says("barn has no mask of the low and the high frame")
    assert not hand.find("fuse").isEnabled()
    add_mask(hand.viewer, "low")
    hand.says("barn has no mask of the high frame")
    add_mask(hand.viewer, "high")
    hand.says("Ready")
    assert hand.find("fuse").isEnabled()


def test_the_picture_lies_below_the_masks_and_what_was_selected_stays_so(barn):
    active = find_layer(barn.viewer.layers, "ground truth", "barn", "low")
    barn.viewer.layers.selection.active = active
    picture = barn.fuse()
    assert picture.shape == (24, 32, 3)
    assert barn.fused.name == "barn fused"
    names = [layer.name for layer in barn.viewer.layers]
    frames, masks = ["barn low", "barn medium", "barn high"], barn.masks("low")[::-1]
    assert names == [*frames, "barn fused", *masks]
    assert barn.viewer.layers.selection.active is active
    frame = find_layer(barn.viewer.layers, "frame", "barn", "medium")
    np.testing.assert_allclose(barn.fused.extent.world, frame.extent.world)


def test_a_picture_is_no_frame(barn):
    barn.fuse()
    barn.viewer.layers.remove("barn medium")
    barn.says("Ready") if not barn.find("fuse").isChecked() else barn.says("barn fused,")
    assert barn.find("save").isEnabled()
    barn.click("fuse")
    barn.says("2 frames and two masks")


def test_large_frames_are_shown_smaller_and_at_the_same_place(barn, monkeypatch):
    monkeypatch.setattr(fusing, "SIDE", 10)
    frame = find_layer(barn.viewer.layers, "frame", "barn", "medium")
    frame.scale, frame.translate = (2, 3), (5, 7)
    assert barn.fuse().shape == (8, 10, 3)
    world = barn.fused.extent.world
    # Extents are of centres of pixels; with half a pixel around them they are the same.
    half = np.array([barn.fused.scale, -barn.fused.scale]) / 2
    np.testing.assert_allclose(world - half, frame.extent.world - [[1, 1.5], [-1, -1.5]])


def test_it_follows_the_brush(barn):
    before = barn.fuse()
    mask = find_layer(barn.viewer.layers, "ground truth", "barn", "high")
    mask.brush_size, mask.selected_label = 60, 1
    mask.paint((12, 16), 1)  # the high frame everywhere
    low = find_layer(barn.viewer.layers, "ground truth", "barn", "low")
    low.data = np.zeros_like(low.data)
    barn.becomes(lambda now: brightness(now[:, 16:]) > brightness(before[:, 16:]) + 10)
    mask.undo()
    low.data = np.ones_like(low.data)
    barn.becomes(lambda now: brightness(now) < brightness(before))


def test_another_mask_can_be_chosen(barn):
    before = barn.fuse()
    barn.viewer.add_labels(np.zeros((24, 32), np.uint8), name="nothing")
    barn.viewer.add_labels(np.zeros((3, 4), np.uint8), name="of another size")
    names = ["nothing", "barn high ground truth", "barn low ground truth"]
    barn.qtbot.waitUntil(lambda: barn.masks("high") == names)
    assert barn.find("high_mask").currentText() == "barn high ground truth"
    barn.pick("high", "nothing")
    barn.becomes(lambda now: brightness(now[:, :16]) < brightness(before[:, :16]) - 5)
    barn.viewer.layers.remove("nothing")
    barn.becomes(lambda now: np.array_equal(now, before))


def test_ground_truth_goes_before_predictions_and_probabilities_are_soft(barn):
    for role in ("low", "high"):
        add_mask(barn.viewer, role, kind="prediction", fill=1)
    barn.qtbot.waitUntil(lambda: len(barn.masks("low")) == 4)
    assert barn.find("low_mask").currentText() == "barn low ground truth"
    barn.pick("low", "barn low prediction")
    barn.pick("high", "barn high prediction")
    hard = barn.fuse()
    barn.click("fuse")
    ours = {"kind": "probability", "scene": "barn", "role": "high"}
    probability = np.full((24, 32), 0.55, np.float32)
    barn.viewer.add_image(probability, metadata={METADATA_KEY: ours}, visible=False)
    soft = barn.fuse()
    assert brightness(soft) < brightness(hard) - 3


def test_masks_of_another_frame_are_not_taken_by_themselves(barn, tmp_path):
    layers = barn.viewer.layers
    for layer in [layer for layer in layers if layer.name.endswith("ground truth")]:
        layers.remove(layer)
    masks = {role: add_mask(barn.viewer, role, kind="prediction") for role in ("low", "high")}
    names = ["barn high prediction", "barn low prediction"]
    barn.qtbot.waitUntil(lambda: barn.masks("high") == names)

    def made_on(role, name):
        ours = dict(masks[role].metadata[METADATA_KEY], frame=str(tmp_path / "set/barn" / name))
        masks[role].metadata = {METADATA_KEY: ours}

    made_on("low", "low.png")
    made_on("high", "high.png")
    barn.says("Ready")
    # Another frame has come to be the high one since.
    made_on("high", "medium.png")
    barn.says("barn has no mask of the high frame")
    assert barn.masks("high") == names
    barn.pick("high", "barn high prediction")
    barn.says("Ready")
    made_on("high", "high.png")
    barn.says("Ready")


def test_ground_truth_of_another_frame_is_passed_over(barn, tmp_path):
    from bracketseg.labeling.label_folder import label_brackets
    from bracketseg.labeling.mask_store import LabelingFolder
    from bracketseg.labeling.ranges import DEFAULT_RANGES
    from bracketseg.labeling.records import LabelingInfo

    layers = barn.viewer.layers
    info = LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES))
    folder = LabelingFolder.create(tmp_path / "labels", info)
    list(label_brackets([barn.session.current], DEFAULT_RANGES, folder))
    mask = find_layer(layers, "ground truth", "barn", "high")
    ours = dict(mask.metadata[METADATA_KEY], path=str(tmp_path / "labels/barn_high.png"))
    mask.metadata = {METADATA_KEY: ours}
    barn.says("Ready")
    frame = find_layer(layers, "frame", "barn", "high")
    other = dict(frame.metadata[METADATA_KEY], path=str(tmp_path / "set/barn/medium.png"))
    frame.metadata = {METADATA_KEY: other}
    barn.viewer.add_labels(np.zeros((24, 32), np.uint8), name="something else")
    barn.says("barn has no mask of the high frame")


def test_another_scene_shows_its_own_picture(barn):
    before = barn.fuse()
    barn.show_scene("attic")
    barn.says("attic has no mask")
    barn.qtbot.waitUntil(lambda: not barn.fused.visible)
    for role in ("low", "high"):
        add_mask(barn.viewer, role, "attic", fill=role == "high")
    barn.says("attic fused,")
    assert (barn.fused.name, barn.fused.visible) == ("attic fused", True)
    assert not np.array_equal(barn.fused.data, before)


def test_a_scene_of_another_size_is_fused_too(barn, tmp_path):
    for role in ("low", "medium", "high"):
        path = tmp_path / "set" / "attic" / f"{role}.png"
        cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (20, 40)))
    barn.session.open_folder(tmp_path / "set")
    barn.qtbot.waitUntil(lambda: not barn.session.scanning)
    for name, shape in (("barn", (24, 32, 3)), ("attic", (40, 20, 3))):
        barn.show_scene(name)
        for role in ("low", "high"):
            add_mask(barn.viewer, role, name)
        if name == "barn":
            barn.qtbot.waitUntil(barn.find("fuse").isEnabled)
            barn.click("fuse")
        barn.says(f"{name} fused,")
        barn.qtbot.waitUntil(lambda shape=shape: barn.fused.data.shape == shape)
        assert barn.find("fuse").isChecked()


def test_closing_the_layer_or_the_button_ends_it(barn):
    barn.fuse()
    barn.viewer.layers.remove(barn.fused)
    barn.says("Ready")
    assert not barn.find("fuse").isChecked()
    barn.fuse()
    barn.click("fuse")
    assert barn.fused is None
    mask = find_layer(barn.viewer.layers, "ground truth", "barn", "low")
    mask.data = np.ones_like(mask.data)
    barn.says("Ready")
    assert barn.fused is None


def test_images_of_no_bracket_are_fused_too(hand):
    ramp = np.linspace(0, 1, 40)[None, :] * np.ones((20, 1))
    for name, gain in (("dark", 0.5), ("middle", 1.0), ("bright", 2.0)):
        image = np.rint(np.clip(ramp * gain, 0, 1) * 255).astype(np.uint8)
        hand.viewer.add_image(image, name=name)
    for name, mask in (("low", ramp > 0.5), ("high", ramp <= 0.5)):
        hand.viewer.add_labels(mask.astype(np.int32), name=f"{name} by hand")
    hand.says("3 frames and two masks")
    assert hand.find("low_mask").currentText() == "low by hand"
    picture = hand.fuse()
    assert picture.shape == (20, 40)
    assert picture[:, -5:].std() > 0


def test_the_slices_of_a_stack_are_fused_one_by_one(hand, tmp_path):
    ramp = np.linspace(0, 1, 40)[None, :] * np.ones((20, 1))
    scenes = np.stack([ramp, ramp[:, ::-1]])[..., None] * [1.0, 0.8, 0.5]
    for name, gain in (("dark", 0.5), ("middle", 1.0), ("bright", 2.0)):
        stack = np.rint(np.clip(scenes * gain, 0, 1) * 255).astype(np.uint8)
        hand.viewer.add_image(stack, name=f"walk {name}", rgb=True, scale=(1, 2, 2))
    for name, mask in (("low", scenes[..., 0] > 0.5), ("high", scenes[..., 0] <= 0.5)):
        hand.viewer.add_labels(mask.astype(np.uint8), name=f"{name} by hand", scale=(1, 2, 2))
    hand.viewer.add_labels(np.zeros((2, 20, 40), np.uint8), name="none", scale=(1, 2, 2))
    hand.viewer.dims.set_point(0, 0)
    hand.says("Ready: walk_0000, 3 frames and two masks")
    first = hand.fuse()
    assert first.shape == (20, 40, 3)
    hand.pick("high", "none")
    hand.becomes(lambda now: brightness(now[:, :20]) < brightness(first[:, :20]) - 5)
    hand.viewer.dims.set_point(0, 1)
    hand.says("walk_0001 fused,")
    assert hand.find("high_mask").currentText() == "none"
    hand.pick("high", "high by hand")
    # The second slice is the first one turned round, and so is its picture but for rounding.
    hand.becomes(lambda now: np.abs(now.astype(int) - first[:, ::-1]).mean() < 4)
    assert hand.fused.name == "walk fused"
    hand.file = tmp_path / "slice.png"
    assert hand.find("save").text() == "Save this slice…"
    hand.click("save")
    hand.says("Saved")
    assert hand.proposed[0].name == "walk_0001_fused.png"
    np.testing.assert_array_equal(read_image(hand.file), hand.fused.data)


def test_what_shows_the_same_masks_is_drawn_once(barn):
    barn.fuse()
    drawn = []
    barn.fused.events.set_data.connect(lambda _: drawn.append(1))
    mask = find_layer(barn.viewer.layers, "ground truth", "barn", "high")
    mask.brush_size, mask.selected_label = 60, 1
    before = barn.fused.data.copy()
    mask.paint((12, 16), 1)
    barn.becomes(lambda now: not np.array_equal(now, before))
    barn.qtbot.waitUntil(lambda: not running_jobs())
    # The end of the stroke says no more than what was drawn; another mask does.
    mask.events.paint(value=[])
    low = find_layer(barn.viewer.layers, "ground truth", "barn", "low")
    now = barn.fused.data.copy()
    low.data = np.ones_like(low.data)
    barn.becomes(lambda later: not np.array_equal(later, now))
    assert len(drawn) == 2


def test_saving_makes_it_in_full_size(barn, tmp_path, monkeypatch):
    monkeypatch.setattr(fusing, "SIDE", 10)
    barn.file = tmp_path / "out" / "picture.png"
    barn.click("save")
    barn.says(f"Saved {barn.file}")
    assert barn.proposed == [tmp_path / "set" / "fused" / "barn_fused.png"]
    assert read_image(barn.file).shape == (24, 32, 3)
    barn.file = tmp_path / "out" / "radiance.exr"
    barn.click("save")
    barn.says(f"Saved {barn.file}. No file tells the exposures")
    assert read_radiance(barn.file).shape == (24, 32, 3)
    barn.click("save")
    assert barn.proposed[1:] == [
        tmp_path / "out" / "barn_fused.png",
        tmp_path / "out" / "barn_fused.exr",
    ]


@pytest.mark.parametrize(
    ("typed", "way", "saved"),
    [
        ("barn_fused.png", "PNG", "barn_fused.png"),
        ("barn_fused.png", "TIFF", "barn_fused.tif"),
        ("other.exr", "TIFF", "other.exr"),
        ("other", "JPEG", "other.jpg"),
        ("", "PNG", None),
    ],
)
def test_the_dialog_starts_beside_the_brackets(barn, monkeypatch, tmp_path, typed, way, saved):
    folder = tmp_path / "set" / "fused"

    def ask(_parent, _title, proposal, filters, _filter, **_options):
        assert proposal == str(folder / "barn_fused.png")
        assert folder.is_dir()
        chosen = next(found for found in filters.split(";;") if found.startswith(way))
        return (str(folder / typed) if typed else "", chosen)

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    barn.dock.choose_file = partial(choose_file, barn.dock)
    barn.click("save")
    if saved is None:
        assert not folder.exists()
    else:
        barn.says(f"Saved {folder / saved}")
        assert (folder / saved).is_file()


def test_what_is_saved_is_what_the_command_makes(barn, tmp_path):
    from bracketseg.brackets.masks import write_mask
    from bracketseg.cli import app

    labels = tmp_path / "labels"
    labels.mkdir()
    for role in ("low", "high"):
        mask = find_layer(barn.viewer.layers, "ground truth", "barn", role)
        write_mask(labels / f"barn_{role}.png", mask.data)
    folder = tmp_path / "set" / "barn"
    arguments = ["fuse", str(folder), "--labels", str(labels), "--out", str(tmp_path / "command")]
    app(arguments, standalone_mode=False)
    barn.file = tmp_path / "window.png"
    barn.click("save")
    barn.says("Saved")
    expected = read_image(tmp_path / "command" / "barn_fused.png")
    np.testing.assert_array_equal(read_image(barn.file), expected)


def test_a_file_that_is_there_is_replaced_only_if_a_person_says_so(barn, tmp_path):
    barn.file, barn.answer = tmp_path / "picture.png", False
    barn.file.write_bytes(b"mine")
    barn.click("save")
    assert barn.asked == [f"{barn.file} exists. Replace it?"]
    assert barn.file.read_bytes() == b"mine"
    barn.answer = True
    barn.click("save")
    barn.says("Saved")
    assert cv2.imread(str(barn.file)) is not None


def test_masks_are_saved_as_they_were_at_the_click(barn, tmp_path, monkeypatch):
    barn.file = tmp_path / "before.png"
    barn.click("save")
    barn.says(f"Saved {barn.file}")
    began, go = threading.Event(), threading.Event()

    def slow(*frames, **how):
        found = lay_frames(*frames, **how)
        began.set()
        go.wait(10)
        return found

    monkeypatch.setattr(fusing, "lay_frames", slow)
    barn.file = tmp_path / "after.png"
    barn.click("save")
    barn.qtbot.waitUntil(began.is_set)
    # As another scene does, whose masks take the place of these.
    find_layer(barn.viewer.layers, "ground truth", "barn", "high").data[...] = 0
    go.set()
    barn.says(f"Saved {barn.file}")
    np.testing.assert_array_equal(read_image(barn.file), read_image(tmp_path / "before.png"))


@pytest.fixture
def predicted(barn):
    """Two predictions that are chosen, and what adds a probability to one of them."""
    for role in ("low", "high"):
        add_mask(barn.viewer, role, kind="prediction", fill=1)
    barn.qtbot.waitUntil(lambda: len(barn.masks("low")) == 4)
    for role in ("low", "high"):
        barn.pick(role, f"barn {role} prediction")

    def add(value):
        ours = {"kind": "probability", "scene": "barn", "role": "high"}
        values = np.full((24, 32), value, np.float32)
        return barn.viewer.add_image(values, metadata={METADATA_KEY: ours}, visible=False)

    return add


def test_a_probability_that_comes_goes_or_changes_counts(barn, predicted):
    hard = barn.fuse()
    layer = predicted(0.55)
    barn.becomes(lambda now: not np.array_equal(now, hard))
    soft = barn.fused.data.copy()
    layer.data = np.full((24, 32), 0.8, np.float32)
    barn.becomes(lambda now: not np.array_equal(now, soft))
    barn.viewer.layers.remove(layer)
    barn.becomes(lambda now: np.array_equal(now, hard))


def test_what_cannot_be_saved_is_said(barn, tmp_path):
    barn.file = tmp_path / "picture.bmp"
    barn.click("save")
    barn.says("name it .png, .jpg, .tif or .exr")
    barn.file = tmp_path / "set" / "barn" / "low.png" / "picture.png"
    barn.click("save")
    barn.says("cannot be made")
    assert barn.find("save").isEnabled()


def test_what_exr_needs_is_told_before_the_work(barn, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    monkeypatch.setattr(fusing, "radiance_map", lambda _: pytest.fail("it was fused"))
    barn.file = tmp_path / "new" / "radiance.exr"
    barn.click("save")
    barn.says('install it: pip install "bracketseg[exr]"')
    assert not barn.file.parent.exists()


def test_frames_that_moved_are_laid_on_each_other(hand, held):
    hand.viewer.open(held, plugin="bracketseg")
    for role in ("low", "high"):
        add_mask(hand.viewer, role, "held", fill=1)
    hand.says("Ready")
    apart = hand.fuse()
    hand.find("align").setCurrentIndex(hand.find("align").findData("shift"))
    assert "Fusing held" in hand.find("status").text()
    hand.says("held fused,")
    assert "not aligned" not in hand.find("status").text()
    frame = find_layer(hand.viewer.layers, "frame", "held", "medium").data[20:-20, 20:-20]

    def resemblance(picture):
        return np.corrcoef(picture[20:-20, 20:-20].ravel(), frame.ravel())[0, 1]

    assert resemblance(hand.fused.data) > 0.95 > resemblance(apart) + 0.05


def test_what_cannot_be_aligned_is_said(hand, held):
    cv2.imwrite(str(held / "high.png"), np.full((100, 120), 255, np.uint8))
    hand.viewer.open(held, plugin="bracketseg")
    for role in ("low", "high"):
        add_mask(hand.viewer, role, "held", fill=1)
    hand.says("Ready")
    hand.find("align").setCurrentIndex(1)
    hand.fuse()
    assert "⚠ held high not aligned: too little in common" in hand.find("status").text()


def test_what_is_taken_from_one_frame_alone_is_said(barn, tmp_path):
    barn.find("deghost").setChecked(True)
    barn.fuse()
    assert "Nothing that moved was found" in barn.find("status").text()
    frame = find_layer(barn.viewer.layers, "frame", "barn", "high")
    moved = frame.data.copy()
    moved[:, 8:20] = moved[:, 8:20][::-1] // 2
    frame.data = moved
    barn.says("One frame alone on")


def test_frames_that_are_aligned_in_brackets_are_aligned_here_too(barn, viewer, qtbot):
    assert barn.find("align").currentText() == "Off"
    barn.session.align = "shift"
    qtbot.waitUntil(lambda: barn.find("align").currentText() == "Shift")
    barn.find("align").setCurrentIndex(0)
    barn.show_scene("attic")
    assert barn.find("align").currentText() == "Off"
    later = FusionDock(viewer)
    qtbot.addWidget(later)
    assert later.findChild(QWidget, "fusion.align").currentText() == "Shift"


def test_a_closed_dock_leaves_no_work_behind(barn, viewer, qtbot):
    barn.fuse()
    fused, mask = barn.fused, find_layer(viewer.layers, "ground truth", "barn", "low")
    before = fused.data.copy()
    barn.click("fuse")
    dock = FusionDock(viewer)
    dock.findChild(QWidget, "fusion.fuse").click()
    qtbot.waitUntil(lambda: barn.fused is not None and barn.fused.visible)
    fused = barn.fused
    with qtbot.waitSignal(dock.destroyed):
        dock.deleteLater()
    mask.data = np.ones_like(mask.data)
    viewer.add_labels(np.zeros((24, 32), np.uint8))
    assert not running_jobs()
    np.testing.assert_array_equal(fused.data, before)


def test_a_folder_that_cannot_be_made_is_of_the_errors_of_fusing(tmp_path):
    (tmp_path / "file").touch()
    masks = (fusing.MaskArrays(labels=np.zeros((2, 2))),) * 2
    frames = LaidFrames(
        images=(np.zeros((2, 2), np.uint8),) * 2, evs=(0, 1), placements=(Shift(),) * 2
    )
    with pytest.raises(FusionError, match="file: cannot be made"):
        fusing.save(tmp_path / "file" / "a.png", frames, (), *masks, evs_known=True)
