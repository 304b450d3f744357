"""What the dock writes the command reads, and the other way round."""

import json

import cv2
import numpy as np
import pytest

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.layouts import find_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.learning.dataset import load_dataset, pair_scenes

SIZE = 48


@pytest.fixture
def folder(make_set):
    return make_set(3, shape=(SIZE, SIZE))


@pytest.fixture
def labelled(annotator, folder):
    """Three scenes labelled at the dock: the folder, and the masks that were on the screen."""
    annotator.open(folder)
    annotator.go_to("s001")
    shown = {}
    for number in (1, 2, 0):  # Accept goes on to what is not labelled yet.
        scene = f"s{number:03}"
        annotator.wait(lambda name=scene: annotator.shown == name)
        if number == 0:
            annotator.paint("low", (8, 8), (8, 30), label=1)
            annotator.paint("high", (40, 40), label=0)
        elif number == 1:
            annotator.find("gt.low.method").setCurrentText("Otsu")
        else:
            annotator.type_bound("high", "hi", 77.5)
        shown.update({(scene, role): annotator.mask(role) for role in MASK_ROLES})
        annotator.click("gt.accept")
    labels = folder / "labels" / "Ana"
    annotator.wait(lambda: (labels / "s000.json").exists())
    annotator.wait(lambda: "saved" in annotator.text("gt.status"))
    return labels, shown


def test_the_command_reads_what_the_dock_wrote(labelled, folder, command, tmp_path):
    labels, shown = labelled
    told = command("info", folder, "--json")
    assert told.status == 0, told.err
    assert [scene["scene"] for scene in json.loads(told.out)] == ["s000", "s001", "s002"]
    other = tmp_path / "other"
    other.mkdir()
    for (scene, role), mask in shown.items():
        assert cv2.imwrite(str(other / f"{scene}_{role}.png"), mask.astype(np.uint8) * 255)
    same = command("evaluate", "--reference", labels, "--prediction", other, "--json")
    assert same.status == 0, same.err
    scenes = json.loads(same.out)["scenes"]
    assert {(row["scene"], row["role"]) for row in scenes} == set(shown)
    assert {row["dice"] for row in scenes} == {1}
    assert cv2.imwrite(str(other / "s000_low.png"), np.zeros((SIZE, SIZE), np.uint8))
    other_one = command("evaluate", "--reference", labels, "--prediction", other, "--json")
    dice = {(row["scene"], row["role"]): row["dice"] for row in json.loads(other_one.out)["scenes"]}
    assert dice["s000", "low"] == 0


def test_training_and_tables_have_the_very_pixels(labelled, folder):
    labels, shown = labelled
    for role in MASK_ROLES:
        labeling = LabelingFolder.open(labels)
        pairs, skipped = pair_scenes(find_brackets(folder).brackets, labeling, role)
        assert skipped == ()
        loading = load_dataset(pairs, labeling, role, SIZE, lambda: False)
        dataset = None
        while dataset is None:
            try:
                next(loading)
            except StopIteration as end:
                dataset, skipped = end.value
        assert skipped == ()
        for scene, mask in zip(dataset.scenes, dataset.masks, strict=True):
            np.testing.assert_array_equal(mask, shown[scene, role])
    rows = (labels / "coverage.csv").read_text().splitlines()
    assert rows[0] == "scene,low,high,union,remainder"
    for row, scene in zip(rows[1:], ("s000", "s001", "s002"), strict=True):
        name, *values = row.split(",")
        low, high = shown[scene, "low"], shown[scene, "high"]
        wanted = [low.mean(), high.mean(), (low | high).mean(), (~(low | high)).mean()]
        assert name == scene
        assert [float(value) for value in values] == pytest.approx(wanted, abs=1e-6)


def test_what_the_command_labelled_by_otsu_is_shown_with_its_threshold(annotator, folder, command):
    out = folder / "labels" / "robot"
    made = command("label", folder, "--method", "otsu", "--out", out, "--json")
    assert made.status == 0, made.err
    records = {record["scene"]: record for record in json.loads(made.out)}
    annotator.sign("robot")
    annotator.open(folder)
    for scene in ("s001", "s002"):
        annotator.go_to(scene)
        for role in MASK_ROLES:
            assert annotator.find(f"gt.{role}.method").currentText() == "Otsu"
            threshold = records[scene]["masks"][role]["threshold"]
            assert annotator.text(f"gt.{role}.threshold") == f"t = {threshold}"
            file = cv2.imread(str(out / f"{scene}_{role}.png"), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(annotator.mask(role), file == 255)
        assert "saved" in annotator.text("gt.status")


def test_what_the_command_labelled_by_ranges_is_shown_with_them(annotator, folder, command):
    out = folder / "labels" / "robot"
    ranges = ("--low", 33, 144, "--high", 7, 99.5)
    made = command("label", folder, "--method", "manual", "--out", out, *ranges)
    assert made.status == 0, made.err
    annotator.sign("robot")
    annotator.open(folder)
    annotator.go_to("s001")
    assert annotator.find("gt.low.range").value() == (33, 144)
    assert annotator.find("gt.high.range").value() == (7, 99.5)
    assert annotator.find("gt.low.method").currentText() == "Manual"
    for role in MASK_ROLES:
        file = cv2.imread(str(out / f"s001_{role}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(annotator.mask(role), file == 255)
