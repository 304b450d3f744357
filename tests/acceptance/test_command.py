"""The command, driven as a person drives it; see also its contract in the README."""

import csv
import json
import re
import subprocess
import sys
from contextlib import nullcontext

import cv2
import numpy as np
import onnxruntime
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from tests.handheld import photograph, turned
from tests.handheld import scene as radiance

from bracketseg import __version__, commands
from bracketseg.brackets.masks import read_mask, read_probability
from bracketseg.errors import OutOfMemoryError, TrainingError
from bracketseg.learning import (
    optimization,
    predict_folder,
    prediction,
    prediction_estimate,
    training,
)

FAST = ("--epochs", 1, "--batch-size", 4, "--image-size", 16, "--device", "cpu")
METRICS = {"dice", "jaccard", "sensitivity", "specificity", "auc_eq9", "roc_auc"}


@pytest.fixture
def masks(command, brackets, tmp_path):
    """Manual ground truth of the six scenes."""
    out = tmp_path / "masks"
    assert command("label", brackets, "--method", "manual", "--out", out).status == 0
    return out


@pytest.fixture
def run(command, brackets, masks, tmp_path):
    """A run of one epoch for the low exposure."""
    out = tmp_path / "run"
    made = command("train", brackets, "--masks", masks, "--role", "low", "--out", out, *FAST)
    assert made.status == 0, made.err
    return out


def test_info_lists_every_frame(command, brackets):
    found = json.loads(command("info", brackets, "--json").out)
    assert [scene["scene"] for scene in found] == [f"s{number}" for number in range(6)]
    for scene in found:
        assert [frame["role"] for frame in scene["frames"]] == ["low", "medium", "high"]
        assert [frame["ev"] for frame in scene["frames"]] == [-2, 0, 2]
        for frame in scene["frames"]:
            assert set(frame) == {
                *("path", "role", "ev", "exposure_time", "f_number", "iso", "shape", "dtype")
            }
            assert frame["shape"] == [24, 40, 3]
            assert frame["dtype"] == "uint8"
    shown = command("info", brackets)
    assert shown.status == 0
    assert "6 brackets" in shown.out


def test_info_says_where_alignment_moves_each_frame(command, brackets):
    still = cv2.imread(str(brackets / "s2" / "medium.png"))
    for role, dx in (("low", 0), ("medium", 0), ("high", 4)):
        picture = cv2.resize(still, (240, 144), interpolation=cv2.INTER_CUBIC)
        moved = np.roll(picture, dx, axis=1)
        assert cv2.imwrite(str(brackets / "s2" / f"{role}.png"), moved)
    found = json.loads(command("info", brackets / "s2", "--align", "shift", "--json").out)
    placements = [frame["placement"] for frame in found[0]["frames"]]
    assert [told["text"] for told in placements] == ["stays", "stays", "moved 4 left"]
    assert placements[2]["matrix"][0] == [1, 0, -4]
    assert all(told["reliable"] for told in placements)
    lines = command("info", brackets / "s2", "--align", "shift").out.splitlines()
    assert [line.strip() for line in lines[2::2]] == ["stays", "stays", "moved 4 left"]


def test_info_of_a_day_of_photographs(command, tmp_path):
    def photograph(name, stop, second, profile=None):
        exif = Image.Exif()
        camera = exif.get_ifd(0x8769)
        camera[0x829A] = IFDRational(2 ** (stop + 2), 256)
        camera[0x9003] = f"2024:05:01 10:{second // 60:02}:{second % 60:02}"
        picture = Image.new("RGB", (12, 8), (100 + 30 * stop,) * 3)
        picture.save(tmp_path / name, exif=exif, icc_profile=profile)

    for first in (0, 3):
        for number, stop in enumerate((0, -2, 2), start=first):
            photograph(f"IMG_{number}.jpg", stop, 60 * first + number)
    photograph("IMG_9.jpg", 1, 3000)
    photograph("IMG_4.jpg", -2, 184, profile=b"none")
    listed = command("info", tmp_path, "--json")
    assert [scene["scene"] for scene in json.loads(listed.out)] == ["IMG_0", "IMG_3"]
    assert json.loads(listed.out)[0]["notes"] == []
    assert "IMG_4.jpg: its colour profile" in json.loads(listed.out)[1]["notes"][0]
    shown = command("info", tmp_path)
    assert shown.status == listed.status == 0
    assert "Note: IMG_4.jpg: its colour profile is damaged" in shown.out
    for err in (shown.err, listed.err):
        assert f"In no bracket: {tmp_path / 'IMG_9.jpg'}: a single photograph" in err


def test_frames_that_were_chosen_by_hand_are_low_and_high(command, brackets):
    frames = {"low": "medium.png", "high": "high.png"}
    (brackets / "bracketseg.json").write_text(json.dumps({"version": 1, "roles": {"s1": frames}}))
    found = json.loads(command("info", brackets, "--json").out)
    roles = [[frame["role"] for frame in scene["frames"]] for scene in found]
    assert roles[0] == ["low", "medium", "high"]
    assert roles[1] == [None, "low", "high"]


@pytest.mark.parametrize("content", ["{", '{"version": 1, "roles": {"s1": {"low": "gone.png"}}}'])
def test_chosen_frames_that_cannot_be_used_are_one_warning(command, brackets, content):
    choices = brackets / "bracketseg.json"
    choices.write_text(content)
    told = command("info", brackets, "--json")
    assert told.status == 0
    assert [scene["frames"][0]["role"] for scene in json.loads(told.out)] == ["low"] * 6
    (line,) = told.err.splitlines()
    assert line.startswith(f"Warning: {choices}: ")


def test_masks_of_a_frame_that_is_no_longer_chosen_are_not_trained_on(command, brackets, tmp_path):
    masks = tmp_path / "masks"
    assert command("label", brackets, "--method", "manual", "--out", masks).status == 0
    frames = {"low": "medium.png", "high": "high.png"}
    (brackets / "bracketseg.json").write_text(json.dumps({"version": 1, "roles": {"s1": frames}}))
    out = tmp_path / "run"
    made = command("train", brackets, "--masks", masks, "--role", "low", "--out", out, *FAST)
    assert made.status == 1
    (line,) = [line for line in made.err.splitlines() if line.startswith("Left out: ")]
    assert f"{masks / 's1_low.png'}: was made on low.png, but medium.png is the low frame" in line
    split = json.loads((out / "split.json").read_text())
    assert "s1" not in {*split["train"], *split["validation"]}


def test_label_takes_ranges_and_reports_coverage(command, brackets, tmp_path):
    out = tmp_path / "masks"
    ranges = ("--low", 100, 180, "--high", 10, 90.5)
    labelled = command("label", brackets, "--method", "manual", "--out", out, *ranges, "--json")
    records = json.loads(labelled.out)
    assert records[0]["masks"]["low"]["origin"] == {"method": "manual", "lo": 100, "hi": 180}
    assert records[0]["masks"]["high"]["hi"] == 90.5
    frame = cv2.imread(str(brackets / "s0" / "low.png"))
    luma = cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)[..., 0]
    mask = cv2.imread(str(out / "s0_low.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask == 255, (luma >= 100) & (luma <= 180))
    with (out / "coverage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["low"]) == pytest.approx((mask == 255).mean(), abs=1e-6)


@pytest.fixture
def held(tmp_path, rng):
    """One scene `held`, taken by hand, in which a ball passes."""
    folder = tmp_path / "hand" / "held"
    folder.mkdir(parents=True)
    hands = {"low": (-2, turned(1, 9, -6)), "medium": (0, None), "high": (2, turned(-1, -7, 10))}
    for role, (stops, hand) in hands.items():
        frame = photograph(radiance(), stops, rng, hand)
        if role == "high":
            cv2.circle(frame, (280, 200), 30, (20, 20, 20), -1)
        assert cv2.imwrite(str(folder / f"{role}.png"), frame[..., ::-1])
    return tmp_path / "hand"


def test_masks_of_aligned_frames_are_empty_where_not_all_show_something(command, held, tmp_path):
    full = ("--method", "manual", "--low", 0, 255)
    for way, share in (("off", 1), ("shift", 0.94), ("homography", 0.94)):
        done = command("label", held, *full, "--out", tmp_path / way, "--align", way)
        assert done.status == 0
        mask = read_mask(tmp_path / way / "held_low.png")
        assert mask.shape == (400, 560)
        assert mask.mean() == pytest.approx(share, abs=0.02)
    out = tmp_path / "predicted"
    always = ("--threshold", 0, "--probability", "--align", "homography")
    assert command("predict", held, "--out", out, *always).status == 0
    np.testing.assert_array_equal(read_mask(out / "held_low.png"), mask)
    assert not read_probability(out / "held_low_probability.png")[~mask].any()
    refused = command("label", held, *full, "--out", tmp_path / "x", "--align", "by eye")
    assert refused.status == 2


def test_ghosts_are_found_and_told(command, held, tmp_path):
    out = tmp_path / "ghosts"
    done = command("ghosts", held, "--out", out)
    assert done.status == 0
    assert "held" in done.out
    assert "in the pixels of medium.png" in done.out
    told = json.loads(command("ghosts", held, "--out", out, "--json").out)
    assert [(scene["scene"], scene["frame"]) for scene in told] == [("held", "medium.png")]
    ghosts = read_mask(out / "held_ghosts.png")
    assert ghosts.mean() == pytest.approx(told[0]["share"], rel=0.2)
    assert 0.005 < told[0]["share"] < 0.05
    assert ghosts.any(axis=0)[250:300].any()


@pytest.mark.parametrize("method", ["auto", "division", "mixture", "valley"])
def test_label_finds_ranges_and_records_them(command, brackets, tmp_path, method):
    out = tmp_path / "masks"
    labelled = command("label", brackets, "--method", method, "--out", out, "--json")
    assert labelled.status == 0, labelled.err
    assert json.loads((out / "labeling.json").read_text())["method"] == method
    for record in json.loads(labelled.out):
        scene = record["scene"]
        for role, made in record["masks"].items():
            luma = cv2.cvtColor(
                cv2.imread(str(brackets / scene / f"{role}.png")), cv2.COLOR_BGR2YCrCb
            )[..., 0]
            mask = cv2.imread(str(out / f"{scene}_{role}.png"), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(mask == 255, (luma >= made["lo"]) & (luma <= made["hi"]))
            assert made["origin"]["method"] == method
            assert made["threshold"] == (
                None if method == "auto" else made["hi"] if role == "high" else made["lo"] - 1
            )
    again = command("label", brackets, "--method", method, "--out", out)
    assert again.status == 0, again.err
    other = command("label", brackets, "--method", "otsu", "--out", out)
    assert other.status == 1
    assert f"made in another way ({method})" in other.err


def test_label_explains_the_ranges_that_it_found(command, brackets, tmp_path):
    for path in brackets.glob("*/*.png"):
        frame = cv2.imread(str(path)).astype(float)
        gain = {"low": 0.5, "medium": 1.0, "high": 2.0}[path.stem]
        # Everything brighter than 230 clips.
        cv2.imwrite(str(path), np.minimum(frame * gain * 1.6, 230).astype(np.uint8))
    labelled = command("label", brackets, "--method", "auto", "--out", tmp_path / "masks", "--json")
    for record in json.loads(labelled.out):
        high, low = (record["masks"][role] for role in ("high", "low"))
        found = high["origin"]["found"]
        assert (found["lo"], found["hi"]) == (high["lo"], high["hi"])
        assert found["why"] == f"high up to {high['hi']:g}: above it, the high frame clips"
        assert high["hi"] < 230
        assert low["origin"]["found"]["why"].startswith("low ")


def test_label_finds_ranges_of_two_frames(command, brackets, tmp_path):
    for path in brackets.glob("*/medium.png"):
        path.unlink()
    out = tmp_path / "masks"
    labelled = command("label", brackets, "--method", "auto", "--out", out, "--json")
    assert labelled.status == 0, labelled.err
    for record in json.loads(labelled.out):
        assert "high frame" in record["masks"]["low"]["origin"]["found"]["why"]


def test_a_broken_scene_is_left_out_named_and_the_rest_is_done(command, brackets, tmp_path):
    (brackets / "s3" / "low.png").write_bytes((brackets / "s3" / "low.png").read_bytes()[:100])
    out = tmp_path / "masks"
    labelled = command("label", brackets, "--method", "otsu", "--out", out)
    assert labelled.status == 1
    assert str(brackets / "s3" / "low.png") in labelled.err
    assert "Traceback" not in labelled.err
    assert len(list(out.glob("*_low.png"))) == 5


def test_train_leaves_the_run_folder_of_the_contract(run):
    assert {path.name for path in run.iterdir()} == {
        *("config.json", "split.json", "history.csv", "best.safetensors", "last.pt"),
        *("metrics.json", "environment.json"),
    }


def test_train_refuses_to_overwrite_a_run_and_resumes_it(command, brackets, masks, run):
    again = ("train", brackets, "--masks", masks, "--role", "low", "--out", run, *FAST)
    refused = command(*again)
    assert refused.status == 1
    assert "--resume" in refused.err
    longer = command(*again, "--epochs", 3, "--resume")
    assert longer.status == 0, longer.err
    with (run / "history.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3


@pytest.mark.parametrize("scale", ["train", "full"])
def test_predict_and_evaluate(command, brackets, masks, run, tmp_path, scale):
    out = tmp_path / "prediction"
    predicted = command(
        *("predict", brackets, "--low-model", run, "--out", out, "--scale", scale),
        *("--probability", "--device", "cpu", "--threshold", 0.4),
    )
    assert predicted.status == 0, predicted.err
    probability = cv2.imread(str(out / "s0_low_probability.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(out / "s0_low.png"), cv2.IMREAD_UNCHANGED)
    assert (probability.dtype, probability.shape) == (np.uint16, (24, 40))
    assert not (mask[probability < 0.4 * 65535 - 1] != 0).any()
    assert (mask[probability > 0.4 * 65535 + 1] == 255).all()
    assert not list(out.glob("*_high.png"))

    table = tmp_path / "table.csv"
    measured = command(
        *("evaluate", "--reference", masks, "--prediction", out, "--csv", table, "--json"),
    )
    report = json.loads(measured.out)
    assert len(report["scenes"]) == 6
    assert set(report["scenes"][0]) >= METRICS
    assert report["mean"]["low"]["avg"] == pytest.approx(
        sum(report["mean"]["low"][name] for name in METRICS - {"roc_auc"}) / 5
    )
    assert "high" not in report["mean"]
    with table.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6


def test_export_writes_a_model_and_how_to_use_it(command, run, tmp_path):
    out = tmp_path / "exported" / "low.onnx"
    exported = command("export", run, "--format", "onnx", "--out", out)
    assert exported.status == 0, exported.err
    assert str(out) in exported.out
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    picture = np.zeros((1, 3, 32, 16), np.float32)
    (probability,) = session.run(None, {session.get_inputs()[0].name: picture})
    assert probability.shape == (1, 1, 32, 16)
    bundle = json.loads(out.with_suffix(".json").read_text())
    assert (bundle["role"], bundle["image_size"]) == ("low", 16)
    refused = command("export", tmp_path, "--out", out)
    assert refused.status == 1
    assert "is no finished run" in refused.err


def test_train_says_what_it_takes_and_what_is_odd(command, brackets, masks, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "free_memory", lambda: 0)
    for mask in masks.glob("*_low.png"):
        cv2.imwrite(str(mask), np.zeros((24, 40), np.uint8))
    out = ("--masks", masks, "--role", "low", "--out", tmp_path / "run")
    trained = command("train", brackets, *out, *FAST)
    assert trained.status == 0, trained.err
    assert re.search(r"of memory for their images, about \d+ MiB in all", trained.err)
    assert "Warning: all 5 masks to learn from are nothing but background" in trained.err
    assert "Memory is short: batches of 4 are learned in parts of 1" in trained.err


def test_a_model_of_the_wrong_role_is_refused(command, brackets, run, tmp_path):
    refused = command("predict", brackets, "--high-model", run, "--out", tmp_path / "p")
    assert refused.status == 1
    assert "low" in refused.err
    assert not list((tmp_path / "p").glob("*.png")) if (tmp_path / "p").exists() else True


def test_compare_writes_both_tables(command, brackets, masks, tmp_path):
    out = tmp_path / "comparison"
    compared = command(
        *("compare", brackets, "--masks", masks, "--out", out, *FAST),
        *("--losses", "bce", "focal", "--validation", 0.4),
    )
    assert compared.status == 0, compared.err
    tables = (out / "tables.md").read_text()
    assert "Table 1" in tables
    assert "Table 2" in tables
    for name in ("table1_low.csv", "table2_high.csv"):
        with (out / name).open(newline="") as file:
            rows = list(csv.DictReader(file))
        measured = [row for row in rows if row["source"] == "measured"]
        assert [row["loss"] for row in measured] == ["BCE", "Focal"]
        assert all(0 <= float(row["dice"]) <= 1 for row in measured)
    resumed = command(
        *("compare", brackets, "--masks", masks, "--out", out, *FAST, "--json"),
        *("--losses", "bce", "--losses", "focal", "--validation", 0.4, "--resume"),
    )
    assert resumed.status == 0, resumed.err
    assert set(json.loads(resumed.out)["low"]) == {"bce", "focal"}


def _times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_comparison_goes_over_seeds_and_trains_only_what_is_missing(
    command, brackets, masks, tmp_path
):
    out = tmp_path / "comparison"
    settings = (brackets, "--masks", masks, *FAST, "--validation", 0.4, "--losses", "bce", "focal")
    assert command("compare", *settings, "--out", out, "--seeds", 1).status == 0
    names = {f"{role}-{loss}-seed1" for role in ("low", "high") for loss in ("bce", "focal")}
    assert {path.name for path in out.iterdir() if path.is_dir()} == names
    refused = command("compare", *settings, "--out", out, "--seeds", 0, 1)
    assert refused.status == 1
    assert "resume it (--resume)" in refused.err

    # Runs that were made elsewhere are known by what they are, not by their names.
    (out / "low-bce-seed1").rename(out / "from elsewhere")
    before = {}
    for run in out.iterdir():
        before |= _times(run)
    both = command("compare", *settings, "--out", out, "--seeds", 0, 1, "--resume")
    assert both.status == 0, both.err
    assert "[5/8] low, bce, seed 1" in both.err
    assert both.err.count("epoch 1/1") == 4
    now = _times(out)
    assert before
    assert {path: now[path] for path in before} == before
    assert not (out / "low-bce-seed1").exists()
    assert "8 trainings with seeds 0, 1" in (out / "report.html").read_text(encoding="utf-8")
    tables = json.loads((out / "tables.json").read_text())
    assert tables["seeds"] == [0, 1]
    assert tables["low_spread"]["bce"]["dice"]["sd_seeds"] is not None

    other = command("compare", *settings, "--out", out, "--seeds", 1, "--resume", "--dropout", 0.3)
    assert other.status == 1
    assert "other settings: dropout (was 0.1, is 0.3)" in other.err


def test_a_training_that_breaks_costs_itself_only_and_is_named(
    command, brackets, masks, tmp_path, monkeypatch
):
    whole = optimization.Optimization.step

    def break_focal(self, *arguments, **options):
        if self.config.loss == "focal" and self.config.role == "low":
            raise TrainingError("the loss is not finite")
        return whole(self, *arguments, **options)

    monkeypatch.setattr(optimization.Optimization, "step", break_focal)
    out = tmp_path / "comparison"
    compared = command(
        *("compare", brackets, "--masks", masks, "--out", out, *FAST, "--validation", 0.4),
        *("--losses", "bce", "focal", "--json"),
    )
    assert compared.status == 1
    assert "low-focal-seed0 failed; the others go on" in compared.err
    assert "Left out: the loss is not finite" in compared.err
    tables = json.loads(compared.out)
    assert list(tables["low"]) == ["bce"]
    assert list(tables["high"]) == ["bce", "focal"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "the loss is not finite" in page
    assert "low-focal-seed0: not finished, 0 of 1 epochs are done" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("info", "{tmp}/nowhere"), "does not exist"),
        (("evaluate", "--reference", "{tmp}", "--prediction", "{tmp}/x"), "no such folder"),
        (("predict", "{set}", "--low-model", "{tmp}/x", "--out", "{tmp}/o"), "does not exist"),
        (("train", "{set}", "--masks", "{tmp}/x", "--role", "low", "--out", "{tmp}/r"), "{tmp}/x"),
    ],
)
def test_an_error_is_one_line_that_names_the_file(command, brackets, tmp_path, arguments, words):
    names = {"tmp": tmp_path, "set": brackets}
    failed = command(*(argument.format(**names) for argument in arguments))
    assert failed.status == 1
    assert words.format(**names) in failed.err
    assert failed.err.count("\n") == 1
    assert failed.err.startswith("Error: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("label", "{set}", "--method", "magic", "--out", "x"),
        ("label", "{set}", "--method", "otsu", "--out", "x", "--low", 1, 2),
        ("label", "{set}", "--method", "auto", "--out", "x", "--high", 1, 2),
        ("label", "{set}", "--method", "manual", "--out", "x", "--low", 9, 2),
        ("train", "{set}", "--masks", "x", "--out", "y"),
        ("train", "{set}", "--masks", "x", "--out", "y", "--role", "low", "--epochs", 0),
        ("predict", "{set}", "--out", "x", "--low-model", "y", "--threshold", 2),
        ("compare", "{set}", "--masks", "x", "--out", "y", "--losses", "bce", "magic"),
        ("compare", "{set}", "--masks", "x", "--out", "y", "--seeds", "one"),
        ("compare", "{set}", "--masks", "x", "--out", "y", "--seeds", -1),
    ],
)
def test_wrong_usage_is_status_2(command, brackets, arguments):
    assert command(*(str(argument).format(set=brackets) for argument in arguments)).status == 2


@pytest.mark.parametrize(
    "name", ["info", "label", "train", "predict", "ghosts", "export", "evaluate", "compare", "demo"]
)
def test_every_command_has_help(command, name):
    assert "Usage" in command(name, "--help").out


def test_the_module_is_the_command():
    called = subprocess.run(
        [sys.executable, "-m", "bracketseg", "--version"], capture_output=True, check=True
    )
    assert called.stdout.decode().split() == ["bracketseg", __version__]


def test_train_leaves_out_what_is_broken_or_unlabelled(command, brackets, masks, tmp_path):
    (masks / "s1_low.png").unlink()
    (brackets / "s2" / "low.png").write_bytes((brackets / "s2" / "low.png").read_bytes()[:100])
    again = ("train", brackets, "--masks", masks, "--role", "low", "--out", tmp_path / "run", *FAST)
    trained = command(*again)
    assert trained.status == 1
    assert "1 scene without a mask left out: s1" in trained.err
    assert f"Left out: {brackets / 's2' / 'low.png'}" in trained.err
    assert "1 left out, 4 done" in trained.err
    assert (tmp_path / "run" / "best.safetensors").is_file()


def test_a_prediction_that_is_stopped_before_it_began_says_so(
    command, brackets, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        commands.predict, "stopping_on_interrupt", lambda: nullcontext(lambda: True)
    )
    monkeypatch.setattr(prediction_estimate, "WORTH_IT", 1)
    out = tmp_path / "predicted"
    stopped = command("predict", brackets, "--low-model", run, "--out", out)
    assert stopped.status == 1
    assert "Stopped before the first scene" in stopped.err
    assert not list(out.glob("*.png"))


def test_evaluate_says_what_constant_masks_would_have(command, masks):
    said = command("evaluate", "--reference", masks, "--prediction", masks).out.splitlines()
    lines = [line.split() for line in said]
    assert [line[0] for line in lines[:4]] == ["Role", "low", "all", "none"]
    shares = np.array([read_mask(path).mean() for path in masks.glob("*_low.png")])
    everything, nothing = lines[2], lines[3]
    assert float(everything[1]) == pytest.approx((2 * shares / (1 + shares)).mean(), abs=1e-4)
    assert nothing[3:5] == ["0.0000", "1.0000"], "sensitivity and specificity"


def test_a_place_that_cannot_be_written_is_one_line(command, masks, tmp_path):
    failed = command(
        *("evaluate", "--reference", masks, "--prediction", masks),
        *("--csv", tmp_path / "nowhere" / "table.csv"),
    )
    assert failed.status == 1
    assert "nowhere" in failed.err
    assert "Traceback" not in failed.err


def test_train_into_a_file_fails_before_anything_is_read(command, brackets, masks, tmp_path):
    (tmp_path / "file").write_text("mine")
    again = ("train", brackets, "--masks", masks, "--role", "low", *FAST)
    failed = command(*again, "--out", tmp_path / "file")
    assert failed.status == 1
    assert str(tmp_path / "file") in failed.err
    assert "MiB" not in failed.err
    assert (tmp_path / "file").read_text() == "mine"


def test_info_lists_the_others_when_one_bracket_is_broken(command, brackets, rng):
    broken = brackets / "five"
    broken.mkdir()
    for number in range(5):
        frame = np.full((24, 40, 3), 40 * number + 20, np.uint8)
        cv2.imwrite(str(broken / f"EV{number - 2}.jpg"), frame)
    truncated = broken / "EV0.jpg"
    truncated.write_bytes(truncated.read_bytes()[:-60])
    listed = command("info", brackets, "--json")
    assert listed.status == 1
    assert len(json.loads(listed.out)) == 6
    assert str(truncated) in listed.err


def test_a_float_frame_beyond_1_is_named(command, brackets, tmp_path):
    for path in (brackets / "s0").iterdir():
        path.unlink()
    for role, top in (("low", 0.5), ("high", 7.5)):
        tifffile.imwrite(brackets / "s0" / f"{role}.tif", np.full((4, 4), top, np.float32))
    labelled = command("label", brackets, "--method", "otsu", "--out", tmp_path / "masks")
    assert labelled.status == 1
    assert str(brackets / "s0" / "high.tif") in labelled.err


def test_predict_without_a_model_takes_those_that_the_package_brings(command, brackets, tmp_path):
    out = tmp_path / "prediction"
    arguments = ("predict", brackets, "--out", out, "--scale", "train", "--device", "cpu")
    predicted = command(*arguments)
    assert predicted.status == 0, predicted.err
    assert "with the models that bracketseg brings" in predicted.out
    assert len(list(out.glob("*_low.png"))) == len(list(out.glob("*_high.png"))) == 6
    ranges = json.loads((out / "labeling.json").read_text())["ranges"]
    assert {role: origin["model"] for role, origin in ranges.items()} == {
        "low": "low.safetensors",
        "high": "high.safetensors",
    }


def test_predict_says_before_it_begins_what_many_frames_take(
    command, brackets, masks, tmp_path, monkeypatch
):
    arguments = ("predict", brackets, "--scale", "train", "--device", "cpu", "--out")
    assert "frames will take" not in command(*arguments, tmp_path / "few").err
    monkeypatch.setattr(prediction_estimate, "WORTH_IT", 12)
    said = command(*arguments, tmp_path / "many").err
    assert "frames will take" in command(*arguments, tmp_path / "moved", "--align", "shift").err
    refused = command(*arguments, masks)
    assert refused.status == 1
    assert "will take" not in refused.err
    assert re.search(r"^12 frames will take about \d+ (s|min), and \d+ MiB of memory$", said, re.M)


def test_predict_with_a_model_says_nothing_of_those_that_the_package_brings(
    command, brackets, run, tmp_path
):
    out = tmp_path / "prediction"
    predicted = command("predict", brackets, "--low-model", run, "--out", out, "--device", "cpu")
    assert predicted.status == 0, predicted.err
    assert "brings" not in predicted.out
    assert not list(out.glob("*_high.png"))


def test_one_role_after_the_other_gives_what_both_at_once_give(
    command, brackets, masks, run, tmp_path
):
    other, out, both = tmp_path / "high-run", tmp_path / "p", tmp_path / "both"
    trained = ("train", brackets, "--masks", masks, "--role", "high", "--out", other, *FAST)
    assert command(*trained).status == 0
    for arguments in (
        ("--low-model", run, "--out", out),
        ("--high-model", other, "--out", out),
        ("--low-model", run, "--high-model", other, "--out", both),
    ):
        assert command("predict", brackets, *arguments, "--device", "cpu").status == 0
    assert (out / "coverage.csv").read_text() == (both / "coverage.csv").read_text()
    ranges = json.loads((out / "labeling.json").read_text())["ranges"]
    assert ranges == json.loads((both / "labeling.json").read_text())["ranges"]
    for name in ("s0.json", "s5.json"):
        records = [json.loads((folder / name).read_text())["masks"] for folder in (out, both)]
        assert records[0] == records[1]


def test_compare_names_a_scene_that_fails_and_still_compares_the_same_scenes(
    command, brackets, masks, tmp_path, monkeypatch
):
    once = []

    def fail_once(*arguments, **options):
        if not once:
            once.append(True)
            raise OutOfMemoryError("no memory left")
        return prediction.predict_probability(*arguments, **options)

    monkeypatch.setattr(predict_folder, "predict_probability", fail_once)
    out = tmp_path / "comparison"
    compared = command(
        *("compare", brackets, "--masks", masks, "--out", out, *FAST),
        *("--losses", "bce", "focal", "--validation", 0.4, "--json"),
    )
    assert compared.status == 1
    assert "Left out: no memory left" in compared.err
    assert "[2/4] low, focal" in compared.err
    tables = json.loads(compared.out)
    assert len(tables["low_scenes"]) == len(tables["high_scenes"]) - 1
    assert "also chose the best epoch" in (out / "tables.md").read_text()


def test_the_demo_does_all_of_it_and_says_where(command, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bracketseg.demo._SETTINGS", ("--epochs", "1", "--batch-size", "4", "--image-size", "16")
    )
    out = tmp_path / "demo"
    shown = command("demo", "--out", out)
    assert shown.status == 0, shown.err
    assert str(out.resolve()) in shown.out
    assert "napari --plugin bracketseg" in shown.out
    for name in ("manual", "otsu", "prediction"):
        assert len(list((out / name).glob("*_low.png"))) == 15
    assert "Table 2" in (out / "comparison" / "tables.md").read_text()
    assert command("demo", "--out", out).status == 0
