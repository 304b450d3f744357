"""Masks are of a frame, and are not laid on another one."""

import errno
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from napari.components import ViewerModel

from bracketseg._napari.layers.provenance import find_layer
from bracketseg.brackets.choices import CHOICES_NAME
from bracketseg.brackets.images import read_image
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange


@pytest.fixture
def ours(folder):
    return folder / "labels" / "Ana"


@pytest.fixture
def take(labeller):
    """Take a frame of the scene on show for a role, in the list of the Ground truth dock."""

    def choose(role, frame):
        (image,) = [
            layer
            for layer in labeller.truth.choice.candidates()
            if layer.metadata["bracketseg"]["path"].endswith(f"{frame}.png")
        ]
        labeller.truth.choose(role, image)

    return choose


@pytest.fixture
def restart(another, folder, plugins):
    """Start anew as after `kill -9`, at the first scene."""

    def start(name="Ana"):
        again = another(ViewerModel())
        again.session.annotator = name
        again.session.open_folder(folder)
        again.session.select("attic")
        return again.start()

    return start


def selected(folder, frame, lo, hi):
    values = luma(read_image(folder / "attic" / f"{frame}.png"))
    return (values >= lo) & (values <= hi)


def paint(person, role, *spots):
    layer = person.layer(role)
    layer.brush_size = 1
    for spot in spots:
        layer.paint(spot, 1)


# The choice.


def test_a_frame_that_is_taken_is_the_scenes_choice_for_everybody(labeller, folder, take):
    take("low", "medium")
    assert labeller.session.current.frame("low").path.name == "medium.png"
    assert labeller.truth.choice.images["low"].name == "attic low"
    np.testing.assert_array_equal(
        labeller.shown("low"), selected(folder, "medium", DEFAULT_RANGES["low"].lo, 255)
    )
    kept = json.loads((folder / CHOICES_NAME).read_text())["roles"]
    assert kept == {"attic": {"low": "medium.png", "high": "high.png"}}
    assert labeller.truth.accept()
    record = LabelingFolder.open(folder / "labels" / "Ana").record("attic")
    assert record.masks["low"].frame == "medium.png"
    (bracket, *_) = find_brackets(folder).brackets
    assert bracket.frame("low").path.name == "medium.png"


def test_a_low_frame_that_is_not_the_darker_one_is_refused(labeller, folder, take):
    before = dict(labeller.truth.choice.images)
    listed = []
    labeller.truth.choice.listed.connect(lambda: listed.append(1))
    take("low", "high")
    assert "high.png cannot be low: the low frame has to be darker" in labeller.told[-1]
    assert labeller.truth.choice.images == before
    # The list that showed it for a moment goes back.
    assert listed
    assert not (folder / CHOICES_NAME).exists()


def test_no_frame_at_all_leaves_the_choice_of_the_scene(labeller, folder, take):
    labeller.truth.choose("high", None)
    assert labeller.editor.roles == ("low",)
    take("high", "high")
    assert labeller.editor.roles == ("low", "high")
    assert not (folder / CHOICES_NAME).exists()


# Saved masks.


def test_a_mask_of_another_frame_is_not_laid_on_this_one(labeller, folder, ours, take):
    labeller.editor.set_range("low", 60, 250)
    paint(labeller, "low", (0, 0), (0, 2))
    wanted = labeller.shown("low")
    labeller.truth.accept()
    labeller.session.select("attic")
    before = {path.name: path.read_bytes() for path in ours.iterdir()}
    take("low", "medium")
    assert labeller.truth.state == "elsewhere"
    np.testing.assert_array_equal(labeller.shown("low"), selected(folder, "medium", 60, 250))
    assert "attic_low.png was made on low.png, and medium.png is chosen now" in labeller.told[-1]
    assert {path.name: path.read_bytes() for path in ours.iterdir()} == before
    take("low", "low")
    assert labeller.truth.state == "saved"
    np.testing.assert_array_equal(labeller.shown("low"), wanted)
    assert labeller.truth.writer.idle


@pytest.mark.parametrize("answer", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_it_is_replaced_only_after_asking(labeller, ours, take, restart, answer, restarted):
    paint(labeller, "low", (0, 0))
    labeller.truth.accept()
    labeller.session.select("attic")
    before = (ours / "attic_low.png").read_bytes()
    take("low", "medium")
    labeller.editor.set_range("low", 70, 255)
    labeller.truth.writer.flush()
    person = restart() if restarted else labeller
    assert person.editor.rule("low") == ManualRange(lo=70, hi=255)
    person.answer(answer)
    assert person.truth.accept() is answer
    (question,) = person.asked
    assert "was made on low.png" in question
    assert ((ours / "attic_low.png").read_bytes() == before) is not answer
    if answer:
        record = LabelingFolder.open(ours).record("attic")
        assert record.masks["low"].frame == "medium.png"
        assert record.masks["low"].edited_pixels == 0


def test_all_that_was_painted_by_hand_is_of_its_frame_too(labeller, folder, take):
    # The range selects nothing anywhere, and the strokes alone make up the mask.
    labeller.editor.set_range("low", 255, 255)
    paint(labeller, "low", (1, 1))
    labeller.truth.accept()
    labeller.session.select("attic")
    take("low", "medium")
    assert labeller.truth.state == "elsewhere"
    assert not labeller.shown("low").any()


def test_a_picture_that_was_replaced_is_another_frame_and_one_with_new_data_is_not(
    labeller, folder, restart
):
    labeller.editor.set_range("low", 40, 90)
    paint(labeller, "low", (0, 0))
    wanted = labeller.shown("low")
    labeller.truth.accept()
    path = folder / "attic" / "low.png"
    pixels = cv2.imread(str(path))
    # Other bytes, and the same pixels.
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    same = restart()
    assert same.truth.state == "saved"
    np.testing.assert_array_equal(same.shown("low"), wanted)
    cv2.imwrite(str(path), pixels[::-1])
    other = restart()
    assert other.truth.state == "elsewhere"
    assert "low.png as it was then" in other.told[-1]
    np.testing.assert_array_equal(other.shown("low"), selected(folder, "low", 40, 90))


def test_a_renamed_picture_is_the_same_frame(labeller, folder, ours, restart):
    paint(labeller, "low", (0, 0))
    wanted = labeller.shown("low")
    labeller.truth.accept()
    record = json.loads((ours / "attic.json").read_text())
    record["masks"]["low"]["frame"] = "IMG_0001.png"
    (ours / "attic.json").write_text(json.dumps(record))
    again = restart()
    assert again.truth.state == "saved"
    np.testing.assert_array_equal(again.shown("low"), wanted)
    assert again.truth.accept()
    assert again.asked == []


def test_strokes_that_a_closed_dock_left_are_not_laid_on_another_frame(labeller, another, take):
    paint(labeller, "low", (0, 0))
    labeller.truth.close()
    session = labeller.session
    by_name = {frame.path.stem: frame for frame in session.current.frames}
    session.choose_roles(by_name["medium"], by_name["high"])
    again = another(labeller.viewer).start()
    assert again.editor.annotation.corrections("low") is None


def test_layers_that_somebody_left_open_are_not_the_next_ones_work(labeller, another):
    paint(labeller, "low", (0, 0))
    labeller.truth.close()
    labeller.session.annotator = "Bo"
    again = another(labeller.viewer).start()
    assert again.truth.state == "new"
    assert again.editor.annotation.corrections("low") is None


# Unfinished work.


def test_strokes_of_another_frame_are_kept_and_come_back_with_it(labeller, folder, take, restart):
    labeller.editor.set_range("low", 60, 250)
    paint(labeller, "low", (0, 0))
    first = labeller.shown("low")
    take("low", "medium")
    # The range goes along, the strokes do not.
    np.testing.assert_array_equal(labeller.shown("low"), selected(folder, "medium", 60, 250))
    assert "Unfinished work on attic was done on low.png and high.png" in labeller.told[-1]
    paint(labeller, "low", (3, 3))
    second = labeller.shown("low")
    take("low", "low")
    np.testing.assert_array_equal(labeller.shown("low"), first)
    take("low", "medium")
    np.testing.assert_array_equal(labeller.shown("low"), second)
    labeller.truth.writer.flush()
    # The same after `kill -9`, on either frame.
    np.testing.assert_array_equal(restart().shown("low"), second)
    (folder / CHOICES_NAME).unlink()
    again = restart()
    assert again.truth.state == "draft"
    np.testing.assert_array_equal(again.shown("low"), first)


def test_what_was_not_written_yet_is_written_when_another_frame_is_taken(
    labeller, folder, take, monkeypatch
):
    # A disk that takes its time.
    monkeypatch.setattr(labeller.truth.writer, "flush", lambda **_: None)
    paint(labeller, "low", (0, 0))
    take("low", "medium")
    paint(labeller, "low", (3, 3))
    labeller.truth.close()
    drafts = folder / "labels" / "Ana" / "drafts"
    assert (drafts / "attic_low_corrections.png").exists()
    assert len(list(drafts.glob("*/attic_low_corrections.png"))) == 1


def test_accepting_on_one_frame_leaves_the_strokes_of_the_other(labeller, folder, take):
    paint(labeller, "low", (0, 0))
    first = labeller.shown("low")
    take("low", "medium")
    assert labeller.truth.accept()
    labeller.session.select("attic")
    assert labeller.truth.state == "saved"
    take("low", "low")
    assert labeller.truth.state == "draft"
    np.testing.assert_array_equal(labeller.shown("low"), first)


# Whose drafts.


def test_a_draft_of_somebody_else_in_the_same_folder_is_not_taken_over(
    labeller, tmp_path, restart, another
):
    out = tmp_path / "shared"
    labeller.truth.save_to(out)
    paint(labeller, "low", (0, 0))
    labeller.truth.writer.flush()
    bo = restart("Bo")
    bo.truth.save_to(out)
    assert bo.truth.state == "new"
    assert not any("Recovered" in told for told in bo.told)
    assert bo.editor.annotation.corrections("low") is None
    paint(bo, "low", (5, 5))
    bo.truth.writer.flush()
    # Nor did Bo's take its place.
    ana = restart("Ana")
    ana.truth.save_to(out)
    assert ana.truth.state == "draft"
    strokes = ana.editor.annotation.corrections("low")
    assert np.argwhere(strokes).tolist() == [[0, 0]]
    bo = restart("Bo")
    bo.truth.save_to(out)
    assert np.argwhere(bo.editor.annotation.corrections("low")).tolist() == [[5, 5]]


def test_two_annotators_at_one_window_and_folder_do_not_mix(labeller, tmp_path):
    out = tmp_path / "shared"
    labeller.truth.save_to(out)
    labeller.session.annotator = "Bo"
    paint(labeller, "low", (5, 5))
    labeller.session.next()
    labeller.session.annotator = "Ana"
    labeller.session.select("attic")
    assert labeller.editor.annotation.corrections("low") is None


# Questions that nobody needs, and changes that are none.


def test_a_bound_that_is_let_go_where_it_was_taken_up_changes_nothing(labeller):
    rule = labeller.editor.rule("low")
    labeller.editor.set_range("low", rule.lo, rule.hi)
    assert labeller.truth.state == "new"
    assert labeller.truth.writer.idle
    labeller.editor.set_range("low", 99, 255, settled=False)
    labeller.editor.set_range("low", 99, 255)
    assert labeller.truth.state == "changed"
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.editor.set_range("low", 99, 255)
    assert labeller.truth.state == "saved"
    assert labeller.truth.writer.idle


def test_a_scene_that_is_just_being_saved_is_accepted_again_without_a_question(
    labeller, folder, ours, monkeypatch
):
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.editor.set_range("low", 70, 255)
    # The disk has the new mask already, and not its record.
    mask = (labeller.shown("low") * 255).astype(np.uint8)
    monkeypatch.setattr(labeller.truth.writer, "flush", lambda **_: None)
    labeller.truth.accept()
    cv2.imwrite(str(ours / "attic_low.png"), mask)
    labeller.session.select("attic")
    labeller.editor.set_range("low", 80, 255)
    labeller.answer(False)
    assert labeller.truth.accept()
    assert labeller.asked == []


def test_who_said_yes_is_not_asked_again_while_it_cannot_be_written(labeller, ours, monkeypatch):
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.session.annotator = "Bo"
    labeller.truth.save_to(ours)
    labeller.editor.set_range("low", 70, 255)
    labeller.answer(True)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert labeller.truth.accept()
        assert "No space left" in labeller.truth.problem
        labeller.session.select("attic")
        labeller.editor.set_range("low", 80, 255)
        assert labeller.truth.accept()
    assert len(labeller.asked) == 1
    labeller.truth.writer.flush(now=True)
    assert labeller.truth.problem == ""
    saved = LabelingFolder.open(ours)
    assert saved.info.annotator == "Bo"
    assert saved.record("attic").masks["low"].lo == 80


def full(_path, _target):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_opened_masks_lie_as_their_frame_lies(person):
    place = {"scale": (2, 0.5), "translate": (7, 9), "rotate": 30, "shear": [0.2]}
    person.viewer.add_image(np.zeros((24, 32), np.uint8), name="a", **place)
    ours = {"kind": "ground truth", "scene": "a", "role": "low"}
    opened = person.viewer.add_labels(np.ones((24, 32), np.uint8), metadata={"bracketseg": ours})
    person.start()
    image = find_layer(person.viewer.layers, "frame", "a", "low") or person.viewer.layers["a"]
    assert person.layer("low") is opened
    for spot in ((0, 0), (5, 7)):
        assert opened.data_to_world(spot) == pytest.approx(image.data_to_world(spot))
