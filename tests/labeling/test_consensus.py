import csv
import io
import json
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bracketseg.brackets.luma import luma
from bracketseg.errors import LabelingError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.consensus import (
    Spread,
    consensus_csv,
    make_consensus,
    read_consensus,
    role_consensus,
)
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.saved_scene import save_annotation
from bracketseg.scene_pool import Threads

ranges = st.tuples(st.floats(0, 255), st.floats(0, 255)).map(
    lambda pair: ManualRange(lo=min(pair), hi=max(pair))
)


def low(lo, hi=255):
    return {"low": ManualRange(lo=lo, hi=hi), "high": DEFAULT_RANGES["high"]}


@pytest.fixture
def label(brackets, tmp_path):
    """Label some scenes as one annotator does; gives the folder."""

    def by(annotator, rules_of_scenes):
        info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator=annotator)
        folder = LabelingFolder.create(tmp_path / "labels" / annotator, info)
        for bracket in brackets:
            if bracket.scene not in rules_of_scenes:
                continue
            rules = rules_of_scenes[bracket.scene]
            lumas = {role: luma(bracket.frame(role).read()) for role in rules}
            annotation = SceneAnnotation(bracket.scene, lumas, rules)
            annotation.paint("low", ([0], [0]), True)
            save_annotation(folder, annotation, {r: bracket.frame(r).path for r in rules})
        return folder.path

    return by


def test_two_annotators_by_hand(label):
    ada = label("Ada", {"s1": low(100), "s2": low(120)})
    bo = label("Bo", {"s1": low(140, 245), "s3": low(60)})
    found = read_consensus([ada, bo])
    assert found.annotators == ("Ada", "Bo")
    assert list(found.scenes) == ["s1", "s2", "s3"]
    s1 = found.scenes["s1"]["low"]
    assert s1.chosen == {"Ada": low(100)["low"], "Bo": low(140, 245)["low"]}
    assert s1.mean == ManualRange(lo=120, hi=250)
    assert (s1.lo, s1.hi) == (Spread(range=40, deviation=20), Spread(range=10, deviation=5))
    # A scene that one of them labelled has that one's range.
    assert found.scenes["s3"]["low"].mean.lo == 60
    assert found.scenes["s3"]["low"].lo == Spread(range=0, deviation=0)
    # The whole set: the mean over the scenes, not over the labels.
    assert found.overall["low"].lo == pytest.approx((120 + 120 + 60) / 3)
    assert found.overall["high"] == DEFAULT_RANGES["high"]
    # How far they are apart counts only where both labelled.
    assert found.spread("low") == (s1.lo, s1.hi)
    assert read_consensus([ada]).spread("low") is None


@given(st.dictionaries(st.text(max_size=3), ranges, min_size=1, max_size=5))
@settings(deadline=None)
def test_the_mean_and_the_spread_agree_with_numpy(chosen):
    found = role_consensus(chosen)
    for bound, spread in (("lo", found.lo), ("hi", found.hi)):
        values = np.array([getattr(r, bound) for r in chosen.values()])
        assert getattr(found.mean, bound) == pytest.approx(values.mean())
        assert spread.range == np.ptp(values)
        assert spread.deviation == pytest.approx(values.std(), abs=1e-9)
        assert spread.deviation <= spread.range / 2 + 1e-9


def test_the_consensus_is_a_labelling_made_by_the_means(label, brackets, tmp_path):
    folders = [label("Ada", {"s1": low(30), "s3": low(50)}), label("Bo", {"s1": low(81)})]
    out = tmp_path / "labels" / "consensus"
    events = list(make_consensus(folders, brackets, out))
    assert [type(event) for event in events] == [SceneLabeled, SceneLabeled]
    assert [(event.index, event.total) for event in events] == [(1, 2), (2, 2)]
    folder = LabelingFolder.open(out)
    assert folder.info.method == "manual"
    assert folder.info.annotator == "consensus of Ada, Bo"
    assert folder.info.ranges["low"].lo == statistics.mean([55.5, 50])
    assert {scene for scene, _ in folder.masks} == {"s1", "s3"}
    values = luma(brackets[0].frame("low").read())
    # Not rounded: 55.5 leaves out 55. And without the strokes of either.
    np.testing.assert_array_equal(folder.mask("s1", "low"), values >= 55.5)
    assert folder.record("s1").masks["low"].origin == ManualRange(lo=55.5, hi=255)
    assert folder.corrections("s1", "low") is None
    assert folder.rule("s3", "low") == ManualRange(lo=50, hi=255)
    assert (out / "coverage.csv").read_text().count("\n") == 3


def choose_elsewhere(folder, scene):
    """Have the low range of a scene chosen on another frame."""
    path = folder / f"{scene}.json"
    record = json.loads(path.read_text())
    record["masks"]["low"] |= {"frame": "dawn.png", "frame_sha256": "ab"}
    path.write_text(json.dumps(record))


def test_ranges_of_another_frame_are_in_no_mean_and_named(label, brackets, tmp_path):
    ada, bo = label("Ada", {"s1": low(100), "s2": low(80)}), label("Bo", {"s1": low(140)})
    choose_elsewhere(bo, "s1")
    choose_elsewhere(ada, "s2")
    found = read_consensus([ada, bo], brackets)
    assert found.scenes["s1"]["low"].chosen == {"Ada": low(100)["low"]}
    assert set(found.scenes["s1"]["high"].chosen) == {"Ada", "Bo"}
    assert set(found.scenes["s2"]) == {"high"}
    assert found.elsewhere == (
        ("s1", "low", "Bo", "dawn.png"),
        ("s2", "low", "Ada", "dawn.png"),
    )
    out = tmp_path / "out"
    list(make_consensus([ada, bo], brackets, out))
    assert LabelingFolder.open(out).rule("s1", "low").lo == 100
    # Nobody can tell without the brackets.
    assert read_consensus([ada, bo]).scenes["s1"]["low"].mean.lo == 120


def test_a_scene_whose_ranges_are_all_of_other_frames_is_a_problem(label, brackets):
    ada, bo = label("Ada", {"s1": {"low": low(100)["low"]}}), label("Bo", {"s2": low(90)})
    choose_elsewhere(ada, "s1")
    found = read_consensus([ada, bo], brackets)
    assert list(found.scenes) == ["s2"]
    assert "all ranges were chosen on other frames (dawn.png)" in str(found.problems["s1"])


def test_bounds_that_otsu_found_count_as_chosen(label, brackets):
    values = luma(brackets[0].frame("low").read())
    found = Otsu().bounds(values, "low")
    folder = label("Ada", {"s1": {**DEFAULT_RANGES, "low": Otsu()}})
    mean = read_consensus([folder]).scenes["s1"]["low"].mean
    assert (mean.lo, mean.hi) == (found.lo, found.hi)


def test_an_earlier_consensus_is_replaced_only_on_demand(label, brackets, tmp_path):
    out = tmp_path / "out"
    folders = [label("Ada", {"s1": low(30)})]
    list(make_consensus(folders, brackets, out))
    assert len(list(make_consensus(folders, brackets, out))) == 1
    label("Ada", {"s1": low(90)})
    with pytest.raises(LabelingError, match=r"made in another way \(manual by consensus of Ada\)"):
        list(make_consensus(folders, brackets, out))
    list(make_consensus(folders, brackets, out, overwrite=True))
    assert LabelingFolder.open(out).record("s1").masks["low"].lo == 90


def test_a_scene_with_a_broken_record_or_no_bracket_is_reported(label, brackets, tmp_path):
    folders = [
        label("Ada", {"s1": low(30), "s2": low(30), "s3": low(3)}),
        label("Bo", {"s2": low(9)}),
    ]
    (folders[1] / "s2.json").write_text("{")
    events = list(make_consensus(folders, brackets[1:], tmp_path / "out"))
    assert [type(event) for event in events] == [SceneFailed, SceneFailed, SceneLabeled]
    assert [(event.index, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    assert "none of the brackets" in str(events[0].error)
    assert str(folders[1] / "s2.json") in str(events[1].error)
    assert not list((tmp_path / "out").glob("s2*"))


def test_a_range_beyond_luma_is_an_error_that_names_the_file(label):
    folder = label("Ada", {"s1": low(30), "s2": low(20)})
    record = folder / "s1.json"
    stored = json.loads(record.read_text())
    stored["masks"]["low"]["hi"] = 999
    record.write_text(json.dumps(stored))
    found = read_consensus([folder])
    assert list(found.scenes) == ["s2"]
    assert "s1.json: the low range 30 to 999" in str(found.problems["s1"])


def test_folders_that_make_no_consensus_say_why(label, brackets, tmp_path):
    ada = label("Ada", {"s1": low(30)})
    with pytest.raises(LabelingError, match="labelled by Ada, and so was"):
        read_consensus([ada, ada])
    with pytest.raises(LabelingError, match="no range to average"):
        read_consensus([])
    with pytest.raises(LabelingError, match="no such folder"):
        read_consensus([tmp_path / "missing"])
    with pytest.raises(LabelingError, match="an annotator's own labelling"):
        list(make_consensus([ada], brackets, ada))
    for record in ada.glob("s*.json"):
        record.unlink()
    with pytest.raises(LabelingError, match=r"Ada: there is no range to average"):
        read_consensus([ada])


def test_the_rest_is_written_where_it_is_left_early(label, brackets, tmp_path):
    scenes = {"s1": low(1), "s2": low(2), "s3": low(3)}
    events = make_consensus([label("Ada", scenes)], brackets, tmp_path / "out", pool=Threads(1))
    next(events)
    events.close()
    assert "s1" in (tmp_path / "out" / "coverage.csv").read_text()


def test_the_table_by_hand(label):
    folders = [label("Ada", {"s1": low(100)}), label("Bo", {"s1": low(140, 245), "s2": low(7)})]
    rows = list(csv.DictReader(io.StringIO(consensus_csv(read_consensus(folders)))))
    assert [(row["scene"], row["role"]) for row in rows] == [
        ("s1", "low"),
        ("s1", "high"),
        ("s2", "low"),
        ("s2", "high"),
    ]
    assert rows[0] == {
        "scene": "s1",
        "role": "low",
        "annotators": "2",
        "lo": "120.00",
        "hi": "250.00",
        "lo_range": "40.00",
        "lo_deviation": "20.00",
        "hi_range": "10.00",
        "hi_deviation": "5.00",
    }


def test_each_bracket_may_have_rules_of_its_own(brackets, tmp_path):
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES)
    folder = LabelingFolder.create(tmp_path / "out", info)
    own = {"s1": low(1), "s2": low(2), "s3": low(3)}
    events = list(label_brackets(brackets, lambda bracket: own[bracket.scene], folder))
    assert [event.record.masks["low"].lo for event in events] == [1, 2, 3]
