import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.brackets.masks import find_masks, is_mask_name, write_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.corrections import (
    corrections_name,
    read_corrections,
    write_corrections,
)


def test_the_file_holds_what_the_contract_says(tmp_path):
    path = tmp_path / corrections_name("s1", "low")
    write_corrections(path, np.array([[0, 1], [-1, 0]], np.int8))
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint8
    assert stored.tolist() == [[0, 255], [128, 0]]


@settings(deadline=None)
@given(
    corrections=hnp.arrays(
        np.int8, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.integers(-1, 1)
    )
)
def test_what_is_written_is_read(tmp_path_factory, corrections):
    path = tmp_path_factory.mktemp("strokes") / "s1_low_corrections.png"
    write_corrections(path, corrections)
    assert path.exists() == corrections.any()
    if corrections.any():
        found = read_corrections(path)
        assert found.dtype == np.int8
        np.testing.assert_array_equal(found, corrections)


@pytest.mark.parametrize("nothing", [None, np.zeros((2, 2), np.int8)])
def test_without_strokes_no_file_is_left(tmp_path, nothing):
    path = tmp_path / "s1_low_corrections.png"
    write_corrections(path, np.ones((2, 2), np.int8))
    write_corrections(path, nothing)
    assert not list(tmp_path.iterdir())


def test_corrections_are_taken_for_no_mask(tmp_path):
    write_corrections(tmp_path / "s1_low_corrections.png", np.ones((2, 2), np.int8))
    write_mask(tmp_path / "s1_low.png", np.ones((2, 2)))
    assert list(find_masks(tmp_path)) == [("s1", "low")]
    # ... nor for a frame, where a labelling lies among brackets.
    assert is_mask_name(tmp_path / "s1_low_corrections.png")


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (np.full((2, 2), 7, np.uint8), "other values; delete the file"),
        (np.zeros((2, 2, 3), np.uint8), r"one channel of 8 bits, but this is uint8"),
        (np.zeros((2, 2), np.uint16), r"one channel of 8 bits, but this is uint16"),
    ],
)
def test_a_picture_that_is_none_of_corrections_is_refused(tmp_path, stored, message):
    path = tmp_path / "s1_low_corrections.png"
    cv2.imwrite(str(path), stored)
    with pytest.raises(LabelingError, match=rf"s1_low_corrections\.png: .*{message}"):
        read_corrections(path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_broken_file_is_named(tmp_path, content):
    path = tmp_path / "s1_low_corrections.png"
    path.write_bytes(content)
    with pytest.raises(LabelingError, match=r"s1_low_corrections\.png: cannot be read"):
        read_corrections(path)


def test_what_cannot_be_written_says_why(tmp_path):
    with pytest.raises(LabelingError, match=r"-1, 0 and 1, but these are int64"):
        write_corrections(tmp_path / "a.png", np.full((2, 2), 5))
    with pytest.raises(LabelingError, match="Check that the folder is there"):
        write_corrections(tmp_path / "missing" / "a.png", np.ones((2, 2), np.int8))
    (tmp_path / "a.png").mkdir()
    with pytest.raises(LabelingError, match=r"a\.png: cannot be removed"):
        write_corrections(tmp_path / "a.png", None)
