"""Large JPEGs are decoded in another way, which gives the same."""

import os
import sys

import cv2
import numpy as np
import pytest

from bracketseg.brackets import decoding
from bracketseg.brackets.images import read_image
from bracketseg.errors import FrameError

SIZE = (72, 120)


@pytest.fixture
def encode(rng):
    """Make the bytes of a JPEG of 72x120 pixels."""

    def make(*, progressive: bool = False) -> bytearray:
        picture = cv2.resize(rng.integers(0, 256, (9, 9, 3), np.uint8), SIZE[::-1])
        options = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
        return bytearray(cv2.imencode(".jpg", picture, options)[1].tobytes())

    return make


def read_both(path, monkeypatch):
    """Read as a small and as a large picture; None for one that is refused."""
    found = []
    for large in (np.prod(SIZE) + 1, np.prod(SIZE)):
        monkeypatch.setattr(decoding, "LARGE", large)
        try:
            found.append(read_image(path))
        except FrameError as error:
            assert str(path) in str(error)  # noqa: PT017
            found.append(None)
    return found


@pytest.mark.parametrize("progressive", [False, True])
def test_a_damaged_one_is_refused_as_a_small_one_is(
    encode, rng, tmp_path, monkeypatch, progressive
):
    path, whole, refused = tmp_path / "a.jpg", encode(progressive=progressive), 0
    for number in range(150):
        data = bytearray(whole)
        if number % 3 == 0:
            data = data[: rng.integers(20, len(data))] + b"\xff\xd9"
        for _ in range(number % 5):
            data[rng.integers(20, len(data))] = rng.integers(0, 256)
        path.write_bytes(data)
        small, large = read_both(path, monkeypatch)
        refused += small is None
        assert (small is None) == (large is None)
        assert small is None or np.array_equal(small, large)
    assert 5 < refused < 145


def test_it_is_decoded_into_its_own_memory(encode, tmp_path, monkeypatch):
    path, asked = tmp_path / "ä.jpg", []
    imread = cv2.imread
    monkeypatch.setattr(decoding.cv2, "imread", lambda *args: asked.append(args) or imread(*args))
    path.write_bytes(encode())
    monkeypatch.setattr(decoding, "NAMES", "utf-8")
    _, large = read_both(path, monkeypatch)
    assert np.shares_memory(large, asked[0][1])
    monkeypatch.setattr(decoding, "NAMES", "ascii")
    read_both(path, monkeypatch)
    assert len(asked) == 1, "only as the large one, and where such a name can be opened"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_name_that_is_no_text_is_read_all_the_same(encode, tmp_path, monkeypatch):
    path = tmp_path / os.fsdecode(b"sc\xe9ne.jpg")
    path.write_bytes(encode())
    small, large = read_both(path, monkeypatch)
    np.testing.assert_array_equal(small, large)


def test_one_that_ends_within_the_head_of_its_scan_is_refused(encode, tmp_path, monkeypatch):
    path, whole = tmp_path / "a.jpg", encode()
    scan = whole.index(b"\xff\xda")
    for length in range(scan + 2, scan + 14):
        path.write_bytes(whole[:length] + b"\xff\xd9")
        assert read_both(path, monkeypatch) == [None, None]
