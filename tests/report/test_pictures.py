import base64

import cv2
import numpy as np
import pytest

from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.metrics import measure
from bracketseg.evaluation.overlay import OUTCOMES
from bracketseg.evaluation.pairs import SceneMetrics
from bracketseg.report.experiment import choose_runs
from bracketseg.report.measuring import Measuring
from bracketseg.report.pictures import SIZE, choose_scenes, error_picture, mask_picture
from bracketseg.report.results import balance


def pixels(address):
    kind, data = address.split(",")
    assert kind == "data:image/png;base64"
    read = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    return read[..., ::-1] if read.ndim == 3 else read


def test_each_outcome_has_its_colour():
    truth, prediction = np.array([[1, 0, 1, 0]], bool), np.array([[1, 1, 0, 0]], bool)
    shown = [
        "#" + bytes(pixel.tolist()).hex() for pixel in pixels(error_picture(truth, prediction))[0]
    ]
    colors = {outcome.title: outcome.color for outcome in OUTCOMES}
    assert shown == [
        colors["true positive"],
        colors["false positive"],
        colors["false negative"],
        colors["true negative"],
    ]


def test_large_pictures_are_shrunk_to_means():
    mask = np.zeros((2 * SIZE, SIZE), bool)
    mask[::2] = True
    small = pixels(mask_picture(mask))
    assert small.shape == (SIZE, SIZE // 2)
    assert small.min() == small.max() == pytest.approx(127.5, abs=0.5)


def test_best_median_and_worst_are_shown(lab, mask):
    scenes = {"e": mask(4, 0), "d": mask(4, 1), "c": mask(4, 2), "b": mask(4, 3), "a": mask(4, 4)}
    for name in scenes:
        lab.scene(name)
    lab.run("low", "bce", 3, {name: scenes[name] for name in "abc"})
    lab.run("low", "bce", 4, {name: scenes[name] for name in "cde"})
    measuring = Measuring(choose_runs(lab.paths), lab.brackets)
    list(measuring.steps())
    (role,) = measuring.content().roles
    found = [(choice.why, choice.scene, choice.seed) for choice in choose_scenes(role.results)]
    assert found == [("Best", "e", 4), ("Median", "c", 3), ("Worst", "a", 3)]
    assert [example.choice.scene for example in role.examples] == ["e", "c", "a"]
    assert role.examples[0].losses["bce"].dice == 1


def test_an_empty_ground_truth_is_shown_only_where_there_is_no_other():
    empty = Confusion(tp=0, fp=0, fn=0, tn=4)
    half = Confusion(tp=1, fp=1, fn=1, tn=1)

    def chosen(**counts):
        scenes = {
            name: SceneMetrics(scene=name, role="low", counts=found, metrics=measure(found))
            for name, found in counts.items()
        }
        return [choice.scene for choice in choose_scenes(balance("low", {"bce": {0: scenes}}))]

    assert chosen(a=empty, b=half) == ["b"]
    assert chosen(a=empty) == ["a"]


def test_of_one_scene_there_is_one_picture(lab, mask):
    counts = Confusion(tp=1, fp=1, fn=1, tn=1)
    only = SceneMetrics(scene="a", role="low", counts=counts, metrics=measure(counts))
    results = balance("low", {"bce": {0: {"a": only}}})
    assert [choice.why for choice in choose_scenes(results)] == ["Best"]


def test_nothing_measured_is_no_result():
    assert balance("low", {}) is None
    assert balance("low", {"bce": {0: {}}}) is None
