"""Formats beside those of test_images: WebP, MPO, CMYK, and TIFF's compressions."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bracketseg.brackets.images import read_header, read_image, read_thumbnail
from bracketseg.errors import FrameError


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) % 200], axis=2).astype(np.uint8)


class TestWebp:
    @pytest.mark.parametrize("size", [(1, 1), (31, 45), (300, 16)])
    @pytest.mark.parametrize("mode", ["RGB", "RGBA"])
    def test_lossless_comes_back(self, tmp_path: Path, size: tuple[int, int], mode: str) -> None:
        image = Image.fromarray(smooth(*size))
        if mode == "RGBA":
            image.putalpha(Image.fromarray(np.full(size, 200, np.uint8)))
        image.save(tmp_path / "größe.webp", lossless=True, exact=True)
        header = read_header(tmp_path / "größe.webp")
        assert (header.shape, header.dtype) == ((*size, 3), np.uint8)
        np.testing.assert_array_equal(read_image(tmp_path / "größe.webp"), smooth(*size))

    def test_lossy_as_pillow_decodes_it(self, tmp_path: Path) -> None:
        Image.fromarray(smooth(31, 45)).save(tmp_path / "a.webp")
        with Image.open(tmp_path / "a.webp") as image:
            expected = np.asarray(image).astype(int)
        assert read_header(tmp_path / "a.webp").shape == (31, 45, 3)
        assert np.abs(read_image(tmp_path / "a.webp") - expected).max() <= 2

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_is_applied(self, tmp_path: Path, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(smooth(24, 40))
        image.save(tmp_path / "a.webp", lossless=True, exif=exif)
        image.getexif()[0x0112] = orientation
        expected = np.asarray(ImageOps.exif_transpose(image))
        assert read_header(tmp_path / "a.webp").shape == expected.shape
        np.testing.assert_array_equal(read_image(tmp_path / "a.webp"), expected)

    def test_a_cut_file_is_refused(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        Image.fromarray(smooth(31, 45)).save(tmp_path / "a.webp")
        data = (tmp_path / "a.webp").read_bytes()
        (tmp_path / "a.webp").write_bytes(data[: len(data) // 2])
        with pytest.raises(FrameError, match=r"a\.webp.*ends too early"):
            read_image(tmp_path / "a.webp")
        assert capfd.readouterr() == ("", "")

    def test_an_animation_is_refused(self, tmp_path: Path) -> None:
        frames = [Image.fromarray(smooth(8, 8)), Image.fromarray(255 - smooth(8, 8))]
        frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:])
        with pytest.raises(FrameError, match=r"a\.webp.*animated"):
            read_header(tmp_path / "a.webp")

    def test_without_pixels(self, tmp_path: Path) -> None:
        (tmp_path / "a.webp").write_bytes(b"RIFF" + struct.pack("<I", 4) + b"WEBP")
        with pytest.raises(FrameError, match="no pixels"):
            read_header(tmp_path / "a.webp")

    @given(st.data())
    def test_damage_gives_a_picture_or_a_frame_error(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        path = tmp_path_factory.mktemp("damage") / "a.webp"
        Image.fromarray(smooth(9, 12)).save(path, lossless=data.draw(st.booleans()))
        damaged = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(12, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(damaged[: data.draw(st.integers(12, len(damaged)))])
        try:
            pixels = read_image(path)
        except FrameError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert pixels.ndim == 3


def test_the_first_picture_of_an_mpo(tmp_path: Path) -> None:
    first, second = Image.fromarray(smooth(24, 40)), Image.fromarray(255 - smooth(16, 16))
    first.save(tmp_path / "a.mpo", format="MPO", save_all=True, append_images=[second], quality=95)
    assert read_header(tmp_path / "a.mpo").shape == (24, 40, 3)
    assert np.abs(read_image(tmp_path / "a.mpo").astype(int) - smooth(24, 40)).mean() < 4


def test_a_tiff_of_inks(tmp_path: Path) -> None:
    inks = np.array([[[0, 51, 255, 0], [255, 255, 255, 255]]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    assert read_header(tmp_path / "a.tif").shape == (1, 2, 3)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), [[[255, 204, 0], [0, 0, 0]]])


@pytest.mark.parametrize(
    "compression", ["lzw", "deflate", "packbits", "zstd", "lzma", "jpeg", "jpeg2000", "webp", "png"]
)
def test_compressions_of_tiff(tmp_path: Path, compression: str) -> None:
    options = {"lossless": True} if compression == "webp" else {}
    tifffile.imwrite(
        tmp_path / "a.tif",
        smooth(32, 48),
        photometric="rgb",
        compression=compression,
        compressionargs=options,
    )
    assert read_header(tmp_path / "a.tif").shape == (32, 48, 3)
    difference = np.abs(read_image(tmp_path / "a.tif").astype(int) - smooth(32, 48))
    assert difference.mean() < (6 if compression == "jpeg" else 0.5)
    assert read_thumbnail(tmp_path / "a.tif", 8).shape == (5, 8, 3)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_predictors_of_tiff(tmp_path: Path, dtype: type) -> None:
    pixels = (
        (smooth(9, 12) / 255).astype(dtype)
        if dtype is np.float32
        else smooth(9, 12).astype(np.uint16) * 257
    )
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", compression="deflate", predictor=True
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), pixels)
