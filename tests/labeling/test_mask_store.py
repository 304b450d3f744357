import csv
import errno
import json

import cv2
import numpy as np
import pytest

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.masks import write_mask
from bracketseg.errors import FrameError, LabelingError
from bracketseg.labeling import mask_store, record_files
from bracketseg.labeling.corrections import corrections_name, write_corrections
from bracketseg.labeling.label_folder import SceneFailed, SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder, file_sha256
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.scene_pool import Threads

MANUAL = LabelingInfo(method="manual", ranges=DEFAULT_RANGES, annotator="Ada")
OTSU = LabelingInfo(method="otsu", ranges={"low": Otsu(), "high": Otsu()})


@pytest.fixture
def scenes(tmp_path, rng):
    """Three scenes of two frames, `s1` to `s3`, 6 x 8."""
    for number in (1, 2, 3):
        folder = tmp_path / "set" / f"s{number}"
        folder.mkdir(parents=True)
        for role, top in (("low", 150), ("high", 256)):
            frame = rng.integers(0, top, (6, 8), dtype=np.uint8)
            cv2.imwrite(str(folder / f"{role}.png"), frame)
    return find_brackets(tmp_path / "set").brackets


def run(scenes, out, info=MANUAL, **options):
    folder = LabelingFolder.create(out, info, **options)
    return list(label_brackets(scenes, info.ranges, folder))


def test_a_folder_of_scenes_is_labelled_as_the_contract_says(scenes, tmp_path):
    out = tmp_path / "masks"
    events = run(scenes, out)

    assert [event.record.scene for event in events] == ["s1", "s2", "s3"]
    assert [(event.index, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    for bracket in scenes:
        for role in ("low", "high"):
            frame = bracket.frame(role)
            mask = cv2.imread(str(out / f"{bracket.scene}_{role}.png"), cv2.IMREAD_UNCHANGED)
            chosen = DEFAULT_RANGES[role]
            expected = (frame.read() >= chosen.lo) & (frame.read() <= chosen.hi)
            np.testing.assert_array_equal(mask, np.where(expected, 255, 0).astype(np.uint8))
            record = json.loads((out / f"{bracket.scene}.json").read_text())["masks"][role]
            assert (record["lo"], record["hi"]) == (chosen.lo, chosen.hi)
            assert record["edited_pixels"] == 0
            assert record["frame_sha256"] == file_sha256(frame.path)
    info = json.loads((out / "labeling.json").read_text())
    assert (info["method"], info["annotator"]) == ("manual", "Ada")
    assert info["ranges"]["low"]["lo"] == 120
    assert "bracketseg" in info["versions"]
    with (out / "coverage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["scene", "low", "high", "union", "remainder"]
    assert [row["scene"] for row in rows] == ["s1", "s2", "s3"]
    assert float(rows[0]["union"]) == pytest.approx(events[0].record.coverage.union, abs=1e-6)


def test_otsu_records_the_threshold_it_found(scenes, tmp_path):
    (event, *_) = run(scenes, tmp_path / "masks", OTSU)
    low, high = event.record.masks["low"], event.record.masks["high"]
    assert (low.lo, low.hi) == (low.threshold + 1, 255)
    assert (high.lo, high.hi) == (0, high.threshold)


def test_a_broken_frame_costs_its_scene_only(scenes, tmp_path):
    scenes[1].frame("low").path.write_bytes(b"no picture")
    events = run(scenes, tmp_path / "masks")
    assert [type(event) for event in events] == [SceneLabeled, SceneFailed, SceneLabeled]
    assert isinstance(events[1].error, FrameError)
    assert str(scenes[1].frame("low").path) in str(events[1].error)
    assert not list((tmp_path / "masks").glob("s2*"))


def test_labelling_again_in_the_same_way_goes_on_and_in_another_way_is_refused(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes[:2], out)
    assert len(run(scenes, out)) == 3
    before = (out / "s1_low.png").read_bytes()
    with pytest.raises(LabelingError, match=r"made in another way \(manual by Ada\)"):
        run(scenes, out, OTSU)
    assert (out / "s1_low.png").read_bytes() == before
    run(scenes, out, OTSU, overwrite=True)
    assert LabelingFolder.open(out).info.method == "otsu"


def test_a_mask_that_a_person_changed_is_kept_unless_overwriting_is_asked_for(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    painted = np.eye(6, 8, dtype=bool)
    write_mask(out / "s2_low.png", painted)

    events = run(scenes, out)
    assert [type(event) for event in events] == [SceneLabeled, SceneFailed, SceneLabeled]
    assert "corrected by hand" in str(events[1].error)
    np.testing.assert_array_equal(LabelingFolder.open(out).mask("s2", "low"), painted)

    run(scenes, out, overwrite=True)
    assert not np.array_equal(LabelingFolder.open(out).mask("s2", "low"), painted)


def test_masks_of_another_program_are_not_overwritten(scenes, tmp_path):
    out = tmp_path / "masks"
    out.mkdir()
    write_mask(out / "s1_low.png", np.ones((6, 8), bool))
    with pytest.raises(LabelingError, match="not made here"):
        run(scenes, out)


def test_the_rule_of_a_mask_is_known_only_while_the_mask_is_its_result(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    folder = LabelingFolder.open(out)
    assert folder.rule("s1", "low") == DEFAULT_RANGES["low"]
    assert folder.rule("nobody", "low") is None
    write_mask(out / "s1_low.png", np.ones((6, 8), bool))
    assert folder.rule("s1", "low") is None
    (out / "s2.json").unlink()
    assert folder.rule("s2", "low") is None


def test_a_run_that_is_left_early_has_whole_files_and_its_coverage(scenes, tmp_path):
    out = tmp_path / "masks"
    folder = LabelingFolder.create(out, MANUAL)
    events = label_brackets(scenes, MANUAL.ranges, folder, pool=Threads(1))
    next(events)
    events.close()
    assert "s1" in (out / "coverage.csv").read_text()
    assert not [p for p in out.iterdir() if p.suffix not in {".png", ".json", ".csv"}]


def test_folders_that_cannot_be_read_say_why(tmp_path):
    with pytest.raises(LabelingError, match="no such folder"):
        LabelingFolder.open(tmp_path / "missing")
    with pytest.raises(LabelingError, match="no masks found"):
        LabelingFolder.open(tmp_path)
    write_mask(tmp_path / "a_low.png", np.ones((2, 2), bool))
    (tmp_path / "labeling.json").write_text('{"method": 3}')
    with pytest.raises(LabelingError, match=r"labeling\.json: not a record"):
        LabelingFolder.open(tmp_path)


def test_a_scene_cannot_take_the_name_of_the_labellings_own_file(tmp_path, scenes):
    folder = LabelingFolder.create(tmp_path / "masks", MANUAL)
    record = run(scenes, tmp_path / "other")[0].record.model_copy(update={"scene": "labeling"})
    with pytest.raises(LabelingError, match="Rename"):
        folder.save_scene({"low": np.ones((2, 2), bool)}, record)


def test_a_manual_range_of_another_width_is_another_way(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    wider = {**DEFAULT_RANGES, "low": ManualRange(lo=100, hi=255)}
    with pytest.raises(LabelingError, match="another way"):
        LabelingFolder.create(out, LabelingInfo(method="manual", ranges=wider, annotator="Ada"))


def test_a_save_that_was_cut_short_between_mask_and_record_is_made_up_for(
    scenes, tmp_path, monkeypatch
):
    out = tmp_path / "masks"
    folder = LabelingFolder.create(out, MANUAL)
    record = run(scenes, tmp_path / "other")[0].record
    masks = {role: LabelingFolder.open(tmp_path / "other").mask("s1", role) for role in MASK_ROLES}

    def full(_path, _text):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(record_files, "write_text", full)
        with pytest.raises(LabelingError, match="s1"):
            folder.save_scene(masks, record, revise=True)
    assert (out / "s1_low.png").exists()
    assert not (out / "s1.json").exists()
    again = LabelingFolder.create(out, MANUAL)
    again.save_scene(masks, record, revise=True)
    assert again.rule("s1", "low") == DEFAULT_RANGES["low"]
    # The same over masks that were saved before, whose record speaks of the older ones.
    painted = {role: ~mask for role, mask in masks.items()}
    write_mask(out / "s1_low.png", painted["low"])
    with pytest.raises(LabelingError, match="in another program"):
        again.save_scene(masks, record, revise=True)
    again.save_scene(painted, record, revise=True)
    np.testing.assert_array_equal(LabelingFolder.open(out).mask("s1", "high"), painted["high"])


def test_a_damaged_mask_is_not_taken_for_that_of_a_save_cut_short(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    (out / "s1_low.png").write_bytes(b"no picture")
    assert "in another program" in str(run(scenes, out)[0].error)


def test_corrections_that_have_no_record_are_kept(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    (out / "s1.json").unlink()
    write_corrections(out / corrections_name("s1", "low"), np.eye(6, 8, dtype=np.int8))
    assert "corrected by hand" in str(run(scenes, out)[0].error)
    assert (out / corrections_name("s1", "low")).exists()


def test_a_broken_record_costs_its_own_row_of_the_coverage_only(scenes, tmp_path):
    out = tmp_path / "masks"
    run(scenes, out)
    text = (out / "s2.json").read_text()
    (out / "s2.json").write_text(text[: len(text) // 2])
    LabelingFolder.open(out).write_coverage()
    rows = (out / "coverage.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["s1", "s3"]


def test_what_is_asked_for_by_name_is_found_without_listing(scenes, tmp_path, monkeypatch):
    out = tmp_path / "masks"
    run(scenes, out)

    def listed(_folder):
        raise AssertionError("the folder was listed")

    monkeypatch.setattr(mask_store, "find_masks", listed)
    folder = LabelingFolder.at(out)
    assert folder.path_of("s1", "low") == out / "s1_low.png"
    assert folder.path_of("s9", "low") is None
    assert folder.rule("s1", "high") == DEFAULT_RANGES["high"]
    masks = {role: folder.mask("s1", role) for role in MASK_ROLES}
    again = LabelingFolder.create(out, MANUAL)
    again.save_scene(masks, again.record("s1"), revise=True)
    with pytest.raises(LabelingError, match=r"s9_low\.png: no such mask"):
        folder.mask("s9", "low")


def test_a_folder_that_is_empty_or_missing_can_be_asked(tmp_path):
    assert LabelingFolder.at(tmp_path / "none").path_of("s1", "low") is None
    assert LabelingFolder.at(tmp_path).record("s1") is None
