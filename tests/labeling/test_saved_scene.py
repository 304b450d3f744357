import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import write_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.folders import evaluate_folders
from bracketseg.labeling.agreement import compare_with_otsu
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.saved_scene import open_annotation, refuse_other_frame, save_annotation

ADA = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ada")
OWN = ManualRange(lo=40, hi=110)


def lumas_of(bracket):
    return {role: luma(bracket.frame(role).read()) for role in ("low", "high")}


def paths_of(bracket):
    return {role: bracket.frame(role).path for role in ("low", "high")}


def worked(bracket):
    annotation = SceneAnnotation(bracket.scene, lumas_of(bracket), DEFAULT_RANGES)
    annotation.set_rule("low", OWN)
    annotation.set_mask("low", annotation.mask("low") ^ np.eye(6, 8, dtype=bool))
    annotation.set_rule("high", Otsu())
    return annotation


@pytest.fixture
def saved(brackets, tmp_path):
    """A labelling in which `s1` has a range of its own and strokes."""
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    save_annotation(folder, worked(brackets[0]), paths_of(brackets[0]))
    return folder.path


def test_the_record_says_how_the_masks_were_made(brackets, saved):
    folder = LabelingFolder.open(saved)
    record = folder.record("s1")
    low, high = record.masks["low"], record.masks["high"]
    assert (low.origin, low.lo, low.hi, low.threshold) == (OWN, 40, 110, None)
    assert low.edited_pixels == 6
    assert (high.origin, high.edited_pixels) == (Otsu(), 0)
    assert high.hi == high.threshold
    assert low.frame == "low.png"
    assert low.frame_sha256 == file_sha256(brackets[0].frame("low").path)
    assert record.coverage == worked(brackets[0]).coverage()
    assert folder.corrections("s1", "high") is None
    assert folder.rule("s1", "low") is None
    assert folder.rule("s1", "high") == Otsu()
    assert sorted(path.name for path in saved.iterdir()) == [
        "labeling.json",
        "s1.json",
        "s1_high.png",
        "s1_low.png",
        "s1_low_corrections.png",
    ]


def test_a_saved_scene_opens_as_it_was(brackets, saved):
    annotation = worked(brackets[0])
    opened = open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0])).annotation
    for role in ("low", "high"):
        assert opened.rule(role) == annotation.rule(role)
        np.testing.assert_array_equal(opened.mask(role), annotation.mask(role))
    np.testing.assert_array_equal(opened.corrections("low"), annotation.corrections("low"))
    assert opened.corrections("high") is None
    assert not opened.can_undo
    assert open_annotation(LabelingFolder.open(saved), "s2", lumas_of(brackets[1])) is None


def test_a_mask_that_another_program_painted_opens_as_it_is(brackets, saved):
    painted = np.zeros((6, 8), bool)
    painted[2:4] = True
    write_mask(saved / "s1_high.png", painted)
    (saved / "s1_low_corrections.png").unlink()
    before = LabelingFolder.open(saved).mask("s1", "low")
    opened = open_annotation(LabelingFolder.open(saved), "s1", lumas_of(brackets[0])).annotation
    np.testing.assert_array_equal(opened.mask("high"), painted)
    np.testing.assert_array_equal(opened.mask("low"), before)
    assert (opened.rule("high"), opened.rule("low")) == (Otsu(), OWN)
    assert not opened.can_undo


def test_masks_without_any_record_open_with_the_defaults(brackets, tmp_path):
    painted = np.eye(6, 8, dtype=bool)
    write_mask(tmp_path / "s1_low.png", painted)
    opened = open_annotation(LabelingFolder.open(tmp_path), "s1", lumas_of(brackets[0])).annotation
    np.testing.assert_array_equal(opened.mask("low"), painted)
    assert opened.rule("low") == DEFAULT_RANGES["low"]
    assert opened.corrections("high") is None


def test_a_mask_of_another_frame_is_an_error_that_names_it(brackets, saved):
    wide = {**lumas_of(brackets[0]), "low": np.zeros((6, 9), np.uint8)}
    with pytest.raises(LabelingError, match=r"s1_low\.png: .*\(6, 8\).*\(6, 9\)"):
        open_annotation(LabelingFolder.open(saved), "s1", wide)


def test_the_person_may_revise_what_was_saved(brackets, saved):
    folder = LabelingFolder.create(saved, ADA)
    annotation = worked(brackets[0])
    annotation.clear_corrections("low")
    save_annotation(folder, annotation, paths_of(brackets[0]))
    assert not (saved / "s1_low_corrections.png").exists()
    assert folder.record("s1").masks["low"].edited_pixels == 0
    np.testing.assert_array_equal(folder.mask("s1", "low"), annotation.mask("low"))


def test_revising_stops_at_a_mask_that_something_else_wrote(brackets, saved):
    write_mask(saved / "s1_low.png", np.eye(6, 8))
    folder = LabelingFolder.create(saved, ADA)
    with pytest.raises(LabelingError, match=r"s1_low\.png: .*in another program and is kept"):
        save_annotation(folder, worked(brackets[0]), paths_of(brackets[0]))
    folder = LabelingFolder.create(saved, ADA, overwrite=True)
    save_annotation(folder, worked(brackets[0]), paths_of(brackets[0]))


def strokes_that_the_range_agrees_with(brackets):
    annotation = SceneAnnotation("s1", lumas_of(brackets[0]), DEFAULT_RANGES)
    annotation.paint("high", np.nonzero(annotation.mask("high")), True)
    return annotation


def a_range_of_its_own(brackets):
    annotation = SceneAnnotation("s1", lumas_of(brackets[0]), DEFAULT_RANGES)
    annotation.set_rule("high", OWN)
    return annotation


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (lambda brackets: worked(brackets[0]), "corrected by hand"),
        (strokes_that_the_range_agrees_with, "corrected by hand"),
        (a_range_of_its_own, "rule of its own"),
    ],
)
def test_labelling_the_folder_keeps_what_a_person_did(brackets, tmp_path, work, reason):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    save_annotation(folder, work(brackets), paths_of(brackets[0]))
    before = {path: path.read_bytes() for path in folder.path.iterdir()}
    again = LabelingFolder.create(folder.path, ADA)
    events = list(label_brackets(brackets, DEFAULT_RANGES, again))
    assert [type(event) for event in events] == [SceneFailed, SceneLabeled, SceneLabeled]
    assert reason in str(events[0].error)
    assert {path: path.read_bytes() for path in before} == before


def test_overwriting_takes_the_old_strokes_away(brackets, saved):
    folder = LabelingFolder.create(saved, ADA, overwrite=True)
    list(label_brackets(brackets, DEFAULT_RANGES, folder))
    assert not list(saved.glob("*_corrections.png"))


def test_metrics_read_the_labelling_as_any_other(brackets, saved):
    (low, high) = evaluate_folders(saved, saved).scenes
    assert (low.metrics.dice, high.metrics.dice) == (1, 1)


def test_a_picture_without_a_file_is_saved_under_its_name(brackets, tmp_path):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    annotation = SceneAnnotation("open layer", {"low": lumas_of(brackets[0])["low"]}, {"low": OWN})
    record = save_annotation(folder, annotation, {"low": "night"})
    assert (record.masks["low"].frame, record.masks["low"].frame_sha256) == ("night", "")
    assert record.coverage is None


def test_frames_of_different_sizes_are_saved_without_coverage(brackets, tmp_path):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    lumas = {"low": np.zeros((2, 3), np.uint8), "high": np.zeros((4, 5), np.uint8)}
    annotation = SceneAnnotation("s1", lumas, DEFAULT_RANGES)
    assert save_annotation(folder, annotation, {"low": "a", "high": "b"}).coverage is None


def test_a_scene_cannot_leave_the_folder(brackets, tmp_path):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    annotation = SceneAnnotation("../s1", lumas_of(brackets[0]), DEFAULT_RANGES)
    with pytest.raises(LabelingError, match="cannot be the name of a scene"):
        save_annotation(folder, annotation, {"low": "a", "high": "b"})
    assert not list(tmp_path.glob("s1*"))


def test_a_folder_that_vanished_or_a_frame_gives_one_message(brackets, saved):
    folder = LabelingFolder.open(saved)
    for path in saved.iterdir():
        path.unlink()
    saved.rmdir()
    annotation = SceneAnnotation("s2", lumas_of(brackets[1]), DEFAULT_RANGES)
    with pytest.raises(LabelingError, match=r"s2_low\.png: cannot be written"):
        save_annotation(folder, annotation, paths_of(brackets[1]))
    with pytest.raises(LabelingError, match=r"coverage\.csv: cannot be written"):
        folder.write_coverage()
    gone = {role: path.with_name("gone.png") for role, path in paths_of(brackets[1]).items()}
    with pytest.raises(LabelingError, match=r"gone\.png: cannot be read"):
        save_annotation(folder, annotation, gone)


# Whether a mask is of the frame that is there now.


def opened_on(saved, brackets, low):
    """Open `s1` with another picture as the low frame: its name, and its luma."""
    lumas, frames = lumas_of(brackets[0]), paths_of(brackets[0])
    if low is not None:
        frames["low"], lumas["low"] = low, luma(read_image(low))
    return open_annotation(LabelingFolder.open(saved), "s1", lumas, frames=frames)


@pytest.fixture
def other_frame(brackets):
    path = brackets[0].frame("low").path.with_name("other.png")
    cv2.imwrite(str(path), 255 - cv2.imread(str(brackets[0].frame("low").path)))
    return path


def test_on_its_own_frames_a_scene_opens_as_it_was_saved(brackets, saved):
    opened = opened_on(saved, brackets, None)
    assert opened.elsewhere == {}
    np.testing.assert_array_equal(opened.annotation.mask("low"), worked(brackets[0]).mask("low"))


def test_of_another_frame_the_rule_alone_is_taken(brackets, saved, other_frame):
    opened = opened_on(saved, brackets, other_frame)
    assert opened.elsewhere == {"low": "low.png"}
    assert opened.annotation.rule("low") == OWN
    assert opened.annotation.corrections("low") is None
    np.testing.assert_array_equal(opened.annotation.mask("high"), worked(brackets[0]).mask("high"))


def test_a_file_of_the_same_pixels_is_the_same_frame_whatever_its_name(brackets, saved):
    path = brackets[0].frame("low").path
    copy = path.with_name("copy.png")
    shutil.copy(path, copy)
    assert opened_on(saved, brackets, copy).elsewhere == {}
    # Under its own name, other bytes do not matter.
    cv2.imwrite(str(path), cv2.imread(str(path), -1), [cv2.IMWRITE_PNG_COMPRESSION, 0])
    assert file_sha256(path) != file_sha256(copy)
    assert opened_on(saved, brackets, None).elsewhere == {}


def test_a_picture_that_was_replaced_under_its_name_is_another_frame(brackets, saved):
    path = brackets[0].frame("low").path
    cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    assert opened_on(saved, brackets, path).elsewhere == {"low": "low.png"}


def test_a_range_without_strokes_that_gives_the_same_is_no_matter(brackets, tmp_path, other_frame):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    annotation = SceneAnnotation("s1", lumas_of(brackets[0]), DEFAULT_RANGES)
    annotation.set_rule("low", ManualRange(lo=0, hi=255))
    save_annotation(folder, annotation, paths_of(brackets[0]))
    assert opened_on(folder.path, brackets, other_frame).elsewhere == {}
    annotation.paint("low", ([0], [0]), False)
    save_annotation(folder, annotation, paths_of(brackets[0]))
    assert opened_on(folder.path, brackets, other_frame).elsewhere == {"low": "low.png"}


def test_pictures_without_a_file_are_told_by_their_names(brackets, tmp_path):
    folder = LabelingFolder.create(tmp_path / "labels", ADA)
    low = {"low": lumas_of(brackets[0])["low"]}
    annotation = SceneAnnotation("s1", low, {"low": OWN})
    annotation.paint("low", ([0], [0]), True)
    save_annotation(folder, annotation, {"low": "night"})
    assert open_annotation(folder, "s1", low, frames={"low": "night"}).elsewhere == {}
    other = open_annotation(folder, "s1", low, frames={"low": "day"})
    assert other.elsewhere == {"low": "night"}


def test_other_frames_are_refused_by_name_and_bytes(brackets, saved, other_frame):
    folder, path = LabelingFolder.open(saved), brackets[0].frame("low").path
    refuse_other_frame(folder, "s1", "low", path)
    refuse_other_frame(folder, "s2", "low", other_frame)
    copy = path.with_name("copy.png")
    shutil.copy(path, copy)
    refuse_other_frame(folder, "s1", "low", copy)
    refuse_other_frame(folder, "s1", "low", path.with_suffix(".tif"))
    with pytest.raises(LabelingError, match=r"s1_low\.png: was made on low\.png, but other\.png"):
        refuse_other_frame(folder, "s1", "low", other_frame)


def test_comparing_with_otsu_leaves_out_what_is_of_another_frame(brackets, saved, other_frame):
    frames = brackets[0].frames
    dark = replace(frames[0], path=other_frame)
    again = replace(brackets[0], frames=(dark, *frames[1:]))
    (event,) = compare_with_otsu([again], LabelingFolder.open(saved))
    assert isinstance(event, SceneFailed)
    assert "was made on low.png" in str(event.error)
