import csv
import io

import numpy as np
import pytest

from bracketseg.brackets.masks import write_mask, write_probability
from bracketseg.errors import LabelingError
from bracketseg.evaluation.folders import evaluate_folders
from bracketseg.evaluation.tables import scenes_csv


@pytest.fixture
def folders(tmp_path):
    """Return a reference and a prediction: scenes a and b, low; a also high."""
    reference, prediction = tmp_path / "reference", tmp_path / "prediction"
    reference.mkdir()
    prediction.mkdir()
    truth = np.array([[1, 1, 0, 0]], bool)
    for name in ("a_low", "b_low", "a_high"):
        write_mask(reference / f"{name}.png", truth)
    write_mask(prediction / "a_low.png", truth)
    write_mask(prediction / "b_low.png", np.array([[1, 0, 0, 0]], bool))
    write_mask(prediction / "a_high.png", ~truth)
    return reference, prediction


def test_each_pair_and_the_means_by_hand(folders):
    evaluation = evaluate_folders(*folders)
    found = {(s.scene, s.role): s.metrics.dice for s in evaluation.scenes}
    assert found == {("a", "low"): 1, ("b", "low"): pytest.approx(2 / 3), ("a", "high"): 0}
    assert evaluation.mean["low"].dice == pytest.approx(5 / 6)
    assert evaluation.mean["low"].jaccard == pytest.approx((1 + 1 / 2) / 2)
    assert evaluation.mean["low"].roc_auc is None
    assert evaluation.mean["high"].specificity == 0
    assert not evaluation.problems
    assert not evaluation.unmatched


def test_probabilities_beside_the_masks_give_the_area_under_the_curve(folders):
    _, prediction = folders
    write_probability(prediction / "a_low_probability.png", np.array([[0.9, 0.4, 0.5, 0.1]]))
    evaluation = evaluate_folders(*folders)
    assert [s.metrics.roc_auc for s in evaluation.scenes if s.role == "low"] == [0.75, None]
    assert evaluation.mean["low"].roc_auc == 0.75


def test_masks_without_a_partner_are_named_and_do_not_count(folders):
    _, prediction = folders
    write_mask(prediction / "c_low.png", np.ones((1, 4), bool))
    (prediction / "b_low.png").unlink()
    (prediction / "notes.txt").write_text("a stranger")
    evaluation = evaluate_folders(*folders)
    assert {(s.scene, s.role) for s in evaluation.scenes} == {("a", "low"), ("a", "high")}
    assert any("b_low.png has no prediction" in line for line in evaluation.unmatched)
    assert any("c_low.png has no reference" in line for line in evaluation.unmatched)


def test_a_mask_of_another_size_is_a_problem_that_names_both_files(folders):
    write_mask(folders[1] / "b_low.png", np.ones((2, 4), bool))
    evaluation = evaluate_folders(*folders)
    (problem,) = evaluation.problems
    assert str(folders[0] / "b_low.png") in str(problem)
    assert str(folders[1] / "b_low.png") in str(problem)
    assert evaluation.mean["low"].dice == 1


def test_it_tells_how_far_it_is(folders):
    told = []
    evaluate_folders(*folders, on_pair=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_only_the_scenes_that_were_asked_for(folders):
    evaluation = evaluate_folders(*folders, scenes=["b"])
    assert [(s.scene, s.role) for s in evaluation.scenes] == [("b", "low")]


def test_nothing_in_common_and_no_folder_are_errors(folders, tmp_path):
    with pytest.raises(LabelingError, match="no such folder"):
        evaluate_folders(folders[0], tmp_path / "missing")
    with pytest.raises(LabelingError, match="no mask has a partner"):
        evaluate_folders(*folders, scenes=["nobody"])


def test_the_tables_say_what_was_measured(folders):
    evaluation = evaluate_folders(*folders)
    rows = list(csv.DictReader(io.StringIO(scenes_csv(evaluation.scenes))))
    assert [(row["scene"], row["role"]) for row in rows] == [
        (s.scene, s.role) for s in evaluation.scenes
    ]
    assert float(rows[0]["avg"]) == pytest.approx(evaluation.scenes[0].metrics.avg, abs=1e-6)
    assert rows[0]["roc_auc"] == ""
