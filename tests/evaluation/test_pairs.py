import json

import numpy as np
import pytest

from bracketseg.brackets.masks import write_mask, write_probability
from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import Confusion
from bracketseg.evaluation.folders import evaluate_folders
from bracketseg.evaluation.pairs import PairFailed, PairMeasured, match_masks, measure_pairs

TRUTH = np.array([[1, 1, 0, 0]], bool)


@pytest.fixture
def folders(tmp_path):
    reference, prediction = tmp_path / "reference", tmp_path / "prediction"
    for folder in (reference, prediction):
        folder.mkdir()
        for name in ("a_low", "b_low"):
            write_mask(folder / f"{name}.png", TRUTH)
    return reference, prediction


def test_strangers_are_named_and_do_not_count(folders):
    reference, prediction = folders
    write_mask(prediction / "overview.png", TRUTH)
    write_mask(reference / "a_low.tif", ~TRUTH)
    write_mask(reference / "a_medium.png", TRUTH)
    write_probability(prediction / "a_low_probability.png", TRUTH * 0.5)
    (reference / "labeling.json").write_text("{}")
    (reference / ".hidden.png").write_bytes(b"")
    matched = match_masks(reference, prediction)
    assert [(pair.scene, pair.role) for pair in matched.pairs] == [("a", "low"), ("b", "low")]
    assert [path.name for path in matched.strangers] == [
        "a_low.tif",
        "a_medium.png",
        "overview.png",
    ]
    # The PNG goes before the TIFF, so all is right.
    assert all(event.measured.metrics.dice == 1 for event in measure_pairs(matched.pairs))


def test_a_bad_pair_does_not_stop_the_others(folders):
    reference, prediction = folders
    (prediction / "a_low.png").write_bytes(b"no picture")
    first, second = measure_pairs(match_masks(reference, prediction).pairs)
    assert isinstance(first, PairFailed)
    assert str(prediction / "a_low.png") in str(first.error)
    assert isinstance(second, PairMeasured)
    assert (second.index, second.total) == (2, 2)
    assert second.measured.counts == Confusion(tp=2, fp=0, fn=0, tn=2)


def test_a_probability_of_another_size_is_a_problem_that_names_the_file(folders):
    reference, prediction = folders
    write_probability(prediction / "a_low_probability.png", np.full((2, 4), 0.5))
    first, _ = measure_pairs(match_masks(reference, prediction).pairs)
    assert isinstance(first, PairFailed)
    assert str(prediction / "a_low_probability.png") in str(first.error)


def test_curves_come_where_they_were_asked_for_and_can_be(folders):
    reference, prediction = folders
    write_probability(prediction / "a_low_probability.png", np.array([[0.9, 0.4, 0.5, 0.1]]))
    pairs = match_masks(reference, prediction).pairs
    first, second = measure_pairs(pairs, with_curves=True)
    assert first.curves.area == first.measured.metrics.roc_auc == 0.75
    assert second.curves is None
    assert all(event.curves is None for event in measure_pairs(pairs))


def test_nothing_in_common_is_an_error(folders):
    with pytest.raises(LabelingError, match="no mask has a partner"):
        match_masks(*folders, scenes=["c"])


def record(folder, scene, **frames):
    """Write which frame each mask of a scene was made from: name and digest."""
    masks = {
        role: {"origin": {"method": "otsu"}, "frame": name, "frame_sha256": digest}
        for role, (name, digest) in frames.items()
    }
    (folder / f"{scene}.json").write_text(json.dumps({"scene": scene, "masks": masks}))


def test_a_mask_of_another_frame_is_left_out_and_both_frames_are_named(folders):
    reference, prediction = folders
    record(reference, "a", low=("dark.png", "11"))
    record(prediction, "a", low=("darker.png", "22"))
    record(reference, "b", low=("dark.png", "33"))
    record(prediction, "b", low=("moved/dark.png", "33"))
    first, second = measure_pairs(match_masks(reference, prediction).pairs)
    assert isinstance(first, PairFailed)
    assert str(prediction / "a_low.png") in str(first.error)
    assert "another frame (darker.png)" in str(first.error)
    assert "(dark.png), and is not compared" in str(first.error)
    assert isinstance(second, PairMeasured)
    evaluation = evaluate_folders(reference, prediction)
    assert [scene.scene for scene in evaluation.scenes] == ["b"]
    assert [str(problem) for problem in evaluation.problems] == [str(first.error)]


def test_a_frame_that_was_changed_under_its_name_is_another_one(folders):
    reference, prediction = folders
    record(reference, "a", low=("dark.png", "11"))
    record(prediction, "a", low=("dark.png", "22"))
    first, _ = measure_pairs(match_masks(reference, prediction).pairs)
    assert isinstance(first, PairFailed)
    assert "another frame (another dark.png)" in str(first.error)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"masks": []}',
        '{"masks": {"low": 3}}',
        '{"masks": {"low": {"frame_sha256": 5}}}',
        '{"masks": {"low": {"frame_sha256": ""}}}',
        '{"masks": {"high": {"frame_sha256": "22"}}}',
        '{"masks": {"low": {"frame_sha256": "11", "frame": 7}}}',
    ],
)
def test_masks_that_do_not_say_their_frame_are_compared(folders, text):
    reference, prediction = folders
    record(reference, "a", low=("dark.png", "11"))
    (prediction / "a.json").write_text(text)
    first, _ = measure_pairs(match_masks(reference, prediction).pairs)
    assert isinstance(first, PairMeasured)
