"""A prediction as the beginning of a correction: in memory, as a draft, and saved."""

from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import find_masks, is_mask_name, write_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.consensus import make_consensus, read_consensus
from bracketseg.labeling.coverage import coverage
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo, MaskRecord, Network, SceneRecord
from bracketseg.labeling.saved_scene import open_annotation, save_annotation

ROW = np.array([[0, 50, 100, 150, 200, 250]], np.uint8)
NETWORK = Network(model="low-bce", model_sha256="ab12", loss="bce", threshold=0.4, scale="full")
BASE = np.array([[1, 0, 1, 0, 1, 0]], bool)
STRIPES = np.indices((6, 8))[1] % 2 == 0
ADA = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ada")


def predicted(mask=BASE):
    return Prediction(origin=NETWORK, mask=mask)


def one(rule=None):
    return SceneAnnotation("s1", {"low": ROW}, {"low": rule or predicted()})


def bits(annotation):
    return annotation.mask("low").astype(int).ravel().tolist()


def lumas_of(bracket):
    return {role: luma(bracket.frame(role).read()) for role in ("low", "high")}


def corrected(bracket):
    """Low began from a prediction and is corrected in three pixels; high is a range."""
    rules = {"low": predicted(STRIPES), "high": DEFAULT_RANGES["high"]}
    annotation = SceneAnnotation(bracket.scene, lumas_of(bracket), rules)
    annotation.paint("low", ([0, 1], [1, 1]), True)
    annotation.paint("low", ([5, 5], [0, 1]), False)
    return annotation


def paths_of(bracket):
    return {role: bracket.frame(role).path for role in ("low", "high")}


@pytest.fixture
def saved(brackets, tmp_path):
    folder = LabelingFolder.create(tmp_path / "labels" / "Ada", ADA)
    save_annotation(folder, corrected(brackets[0]), paths_of(brackets[0]))
    return folder.path


# In memory.


def test_strokes_go_on_top_and_clearing_gives_the_bare_prediction():
    scene = one()
    assert bits(scene) == [1, 0, 1, 0, 1, 0]
    assert (scene.edited_pixels("low"), scene.bounds("low")) == (0, None)
    scene.paint("low", ([0, 0], [0, 2]), False)
    scene.paint("low", ([0, 0], [4, 5]), True)
    assert bits(scene) == [0, 0, 0, 0, 1, 1]
    assert scene.edited_pixels("low") == 3
    assert scene.clear_corrections("low")
    assert bits(scene) == [1, 0, 1, 0, 1, 0]


def test_undo_goes_over_the_choice_of_a_prediction_and_back():
    scene = one(ManualRange(lo=100, hi=255))
    scene.paint("low", ([0], [0]), True)
    assert scene.set_rule("low", predicted())
    scene.paint("low", ([0], [5]), True)
    scene.set_rule("low", Otsu())
    seen = [bits(scene)]
    while scene.undo():
        seen.append(bits(scene))
    assert seen[1:] == [
        [1, 0, 1, 0, 1, 1],
        [1, 0, 1, 0, 1, 0],
        [1, 0, 1, 1, 1, 1],
        [0, 0, 1, 1, 1, 1],
    ]
    while scene.redo():
        pass
    assert bits(scene) == seen[0]


def test_back_to_a_range_strokes_stay():
    scene = one()
    scene.paint("low", ([0], [1]), True)
    scene.set_rule("low", ManualRange(lo=200, hi=255))
    assert bits(scene) == [0, 1, 0, 0, 1, 1]


def test_the_same_prediction_again_is_no_step():
    scene = one()
    assert not scene.set_rule("low", predicted(BASE.copy()))
    assert not scene.can_undo
    assert scene.set_rule("low", predicted(~BASE))


def test_nobody_can_change_what_was_predicted():
    mask = BASE.copy()
    scene = one(predicted(mask))
    mask[:] = True
    assert bits(scene) == [1, 0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="read-only"):
        scene.rule("low").mask[:] = True


@pytest.mark.parametrize("mask", [BASE.astype(np.uint8), np.zeros((0, 4), bool), BASE[0]])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(LabelingError, match="a predicted mask is"):
        predicted(mask)


def test_a_prediction_of_another_size_is_refused_and_changes_nothing():
    scene = one(ManualRange(lo=100, hi=255))
    with pytest.raises(LabelingError, match=r"s1 low: a prediction of \(6, 8\).*\(1, 6\)"):
        scene.set_rule("low", predicted(STRIPES))
    assert bits(scene) == [0, 0, 1, 1, 1, 1]
    assert not scene.can_undo
    with pytest.raises(LabelingError, match="predict this frame anew"):
        one(predicted(STRIPES))


# As a draft.


def test_a_draft_brings_prediction_and_strokes_back(brackets, tmp_path):
    annotation = corrected(brackets[0])
    DraftStore(tmp_path / "drafts").save(annotation, "Ada")
    store = DraftStore(tmp_path / "drafts")
    assert store.scenes() == ("s1",)
    restored = store.load("s1").restore(lumas_of(brackets[0]))
    assert restored.rule("low") == predicted(STRIPES)
    np.testing.assert_array_equal(restored.mask("low"), annotation.mask("low"))
    restored.clear_corrections("low")
    np.testing.assert_array_equal(restored.mask("low"), STRIPES)
    store.discard("s1")
    assert not store.folder.exists()


def test_a_draft_that_no_longer_begins_from_a_prediction_keeps_none(brackets, tmp_path):
    store, annotation = DraftStore(tmp_path), corrected(brackets[0])
    store.save(annotation, "Ada")
    annotation.set_rule("low", Otsu())
    store.save(annotation, "Ada")
    assert not list(tmp_path.glob("*_prediction.png"))
    assert store.load("s1").rules["low"] == Otsu()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no picture"),
        lambda path: write_mask(path, np.ones((6, 9))),
    ],
)
def test_a_draft_whose_prediction_is_spoilt_is_an_error_that_names_it(brackets, tmp_path, spoil):
    store = DraftStore(tmp_path)
    store.save(corrected(brackets[0]), "Ada")
    spoil(tmp_path / "s1_low_prediction.png")
    with pytest.raises(LabelingError, match=r"s1_low_prediction\.png"):
        store.load("s1")


# Saved.


def test_the_record_says_that_it_began_from_a_network(brackets, saved):
    annotation, folder = corrected(brackets[0]), LabelingFolder.open(saved)
    record = folder.record("s1")
    low = record.masks["low"]
    assert (low.origin, low.lo, low.hi, low.edited_pixels) == (NETWORK, None, None, 3)
    assert folder.info.method == "manual"
    assert record.coverage == coverage(annotation.mask("low"), annotation.mask("high"))
    assert folder.rule("s1", "low") is None
    np.testing.assert_array_equal(folder.mask("s1", "low"), annotation.mask("low"))
    stored = cv2.imread(str(saved / "s1_low_prediction.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored == 255, STRIPES)
    assert not (saved / "s1_high_prediction.png").exists()


def test_the_prediction_is_taken_for_no_mask_and_no_frame(saved):
    assert set(find_masks(saved)) == {("s1", "low"), ("s1", "high")}
    assert is_mask_name(saved / "s1_low_prediction.png")


def test_a_saved_scene_opens_with_its_prediction_and_strokes(brackets, saved):
    annotation = corrected(brackets[0])
    opened = open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0])).annotation
    assert opened.rule("low") == predicted(STRIPES)
    np.testing.assert_array_equal(opened.mask("low"), annotation.mask("low"))
    np.testing.assert_array_equal(opened.corrections("low"), annotation.corrections("low"))
    assert not opened.can_undo
    opened.clear_corrections("low")
    np.testing.assert_array_equal(opened.mask("low"), STRIPES)


def test_a_mask_that_something_else_changed_opens_as_it_is_over_its_prediction(brackets, saved):
    painted = np.eye(6, 8, dtype=bool)
    write_mask(saved / "s1_low.png", painted)
    opened = open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0])).annotation
    np.testing.assert_array_equal(opened.mask("low"), painted)
    opened.clear_corrections("low")
    np.testing.assert_array_equal(opened.mask("low"), STRIPES)


def test_without_its_prediction_a_mask_still_opens_as_it_is(brackets, saved):
    (saved / "s1_low_prediction.png").unlink()
    opened = open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0])).annotation
    np.testing.assert_array_equal(opened.mask("low"), corrected(brackets[0]).mask("low"))
    assert opened.rule("low") == DEFAULT_RANGES["low"]


def test_a_labelling_of_a_network_opens_as_its_prediction(brackets, tmp_path):
    info = LabelingInfo(method="network", ranges={"low": NETWORK})
    folder = LabelingFolder.create(tmp_path / "network", info)
    made = MaskRecord(origin=NETWORK, frame="low.png", frame_sha256="")
    record = SceneRecord(scene="s1", masks={"low": made}, time=datetime.now(UTC))
    folder.save_scene({"low": STRIPES}, record)
    opened = open_annotation(folder, "s1", {"low": lumas_of(brackets[0])["low"]}).annotation
    assert opened.rule("low") == predicted(STRIPES)
    assert opened.corrections("low") is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no picture"),
        lambda path: write_mask(path, np.ones((6, 9))),
    ],
)
def test_a_saved_prediction_that_is_spoilt_is_an_error_that_names_it(brackets, saved, spoil):
    spoil(saved / "s1_low_prediction.png")
    with pytest.raises(LabelingError, match=r"s1_low_prediction\.png"):
        open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0]))


def test_saving_a_range_takes_the_prediction_away(brackets, saved):
    folder = LabelingFolder.create(saved, ADA)
    annotation = open_annotation(folder, "s1", lumas_of(brackets[0])).annotation
    annotation.set_rule("low", Otsu())
    save_annotation(folder, annotation, paths_of(brackets[0]))
    assert not list(saved.glob("*_prediction.png"))
    assert folder.record("s1").masks["low"].origin == Otsu()


def test_the_command_keeps_what_was_corrected_and_overwrites_it_on_demand(brackets, saved):
    kept = list(label_brackets(brackets, DEFAULT_RANGES, LabelingFolder.create(saved, ADA)))
    assert isinstance(kept[0], SceneFailed)
    folder = LabelingFolder.create(saved, ADA, overwrite=True)
    list(label_brackets(brackets, DEFAULT_RANGES, folder))
    assert not list(saved.glob("*_prediction.png"))


# Averaged.


def test_masks_that_began_from_a_prediction_are_in_no_mean_and_named(brackets, saved, tmp_path):
    other = LabelingFolder.create(
        tmp_path / "labels" / "Bo", ADA.model_copy(update={"annotator": "Bo"})
    )
    own = {"low": ManualRange(lo=90, hi=255), "high": ManualRange(lo=0, hi=180)}
    ranges = SceneAnnotation("s1", lumas_of(brackets[0]), own)
    save_annotation(other, ranges, paths_of(brackets[0]))
    found = read_consensus([saved, other.path])
    assert found.scenes["s1"]["low"].chosen == {"Bo": own["low"]}
    assert found.scenes["s1"]["high"].mean == ManualRange(lo=0, hi=190)
    assert found.predicted == (("s1", "low", "Ada"),)
    assert found.problems == {}


def test_a_scene_that_was_only_predicted_is_left_out_of_the_average_with_a_word(
    brackets, saved, tmp_path
):
    both = {role: predicted(STRIPES) for role in ("low", "high")}
    folder = LabelingFolder.create(saved, ADA)
    only = SceneAnnotation("s2", lumas_of(brackets[1]), both)
    save_annotation(folder, only, paths_of(brackets[1]))
    events = list(make_consensus([saved], brackets, tmp_path / "mean"))
    assert [type(event) for event in events] == [SceneFailed, SceneLabeled]
    assert "s2: all masks began from a prediction" in str(events[0].error)
    (saved / "s1.json").unlink()
    with pytest.raises(LabelingError, match="masks that began from a prediction have none"):
        read_consensus([saved])
