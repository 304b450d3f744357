"""Masks that somebody else, or something else, made are not replaced without asking."""

import numpy as np
import pytest

from bracketseg.labeling.mask_store import LabelingFolder


@pytest.fixture
def folder(make_set):
    return make_set(2)


@pytest.fixture
def by_otsu(command, folder, annotator):
    """Masks that the command made where the dock would save those of Ana."""
    out = folder / "labels" / "Ana"
    assert command("label", folder, "--method", "otsu", "--out", out).status == 0
    annotator.open(folder)
    annotator.go_to("s000")
    return out


@pytest.fixture
def by_bo(command, folder, annotator):
    """Masks that Bo made by hand, and that Ana says to save to."""
    out = folder / "labels" / "Bo"
    annotator.sign("Bo")
    annotator.open(folder)
    annotator.paint("low", (5, 5), label=1)
    annotator.click("gt.accept")
    annotator.wait(lambda: (out / "s000.json").exists() and (out / "coverage.csv").exists())
    annotator.sign("Ana")
    annotator.docks[1].choose_folder = lambda: out
    annotator.click("gt.folder")
    annotator.go_to("s000")
    return out


@pytest.fixture(params=["by_otsu", "by_bo"])
def theirs(request):
    return request.getfixturevalue(request.param)


def test_no_leaves_every_byte(theirs, annotator, snapshot):
    before = snapshot(theirs)
    annotator.answer(False)
    annotator.click("gt.accept")
    (question,) = annotator.questions
    assert str(theirs) in question
    assert ("Bo" if theirs.name == "Bo" else "Otsu") in question
    assert annotator.shown == "s000"
    # Nothing waits that would be written later.
    annotator.wait(lambda: "saving" not in annotator.text("gt.status"))
    assert snapshot(theirs) == before


def test_yes_replaces_this_scene(theirs, annotator, snapshot):
    before = snapshot(theirs)
    annotator.find("gt.low.method").setCurrentText("Manual")
    annotator.type_bound("low", "lo", 64)
    mask = annotator.mask("low")
    annotator.answer(True)
    annotator.click("gt.accept")
    assert len(annotator.questions) == 1
    annotator.wait(lambda: snapshot(theirs).get("s000.json") != before["s000.json"])
    annotator.wait(lambda: not list((theirs / "drafts").glob("*")))
    after = snapshot(theirs)
    assert after["s000_low.png"] != before["s000_low.png"]
    saved = LabelingFolder.open(theirs)
    np.testing.assert_array_equal(saved.mask("s000", "low"), mask)
    assert (saved.info.method, saved.info.annotator) == ("manual", "Ana")
    of_others = [name for name in before if name.startswith("s001")]
    assert [after[name] for name in of_others] == [before[name] for name in of_others]


def test_no_keeps_the_work_and_it_can_be_saved_elsewhere(by_otsu, annotator, folder, snapshot):
    before = snapshot(by_otsu)
    annotator.find("gt.low.method").setCurrentText("Manual")
    annotator.type_bound("low", "lo", 64)
    mask = annotator.mask("low")
    annotator.answer(False)
    annotator.click("gt.accept")
    assert len(annotator.questions) == 1
    np.testing.assert_array_equal(annotator.mask("low"), mask)
    annotator.sign("Cleo")
    annotator.click("gt.accept")
    assert len(annotator.questions) == 1
    out = folder / "labels" / "Cleo"
    annotator.wait(lambda: (out / "s000.json").exists())
    np.testing.assert_array_equal(LabelingFolder.open(out).mask("s000", "low"), mask)
    after = snapshot(by_otsu)
    assert {name: after[name] for name in before} == before


def test_a_mask_that_another_program_changed_is_asked_about(annotator, folder, snapshot):
    annotator.open(folder)
    annotator.click("gt.accept")
    labels = folder / "labels" / "Ana"
    annotator.wait(lambda: (labels / "coverage.csv").exists())
    # What is still being saved is nobody else's, and not asked about.
    annotator.go_to("s000")
    annotator.says("saved")
    (labels / "s000_low.png").write_bytes((labels / "s000_high.png").read_bytes())
    before = snapshot(labels)
    annotator.answer(False)
    annotator.click("gt.accept")
    (question,) = annotator.questions
    assert "s000_low.png" in question
    assert snapshot(labels) == before
