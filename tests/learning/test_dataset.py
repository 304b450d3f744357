import cv2
import numpy as np
import pytest

from bracketseg.brackets.alignment import Shift, shift_image
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.errors import OutOfMemoryError
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.label_folder import label_bracket
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.prediction import Prediction
from bracketseg.labeling.ranges import ManualRange, Otsu
from bracketseg.labeling.records import LabelingInfo, Network
from bracketseg.labeling.saved_scene import save_annotation
from bracketseg.learning import dataset as module
from bracketseg.learning.dataset import load_dataset, pair_scenes
from bracketseg.learning.estimate import cache_bytes
from bracketseg.learning.resize import resize_image, resize_mask, resize_region

SIZE = 32


def load(brackets, folder, role="low", should_stop=lambda: False):
    """Run the loader to its end and give its events and what it returns."""
    labeling = LabelingFolder.open(folder)
    paired, missing = pair_scenes(brackets, labeling, role)
    loading = load_dataset(paired, labeling, role, SIZE, should_stop)
    events = []
    while True:
        try:
            events.append(next(loading))
        except StopIteration as stop:
            return events, stop.value, missing


def read(bracket, role="low"):
    return cv2.imread(str(bracket.frame(role).path))[..., ::-1]


def test_images_are_resized_and_masks_made_at_that_size(make_brackets, label):
    brackets = make_brackets(3)
    events, (data, skipped), missing = load(brackets, label(brackets))
    assert [(e.scene, e.done, e.total) for e in events] == [(f"s{i}", i + 1, 3) for i in range(3)]
    assert skipped == missing == ()
    assert data.scenes == ("s0", "s1", "s2")
    assert data.images.shape == (3, SIZE, SIZE, 3)
    assert data.images.dtype == np.uint8
    assert data.masks.dtype == np.bool_
    assert data.rethresholded == 3
    for i, bracket in enumerate(brackets):
        expected = resize_image(read(bracket), SIZE, SIZE)
        assert np.array_equal(data.images[i], expected)
        assert np.array_equal(data.masks[i], luma(expected) >= 120)
    assert data.rows(["s2", "s0"]).tolist() == [2, 0]


def test_the_memory_is_known_beforehand(make_brackets, label):
    brackets = make_brackets(2)
    data = load(brackets, label(brackets))[1][0]
    assert cache_bytes(2, SIZE) == data.images.nbytes + data.masks.nbytes


def test_otsu_is_found_anew_in_the_resized_image(make_brackets, label):
    brackets = make_brackets(2)
    folder = label(brackets, {"low": Otsu(), "high": Otsu()})
    for role in ("low", "high"):
        data = load(brackets, folder, role)[1][0]
        for image, mask in zip(data.images, data.masks, strict=True):
            y = luma(image)
            assert np.array_equal(mask, Otsu().bounds(y, role).mask(y))
        assert data.rethresholded == 2


def test_a_corrected_mask_is_resized_instead(make_brackets, label):
    brackets = make_brackets(2)
    folder = label(brackets)
    path = folder / "s1_low.png"
    mask = read_mask(path)
    mask[:20] = ~mask[:20]
    write_mask(path, mask)
    data = load(brackets, folder)[1][0]
    assert data.rethresholded == 1
    assert np.array_equal(data.masks[1], resize_mask(mask, SIZE, SIZE))


def test_a_mask_that_began_from_a_prediction_is_resized_also_where_a_range_would_give_it(
    make_brackets, label
):
    brackets = make_brackets(2)
    folder = label(brackets)
    network = Network(model="run", model_sha256="", loss="bce", threshold=0.5, scale="full")
    mask = read_mask(folder / "s1_low.png")
    lumas = {"low": luma(read(brackets[1]))}
    annotation = SceneAnnotation("s1", lumas, {"low": Prediction(origin=network, mask=mask)})
    labeling = LabelingFolder.create(folder, LabelingFolder.open(folder).info)
    save_annotation(labeling, annotation, {"low": brackets[1].frame("low").path})
    data = load(brackets, folder)[1][0]
    assert data.rethresholded == 1
    assert np.array_equal(data.masks[1], resize_mask(mask, SIZE, SIZE))


def test_a_mask_that_its_frame_no_longer_gives_is_resized(make_brackets, label):
    brackets = make_brackets(2)
    folder = label(brackets)
    mask = read_mask(folder / "s1_low.png")
    cv2.imwrite(str(brackets[1].frame("low").path), 255 - read(brackets[1]))
    data = load(brackets, folder)[1][0]
    assert data.rethresholded == 1
    assert np.array_equal(data.masks[1], resize_mask(mask, SIZE, SIZE))


def test_masks_of_another_program_are_resized(make_brackets, label):
    brackets = make_brackets(2)
    folder = label(brackets)
    for record in folder.glob("*.json"):
        record.unlink()
    data = load(brackets, folder)[1][0]
    assert data.rethresholded == 0
    mask = read_mask(folder / "s0_low.png")
    assert np.array_equal(data.masks[0], resize_mask(mask, SIZE, SIZE))


def test_grey_frames_have_three_equal_channels(make_brackets, label, rng):
    grey = rng.integers(0, 256, (44, 60), dtype=np.uint8)
    brackets = make_brackets(2, lambda _: grey)
    data = load(brackets, label(brackets))[1][0]
    assert (data.images == data.images[..., :1]).all()
    assert np.array_equal(data.images[0, ..., 0], resize_image(grey, SIZE, SIZE))
    assert data.rethresholded == 2


def test_what_cannot_be_used_is_left_out_and_explained(make_brackets, label):
    brackets = make_brackets(6)
    folder = label(brackets)
    (folder / "s0_low.png").unlink()
    brackets[1].frame("low").path.write_bytes(b"no picture")
    write_mask(folder / "s2_low.png", np.ones((44, 59), bool))
    (folder / "s3_low.png").write_bytes(b"no mask")
    _, (data, skipped), missing = load(brackets, folder)
    assert data.scenes == ("s4", "s5")
    assert np.array_equal(data.images[1], resize_image(read(brackets[5]), SIZE, SIZE))
    assert data.masks.shape == (2, SIZE, SIZE)
    reasons = {s.scene: s.reason for s in (*missing, *skipped)}
    assert sorted(reasons) == ["s0", "s1", "s2", "s3"]
    assert "has no s0_low.png; label this scene" in reasons["s0"]
    assert str(brackets[1].frame("low").path) in reasons["s1"]
    assert "s2_low.png is 59x44 but its frame low.png is 60x44" in reasons["s2"]
    assert "s3_low.png" in reasons["s3"]


def test_scenes_are_in_natural_order(make_brackets, label):
    brackets = make_brackets(11)
    data = load(brackets[::-1], label(brackets))[1][0]
    assert data.scenes == tuple(f"s{i}" for i in range(11))


def test_loading_can_be_stopped(make_brackets, label):
    brackets = make_brackets(3)
    events, result, _ = load(brackets, label(brackets), should_stop=lambda: True)
    assert len(events) == 1
    assert result is None


def test_too_many_images_are_refused_with_their_size(make_brackets, label, monkeypatch):
    def empty(*_):
        raise MemoryError

    brackets = make_brackets(2)
    folder = label(brackets)
    monkeypatch.setattr(module.np, "empty", empty)
    with pytest.raises(OutOfMemoryError, match=r"2 images of 32x32 take 0 MiB.*smaller image size"):
        load(brackets, folder)


def test_where_aligned_frames_show_nothing_in_common_there_is_nothing_to_learn(
    make_brackets, tmp_path
):
    brackets = make_brackets(2)
    for seed, bracket in enumerate(brackets):
        coarse = np.random.default_rng(seed).integers(0, 128, (12, 15, 3), np.uint8)
        image = cv2.resize(coarse, (240, 192), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(bracket.frame("low").path), image)
        moved = shift_image(image, Shift(dx=9, dy=-6))
        cv2.imwrite(str(bracket.frame("high").path), np.minimum(moved, 127) * 2)
    rules = {"low": ManualRange(lo=0, hi=255), "high": ManualRange(lo=0, hi=255)}
    info = LabelingInfo(method="manual", ranges=rules)
    folder = LabelingFolder.create(tmp_path / "masks", info)
    label_bracket(brackets[0], rules, folder, align="shift")
    label_bracket(brackets[1], rules, folder)
    data = load(brackets, folder.path)[1][0]
    inside = np.zeros((192, 240), bool)
    inside[6:, :-9] = True  # what the high frame, which went 9 right and 6 up, still shows
    np.testing.assert_array_equal(data.outside[0], ~resize_region(inside, SIZE, SIZE))
    assert data.outside[0, 0].all()
    assert data.outside[0, :, -2:].all()
    np.testing.assert_array_equal(data.masks[0], ~data.outside[0])
    assert not data.outside[1].any()
    assert data.masks[1].all()
