"""Ranges that are found from the whole bracket, in the window."""

import threading

import cv2
import numpy as np
import pytest

from bracketseg._napari.layers.provenance import METADATA_KEY
from bracketseg._napari.truth import automatic_ranges
from bracketseg._napari.widgets.jobs import Job
from bracketseg.brackets.images import read_image
from bracketseg.brackets.layouts import find_brackets
from bracketseg.labeling.automatic import Automatic, find_ranges
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.rules import FOUND_RULES

ROLES = ("low", "medium", "high")
WHITES = {"attic": 250, "barn": 240, "cave": 230}


def frames_up_to(white):
    """Frames of a camera whose medium and high ones clip at a value."""
    ramp = np.tile(np.linspace(0, 2, 400, dtype=np.float32) ** 2, (60, 1))
    return {
        role: np.rint(white * np.sqrt(np.clip(ramp * gain, 0, 1))).astype(np.uint8)
        for role, gain in zip(ROLES, (0.25, 1.0, 4.0), strict=True)
    }


@pytest.fixture
def folder(tmp_path):
    for name, white in WHITES.items():
        (tmp_path / "set" / name).mkdir(parents=True)
        for role, pixels in frames_up_to(white).items():
            assert cv2.imwrite(str(tmp_path / "set" / name / f"{role}.png"), pixels)
    return tmp_path / "set"


class Later:
    """Work that is done when the test says so, and callbacks that a job would call."""

    def __init__(self, monkeypatch):
        self.jobs = []
        monkeypatch.setattr(automatic_ranges, "run_job", self.run)

    def run(self, work, **options):
        calls = []
        callbacks = {"done": options["on_done"], "error": options["on_error"]}
        job = Job(work, callbacks, options["description"], threading.Event(), calls.append)
        self.jobs.append((job, calls))
        return job

    def arrive(self):
        """End all work that was begun."""
        for job, calls in self.jobs:
            job._run()  # what the thread would do
            for call in calls:
                call()
        self.jobs.clear()


@pytest.fixture
def later(monkeypatch):
    return Later(monkeypatch)


def ranges_of(folder, scene):
    return find_ranges({role: read_image(folder / scene / f"{role}.png") for role in ROLES})


def rules(person):
    return {role: person.editor.rule(role) for role in ("low", "high")}


def test_both_ranges_are_those_that_the_whole_bracket_gives(labeller, folder):
    wanted = ranges_of(folder, "attic")
    labeller.truth.set_method("low", "auto")
    assert rules(labeller) == {"low": wanted["low"], "high": DEFAULT_RANGES["high"]}
    assert wanted["low"].found.why.endswith("the medium frame clips")
    labeller.truth.set_method("high", "auto")
    assert rules(labeller) == wanted
    values = read_image(folder / "attic" / "low.png")
    np.testing.assert_array_equal(labeller.shown("low"), values >= wanted["low"].found.lo)
    assert labeller.truth.state == "changed"


def test_one_undo_takes_an_automatic_range_back(labeller):
    labeller.truth.set_method("low", "auto")
    assert labeller.editor.undo()
    assert rules(labeller) == DEFAULT_RANGES
    labeller.editor.redo()
    assert isinstance(labeller.editor.rule("low"), Automatic)


def test_moving_a_bound_makes_it_manual_and_strokes_stay(labeller):
    labeller.truth.set_method("low", "auto")
    found = labeller.editor.rule("low").found
    labeller.layer("low").paint((1, 1), 1)
    labeller.editor.set_range("low", found.lo + 5, found.hi)
    assert labeller.editor.rule("low") == ManualRange(lo=found.lo + 5, hi=found.hi)
    assert labeller.shown("low")[1, 1]
    labeller.truth.set_method("low", "auto")
    labeller.truth.set_method("low", "manual")
    assert labeller.editor.rule("low") == ManualRange(lo=found.lo + 5, hi=found.hi)


def test_a_medium_frame_whose_layer_was_closed_counts_all_the_same(labeller, folder):
    labeller.viewer.layers.remove("attic medium")
    labeller.truth.set_method("low", "auto")
    assert labeller.editor.rule("low") == ranges_of(folder, "attic")["low"]


def test_the_command_writes_and_reads_the_same(labeller, folder, tmp_path):
    for role in ("low", "high"):
        labeller.truth.set_method(role, "auto")
    assert labeller.truth.accept()
    brackets = [b for b in find_brackets(folder).brackets if b.scene == "attic"]
    auto = dict.fromkeys(("low", "high"), FOUND_RULES["auto"])
    theirs = LabelingFolder.create(tmp_path / "out", LabelingInfo(method="auto", ranges=auto))
    list(label_brackets(brackets, auto, theirs))
    ours = LabelingFolder.open(folder / "labels" / "Ana")
    assert ours.record("attic").masks == theirs.record("attic").masks
    labeller.session.labeling_path = tmp_path / "out"
    labeller.session.select("attic")
    assert labeller.truth.state == "saved"
    assert rules(labeller) == ranges_of(folder, "attic")


def test_a_draft_of_an_automatic_range_comes_back(labeller, viewer, another, folder):
    labeller.truth.set_method("low", "auto")
    labeller.truth.writer.finish()
    labeller.truth.close()
    viewer.layers.clear()
    again = another(type(viewer)())
    again.session.annotator = "Ana"
    again.session.open_folder(folder)
    again.session.next()
    again.start()
    assert again.truth.state == "draft"
    assert again.editor.rule("low") == ranges_of(folder, "attic")["low"]


def test_the_next_scene_begins_with_automatic_ranges_of_its_own(labeller, folder):
    labeller.truth.set_method("low", "auto")
    labeller.truth.accept()
    assert labeller.session.current.scene == "barn"
    assert labeller.editor.rule("low") == ranges_of(folder, "barn")["low"]
    assert labeller.editor.rule("low") != ranges_of(folder, "attic")["low"]
    assert labeller.editor.rule("high") == DEFAULT_RANGES["high"]
    assert labeller.truth.state == "new"
    assert not labeller.editor.annotation.can_undo
    assert labeller.truth.writer.idle


def test_accept_waits_for_the_range_that_a_scene_is_to_begin_with(labeller, folder, later):
    labeller.truth.set_method("low", "auto")
    later.arrive()
    labeller.truth.accept()
    assert labeller.session.current.scene == "barn"
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    assert labeller.truth.ranges.pending == {"low"}
    assert labeller.truth.accept()
    made = LabelingFolder.open(folder / "labels" / "Ana").record("barn").masks["low"]
    assert made.origin == ranges_of(folder, "barn")["low"]


def test_who_skips_before_a_range_is_found_goes_on_with_automatic_ones(labeller, folder, later):
    labeller.truth.set_method("low", "auto")
    later.arrive()
    for scene in ("barn", "cave"):
        labeller.truth.next.go()
        assert labeller.session.current.scene == scene
    later.arrive()
    assert labeller.editor.rule("low") == ranges_of(folder, "cave")["low"]


def test_a_range_that_is_found_late_never_lands_on_another_scene(labeller, later):
    labeller.truth.set_method("low", "otsu")
    labeller.truth.accept()
    labeller.truth.set_method("low", "auto")
    labeller.session.select("attic")
    assert labeller.truth.ranges.pending == frozenset()
    later.arrive()
    assert rules(labeller) == {"low": Otsu(), "high": DEFAULT_RANGES["high"]}


def test_what_a_person_does_meanwhile_goes_before(labeller, folder, later):
    labeller.truth.set_method("low", "auto")
    labeller.truth.set_method("high", "auto")
    assert labeller.truth.ranges.pending == {"low", "high"}
    labeller.editor.set_range("low", 10, 20)
    later.arrive()
    wanted = {"low": ManualRange(lo=10, hi=20), "high": ranges_of(folder, "attic")["high"]}
    assert rules(labeller) == wanted


@pytest.mark.parametrize("method", ["manual", "otsu"])
def test_who_goes_back_to_what_was_there_before_stays_with_it(labeller, later, method):
    labeller.truth.set_method("low", method)
    before = rules(labeller)
    for role in ("low", "high"):
        labeller.truth.set_method(role, "auto")
    labeller.truth.set_method("low", method)
    assert labeller.truth.ranges.pending == {"high"}
    labeller.truth.set_method("high", "manual")
    assert labeller.truth.ranges.pending == frozenset()
    later.arrive()
    assert rules(labeller) == before
    # Nor does the next scene begin with what was given up.
    labeller.truth.next.go()
    assert labeller.truth.ranges.pending == frozenset()


def test_a_bound_that_is_moved_meanwhile_is_no_longer_waited_for(labeller, folder, later):
    labeller.truth.set_method("low", "auto")
    labeller.editor.set_range("low", 10, 20)
    assert labeller.truth.ranges.pending == frozenset()
    labeller.viewer.layers.remove("attic medium")
    (folder / "attic" / "medium.png").unlink()
    assert labeller.truth.accept()
    assert labeller.told == []


def test_a_prediction_to_be_corrected_goes_before_a_range_of_another_frame(
    labeller, viewer, another, folder, later
):
    labeller.truth.set_method("low", "auto")
    later.arrive()
    labeller.truth.accept()
    labeller.truth.close()
    labeller.session.select("attic")
    bracket = labeller.session.current
    labeller.session.choose_roles(bracket.frame("medium"), bracket.frame("high"))
    mask = np.indices((60, 400))[1] % 4 < 2
    ours = {"kind": "prediction", "scene": "attic", "role": "low"}
    viewer.add_labels(
        mask.astype(np.uint8), name="attic low prediction", metadata={METADATA_KEY: ours}
    )
    labeller.session.correct(("low",))
    again = another(viewer).start()
    later.arrive()
    assert isinstance(again.editor.rule("low"), Prediction)
    np.testing.assert_array_equal(again.shown("low"), mask)


def test_a_range_that_is_found_late_leaves_the_role_in_work_and_the_stroke_in_hand(
    labeller, folder, later
):
    labeller.truth.set_method("low", "auto")
    labeller.editor.focus.set("high")
    later.arrive()
    assert labeller.editor.rule("low") == ranges_of(folder, "attic")["low"]
    assert labeller.editor.focus.role == "high"
    assert labeller.viewer.layers.selection.active is labeller.layer("high")
    labeller.truth.set_method("high", "auto")
    # napari tells of a stroke when the button is released.
    stroke = labeller.layer("high").data[:3, :5]
    wanted = stroke == 0
    stroke[...] = wanted
    later.arrive()
    assert labeller.editor.rule("high") == ranges_of(folder, "attic")["high"]
    np.testing.assert_array_equal(labeller.shown("high")[:3, :5], wanted)
    np.testing.assert_array_equal(labeller.editor.annotation.mask("high")[:3, :5], wanted)


def test_what_was_found_for_another_frame_is_found_anew(labeller, folder, later):
    labeller.truth.set_method("low", "auto")
    labeller.truth.accept()
    labeller.session.select("attic")
    bracket = labeller.session.current
    labeller.session.choose_roles(bracket.frame("medium"), bracket.frame("high"))
    frames = {role: read_image(folder / "attic" / f"{role}.png") for role in ("medium", "high")}
    wanted = find_ranges({"low": frames["medium"], "high": frames["high"]})
    assert rules(labeller) == DEFAULT_RANGES
    later.arrive()
    assert labeller.editor.rule("low") == wanted["low"]
    assert labeller.truth.state == "elsewhere"


def test_open_pictures_and_stacks_do_without_a_medium_frame(person):
    frames = [frames_up_to(white) for white in WHITES.values()]
    for role in ("low", "high"):
        person.viewer.add_image(np.stack([scene[role] for scene in frames]), name=role)
    person.viewer.dims.set_point(0, 0)
    person.start()
    person.truth.set_method("low", "auto")
    for index, scene in enumerate(frames):
        person.viewer.dims.set_point(0, index)
        wanted = find_ranges({"low": scene["low"], "high": scene["high"]})["low"]
        assert person.editor.rule("low") == wanted
    assert wanted.found.why.endswith("the high frame clips")
    assert not person.told


def test_a_picture_alone_is_said_to_be_too_little(person):
    person.viewer.add_image(frames_up_to(250)["low"], name="night")
    person.start()
    person.truth.set_method("low", "auto")
    assert person.editor.rule("low") == DEFAULT_RANGES["low"]
    (told,) = person.told
    assert told.endswith("a bright frame of one scene: choose the bright one under High first.")


def test_a_medium_frame_that_cannot_be_read_is_said_and_nothing_is_saved(labeller, folder):
    labeller.truth.set_method("low", "auto")
    labeller.viewer.layers.remove("attic medium")
    (folder / "attic" / "medium.png").unlink()
    before = rules(labeller)
    labeller.truth.set_method("high", "auto")
    assert rules(labeller) == before
    assert "medium.png" in labeller.told[-1]


def test_a_range_that_was_not_found_before_the_scene_was_left_is_looked_for_again(
    labeller, folder, later
):
    labeller.truth.set_method("low", "auto")
    labeller.editor.masks.layer("low").paint((10, 10), 1)
    labeller.session.next()
    assert labeller.session.current.scene != "attic"
    later.arrive()
    labeller.session.previous()
    later.arrive()
    assert labeller.editor.rule("low") == ranges_of(folder, "attic")["low"]
    assert labeller.editor.annotation.corrections("low")[10, 10] != 0


def test_accept_waits_for_the_search_that_is_under_way(labeller, folder, later, monkeypatch):
    searched = []

    def search(frames):
        searched.append(1)
        return find_ranges(frames)

    monkeypatch.setattr(automatic_ranges, "find_ranges", search)
    labeller.truth.set_method("low", "auto")
    ((job, _),) = later.jobs
    thread = threading.Thread(target=job._run)
    thread.start()
    thread.join()
    assert labeller.truth.accept()
    assert searched == [1]
    assert LabelingFolder.open(folder / "labels" / "Ana").record("attic").masks["low"]
