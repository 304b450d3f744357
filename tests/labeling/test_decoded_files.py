"""Pixels that are kept as long as their files stay as they are."""

import numpy as np
import pytest

from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.errors import LabelingError
from bracketseg.labeling.decoded_files import DecodedFiles


@pytest.fixture
def mask(rng):
    return rng.random((20, 30)) < 0.5


class Reader:
    """Reads masks and notes which."""

    def __init__(self):
        self.read = []

    def __call__(self, path):
        self.read.append(path.name)
        return read_mask(path)


def test_a_file_is_read_once_and_again_when_it_was_changed(tmp_path, mask):
    files, reader, path = DecodedFiles(), Reader(), tmp_path / "a_low.png"
    write_mask(path, mask)
    for _ in range(2):
        np.testing.assert_array_equal(files.read(path, reader), mask)
    assert reader.read == ["a_low.png"]
    write_mask(path, ~mask)
    np.testing.assert_array_equal(files.read(path, reader), ~mask)
    assert len(reader.read) == 2


def test_what_is_kept_cannot_be_changed(tmp_path, mask):
    path = tmp_path / "a_low.png"
    write_mask(path, mask)
    with pytest.raises(ValueError, match="read-only"):
        DecodedFiles().read(path, read_mask)[0, 0] = True


def test_what_was_not_used_for_longest_makes_room(tmp_path, mask):
    files, reader = DecodedFiles(limit=2 * mask.nbytes), Reader()
    for name in ("a", "b", "a", "c", "a", "b"):
        path = tmp_path / f"{name}_low.png"
        if not path.exists():
            write_mask(path, mask)
        files.read(path, reader)
    assert reader.read == ["a_low.png", "b_low.png", "c_low.png", "b_low.png"]


def test_a_file_that_is_gone_or_broken_says_so_each_time(tmp_path, mask):
    files, path = DecodedFiles(), tmp_path / "a_low.png"
    write_mask(path, mask)
    files.read(path, read_mask)
    path.write_bytes(b"no PNG")
    for _ in range(2):
        with pytest.raises(LabelingError, match="a_low"):
            files.read(path, read_mask)
    path.unlink()
    with pytest.raises(LabelingError, match="a_low"):
        files.read(path, read_mask)
