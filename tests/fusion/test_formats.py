import builtins
import json

import cv2
import numpy as np
import OpenEXR
import pytest
import tifffile

from bracketseg.brackets.bracket import Frame
from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.images import read_image
from bracketseg.brackets.radiance import read_radiance
from bracketseg.errors import FusionError
from bracketseg.fusion.formats import format_of, write_exr, write_picture


@pytest.fixture
def picture():
    y, x = np.mgrid[:9, :13].astype(np.float32)
    return np.stack([x / 12, y / 8, (x + y) / 20], axis=-1)


@pytest.mark.parametrize("grey", [False, True])
def test_pictures_are_written_as_they_are(tmp_path, picture, grey):
    picture = picture[..., 0] if grey else picture
    for name, white in (("a.png", 255), ("a.tif", 65535)):
        write_picture(tmp_path / name, picture)
        stored = read_image(tmp_path / name)
        assert stored.dtype == (np.uint8 if white == 255 else np.uint16)
        np.testing.assert_array_equal(stored, np.rint(picture * np.float32(white)))


def test_a_jpeg_is_near(tmp_path, picture):
    smooth = cv2.resize(picture, (130, 90))
    write_picture(tmp_path / "a.jpg", smooth)
    assert np.abs(read_image(tmp_path / "a.jpg") / 255 - smooth).mean() < 0.01


def test_a_tiff_says_that_it_is_rgb(tmp_path, picture):
    write_picture(tmp_path / "a.tif", picture)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric.name == "RGB"


def test_nothing_is_left_where_a_picture_cannot_be_written(tmp_path, picture):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(FusionError, match="cannot be written"):
        write_picture(tmp_path / "a.png", picture)
    with pytest.raises(FusionError, match="cannot be written"):
        write_picture(tmp_path / "missing" / "a.png", picture)
    with pytest.raises(FusionError, match="cannot be written"):
        write_exr(tmp_path / "missing" / "a.exr", picture, [])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_another_suffix_is_refused(tmp_path, picture):
    with pytest.raises(FusionError, match=r"name it \.png, \.jpg, \.tif or \.exr"):
        write_picture(tmp_path / "a.bmp", picture)
    assert format_of(tmp_path / "a.JPEG") == "jpg"
    assert format_of(tmp_path / "a.tiff") == "tiff"


@pytest.mark.parametrize("grey", [False, True])
def test_an_exr_holds_the_radiance_and_the_exposures(tmp_path, picture, grey):
    radiance = (picture[..., 0] if grey else picture) * 40
    exposure = Exposure(time=0.25, iso=200)
    frames = [
        Frame(path=tmp_path / "IMG_1.jpg", ev=-1.5, exposure=exposure),
        Frame(path=tmp_path / "IMG_2.jpg", ev=2.0),
    ]
    write_exr(tmp_path / "a.exr", radiance, frames)
    np.testing.assert_array_equal(read_radiance(tmp_path / "a.exr"), radiance)
    with OpenEXR.File(str(tmp_path / "a.exr")) as file:
        header = dict(file.header())
    assert json.loads(header["exposures"]) == [
        {"file": "IMG_1.jpg", "ev": -1.5, "time": 0.25, "f_number": None, "iso": 200},
        {"file": "IMG_2.jpg", "ev": 2.0, "time": None, "f_number": None, "iso": None},
    ]
    assert "inverse of the sRGB curve" in header["comments"]


def test_without_the_extra_an_exr_is_refused_by_its_name(tmp_path, picture, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name == "OpenEXR":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(FusionError, match=r'pip install "bracketseg\[exr\]"'):
        write_exr(tmp_path / "a.exr", picture, [])
