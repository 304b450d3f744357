import json
import re
import shutil
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.plugins import _npe2

from bracketseg._napari.layers.provenance import METADATA_KEY, find_layer
from bracketseg._napari.layers.reader import get_reader
from bracketseg.brackets.masks import write_mask, write_probability
from bracketseg.errors import FrameError
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES
from bracketseg.labeling.records import LabelingInfo, Network

BRACKETS = Path(str(files("bracketseg") / "sample_data" / "brackets"))
HALF = np.arange(24 * 32).reshape(24, 32) % 32 < 16


def names(viewer):
    return [layer.name for layer in viewer.layers]


def labelling(folder, method="network", scenes=("a", "b")):
    network = Network(model="run", model_sha256="0", loss="bce", threshold=0.5, scale="full")
    ranges = {"low": network} if method == "network" else DEFAULT_RANGES
    LabelingFolder.create(folder, LabelingInfo(method=method, ranges=ranges, annotator="Ann"))
    for scene in scenes:
        write_mask(folder / f"{scene}_low.png", HALF)
        write_mask(folder / f"{scene}_high.png", ~HALF)
    return folder


def test_napari_opens_what_the_readme_gives_it(viewer):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    plugin, path = re.search(r"^napari --plugin (\S+) (\S+)$", readme, re.M).groups()
    viewer.open(Path(__file__).parents[2] / path, plugin=plugin)
    assert len(names(viewer)) == 3
    assert all(f"`{name}`" in readme for name in names(viewer))


def test_a_folder_with_one_bracket_gives_its_frames(viewer, scene):
    folder = scene("church")
    viewer.open(folder, plugin="bracketseg")
    assert names(viewer) == ["church low", "church medium", "church high"]
    for layer, role in zip(viewer.layers, ("low", "medium", "high"), strict=True):
        assert isinstance(layer, Image)
        assert layer.rgb
        stored = cv2.imread(str(folder / f"{role}.png"))[..., ::-1]
        np.testing.assert_array_equal(layer.data, stored)
    assert [layer.visible for layer in viewer.layers] == [False, True, False]


def test_layers_say_what_they_are_in_values_that_json_can_hold(viewer, scene):
    folder = scene("church")
    viewer.open(folder, plugin="bracketseg")
    said = [layer.metadata[METADATA_KEY] for layer in viewer.layers]
    assert json.loads(json.dumps(said)) == said
    assert [one["role"] for one in said] == ["low", "medium", "high"]
    assert {one["kind"] for one in said} == {"frame"}
    assert {one["scene"] for one in said} == {"church"}
    assert [Path(one["path"]).name for one in said] == ["low.png", "medium.png", "high.png"]
    assert said[0]["ev"] < said[1]["ev"] < said[2]["ev"]
    assert said[0]["exposure"] == {"time": None, "f_number": None, "iso": None}
    assert said[0]["ev_source"] in {"names", "brightness"}


@pytest.mark.parametrize("frame", ["0000_short.png", "0000_medium.png", "0000_long.png"])
def test_one_frame_of_a_flat_scene_gives_the_whole_bracket(viewer, picture, tmp_path, frame):
    for number in ("0000", "0001"):
        for word, gain in (("short", 0.4), ("medium", 1.0), ("long", 2.5)):
            picture(f"set/{number}_{word}.png", gain)
    viewer.open(tmp_path / "set" / frame, plugin="bracketseg")
    assert names(viewer) == ["0000 low", "0000 medium", "0000 high"]


@pytest.mark.parametrize("word", ["short", "medium", "long"])
def test_one_frame_below_a_folder_per_exposure_gives_the_whole_bracket(
    viewer, picture, tmp_path, word
):
    for folder, gain in (("short", 0.4), ("medium", 1.0), ("long", 2.5)):
        picture(f"LDR/{folder}/0007.png", gain)
    viewer.open(tmp_path / "LDR" / word / "0007.png", plugin="bracketseg")
    assert names(viewer) == ["0007 low", "0007 medium", "0007 high"]


def test_one_frame_of_a_crop_gives_the_whole_bracket(viewer, picture, tmp_path):
    for number, gain in (("0", 0.4), ("1", 1.0), ("2", 2.5)):
        picture(f"000003/{number}.png", gain)
    np.save(tmp_path / "000003" / "exposures.npy", np.array([1.0, 4.0, 16.0]))
    viewer.open(tmp_path / "000003" / "2.png", plugin="bracketseg")
    assert names(viewer) == ["000003 low", "000003 medium", "000003 high"]


@pytest.mark.parametrize("role", ["low", "medium", "high"])
def test_one_frame_of_a_scene_folder_gives_the_whole_bracket(viewer, scene, role):
    viewer.open(scene("church") / f"{role}.png", plugin="bracketseg")
    assert names(viewer) == ["church low", "church medium", "church high"]


def test_of_two_frames_the_bright_one_is_shown(viewer, scene):
    folder = scene("church")
    (folder / "medium.png").unlink()
    viewer.open(folder, plugin="bracketseg")
    assert names(viewer) == ["church low", "church high"]
    assert [layer.visible for layer in viewer.layers] == [False, True]


def test_frames_beyond_three_come_under_their_exposure(viewer):
    viewer.open(BRACKETS / "carport", plugin="bracketseg")
    assert len(viewer.layers) == 5
    assert {f"carport {role}" for role in ("low", "medium", "high")} < set(names(viewer))
    medium = find_layer(viewer.layers, "frame", "carport", "medium")
    assert [layer.visible for layer in viewer.layers] == [
        layer is medium for layer in viewer.layers
    ]
    for layer in viewer.layers:
        said = layer.metadata[METADATA_KEY]
        if said["role"] is None:
            stops = said["ev"] - medium.metadata[METADATA_KEY]["ev"]
            assert layer.name == f"carport EV{stops:+.1f}"
            assert abs(stops) > 2.5 or abs(stops) < 1.5


def test_exposures_from_exif_are_in_the_metadata(viewer):
    viewer.open(BRACKETS / "garden_gate" / "low.jpg", plugin="bracketseg")
    said = viewer.layers["garden_gate low"].metadata[METADATA_KEY]
    assert said["ev_source"] == "exif"
    assert said["exposure"] == {"time": 1 / 400, "f_number": 8.0, "iso": 200.0}


def test_sixteen_bits_stay_sixteen_bits(viewer, scene):
    viewer.open(scene("church", dtype=np.uint16), plugin="bracketseg")
    assert {layer.dtype for layer in viewer.layers} == {np.dtype(np.uint16)}
    assert viewer.layers["church high"].data.max() == 65535


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_grey_frames_are_shown_from_black_to_white(viewer, scene, dtype, white):
    viewer.open(scene("church", dtype=dtype, colour=False), plugin="bracketseg")
    assert not viewer.layers["church low"].rgb
    assert viewer.layers["church low"].data.max() < white
    assert tuple(viewer.layers["church low"].contrast_limits) == (0, white)


def test_a_stray_picture_goes_to_napari_without_a_question(viewer, picture, tmp_path, scene):
    scene("church")
    pixels = picture("holiday.png")
    assert get_reader(str(tmp_path / "holiday.png")) is None
    (layer,) = viewer.open(tmp_path / "holiday.png", plugin=None)
    assert layer.source.reader_plugin == "napari"
    np.testing.assert_array_equal(layer.data, pixels)


@pytest.mark.parametrize("name", ["cells.tif", "IMG_0001.JPG", "figure.png", "overflow.png"])
def test_napari_does_not_ask_about_names_that_are_none_of_ours(plugins, name):
    assert list(_npe2.get_readers(f"/somewhere/{name}")) == ["napari"]


@pytest.mark.parametrize(
    "name",
    [
        "0000_short.png",
        "0000_medium.PNG",
        "0000_long.png",
        "0000.png",
        "2.png",
        "low.jpg",
        "medium.JPG",
        "high.jpeg",
        "low.tif",
        "high.tiff",
        "church_low.png",
        "church_high.TIF",
        "church_low_probability.png",
        "church low ground truth.png",
        "church high prediction.tiff",
        "mask.png",
        "left_mask.tif",
    ],
)
def test_napari_offers_us_for_frames_and_masks(plugins, name):
    assert "bracketseg" in _npe2.get_readers(f"/somewhere/{name}")


def test_several_paths_to_be_stacked_are_declined(scene):
    folder = scene("church")
    assert get_reader([str(folder / "low.png"), str(folder / "high.png")]) is None


def test_of_several_brackets_the_first_opens_and_the_user_is_told(viewer, scene, tmp_path, notices):
    for name in ("b", "a", "c"):
        scene(name)
    viewer.open(tmp_path, plugin="bracketseg")
    assert names(viewer) == ["a low", "a medium", "a high"]
    (notice,) = notices
    assert "Opened a, the first of 3 brackets" in notice


def test_scenes_that_cannot_be_used_are_reported(viewer, scene, tmp_path, notices):
    scene("good")
    (scene("poor") / "low.png").write_bytes(b"no picture")
    viewer.open(tmp_path, plugin="bracketseg")
    assert names(viewer) == ["good low", "good medium", "good high"]
    assert any("poor" in notice for notice in notices)


def test_a_broken_frame_is_named(viewer, scene):
    folder = scene("church")
    frame = folder / "high.png"
    frame.write_bytes(frame.read_bytes()[:-200])
    with pytest.raises(FrameError, match=r"high\.png"):
        viewer.open(folder / "low.png", plugin="bracketseg")
    assert not viewer.layers


@pytest.mark.parametrize("files", [[], ["notes.txt"]])
def test_a_folder_without_brackets_or_masks_is_declined(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("nothing")
    assert get_reader(str(tmp_path)) is None


def test_a_folder_of_one_picture_is_declined_with_a_reason(tmp_path, picture, notices):
    picture("holiday.png")
    assert get_reader(str(tmp_path)) is None
    (notice,) = notices
    assert "holiday.png" in notice


def test_what_is_not_there_is_declined(tmp_path):
    assert get_reader(str(tmp_path / "low.png")) is None


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_mask_opens_as_labels(viewer, tmp_path, suffix):
    path = tmp_path / f"church_low{suffix}"
    write_mask(path, HALF)
    (layer,) = viewer.open(path, plugin="bracketseg")
    assert isinstance(layer, Labels)
    assert layer.name == "church low ground truth"
    np.testing.assert_array_equal(layer.data, HALF)
    assert layer.metadata[METADATA_KEY] == {
        "kind": "ground truth",
        "scene": "church",
        "role": "low",
        "path": str(path),
    }


def test_masks_beside_their_frames_open_as_labels(viewer, picture, tmp_path):
    for word, gain in (("short", 0.4), ("medium", 1.0), ("long", 2.5)):
        picture(f"0000_{word}.png", gain)
    write_mask(tmp_path / "0000_low.png", HALF)
    (layer,) = viewer.open(tmp_path / "0000_low.png", plugin="bracketseg")
    assert isinstance(layer, Labels)


def test_a_grey_frame_named_like_a_mask_is_no_mask(picture, tmp_path):
    picture("church_low.png", colour=False)
    reader = get_reader(str(tmp_path / "church_low.png"))
    assert reader is None or all(kind == "image" for *_, kind in reader("") if kind)


@pytest.mark.parametrize(("kind", "role"), [("ground truth", "low"), ("prediction", "high")])
def test_a_file_named_like_a_layer_comes_back_as_that_layer(viewer, tmp_path, kind, role):
    path = tmp_path / f"old church {role} {kind}.png"
    write_mask(path, HALF)
    (layer,) = viewer.open(path, plugin="bracketseg")
    assert layer.name == path.stem
    said = layer.metadata[METADATA_KEY]
    assert (said["kind"], said["scene"], said["role"]) == (kind, "old church", role)


def test_a_mask_of_nobody_keeps_its_name(viewer, tmp_path):
    write_mask(tmp_path / "my_mask.png", HALF)
    (layer,) = viewer.open(tmp_path / "my_mask.png", plugin="bracketseg")
    assert isinstance(layer, Labels)
    assert layer.name == "my_mask"
    assert METADATA_KEY not in layer.metadata


def test_a_folder_of_masks_opens_its_first_scene(viewer, tmp_path, notices):
    for scene in ("a", "b"):
        write_mask(tmp_path / f"{scene}_low.png", HALF)
        write_mask(tmp_path / f"{scene}_high.png", ~HALF)
    viewer.open(tmp_path, plugin="bracketseg")
    assert names(viewer) == ["a low ground truth", "a high ground truth"]
    (notice,) = notices
    assert "Opened the masks of a, the first of 2 scenes" in notice


def test_a_labelling_by_a_network_gives_predictions_and_probabilities(viewer, tmp_path):
    labelling(tmp_path, "network", scenes=("a",))
    write_probability(tmp_path / "a_low_probability.png", np.full((24, 32), 0.25))
    viewer.open(tmp_path, plugin="bracketseg")
    assert names(viewer) == ["a low probability", "a low prediction", "a high prediction"]
    assert [layer.visible for layer in viewer.layers] == [False, True, True]
    said = viewer.layers["a low prediction"].metadata[METADATA_KEY]
    assert (said["kind"], said["method"]) == ("prediction", "network")


def test_one_mask_of_a_labelling_says_who_made_it(viewer, tmp_path):
    labelling(tmp_path, "manual")
    (layer,) = viewer.open(tmp_path / "b_high.png", plugin="bracketseg")
    assert layer.name == "b high ground truth"
    said = layer.metadata[METADATA_KEY]
    assert (said["method"], said["annotator"]) == ("manual", "Ann")


def test_a_probability_opens_as_numbers_from_0_to_1(viewer, tmp_path):
    probability = np.linspace(0, 1, 24 * 32).reshape(24, 32)
    path = tmp_path / "church_high_probability.png"
    write_probability(path, probability)
    (layer,) = viewer.open(path, plugin="bracketseg")
    assert isinstance(layer, Image)
    assert layer.name == "church high probability"
    assert layer.dtype == np.float32
    assert tuple(layer.contrast_limits) == (0, 1)
    np.testing.assert_allclose(layer.data, probability, atol=1e-5)
    assert layer.metadata[METADATA_KEY]["kind"] == "probability"


def test_low_and_high_masks_differ_in_colour_and_labels_of_one_do_not(viewer, tmp_path):
    labelling(tmp_path, "manual", scenes=("a",))
    low, high = viewer.open(tmp_path, plugin="bracketseg")
    assert not np.array_equal(low.get_color(1), high.get_color(1))
    np.testing.assert_array_equal(low.get_color(1), low.get_color(7))


def test_a_scene_of_the_same_name_elsewhere_replaces_nothing(viewer, scene, tmp_path):
    folder = scene("one/church")
    shutil.copytree(folder, tmp_path / "two" / "church")
    viewer.open(folder, plugin="bracketseg")
    viewer.open(tmp_path / "two" / "church", plugin="bracketseg")
    assert len(viewer.layers) == 6
    assert len(set(names(viewer))) == 6
