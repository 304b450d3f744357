import cv2
import numpy as np
import pytest
import tifffile
from napari.layers import Labels

from bracketseg._napari.layers.provenance import METADATA_KEY
from bracketseg.errors import LabelingError

SQUARE = np.zeros((24, 32), np.uint8)
SQUARE[5:10, 5:20] = 1
OURS = {METADATA_KEY: {"kind": "ground truth", "scene": "church", "role": "low"}}


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
def test_labels_become_a_mask_and_come_back(viewer, tmp_path, suffix):
    layer = viewer.add_labels(SQUARE, name="church low ground truth", metadata=OURS)
    path = tmp_path / f"church_low{suffix}"
    assert layer.save(str(path), plugin="bracketseg") == [str(path)]
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, SQUARE * 255)
    (back,) = viewer.open(path, plugin="bracketseg")
    assert isinstance(back, Labels)
    np.testing.assert_array_equal(back.data, SQUARE)


def test_napari_saves_a_png_through_us_without_being_told(viewer, tmp_path):
    viewer.add_labels(SQUARE, metadata=OURS)
    path = tmp_path / "church_low.png"
    assert viewer.layers.save(str(path)) == [str(path)]
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), SQUARE * 255)


def test_a_tiff_by_whichever_writer_comes_back(viewer, tmp_path):
    viewer.add_labels(SQUARE, metadata=OURS)
    path = tmp_path / "church_low.tif"
    for plugin in ("napari", None):
        viewer.layers[0].save(str(path), plugin=plugin)
        (back,) = viewer.open(path, plugin="bracketseg")
        assert isinstance(back, Labels)
        np.testing.assert_array_equal(back.data, SQUARE)


def test_every_label_but_0_is_foreground(viewer, tmp_path, notices):
    labels = SQUARE.astype(np.int32)
    labels[20:, 20:] = 300
    viewer.add_labels(labels, metadata=OURS).save(str(tmp_path / "m.png"), plugin="bracketseg")
    stored = cv2.imread(str(tmp_path / "m.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored == 255, labels != 0)
    assert notices == []


def test_merging_somebody_elses_labels_is_said(viewer, tmp_path, notices):
    cells = np.repeat([[0, 1, 2, 3]], 4, axis=0)
    viewer.add_labels(cells, name="cells").save(str(tmp_path / "cells.png"))
    (notice,) = notices
    assert "cells" in notice


def test_the_numbers_of_somebody_elses_labels_are_not_lost_in_a_tiff(viewer, tmp_path):
    cells = np.repeat([[0, 1, 2, 3]], 4, axis=0)
    layer = viewer.add_labels(cells, name="cells")
    path = tmp_path / "cells.tif"
    with pytest.raises(LabelingError, match=r"cells: .* plugin='napari'"):
        layer.save(str(path), plugin="bracketseg")
    assert not path.exists()
    assert layer.save(str(path), plugin="napari") == [str(path)]
    np.testing.assert_array_equal(tifffile.imread(path), cells)


def test_a_stack_is_refused_with_what_to_do(viewer, tmp_path):
    layer = viewer.add_labels(np.zeros((3, 8, 9), np.uint8), name="church low ground truth")
    with pytest.raises(LabelingError, match=r"\(3, 8, 9\).*one slice"):
        layer.save(str(tmp_path / "m.png"))
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_suffix_becomes_a_png_and_replaces_none(viewer, plugins, tmp_path):
    layer = viewer.add_labels(SQUARE, metadata=OURS)
    # The save dialog hands the writer over together with the name as it was typed.
    (writer,) = (w for w in plugins.iter_compatible_writers(["labels"]) if "bracket" in w.command)
    path = tmp_path / "church low ground truth"
    written = viewer.layers.save(str(path), _writer=writer)
    assert written == [f"{path}.png"]
    layer.data[:] = 0
    with pytest.raises(LabelingError, match="exists"):
        viewer.layers.save(str(path), _writer=writer)
    assert cv2.imread(written[0], cv2.IMREAD_UNCHANGED).any()


def test_several_masks_saved_to_a_folder_come_back(viewer, tmp_path):
    for role in ("low", "high"):
        viewer.add_labels(SQUARE, name=f"church {role} ground truth", metadata=OURS)
    written = viewer.layers.save(str(tmp_path / "masks"))
    assert len(written) == 2
    for path in written:
        (back,) = viewer.open(path, plugin="bracketseg")
        assert isinstance(back, Labels)
        np.testing.assert_array_equal(back.data, SQUARE)


def test_several_layers_do_not_fit_into_one_picture_and_napari_says_so(viewer, tmp_path):
    for _ in range(2):
        viewer.add_labels(SQUARE, metadata=OURS)
    with pytest.warns(UserWarning, match="No data written"):
        assert viewer.layers.save(str(tmp_path / "m.png")) == []
    assert list(tmp_path.iterdir()) == []
