import json
import shutil
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.errors import LabelingError
from bracketseg.labeling import drafts
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.draft import Draft
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu

LUMAS = {
    "low": np.arange(12, dtype=np.uint8).reshape(3, 4) * 20,
    "high": np.arange(15, dtype=np.uint8).reshape(3, 5) * 10,
}


def worked(scene="s1"):
    annotation = SceneAnnotation(scene, LUMAS, DEFAULT_RANGES)
    annotation.set_rule("low", ManualRange(lo=12.5, hi=200))
    annotation.set_rule("high", Otsu())
    annotation.paint("low", ([0, 1], [0, 1]), True)
    annotation.paint("low", ([2], [2]), False)
    return annotation


@pytest.fixture
def store(tmp_path):
    return DraftStore(tmp_path / "labels" / "drafts")


def test_what_was_kept_comes_back_in_a_new_start(store):
    annotation = worked()
    store.save(annotation, "Ada")
    draft = DraftStore(store.folder).load("s1")
    assert (draft.scene, draft.annotator) == ("s1", "Ada")
    assert draft.time.tzinfo is not None
    restored = draft.restore(LUMAS)
    for role in ("low", "high"):
        assert restored.rule(role) == annotation.rule(role)
        np.testing.assert_array_equal(restored.mask(role), annotation.mask(role))
    np.testing.assert_array_equal(restored.corrections("low"), annotation.corrections("low"))
    assert restored.corrections("high") is None
    assert not restored.can_undo


def test_a_draft_without_frames_that_fit_is_not_restored(store):
    store.save(worked(), "Ada")
    draft = store.load("s1")
    other = {**LUMAS, "low": np.zeros((4, 4), np.uint8)}
    with pytest.raises(LabelingError, match=r"s1\.json: .* low 3 x 4 .* low 4 x 4"):
        draft.restore(other)
    with pytest.raises(LabelingError, match=r"these frames of low 3 x 4\."):
        draft.restore({"low": LUMAS["low"]})


def test_strokes_that_were_taken_back_are_gone(store):
    annotation = worked()
    store.save(annotation, "Ada")
    annotation.clear_corrections("low")
    store.save(annotation, "Ada")
    assert not store.load("s1").corrections
    assert [path.name for path in store.folder.iterdir()] == ["s1.json"]


def test_the_copy_for_another_thread_stays_as_it_was(store):
    annotation = worked()
    expected = annotation.corrections("low")
    draft = Draft.of(annotation, "Ada")
    annotation.paint("low", ([0], [3]), True)
    store.write(draft)
    np.testing.assert_array_equal(store.load("s1").corrections["low"], expected)


def test_scenes_are_listed_and_discarded(store):
    assert store.scenes() == ()
    for scene in ("s10", "s2", "s1"):
        store.save(worked(scene), "Ada")
    (store.folder / ".s3.json").write_text("half of a draft")
    assert store.scenes() == ("s1", "s2", "s10")
    store.discard("s2")
    store.discard("s2")
    assert store.scenes() == ("s1", "s10")
    assert store.load("s2") is None
    assert not list(store.folder.glob("s2*"))


def test_a_draft_that_was_cut_short_leaves_the_one_before(store, monkeypatch):
    store.save(worked(), "Ada")
    before = store.load("s1")
    annotation = worked()
    annotation.set_rule("low", Otsu())

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drafts, "write_bytes", full)
    with pytest.raises(LabelingError, match=r"s1\.json: .*No space left on device.*Make room"):
        store.save(annotation, "Ada")
    assert store.load("s1").rules == before.rules


def test_a_folder_that_cannot_be_made_or_vanished_gives_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LabelingError, match=r"s1\.json: cannot be written .*Check that"):
        DraftStore(tmp_path / "file" / "drafts").save(worked(), "Ada")
    with pytest.raises(LabelingError, match="cannot be listed"):
        DraftStore(tmp_path / "file").scenes()
    store = DraftStore(tmp_path / "drafts")
    store.save(worked(), "Ada")
    shutil.rmtree(store.folder)
    assert store.load("s1") is None
    store.save(worked(), "Ada")
    assert store.scenes() == ("s1",)


@pytest.mark.parametrize("scene", ["../s1", "a/b", "a\\b", "", ".s1", "s\0", "C:x", "x" * 300])
def test_a_name_that_is_no_file_name_is_refused(store, scene):
    annotation = SceneAnnotation(scene, LUMAS, DEFAULT_RANGES)
    for use in (
        lambda: store.save(annotation, "Ada"),
        lambda: store.load(scene),
        lambda: store.discard(scene),
    ):
        with pytest.raises(LabelingError, match="cannot be the name of a scene"):
            use()
    assert not store.folder.exists()


def broken(change):
    """The JSON of a draft, with one thing changed."""
    stored = {
        "kind": "draft",
        "scene": "s1",
        "annotator": "Ada",
        "time": "2024-01-01T00:00:00Z",
        "roles": {"low": {"rule": {"method": "manual", "lo": 1, "hi": 2}, "shape": [3, 4]}},
    }
    change(stored)
    return json.dumps(stored).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[]",
        b'{"scene": "s1"',
        b"[" * 50_000,
        broken(lambda d: d["roles"].clear()),
        broken(lambda d: d["roles"]["low"]["rule"].update(lo=9)),
        broken(lambda d: d["roles"]["low"]["rule"].update(lo=float("nan"))),
        broken(lambda d: d["roles"]["low"]["rule"].update(method="pickle")),
        broken(lambda d: d["roles"]["low"].update(shape=[3])),
        broken(lambda d: d["roles"].update(medium=d["roles"]["low"])),
        broken(lambda d: d.update(annotator="x" * 200_000)),
        broken(lambda d: d.update(more=1)),
        broken(lambda d: d.update(scene="s2")),
    ],
)
def test_a_broken_draft_is_an_error_that_names_the_file(store, content):
    store.folder.mkdir(parents=True)
    (store.folder / "s1.json").write_bytes(content)
    with pytest.raises(LabelingError, match=r"s1\.json: .*[Dd]iscard"):
        store.load("s1")
    store.discard("s1")
    assert store.load("s1") is None


@settings(deadline=None, max_examples=50)
@given(content=st.binary(max_size=200))
def test_no_content_raises_anything_else(tmp_path_factory, content):
    store = DraftStore(tmp_path_factory.mktemp("drafts"))
    store.save(worked(), "Ada")
    (store.folder / "s1_low_corrections.png").write_bytes(content)
    with pytest.raises(LabelingError, match="s1_low_corrections"):
        store.load("s1")
    (store.folder / "s1.json").write_bytes(content)
    with pytest.raises(LabelingError, match=r"s1\.json"):
        store.load("s1")


def test_strokes_of_another_size_are_refused(store):
    store.save(worked(), "Ada")
    cv2.imwrite(str(store.folder / "s1_low_corrections.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(LabelingError, match=r"s1_low_corrections\.png: is \(2, 2\)"):
        store.load("s1")


@settings(deadline=None, max_examples=30)
@given(painted=hnp.arrays(np.bool_, (3, 4)), lo=st.floats(0, 255))
def test_whatever_was_painted_comes_back(tmp_path_factory, painted, lo):
    annotation = SceneAnnotation("s1", LUMAS, DEFAULT_RANGES)
    annotation.set_rule("low", ManualRange(lo=lo, hi=255))
    annotation.set_mask("low", painted)
    store = DraftStore(tmp_path_factory.mktemp("drafts"))
    store.save(annotation, "Ada")
    restored = store.load("s1").restore(LUMAS)
    np.testing.assert_array_equal(restored.mask("low"), painted)
    assert restored.rule("low") == annotation.rule("low")


def test_the_last_draft_takes_the_folder_with_it(store):
    store.save(worked("s1"), "Ada")
    store.save(worked("s2"), "Ada")
    store.discard("s1")
    assert store.scenes() == ("s2",)
    store.discard("s2")
    assert not store.folder.exists()
    store.discard("s2")


OTHER = {**LUMAS, "low": LUMAS["low"] + 1}


def drawn(lumas, spot):
    annotation = SceneAnnotation("s1", lumas, DEFAULT_RANGES)
    annotation.paint("low", spot, True)
    return annotation


def found(store, annotator, lumas):
    draft = store.find("s1", annotator, lumas)
    return None if draft is None else np.argwhere(draft.restore(lumas).corrections("low")).tolist()


def test_drafts_of_one_scene_on_other_frames_and_by_others_stand_beside_each_other(store):
    assert store.find("s1", "Ada", LUMAS) is None
    store.save(drawn(LUMAS, ([0], [0])), "Ada")
    assert found(store, "Ada", OTHER) is None
    assert found(store, "Bo", LUMAS) is None
    store.save(drawn(OTHER, ([1], [1])), "Ada")
    store.save(drawn(LUMAS, ([2], [2])), "Bo")
    assert found(store, "Ada", LUMAS) == [[0, 0]]
    assert found(store, "Ada", OTHER) == [[1, 1]]
    assert found(store, "Bo", LUMAS) == [[2, 2]]
    # Going on with one of them leaves no older copy.
    store.save(drawn(LUMAS, ([0, 1], [0, 0])), "Ada")
    store.discard("s1")
    assert found(store, "Ada", LUMAS) is None
    assert found(store, "Ada", OTHER) == [[1, 1]]
    assert found(store, "Bo", LUMAS) == [[2, 2]]


def test_where_nobody_left_a_draft_no_pixels_are_looked_at(store, monkeypatch):
    store.save(worked("s2"), "Ada")
    with monkeypatch.context() as patch:
        patch.delattr(drafts, "frames_of")
        assert store.find("s1", "Ada", LUMAS) is None
    # One that was set aside has to be told from others.
    for lumas in (LUMAS, OTHER):
        store.save(drawn(lumas, ([0], [0])), "Ada")
    store.discard("s1")
    assert found(store, "Ada", LUMAS) == [[0, 0]]


def test_one_role_less_is_another_draft(store):
    store.save(drawn(LUMAS, ([0], [0])), "Ada")
    low = {"low": LUMAS["low"]}
    assert found(store, "Ada", low) is None
    store.save(drawn(low, ([1], [1])), "Ada")
    assert found(store, "Ada", low) == [[1, 1]]
    assert found(store, "Ada", LUMAS) == [[0, 0]]


@pytest.mark.parametrize("written", range(6))
def test_whenever_it_is_cut_short_each_draft_is_on_its_own_frame(store, monkeypatch, written):
    store.save(drawn(LUMAS, ([0], [0])), "Ada")
    files = []

    class Killed(BaseException):
        pass

    def cut_short(path, target):
        files.append(target)
        if len(files) > written:
            raise Killed
        return replaced(path, target)

    replaced = Path.replace
    monkeypatch.setattr(Path, "replace", cut_short)
    with suppress(Killed):
        store.save(drawn(OTHER, ([1], [1])), "Ada")
    monkeypatch.setattr(Path, "replace", replaced)
    assert found(store, "Ada", LUMAS) == [[0, 0]]
    assert found(store, "Ada", OTHER) in (None, [[1, 1]])
    assert (found(store, "Ada", OTHER) is None) is (len(files) > written)


def test_a_draft_is_not_lost_where_it_cannot_be_set_aside(store, monkeypatch):
    store.save(drawn(LUMAS, ([0], [0])), "Ada")

    def full(path, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(drafts, "write_bytes", full)
        with pytest.raises(LabelingError, match="No space left"):
            store.save(drawn(OTHER, ([1], [1])), "Ada")
    assert found(store, "Ada", LUMAS) == [[0, 0]]


def test_scenes_are_listed_by_annotator(store):
    store.save(worked("s1"), "Ada")
    store.save(worked("s2"), "Bo")
    (store.folder / "s3.json").write_text("{")
    assert store.scenes("Ada") == ("s1", "s3")
    assert store.scenes("Bo") == ("s2", "s3")


def test_a_draft_says_which_frames_it_was_made_on(store):
    names = {"low": "dark.png", "high": "bright.png"}
    store.write(Draft.of(worked(), "Ada", names))
    draft = store.load("s1")
    assert {role: frame.name for role, frame in draft.frames.items()} == names
    assert draft.frames["low"].shape == (3, 4)
