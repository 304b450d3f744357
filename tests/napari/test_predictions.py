"""Corrections that begin from a prediction, through the Ground truth dock and without it."""

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from bracketseg._napari.layers.provenance import METADATA_KEY, find_layer
from bracketseg._napari.session import annotator_name
from bracketseg._napari.session.session import session_of
from bracketseg._napari.truth import scene_work
from bracketseg._napari.truth.dock import GroundTruthDock
from bracketseg._napari.truth.ground_truth import GroundTruth
from bracketseg._napari.widgets import jobs
from bracketseg.brackets.masks import write_mask
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord

STRIPES = np.indices((24, 32))[1] % 4 < 2
NETWORK = Network(model="low-bce", model_sha256="ab", loss="bce", threshold=0.3, scale="train")


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")


@pytest.fixture
def folder(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return tmp_path / "set"


@pytest.fixture
def predicted(folder):
    """A folder of which a network has predicted the low masks of attic and cave."""
    info = LabelingInfo(method="network", ranges={"low": NETWORK})
    labeling = LabelingFolder.create(folder / "labels" / "network", info)
    made = MaskRecord(origin=NETWORK, frame="low.png", frame_sha256="")
    for name in ("attic", "cave"):
        record = SceneRecord(scene=name, masks={"low": made}, time="2026-01-01T10:00:00Z")
        labeling.save_scene({"low": STRIPES}, record)
    return folder


def show_prediction(viewer, mask=STRIPES, scene="attic", **more):
    """Open what the Predict dock opens."""
    ours = {"kind": "prediction", "scene": scene, "role": "low", **more}
    name = f"{scene} low prediction"
    return viewer.add_labels(mask.astype(np.uint8), name=name, metadata={METADATA_KEY: ours})


# Without a window.


class Person:
    """Somebody who labels: a controller and what it told them."""

    def __init__(self, viewer, folder):
        self.viewer = viewer
        self.truth = GroundTruth(viewer)
        self.editor, self.session = self.truth.editor, self.truth.session
        self.told = []
        self.truth.notice.connect(self.told.append)
        self.session.annotator = "Ana"
        self.session.open_folder(folder)
        self.session.next()
        self.truth.start()

    @property
    def mask(self):
        title = self.editor.subject.title
        return find_layer(self.viewer.layers, "ground truth", title, "low").data != 0


@pytest.fixture
def at_once(monkeypatch):
    """Background work is done before the call that starts it returns."""
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)


@pytest.fixture
def labeller(viewer, predicted, at_once):
    return Person(viewer, predicted)


def test_a_prediction_on_the_disk_is_offered_for_its_scene_and_role(labeller):
    predictions, editor = labeller.truth.predictions, labeller.editor
    assert predictions.roles(editor.subject) == ("low",)
    labeller.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(labeller.mask, STRIPES)
    assert editor.rule("low").origin == NETWORK
    labeller.truth.set_method("high", "prediction")
    assert labeller.told == ["⚠ There is no prediction of attic high."]
    assert editor.rule("high") == DEFAULT_RANGES["high"]
    labeller.session.next()
    assert predictions.roles(editor.subject) == ()


def test_an_open_layer_goes_before_the_disk_and_is_left_as_it_is(labeller):
    layer = show_prediction(labeller.viewer, ~STRIPES, **{**NETWORK.model_dump(), "model": "run 7"})
    labeller.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(labeller.mask, ~STRIPES)
    origin = labeller.editor.rule("low").origin
    assert origin == NETWORK.model_copy(update={"model": "run 7"})
    assert not layer.visible
    labeller.editor.masks.layer("low").paint((3, 3), 0)
    np.testing.assert_array_equal(layer.data != 0, ~STRIPES)


def test_a_layer_that_is_filled_with_another_scene_is_heard_of(labeller):
    predictions, editor = labeller.truth.predictions, labeller.editor
    labeller.session.next()
    layer = show_prediction(labeller.viewer, scene="attic")
    assert predictions.roles(editor.subject) == ()
    heard = []
    predictions.changed.connect(lambda: heard.append(predictions.roles(editor.subject)))
    about = {"kind": "prediction", "scene": "barn", "role": "low"}
    layer.metadata = {METADATA_KEY: about}
    assert heard == [("low",)]
    layer.metadata = {METADATA_KEY: {**about, "threshold": 0.7}}
    assert heard == [("low",)]


def test_a_layer_of_another_size_is_none(labeller, predicted):
    labeller.session.next()
    show_prediction(labeller.viewer, np.ones((5, 5), bool), scene="barn")
    assert labeller.truth.predictions.roles(labeller.editor.subject) == ()


def test_a_layer_of_a_predicted_file_says_what_its_record_says(labeller, predicted):
    path = predicted / "labels" / "network" / "attic_low.png"
    show_prediction(labeller.viewer, path=str(path))
    labeller.truth.set_method("low", "prediction")
    assert labeller.editor.rule("low").origin == NETWORK


@pytest.mark.parametrize("spoil", ["size", "bytes"])
def test_a_prediction_that_cannot_be_used_is_said_and_changes_nothing(labeller, predicted, spoil):
    path = predicted / "labels" / "network" / "attic_low.png"
    if spoil == "size":
        write_mask(path, np.ones((5, 5)))
    else:
        path.write_bytes(b"no picture")
    labeller.truth.set_method("low", "prediction")
    assert "attic_low.png" in labeller.told[0]
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]


def take(labeller, role, frame):
    """Take a frame of the scene on show for a role, in the list of the dock."""
    images = labeller.truth.choice.candidates()
    (image,) = [it for it in images if it.metadata[METADATA_KEY]["path"].endswith(frame)]
    labeller.truth.choose(role, image)


def test_a_prediction_on_the_disk_of_another_frame_is_refused(labeller, predicted):
    labeling = LabelingFolder.open(predicted / "labels" / "network")
    digest = file_sha256(predicted / "attic" / "low.png")
    made = MaskRecord(origin=NETWORK, frame="low.png", frame_sha256=digest)
    record = SceneRecord(scene="attic", masks={"low": made}, time="2026-01-01T10:00:00Z")
    labeling.save_scene({"low": STRIPES}, record)
    take(labeller, "low", "medium.png")
    labeller.truth.set_method("low", "prediction")
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    (told,) = labeller.told
    assert "attic_low.png: this prediction was made on low.png, but medium.png is" in told
    take(labeller, "low", "low.png")
    labeller.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(labeller.mask, STRIPES)


def test_an_open_layer_of_another_frame_is_refused_and_the_disk_looked_at(labeller, predicted):
    attic = predicted / "attic"
    layer = show_prediction(labeller.viewer, ~STRIPES, frame=str(attic / "medium.png"))
    labeller.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(labeller.mask, STRIPES)
    labeller.truth.set_method("low", "manual")
    (predicted / "labels" / "network" / "attic_low.png").unlink()
    labeller.editor.predicted.clear()
    labeller.truth.set_method("low", "prediction")
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    (told,) = labeller.told
    assert told == (
        "⚠ attic low prediction: this prediction was made on medium.png, but low.png is the low "
        "frame now. Predict this scene again, or choose medium.png again."
    )
    ours = {**layer.metadata[METADATA_KEY], "frame": str(attic / "low.png")}
    layer.metadata = {METADATA_KEY: ours}
    labeller.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(labeller.mask, ~STRIPES)


def test_a_mask_that_was_opened_says_by_its_record_which_frame_it_is_of(labeller, predicted):
    path = predicted / "labels" / "network" / "attic_low.png"
    show_prediction(labeller.viewer, path=str(path))
    record = predicted / "labels" / "network" / "attic.json"
    text = record.read_text().replace('"low.png"', '"other.png"')
    record.write_text(text.replace('"frame_sha256": ""', '"frame_sha256": "ab"'))
    labeller.truth.set_method("low", "prediction")
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    assert "this prediction was made on other.png" in labeller.told[0]


def test_no_scene_begins_from_a_prediction_of_another_frame(labeller, predicted):
    attic = predicted / "attic"
    (predicted / "labels" / "network" / "attic_low.png").unlink()
    show_prediction(labeller.viewer, frame=str(attic / "medium.png"))
    labeller.truth.from_prediction = True
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    assert "was made on medium.png" in labeller.told[0]


def test_who_wants_a_prediction_corrected_begins_from_it_alone(labeller):
    layer = labeller.editor.masks.layer("low")
    layer.brush_size = 5
    layer.paint((10, 10), 1)
    layer.paint((20, 20), 0)
    before, strokes = labeller.mask.copy(), labeller.editor.annotation.corrections("low")
    labeller.session.correct(("low",))
    np.testing.assert_array_equal(labeller.mask, STRIPES)
    assert labeller.editor.annotation.corrections("low") is None
    assert labeller.told[-1] == (
        "Begun from what low-bce predicted: low. The strokes on low were taken off. Undo brings "
        "them back."
    )
    assert labeller.editor.undo()
    np.testing.assert_array_equal(labeller.mask, before)
    np.testing.assert_array_equal(labeller.editor.annotation.corrections("low"), strokes)
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]


def test_who_comes_back_to_a_correction_goes_on_with_it(labeller):
    labeller.session.correct(("low",))
    labeller.editor.masks.layer("low").paint((3, 3), 1)
    painted = labeller.mask.copy()
    assert (painted != STRIPES).any()
    labeller.session.correct(("low",))
    np.testing.assert_array_equal(labeller.mask, painted)
    assert labeller.told == ["Begun from what low-bce predicted: low."]


def test_a_draft_is_back_at_the_next_start_also_without_the_prediction(
    labeller, predicted, plugins
):
    labeller.truth.set_method("low", "prediction")
    labeller.editor.masks.layer("low").paint((3, 3), 1)
    before = labeller.mask.copy()
    labeller.truth.writer.finish()
    for path in (predicted / "labels" / "network").iterdir():
        path.unlink()
    again = Person(ViewerModel(), predicted)
    assert again.truth.state == "draft"
    np.testing.assert_array_equal(again.mask, before)
    assert again.editor.rule("low").origin == NETWORK
    again.truth.set_method("low", "manual")
    again.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(again.mask, before)
    again.editor.clear_corrections()
    np.testing.assert_array_equal(again.mask, STRIPES)


def test_a_stack_is_corrected_slice_by_slice(viewer, tmp_path, at_once):
    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (2, 24, 1))
    viewer.add_image(ramp, name="day low")
    person = Person(viewer, tmp_path)
    layer = np.stack([STRIPES, np.zeros_like(STRIPES)])
    show_prediction(viewer, layer, person.editor.subject.title)
    assert person.truth.predictions.roles(person.editor.subject) == ("low",)
    person.truth.set_method("low", "prediction")
    np.testing.assert_array_equal(person.mask[0], STRIPES)
    viewer.dims.set_point(0, 1)
    assert person.truth.predictions.roles(person.editor.subject) == ()


def test_scenes_can_begin_from_their_prediction(labeller):
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    labeller.truth.from_prediction = True
    assert isinstance(labeller.editor.rule("low"), Prediction)
    assert labeller.editor.rule("high") == DEFAULT_RANGES["high"]
    assert (labeller.truth.state, labeller.editor.annotation.can_undo) == ("new", False)
    labeller.session.next()
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    labeller.editor.set_range("low", 5, 50)
    labeller.session.next()
    assert isinstance(labeller.editor.rule("low"), Prediction)
    labeller.session.previous()
    labeller.truth.from_prediction = False
    assert labeller.editor.rule("low").hi == 50
    labeller.session.next()
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]


def test_picking_over_a_prediction_goes_on_from_the_range_before(labeller):
    labeller.editor.set_range("low", 40, 250)
    labeller.truth.set_method("low", "prediction")
    assert labeller.editor.pick((2, 3))
    value = int(labeller.editor.annotation.luma("low")[2, 3])
    assert (labeller.editor.rule("low").lo, labeller.editor.rule("low").hi) == (value, 250)


# Through the dock.


class Hand:
    """Uses the dock as a person does: by what stands on it."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot
        self.session = session_of(window)
        self.dock = GroundTruthDock(window)
        window.window.add_dock_widget(self.dock, name="Ground truth", area="right")
        qtbot.waitUntil(lambda: "Getting" not in self.find("gt.status").text())

    def find(self, name):
        found = self.dock.findChild(QWidget, name)
        assert found is not None, name
        return found

    def click(self, name):
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def offered(self, role):
        box = self.find(f"gt.{role}.method")
        return box.model().item(box.findText("Prediction")).isEnabled()

    def method(self, role):
        return self.find(f"gt.{role}.method").currentText()

    @property
    def layer(self):
        (found,) = [x for x in self.window.layers if x.name.endswith("low ground truth")]
        return found

    def go(self, scene):
        self.session.select(scene)
        self.qtbot.waitUntil(lambda: scene in self.find("gt.status").text())
        self.qtbot.waitUntil(lambda: self.layer.name.startswith(scene))


@pytest.fixture
def hand(plugins, make_napari_viewer, qtbot, predicted):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 900)
    session = session_of(viewer)
    session.annotator = "Ana"
    session.open_folder(predicted)
    qtbot.waitUntil(lambda: bool(session.brackets) and not session.scanning)
    session.next()
    qtbot.waitUntil(lambda: session.current is not None)
    yield Hand(viewer, qtbot)
    jobs.cancel_all()


def test_choose_paint_accept_and_come_back(hand, predicted, qtbot):
    labels = predicted / "labels" / "Ana"
    assert (hand.offered("low"), hand.offered("high")) == (True, False)
    hand.find("gt.low.method").setCurrentText("Prediction")
    np.testing.assert_array_equal(hand.layer.data != 0, STRIPES)
    assert not hand.find("gt.low.range").isEnabled()
    assert not hand.find("gt.low.pick").isVisible()
    assert "low-bce" in hand.find("gt.low.threshold").toolTip()
    assert hand.window.layers.selection.active is hand.layer
    hand.layer.paint((10, 3), 1)
    hand.layer.paint((20, 1), 0)
    wanted = hand.layer.data != 0
    changed = int((wanted != STRIPES).sum())
    assert changed
    hand.click("gt.accept")
    qtbot.waitUntil(lambda: (labels / "attic.json").exists())
    folder = LabelingFolder.open(labels)
    made = folder.record("attic").masks["low"]
    assert (made.origin, made.edited_pixels) == (NETWORK, changed)
    assert folder.info.method == "manual"
    np.testing.assert_array_equal(folder.mask("attic", "low"), wanted)
    hand.go("barn")
    assert (hand.method("low"), hand.offered("low")) == ("Manual", False)
    assert hand.find("gt.low.range").isEnabled()
    # As after a restart, and with nothing left of what was predicted.
    for path in (predicted / "labels" / "network").iterdir():
        path.unlink()
    hand.go("attic")
    assert hand.method("low") == "Prediction"
    np.testing.assert_array_equal(hand.layer.data != 0, wanted)
    hand.click("gt.clear_corrections")
    np.testing.assert_array_equal(hand.layer.data != 0, STRIPES)
    hand.click("gt.undo")
    np.testing.assert_array_equal(hand.layer.data != 0, wanted)
    hand.find("gt.low.method").setCurrentText("Manual")
    assert hand.layer.data[10, 3]
    assert not hand.layer.data[20, 1]
    hand.click("gt.undo")
    assert hand.method("low") == "Prediction"


def test_a_layer_that_comes_or_goes_is_offered_or_no_longer(hand):
    hand.go("barn")
    assert not hand.offered("low")
    layer = show_prediction(hand.window, scene="barn")
    assert hand.offered("low")
    hand.window.layers.remove(layer)
    assert not hand.offered("low")


def test_the_check_begins_new_scenes_as_predicted(hand, predicted, qtbot):
    assert not hand.find("gt.from_prediction").isChecked()
    hand.find("gt.from_prediction").click()
    assert hand.method("low") == "Prediction"
    assert "as predicted" in hand.find("gt.status").text()
    hand.go("barn")
    assert hand.method("low") == "Manual"
    hand.go("cave")
    assert hand.method("low") == "Prediction"
    assert not (predicted / "labels" / "Ana").exists()
    hand.click("gt.accept")
    made = predicted / "labels" / "Ana" / "cave.json"
    qtbot.waitUntil(made.exists)
    record = LabelingFolder.open(made.parent).record("cave")
    assert (record.masks["low"].origin, record.masks["low"].edited_pixels) == (NETWORK, 0)
    assert not DraftStore(made.parent / "drafts").scenes()


def test_the_average_names_what_is_in_no_mean(hand, predicted, qtbot):
    for name in ("Bo", "Ana"):
        hand.session.annotator = name
        hand.go("attic")
        hand.find("gt.low.method").setCurrentText("Prediction" if name == "Ana" else "Otsu")
        hand.click("gt.accept")
        qtbot.waitUntil((predicted / "labels" / name / "attic.json").exists)
    hand.click("gt.average")
    qtbot.waitUntil(lambda: not hand.find("gt.consensus.stop").isEnabled())
    heading = hand.find("gt.consensus.heading").text()
    assert "Not in the means" in heading
    assert "attic low by Ana." in heading
    hand.find("gt.consensus").close()
