"""Where the first masks go, what is said of it before, and what comes after the last."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import bracketseg
from bracketseg._napari.session import labels_folder
from bracketseg.labeling.mask_store import LabelingFolder


@pytest.fixture
def own(home, monkeypatch):
    """The folder of the user's own, for what nothing can be saved beside."""
    home.mkdir(exist_ok=True)
    monkeypatch.setattr(labels_folder, "own_labels", lambda: home / "bracketseg-labels")
    return home / "bracketseg-labels"


def test_the_status_says_where_masks_go_and_as_whose_until_there_are_some(annotator, make_set):
    folder = make_set(3)
    annotator.open(folder)
    annotator.says("Masks go to set/labels/Ana, as Ana's.")
    assert "set/labels/Ana" in annotator.find("gt.accept").toolTip()
    annotator.find("gt.annotator").clear()
    annotator.sign("")
    annotator.says("Masks go to set/labels/me, without a name (type yours above).")
    annotator.click("gt.accept")
    annotator.wait(lambda: (folder / "labels" / "me" / "s000.json").exists())
    annotator.says("s001 (scene 2 of 3)")
    assert "Masks go to" not in annotator.text("gt.status")


def test_masks_of_a_sample_go_to_a_folder_of_the_users_own(annotator, window, own, snapshot):
    package = Path(bracketseg.__file__).parent / "sample_data"
    before = snapshot(package)
    window.open_sample("bracketseg", "small_bracket")
    annotator.wait(lambda: annotator.shown == "hotel_chair")
    out = own / "hotel_chair" / "Ana"
    annotator.says(f"Masks go to {out}, as Ana's, as nothing can be saved beside the pictures.")
    mask = annotator.mask("low")
    annotator.click("gt.accept")
    annotator.wait(lambda: (out / "hotel_chair.json").exists())
    np.testing.assert_array_equal(LabelingFolder.open(out).mask("hotel_chair", "low"), mask)
    assert snapshot(package) == before


def test_masks_of_a_folder_within_the_package_do_not_get_into_it(annotator, own, snapshot):
    package = Path(bracketseg.__file__).parent / "sample_data"
    before = snapshot(package)
    annotator.open(package / "brackets")
    annotator.click("gt.accept")
    annotator.wait(lambda: list((own / "brackets" / "Ana").glob("*.json")))
    annotator.wait(lambda: (own / "brackets" / "Ana" / "coverage.csv").exists())
    assert snapshot(package) == before


def test_a_folder_that_nobody_may_write_to_is_labelled_elsewhere_and_found_again(
    annotator, newcomer, make_set, own, monkeypatch
):
    folder = make_set(2)

    def access(path, mode, real=os.access):
        return real(path, mode) and not (mode & os.W_OK and Path(path).is_relative_to(folder))

    monkeypatch.setattr(os, "access", access)
    annotator.open(folder)
    annotator.says("as nothing can be saved beside the pictures")
    annotator.click("gt.accept")
    annotator.wait(lambda: list(own.glob("set-*/Ana/s000.json")))
    annotator.wait(lambda: list(own.glob("set-*/Ana/coverage.csv")))
    assert not (folder / "labels").exists()
    again = newcomer("Ana")
    again.open(folder)
    again.go_to("s000")
    again.says("saved")


def test_after_the_last_scene_the_status_says_what_comes_next(annotator, make_set):
    folder = make_set(2)
    annotator.open(folder)
    annotator.click("gt.accept")
    annotator.wait(lambda: annotator.shown == "s001")
    assert "go to the next one without" in annotator.find("gt.accept").toolTip()
    annotator.click("gt.accept")
    annotator.says("saved. All 2 scenes are labelled: train networks in the dock Train")
    assert annotator.text("gt.status").count("All 2 scenes are labelled") == 1
    assert "again; all scenes are labelled" in annotator.find("gt.accept").toolTip()


# Which frames.


def test_a_frame_taken_in_the_list_is_the_scenes_choice_for_the_command_too(
    annotator, command, make_set
):
    folder = make_set(2)
    annotator.open(folder)
    box = annotator.find("gt.low.image")
    box.setCurrentText("s000 medium")
    annotator.wait(lambda: (folder / "bracketseg.json").exists())
    annotator.wait(lambda: annotator.text("gt.status").startswith("s000 (scene 1 of 2)"))
    assert "medium.png  low" not in command("info", folder).out
    (line,) = [
        line for line in command("info", folder / "s000").out.splitlines() if "medium.png" in line
    ]
    assert line.split()[0] == "low"
    mask = annotator.mask("low")
    annotator.click("gt.accept")
    record = folder / "labels" / "Ana" / "s000.json"
    annotator.wait(record.exists)
    made = LabelingFolder.open(record.parent).record("s000").masks["low"]
    assert made.frame == "medium.png"
    frame = cv2.imread(str(folder / "s000" / "medium.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(mask, (frame >= made.lo) & (frame <= made.hi))


def test_a_frame_that_cannot_be_low_is_refused_in_a_sentence(annotator, make_set):
    folder = make_set(1)
    annotator.open(folder)
    box = annotator.find("gt.low.image")
    before = box.currentText()
    box.setCurrentText("s000 high")
    annotator.says("high.png cannot be low")
    assert box.currentText() == before
    assert not (folder / "bracketseg.json").exists()


def test_words_are_explained_where_they_stand(annotator):
    for name, said in (
        ("gt.low.range.plot", "luma, which is how bright a pixel is: 0 is black, 255 is white"),
        ("gt.low.range.plot", "between the two bounds are the mask"),
        ("gt.low.method", "a range of brightness (luma) that you choose"),
        ("gt.coverage", "The remainder is in neither"),
    ):
        assert said in annotator.find(name).toolTip()
