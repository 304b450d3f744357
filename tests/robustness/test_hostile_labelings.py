"""Labellings that somebody tampered with: records of odd types, links and names that lead away."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.robustness.cases import TEXTS, surprising
from tests.robustness.mutations import MUTATIONS

from bracketseg.brackets.bracket import MASK_ROLES, Bracket
from bracketseg.brackets.decisions import DECISION_NAME
from bracketseg.brackets.layouts import find_brackets
from bracketseg.brackets.luma import luma
from bracketseg.errors import BracketSegError, LabelingError, ModelError
from bracketseg.evaluation.folders import evaluate_folders
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo
from bracketseg.labeling.saved_scene import open_annotation
from bracketseg.learning.runs import read_split

TRIES = 150


@pytest.fixture
def bracket(tmp_path: Path) -> Bracket:
    folder = tmp_path / "pictures" / "s0"
    folder.mkdir(parents=True)
    ramp = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))
    for name, gain in (("low", 0.5), ("high", 1.0)):
        cv2.imwrite(str(folder / f"{name}.png"), (ramp * gain).astype(np.uint8))
    return find_brackets(folder).brackets[0]


def label(bracket: Bracket, folder: Path, **options: bool) -> list[object]:
    info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES)
    return list(
        label_brackets([bracket], DEFAULT_RANGES, LabelingFolder.create(folder, info, **options))
    )


@pytest.fixture
def labels(tmp_path: Path, bracket: Bracket) -> Path:
    folder = tmp_path / "labels"
    label(bracket, folder)
    return folder


def read_all(folder: Path, bracket: Bracket) -> None:
    """Whatever the program reads of a labelling."""
    labeling = LabelingFolder.open(folder)
    lumas = {role: luma(bracket.frame(role).read()) for role in MASK_ROLES}
    frames = {role: bracket.frame(role).path for role in MASK_ROLES}
    labeling.record("s0")
    open_annotation(labeling, "s0", lumas, frames=frames)
    for role in MASK_ROLES:
        labeling.mask("s0", role)
        labeling.rule("s0", role)
        labeling.corrections("s0", role)
        labeling.prediction("s0", role)


@pytest.mark.parametrize("name", ["labeling.json", "s0.json"])
def test_records_of_surprising_types(
    labels: Path, bracket: Bracket, rng: np.random.Generator, name: str
) -> None:
    path = labels / name
    good, refused = path.read_bytes(), 0
    for attempt in range(TRIES):
        odd = surprising(good, rng) if attempt >= len(TEXTS) else TEXTS[attempt]
        path.write_bytes(odd)
        try:
            read_all(labels, bracket)
        except LabelingError as error:
            assert str(labels) in str(error)
            refused += 1
    assert TRIES / 3 < refused < TRIES
    path.write_bytes(good)
    read_all(labels, bracket)


@pytest.mark.parametrize("name", ["s0_low.png", "s0_low_corrections.png", "s0_low_prediction.png"])
def test_damaged_masks(labels: Path, bracket: Bracket, rng: np.random.Generator, name: str) -> None:
    good = (labels / "s0_low.png").read_bytes()
    for attempt in range(TRIES):
        mutation = MUTATIONS[attempt % len(MUTATIONS)]
        (labels / name).write_bytes(mutation(good, rng))
        try:
            read_all(labels, bracket)
        except LabelingError as error:
            assert str(labels) in str(error)


def test_damaged_drafts(tmp_path: Path, bracket: Bracket, rng: np.random.Generator) -> None:
    lumas = {role: luma(bracket.frame(role).read()) for role in MASK_ROLES}
    annotation = SceneAnnotation("s0", lumas, DEFAULT_RANGES)
    store = DraftStore(tmp_path / "drafts")
    store.save(annotation, "Ana")
    path = store.folder / "s0.json"
    good = path.read_bytes()
    for _ in range(TRIES):
        path.write_bytes(surprising(good, rng))
        try:
            draft = store.load("s0")
            store.find("s0", "Ana", lumas)
            assert draft is not None
        except LabelingError as error:
            assert str(path) in str(error)
        assert store.scenes() == ("s0",)


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with what they hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is nobody's business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("s0_low.png", "s0.json", "labeling.json", "coverage.csv", "other.txt"):
        (folder / name).write_bytes(b"mine")
    return folder


class TestNothingIsWrittenOutside:
    def test_through_links_in_the_folder(
        self, labels: Path, bracket: Bracket, outside: Path
    ) -> None:
        (outside / "s0.json").write_bytes((labels / "s0.json").read_bytes())
        before = everything(outside)
        for path in outside.iterdir():
            (labels / path.name).unlink(missing_ok=True)
            (labels / path.name).symlink_to(path)
        label(bracket, labels, overwrite=True)
        assert everything(outside) == before
        assert not (labels / "s0_low.png").is_symlink()
        read_all(labels, bracket)

    def test_through_links_that_are_in_the_way(
        self, labels: Path, bracket: Bracket, outside: Path
    ) -> None:
        """What is there is not known to be ours, and is kept: the scene is refused."""
        before = everything(outside)
        (labels / "s0_low.png").unlink()
        (labels / "s0_low.png").symlink_to(outside / "other.txt")
        (event,) = label(bracket, labels)
        assert str(labels / "s0_low.png") in str(getattr(event, "error", ""))
        assert everything(outside) == before

    def test_drafts_in_a_folder_that_is_a_link(
        self, tmp_path: Path, bracket: Bracket, outside: Path
    ) -> None:
        before = everything(outside)
        lumas = {role: luma(bracket.frame(role).read()) for role in MASK_ROLES}
        (tmp_path / "drafts").symlink_to(outside, target_is_directory=True)
        store = DraftStore(tmp_path / "drafts")
        with pytest.raises(LabelingError, match=r"drafts: is a link"):
            store.save(SceneAnnotation("s0", lumas, DEFAULT_RANGES), "Ana")
        assert everything(outside) == before

    @pytest.mark.parametrize(
        "name",
        ["../outside/s0", "/etc/passwd", "a/b", "a\\b", "..", ".hidden", "", "a\0b", "x" * 300],
    )
    def test_names_of_scenes(self, labels: Path, tmp_path: Path, outside: Path, name: str) -> None:
        before = everything(outside)
        lumas = {role: np.zeros((4, 5), np.uint8) for role in MASK_ROLES}
        with pytest.raises(LabelingError, match="cannot be the name of a scene"):
            DraftStore(labels / "drafts").save(SceneAnnotation(name, lumas, DEFAULT_RANGES), "Ana")
        with pytest.raises(LabelingError, match="cannot be the name of a scene"):
            DraftStore(labels / "drafts").load(name)
        assert everything(outside) == before
        split = {"train": ["s0"], "validation": [name]}
        (tmp_path / "split.json").write_text(json.dumps(split))
        with pytest.raises(ModelError, match=r"split\.json"):
            read_split(tmp_path)

    @pytest.mark.parametrize(
        "name", ["../outside/other.txt", "/etc/passwd", "./low.png", "../s0/low.png", "s0/low.png"]
    )
    def test_frames_that_a_decision_names(self, bracket: Bracket, name: str) -> None:
        folder = bracket.folder
        roles = {"version": 1, "roles": {"s0": {"low": name, "high": "high.png"}}}
        (folder / "bracketseg.json").write_text(json.dumps(roles))
        one = {"name": "../../x", "frames": [name, "high.png"]}
        (folder / DECISION_NAME).write_text(json.dumps({"version": 1, "brackets": [one]}))
        found = find_brackets(folder)
        assert found.problems
        assert all(str(folder) in str(problem) for problem in found.problems)
        for scene in found.brackets:
            assert {frame.path.parent for frame in scene.frames} == {folder}
            assert "/" not in scene.scene

    @pytest.mark.parametrize("name", ["../../x", "/x", "a\0b", "..", "x" * 400, "\ud800"])
    def test_names_that_a_decision_gives(self, bracket: Bracket, tmp_path: Path, name: str) -> None:
        """They become parts of file names, made safe or refused."""
        folder = bracket.folder
        for number, role in enumerate(("low", "high")):
            (folder / f"{role}.png").rename(folder / f"p{number}.png")
        one = {"name": name, "frames": ["p0.png", "p1.png"]}
        (folder / DECISION_NAME).write_text(json.dumps({"version": 1, "brackets": [one]}))
        found, out = find_brackets(folder), tmp_path / "there" / "out"
        before = everything(folder)
        info = LabelingInfo(method="manual", ranges=DEFAULT_RANGES)
        events = list(
            label_brackets(found.brackets, DEFAULT_RANGES, LabelingFolder.create(out, info))
        )
        assert len(events) == 1
        assert everything(folder) == before
        assert {path.parent for path in (tmp_path / "there").rglob("*") if path.is_file()} == {out}


def test_a_folder_of_masks_that_links_round(labels: Path, bracket: Bracket) -> None:
    (labels / "round").symlink_to(labels, target_is_directory=True)
    (labels / "s1_low.png").symlink_to("s1_low.png")
    (labels / "s2_low.png").mkdir()
    os.mkfifo(labels / "s3_low.png")
    os.mkfifo(labels / "s4_low.tif")
    labeling = LabelingFolder.open(labels)
    for scene in ("s1", "s2", "s3", "s4"):
        with pytest.raises(BracketSegError, match=f"{scene}_low"):
            labeling.mask(scene, "low")
    assert len(evaluate_folders(labels, labels).scenes) == 2
