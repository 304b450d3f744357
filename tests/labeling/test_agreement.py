import csv
import io
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import write_mask
from bracketseg.errors import LabelingError
from bracketseg.evaluation.confusion import confusion
from bracketseg.evaluation.metrics import dice
from bracketseg.labeling.agreement import (
    COLUMNS,
    SceneCompared,
    agreement_csv,
    compare_masks,
    compare_with_otsu,
    mean_row,
)
from bracketseg.labeling.coverage import coverage
from bracketseg.labeling.label_folder import SceneFailed
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, Otsu

pairs = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8).flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


def masks(low, high):
    return {"low": np.array([low], bool), "high": np.array([high], bool)}


def test_by_hand():
    manual = masks([1, 1, 0, 0], [0, 0, 0, 1])
    otsu = masks([0, 1, 1, 1], [0, 0, 0, 0])
    found = compare_masks(manual, otsu)
    assert found.dice == {"low": 2 / 5, "high": 0}
    assert (found.manual.low, found.manual.union, found.manual.pieces) == (0.5, 0.75, 1)
    assert (found.otsu.low, found.otsu.high, found.otsu.remainder) == (0.75, 0, 0.25)


@settings(deadline=None)
@given(pairs)
def test_dice_agrees_with_that_of_the_metrics_and_is_symmetric(pair):
    first, second = pair
    found = compare_masks({"low": first}, {"low": second}).dice["low"]
    assert found == dice(confusion(first, second))
    assert found == compare_masks({"low": second}, {"low": first}).dice["low"]
    assert compare_masks({"low": first}, {"low": first}).dice["low"] == 1


def test_one_role_alone_has_no_coverage():
    manual = masks([1, 0], [0, 1])
    found = compare_masks({"low": manual["low"]}, manual)
    assert found.dice == {"low": 1}
    assert (found.manual, found.otsu) == (None, None)


def test_masks_of_two_sizes_are_an_error_that_says_both():
    with pytest.raises(LabelingError, match=r"low mask is \(1, 2\) by hand and \(1, 3\) by Otsu"):
        compare_masks({"low": np.ones((1, 2), bool)}, {"low": np.ones((1, 3), bool)})


def test_ranges_are_compared_on_every_bracket(brackets):
    events = list(compare_with_otsu(brackets))
    assert [(event.scene, event.index, event.total) for event in events] == [
        ("s1", 1, 3),
        ("s2", 2, 3),
        ("s3", 3, 3),
    ]
    lumas = {role: luma(brackets[1].frame(role).read()) for role in ("low", "high")}
    manual = {role: DEFAULT_RANGES[role].bounds(y, role).mask(y) for role, y in lumas.items()}
    otsu = {role: Otsu().bounds(y, role).mask(y) for role, y in lumas.items()}
    found = events[1].agreement
    assert found.manual == coverage(**manual)
    assert found.otsu == coverage(**otsu)
    assert found.dice["high"] == dice(confusion(manual["high"], otsu["high"]))


def test_of_a_labelling_the_masks_on_disk_are_compared(brackets, tmp_path):
    painted = np.eye(6, 8, dtype=bool)
    (tmp_path / "labels").mkdir()
    write_mask(tmp_path / "labels" / "s2_low.png", painted)
    folder = LabelingFolder.open(tmp_path / "labels")
    (event,) = compare_with_otsu(brackets, folder)
    values = luma(brackets[1].frame("low").read())
    otsu = Otsu().bounds(values, "low").mask(values)
    assert (event.scene, event.total) == ("s2", 1)
    assert event.agreement.dice == {"low": dice(confusion(painted, otsu))}


def test_a_scene_that_cannot_be_compared_costs_itself_only(brackets, tmp_path):
    for scene, shape in (("s1", (6, 8)), ("s2", (9, 9)), ("s3", (6, 8))):
        write_mask(tmp_path / f"{scene}_low.png", np.ones(shape))
    brackets[2].frame("low").path.write_bytes(b"no picture")
    events = list(compare_with_otsu(brackets, LabelingFolder.open(tmp_path)))
    assert [type(event) for event in events] == [SceneCompared, SceneFailed, SceneFailed]
    assert "scene s2: the low mask is (9, 9)" in str(events[1].error)
    assert str(brackets[2].frame("low").path) in str(events[2].error)


def test_the_table_and_the_mean(brackets):
    events = list(compare_with_otsu(brackets))
    table = agreement_csv(events)
    rows = list(csv.DictReader(io.StringIO(table)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["scene"] for row in rows] == ["s1", "s2", "s3"]
    assert float(rows[1]["dice_low"]) == pytest.approx(events[1].agreement.dice["low"], abs=1e-6)
    assert rows[2]["otsu_pieces"] == str(events[2].agreement.otsu.pieces)
    mean = mean_row(event.agreement for event in events)
    unions = [event.agreement.manual.union for event in events]
    assert mean["manual_union"] == pytest.approx(statistics.mean(unions))
    assert tuple(mean) == COLUMNS[1:]
    assert set(mean_row([]).values()) == {None}


def test_cells_without_a_number_are_empty():
    alone = compare_masks({"low": np.ones((1, 2), bool)}, {"low": np.ones((1, 2), bool)})
    table = agreement_csv([SceneCompared(scene="s1", agreement=alone, index=1, total=1)])
    assert table.splitlines()[1] == "s1,1.000000" + "," * 11
