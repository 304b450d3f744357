"""The report as a person gets it: files, made of runs whose masks are known."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from bracketseg.errors import LabelingError, ReportError
from bracketseg.labeling.label_folder import SceneLabeled, label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import Otsu
from bracketseg.labeling.records import LabelingInfo
from bracketseg.report.baselines import otsu_metrics
from bracketseg.report.events import ReportStepFailed, ReportWritten
from bracketseg.report.writing import tables_in, write_report

VOID = {"meta", "img", "br", "path", "use", "rect"}


class Page(HTMLParser):
    """Takes a page apart, and holds that each tag is closed by its own."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def report(lab, **options):
    options = {"brackets": None, "runs": lab.paths, "out": lab.out, **options}
    if options["brackets"] is None:
        options["brackets"] = lab.brackets
    events = list(write_report(**options))
    assert isinstance(events[-1], ReportWritten)
    assert [event.index for event in events] == list(range(1, events[-1].total + 1))
    return events


def page(lab):
    return Page((lab.out / "report.html").read_text(encoding="utf-8"))


def rows(lab, name):
    text = (lab.out / name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_table_1_has_the_means_and_both_spreads(two_seeds):
    report(two_seeds)
    found = {(row["source"], row["loss"]): row for row in rows(two_seeds, "table1_low.csv")}
    bce = found["measured", "BCE"]
    # Seed 0: (1 + 2/3) / 2 = 5/6; seed 1: (1 + 1/2) / 2 = 3/4.
    assert float(bce["dice"]) == pytest.approx((5 / 6 + 3 / 4) / 2, abs=1e-6)
    assert float(bce["dice_sd_seeds"]) == pytest.approx((5 / 6 - 3 / 4) / 2**0.5, abs=1e-6)
    # Scenes, each averaged over its seeds: a 1, b 5/6, c 1/2.
    assert float(bce["dice_sd_scenes"]) == pytest.approx(
        np.std([1, 5 / 6, 1 / 2], ddof=1), abs=1e-6
    )
    focal = found["measured", "Focal"]
    assert [float(focal[f"dice{spread}"]) for spread in ("", "_sd_seeds", "_sd_scenes")] == [
        pytest.approx(2 / 3, abs=1e-6),
        0,
        0,
    ]
    assert not (two_seeds.out / "table2_high.csv").exists()


def test_below_stand_the_masks_without_a_network_on_the_same_scenes(two_seeds):
    report(two_seeds)
    found = {(row["source"], row["loss"]): row for row in rows(two_seeds, "table1_low.csv")}
    everything = found["baseline", "All foreground"]
    assert float(everything["dice"]) == pytest.approx(2 * 4 / (4 + 10), abs=1e-6)
    assert float(everything["specificity"]) == 0
    assert float(found["baseline", "No foreground"]["specificity"]) == 1
    # Otsu marks the first column: one pixel of the four, and one beside them.
    otsu = found["baseline", "Otsu"]
    assert float(otsu["dice"]) == pytest.approx(2 * 1 / (4 + 2), abs=1e-6)
    assert otsu["roc_auc"] == ""


def test_the_papers_rows_stand_beside_with_what_cannot_be(two_seeds):
    report(two_seeds)
    printed = [row for row in rows(two_seeds, "table1_low.csv") if row["source"] == "printed"]
    assert [float(row["auc_eq9"]) for row in printed] == [0.498] * 3
    tables = (two_seeds.out / "tables.md").read_text(encoding="utf-8")
    assert "| Focal (printed) | 0.916 | 0.936 † | 0.997 | 0.997 | 0.498 † | – | 0.869 |" in tables
    assert "Focal: Jaccard above Dice; AUC by eq. 9 would be 0.9970" in tables
    cells = [(tag, value) for tag, name, value in page(two_seeds).attributes if name == "title"]
    assert ("td", "Jaccard above sensitivity") in cells


def test_nothing_is_claimed_of_three_scenes(two_seeds):
    report(two_seeds)
    (test,) = rows(two_seeds, "tests.csv")
    assert (test["scenes"], test["differing"], test["p"], test["better"]) == ("3", "3", "", "")
    text = page(two_seeds).text
    assert "No difference between the losses is supported." in text
    assert "BCE and Focal: 3 scenes differ; with fewer than 6 no difference can be" in text


def test_a_difference_is_claimed_where_the_test_supports_it(lab, mask):
    scenes = [f"s{number}" for number in range(8)]
    for name in scenes:
        lab.scene(name)
    lab.run("low", "bce", 0, {name: mask(4, place % 3) for place, name in enumerate(scenes)})
    lab.run("low", "focal", 0, {name: mask(2, place % 4) for place, name in enumerate(scenes)})
    report(lab)
    (test,) = rows(lab, "tests.csv")
    assert test["better"] == "bce"
    assert float(test["p_holm"]) < 0.05
    text = page(lab).text
    assert "Low exposure: BCE does better than Focal." in text
    assert "also chose the best epoch" in text


def test_the_better_of_two_is_named_first(lab, mask):
    scenes = [f"s{number}" for number in range(6)]
    for name in scenes:
        lab.scene(name)
    lab.run("low", "bce", 0, {name: mask(2, place) for place, name in enumerate(scenes)})
    lab.run("low", "focal", 0, {name: mask(4, place) for place, name in enumerate(scenes)})
    report(lab)
    text = page(lab).text
    assert "Low exposure: Focal does better than BCE." in text
    # 8 / (8 + x) less 4 / (6 + x) for x of 0 to 5.
    assert "Focal does better than BCE (mean difference in Dice +0.292" in text
    assert "6 scenes, p = 0.031)" in text


def test_a_dice_that_a_constant_mask_reaches_is_called_meaningless(lab, mask):
    most = np.ones((2, 5), bool)
    most[1, 4] = False
    for name in "abc":
        lab.scene(name, most)
    lab.run("high", "bce", 0, {"a": mask(4, 5), "b": mask(4, 4), "c": mask(4, 3)})
    report(lab)
    assert "a mask of all foreground reaches a Dice of 0.947 without looking" in page(lab).text


def test_a_dice_far_above_the_constant_mask_is_not(lab, mask):
    for name in "abc":
        lab.scene(name)
    lab.run("low", "bce", 0, {"a": mask(4, 0), "b": mask(4, 1), "c": mask(3, 0)})
    report(lab)
    assert "without looking" not in page(lab).text


def test_the_page_refers_to_nothing_outside(two_seeds):
    report(two_seeds)
    found = page(two_seeds)
    assert not {"script", "link", "iframe", "object", "base", "image"} & set(found.tags)
    for tag, name, value in found.attributes:
        if name in ("src", "href", "xlink:href", "srcset", "data", "action"):
            assert value.startswith(("data:image/", "#")), (tag, name, value)
        else:
            assert "url(" not in (value or "").replace("url(#", ""), (tag, name, value)
    text = (two_seeds.out / "report.html").read_text(encoding="utf-8")
    style = "".join(re.findall(r"<style.*?</style>", text, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    names = [value for _, name, value in found.attributes if name == "id"]
    assert len(set(names)) == len(names)


def test_hostile_names_are_text(lab, mask):
    # What a scene can be called, and what can stand in a message.
    evil = "&lt;img src=x onerror=alert(1)&gt;`_[a](b)"
    worse = "<img src=x onerror=alert(1)>&lt;`|*"
    for name in (evil, "b"):
        lab.scene(name, frames=False)
    lab.run("low", "bce", 0, {evil: mask(4, 0), "b": mask(4, 0)})
    lab.run("low", "focal", 0, {evil: mask(2, 0), "b": mask(2, 0)}, name="<b>run")
    report(lab, brackets=(), left_out=[f"{worse}: why"])
    found = page(lab)
    assert "onerror" not in {name for _, name, _ in found.attributes}
    assert {"i", "b"} & set(found.tags) == {"i"}  # the keys of the colours
    assert f"{worse}: why" in found.text
    assert evil in found.text
    assert "<b>run: low, Focal" in found.text
    assert "a <b>card</b>" in found.text
    tables = (lab.out / "tables.md").read_text(encoding="utf-8")
    outside = re.sub(r"`[^`]*`", "", tables)
    assert "onerror" not in outside
    assert json.loads((lab.out / "tables.json").read_text())["low_scenes"] == [evil, "b"]


def test_a_run_that_is_not_finished_is_left_out_and_named(two_seeds, mask):
    two_seeds.run("low", "dice-bce", 0, {"a": mask(4, 0)}, done=2)
    (two_seeds.runs / "empty").mkdir()
    (*_, done) = report(two_seeds)
    text = page(two_seeds).text
    for words in (
        "low-dice-bce-seed0: not finished, 2 of 3 epochs are done",
        "empty/config.json cannot be read",
        "low, scene gone: cannot be read",
    ):
        assert words in text
        assert any(words in line for line in done.left_out)
    assert [row["loss"] for row in rows(two_seeds, "table1_low.csv")][:2] == ["BCE", "Focal"]


def test_a_seed_that_one_loss_lacks_counts_for_none(two_seeds, mask):
    two_seeds.run("low", "bce", 7, {"a": mask(1, 0), "c": mask(1, 0)})
    (*_, done) = report(two_seeds)
    assert "low, bce, seed 7: another loss lacks this seed" in done.left_out
    found = rows(two_seeds, "table1_low.csv")
    assert float(found[0]["dice"]) == pytest.approx((5 / 6 + 3 / 4) / 2, abs=1e-6)
    seeds = [row["seed"] for row in rows(two_seeds, "scenes_low_bce.csv")]
    assert seeds == ["0", "0", "1", "1", "7", "7"]


def test_a_scene_that_one_loss_lacks_counts_for_none(two_seeds):
    for name in ("a_low.png", "a_low_probability.png"):
        (two_seeds.runs / "low-focal-seed0" / "validation" / name).unlink()
    events = report(two_seeds)
    (failed,) = (event for event in events if isinstance(event, ReportStepFailed))
    assert "its validation scene a lacks a prediction" in str(failed.error)
    assert str(failed.error) in events[-1].left_out
    assert any("scene a could not be measured" in line for line in events[-1].left_out)
    data = json.loads((two_seeds.out / "tables.json").read_text())
    assert data["low_scenes"] == ["b", "c"]
    assert data["low"]["bce"]["dice"] == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_losses_without_a_common_seed_are_not_compared(lab, mask):
    lab.scene("a")
    lab.run("low", "bce", 0, {"a": mask(4, 0)})
    lab.run("low", "bce", 1, {"a": mask(4, 0)})
    lab.run("low", "focal", 2, {"a": mask(4, 0)})
    (*_, done) = report(lab)
    assert any(line.startswith("low, focal: no seed has both") for line in done.left_out)
    assert list(json.loads((lab.out / "tables.json").read_text())["low"]) == ["bce"]


def test_another_experiment_is_left_out(two_seeds, mask):
    two_seeds.run("low", "dice-bce", 0, {"a": mask(4, 0)}, image_size=64)
    older = two_seeds.runs / "low-bce-seed0"
    newer = two_seeds.run("low", "bce", 0, {"a": mask(0, 0), "b": mask(0, 0)}, name="again")
    learned = {"method": "otsu"}
    two_seeds.run("low", "focal", 5, {"a": mask(4, 0)}, ground_truth=learned)
    (*_, done) = report(two_seeds)
    said = "\n".join(done.left_out)
    assert "low-dice-bce-seed0: another experiment (image_size 64 instead of 32)" in said
    assert f"{older}: the same training as {newer}, but older" in said
    assert "low-focal-seed5: learned masks that were made in another way" in said
    assert done.runs == 4


def test_scenes_that_nobody_has_labelled_are_counted_and_not_left_out(two_seeds):
    (*_, done) = report(two_seeds)
    assert not any("bare" in line for line in done.left_out)
    assert "Without a low mask, and so not learned from: 1 scene." in page(two_seeds).text


def test_without_frames_there_are_no_pictures_and_it_says_so(two_seeds):
    (*_, done) = report(two_seeds, brackets=())
    assert any("There are no frames" in line for line in done.left_out)
    found = page(two_seeds)
    assert "img" not in found.tags
    assert "no frames are there to show" in found.text
    sources = [
        row["loss"] for row in rows(two_seeds, "table1_low.csv") if row["source"] == "baseline"
    ]
    assert sources == ["All foreground", "No foreground"]


def test_a_broken_frame_costs_its_own_pictures_only(two_seeds):
    frame = two_seeds.folder / "set" / "c" / "low.png"
    frame.write_bytes(frame.read_bytes()[:60])
    events = report(two_seeds)
    failed = [str(event.error) for event in events if isinstance(event, ReportStepFailed)]
    assert failed
    assert all(str(frame) in error for error in failed)
    assert "Otsu" not in [row["loss"] for row in rows(two_seeds, "table1_low.csv")]
    assert [row["scene"] for row in rows(two_seeds, "coverage.csv")] == ["a", "b"]
    assert any(line.startswith("picture of c") for line in events[-1].left_out)


def test_the_coverage_is_that_of_all_scenes(two_seeds):
    two_seeds.scene("d", np.ones((2, 5), bool))
    report(two_seeds)
    covered = json.loads((two_seeds.out / "tables.json").read_text())["coverage"]
    assert covered["manual_low"]["mean"] == pytest.approx((0.4 * 3 + 1) / 4)
    assert covered["otsu_low"]["mean"] == pytest.approx(0.2)
    assert covered["otsu_union"]["mean"] == pytest.approx(1)
    assert "cover more than Otsu's on 0 of 4 scenes" in page(two_seeds).text


def test_the_configuration_is_told(two_seeds):
    report(two_seeds)
    text = page(two_seeds).text
    for words in ("Image size 32", "Seed 0 | 1", "Learning rate 0.001", "torch 2.x"):
        assert words in text
    assert "4 trainings with seeds 0, 1. Ground truth: masks of unknown origin, 3 scenes" in text


def test_the_same_runs_give_the_same_files(two_seeds, tmp_path):
    report(two_seeds)
    report(two_seeds, out=tmp_path / "again")
    for path in two_seeds.out.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_nothing_is_written_before_everything_is_measured(two_seeds):
    making = write_report(two_seeds.brackets, two_seeds.paths, two_seeds.out)
    for event in making:
        if event.index == event.total - 1:
            break
    making.close()
    assert not two_seeds.out.exists()


def test_all_that_it_writes_is_known_before(two_seeds):
    assert tables_in(two_seeds.out) == []
    report(two_seeds)
    assert tables_in(two_seeds.out) == sorted(path.name for path in two_seeds.out.iterdir())


def test_otsu_is_not_held_against_the_mask_of_another_frame(lab, tmp_path):
    lab.scene("a")
    (bracket,) = lab.brackets
    rules = {"low": Otsu(), "high": Otsu()}
    masks = LabelingFolder.create(tmp_path / "otsu", LabelingInfo(method="otsu", ranges=rules))
    assert isinstance(*label_brackets([bracket], rules, masks), SceneLabeled)
    assert otsu_metrics(bracket, "low", masks).dice == 1
    low, high = bracket.frames
    another = tmp_path / "darker.png"
    assert cv2.imwrite(str(another), low.read()[::-1] // 2)
    changed = replace(bracket, frames=(replace(low, path=another), high))
    with pytest.raises(LabelingError, match=r"was made on low\.png, but darker\.png"):
        otsu_metrics(changed, "low", masks)


def test_without_a_finished_run_it_says_what_to_do(lab, mask):
    lab.scene("a")
    lab.run("low", "bce", 0, {"a": mask(4, 0)}, done=1)
    with pytest.raises(
        ReportError, match=r"no finished run.*1 of 3 epochs.*Train to the end first"
    ):
        report(lab)


def test_a_place_that_cannot_be_written_is_named(two_seeds):
    two_seeds.out.write_text("in the way")
    with pytest.raises(ReportError, match=r"out: cannot be written"):
        report(two_seeds)


def test_masks_that_are_gone_are_named(two_seeds):
    two_seeds.masks.rename(two_seeds.folder / "moved")
    with pytest.raises(ReportError, match=r"the masks that it learned, .*masks, are not there"):
        report(two_seeds)
    report(two_seeds, masks=two_seeds.folder / "moved")
    assert (two_seeds.out / "report.html").is_file()
