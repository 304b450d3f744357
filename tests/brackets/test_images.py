import io
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bracketseg.brackets.exposure import Exposure
from bracketseg.brackets.images import IMAGE_SUFFIXES, read_header, read_image, read_thumbnail
from bracketseg.brackets.radiance import RADIANCE_SUFFIXES
from bracketseg.brackets.raw import RAW_SUFFIXES
from bracketseg.errors import FrameError

Rng = np.random.Generator


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """A colour gradient: JPEG keeps it nearly as it is."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) % 200], axis=2).astype(np.uint8)


def check(path: Path, expected: NDArray[np.generic]) -> None:
    """The pixels are as expected, and the header says so beforehand."""
    header = read_header(path)
    pixels = read_image(path)
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.flags.c_contiguous
    assert pixels.dtype == expected.dtype
    assert (header.shape, header.dtype) == (pixels.shape, pixels.dtype)


class TestPng:
    @pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "1", "P"])
    def test_8_bit_as_pillow_decodes_it(self, tmp_path: Path, rng: Rng, mode: str) -> None:
        rgba = Image.fromarray(rng.integers(0, 256, (5, 7, 4), dtype=np.uint8))
        image = rgba.convert("RGB").quantize(16) if mode == "P" else rgba.convert(mode)
        image.save(tmp_path / "a.png")
        expected = image.convert("RGB" if mode in ("RGB", "RGBA", "P") else "L")
        if mode == "LA":
            expected = image.getchannel("L")
        if mode == "RGBA":
            expected = Image.fromarray(np.asarray(image)[..., :3])
        check(tmp_path / "a.png", np.asarray(expected))

    @given(hnp.arrays(np.uint16, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
    def test_16_bit_keeps_every_bit(
        self, tmp_path_factory: pytest.TempPathFactory, rgb: NDArray[np.uint16]
    ) -> None:
        path = tmp_path_factory.mktemp("png") / "größe.png"
        # Written by hand, big-endian and unfiltered: no library in between.
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgb)
        path.write_bytes(png(rgb.shape[1], rgb.shape[0], 16, 2, rows))
        check(path, rgb)

    def test_16_bit_grey_with_alpha(self, tmp_path: Path) -> None:
        rows = b"\0" + struct.pack(">4H", 1000, 7, 60000, 0xFFFF)
        (tmp_path / "a.png").write_bytes(png(2, 1, 16, 4, rows))
        check(tmp_path / "a.png", np.array([[1000, 60000]], np.uint16))

    def test_16_bit_rgb_with_alpha(self, tmp_path: Path, rng: Rng) -> None:
        rgba = rng.integers(0, 65536, (3, 4, 4), dtype=np.uint16)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rgba)
        (tmp_path / "a.png").write_bytes(png(4, 3, 16, 6, rows))
        check(tmp_path / "a.png", rgba[..., :3].copy())

    def test_2_bit_grey_is_widened(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(4, 1, 2, 0, b"\0\x1b"))
        check(tmp_path / "a.png", np.array([[0, 85, 170, 255]], np.uint8))

    @pytest.mark.parametrize("colour", [0, 2])
    def test_a_transparent_colour_is_dropped(self, tmp_path: Path, colour: int) -> None:
        samples = 3 if colour else 1
        transparent = chunk(b"tRNS", struct.pack(f">{samples}H", *[1] * samples))
        rows = b"\0" + bytes([1] * samples + [9] * samples)
        (tmp_path / "a.png").write_bytes(png(2, 1, 8, colour, rows, transparent))
        expected = np.repeat(np.array([[[1], [9]]], np.uint8), samples, axis=2)
        check(tmp_path / "a.png", expected if colour else expected[..., 0])

    def test_odd_chunks_make_no_noise(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"))
        (tmp_path / "a.png").write_bytes(png(1, 1, 8, 0, b"\0\5", profile, chunk(b"gAMA", b"\0")))
        check(tmp_path / "a.png", np.array([[5]], np.uint8))
        assert capfd.readouterr() == ("", "")

    def test_exposure_and_orientation_from_its_exif(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 8
        exif.get_ifd(0x8769)[0x8827] = 800
        pixels = smooth(4, 6)
        Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
        check(tmp_path / "a.png", np.rot90(pixels).copy())
        assert read_header(tmp_path / "a.png").exposure == Exposure(iso=800.0)


class TestJpeg:
    @pytest.mark.parametrize("mode", ["L", "RGB"])
    def test_as_pillow_decodes_it(self, tmp_path: Path, mode: str) -> None:
        Image.fromarray(smooth(31, 45)).convert(mode).save(tmp_path / "größe.JPG")
        with Image.open(tmp_path / "größe.JPG") as image:
            expected = np.asarray(image)
        assert read_header(tmp_path / "größe.JPG").shape == expected.shape
        difference = read_image(tmp_path / "größe.JPG").astype(int) - expected
        assert np.abs(difference).max() <= 2

    def test_cmyk_comes_as_rgb(self, tmp_path: Path) -> None:
        Image.fromarray(smooth(16, 16)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
        assert read_header(tmp_path / "a.jpg").shape == (16, 16, 3)
        assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth(16, 16)).mean() < 10

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_is_applied(self, tmp_path: Path, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(smooth(24, 40)).save(tmp_path / "a.jpg", quality=95, exif=exif)
        with Image.open(tmp_path / "a.jpg") as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        assert read_header(tmp_path / "a.jpg").shape == expected.shape
        assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - expected).max() <= 2
        assert read_thumbnail(tmp_path / "a.jpg", 8).shape == (
            (8, 5, 3) if orientation >= 5 else (5, 8, 3)
        )

    def test_exposure(self, tmp_path: Path, write_frame: Callable[..., Path]) -> None:
        path = write_frame(
            tmp_path / "a.jpg", time=Fraction(1, 80), iso=200, f_number=Fraction(28, 10)
        )
        assert read_header(path).exposure == Exposure(time=1 / 80, f_number=2.8, iso=200.0)

    def test_the_header_is_enough_for_the_header(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        Image.fromarray(smooth(64, 96)).save(buffer, "JPEG", progressive=True)
        start_of_scan = buffer.getvalue().index(b"\xff\xda")
        (tmp_path / "a.jpg").write_bytes(buffer.getvalue()[:start_of_scan])
        assert read_header(tmp_path / "a.jpg").shape == (64, 96, 3)

    def test_a_cut_file_with_a_whole_preview_is_refused(self, tmp_path: Path) -> None:
        preview = io.BytesIO()
        Image.fromarray(smooth(8, 8)).save(preview, "JPEG")
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + preview.getvalue()
        Image.fromarray(smooth(64, 96)).save(tmp_path / "a.jpg", exif=exif)
        assert read_image(tmp_path / "a.jpg").shape == (64, 96, 3)
        data = (tmp_path / "a.jpg").read_bytes()
        (tmp_path / "a.jpg").write_bytes(data[:-200])
        with pytest.raises(FrameError, match="ends too early"):
            read_image(tmp_path / "a.jpg")


class TestTiff:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    @pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3), (1, 6), (4, 1, 3)])
    @pytest.mark.parametrize("byteorder", ["<", ">"])
    def test_comes_back(
        self,
        tmp_path: Path,
        rng: Rng,
        dtype: type,
        shape: tuple[int, ...],
        byteorder: Literal["<", ">"],
    ) -> None:
        pixels: NDArray[Any] = (rng.random(shape) * 250).astype(dtype)
        photometric = "rgb" if len(shape) == 3 else "minisblack"
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=photometric, byteorder=byteorder)
        check(tmp_path / "a.tif", pixels)

    @pytest.mark.parametrize("planar", ["contig", "separate"])
    @pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
    def test_planes_and_alpha(
        self, tmp_path: Path, rng: Rng, planar: str, compression: str | None
    ) -> None:
        rgba = rng.integers(0, 65536, (5, 4, 4), dtype=np.uint16)
        stored = rgba if planar == "contig" else np.moveaxis(rgba, -1, 0)
        tifffile.imwrite(
            tmp_path / "a.tif",
            stored,
            photometric="rgb",
            planarconfig=planar,
            extrasamples=["unassalpha"],
            compression=compression,
        )
        check(tmp_path / "a.tif", rgba[..., :3].copy())

    def test_grey_with_alpha(self, tmp_path: Path, rng: Rng) -> None:
        grey = rng.integers(0, 256, (5, 4, 2), dtype=np.uint8)
        tifffile.imwrite(
            tmp_path / "a.tif",
            grey,
            photometric="minisblack",
            planarconfig="contig",
            extrasamples=["unassalpha"],
        )
        check(tmp_path / "a.tif", grey[..., 0].copy())

    def test_palette_as_pillow_decodes_it(self, tmp_path: Path, rng: Rng) -> None:
        rgb = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
        palette = rgb.quantize(16)
        palette.save(tmp_path / "a.tif")
        check(tmp_path / "a.tif", np.asarray(palette.convert("RGB")))

    def test_white_is_zero_is_inverted(self, tmp_path: Path) -> None:
        tifffile.imwrite(
            tmp_path / "a.tif", np.array([[0, 10, 255]], np.uint8), photometric="miniswhite"
        )
        check(tmp_path / "a.tif", np.array([[255, 245, 0]], np.uint8))

    def test_one_bit_as_pillow_decodes_it(self, tmp_path: Path) -> None:
        Image.fromarray(np.array([[True, False, True]])).save(tmp_path / "a.tif")
        check(tmp_path / "a.tif", np.array([[255, 0, 255]], np.uint8))

    def test_double_becomes_single(self, tmp_path: Path) -> None:
        tifffile.imwrite(tmp_path / "a.tif", np.array([[0.1, 2.5]]))
        check(tmp_path / "a.tif", np.array([[0.1, 2.5]], np.float32))

    def test_jpeg_compression(self, tmp_path: Path) -> None:
        tifffile.imwrite(tmp_path / "a.tif", smooth(32, 48), photometric="rgb", compression="jpeg")
        assert read_header(tmp_path / "a.tif").shape == (32, 48, 3)
        difference = read_image(tmp_path / "a.tif").astype(int) - smooth(32, 48)
        assert np.abs(difference).mean() < 10

    def test_the_first_page_counts(self, tmp_path: Path) -> None:
        tifffile.imwrite(
            tmp_path / "a.tif", np.stack([smooth(4, 6)[..., 0]] * 3), photometric="minisblack"
        )
        check(tmp_path / "a.tif", smooth(4, 6)[..., 0].copy())

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_is_applied(self, tmp_path: Path, orientation: int) -> None:
        pixels = smooth(4, 6)
        tifffile.imwrite(
            tmp_path / "a.tif",
            pixels,
            photometric="rgb",
            extratags=[(0x0112, 3, 1, orientation, True)],
        )
        image = Image.fromarray(pixels)
        image.getexif()[0x0112] = orientation
        check(tmp_path / "a.tif", np.asarray(ImageOps.exif_transpose(image)))

    def test_exposure(self, tmp_path: Path, write_frame: Callable[..., Path]) -> None:
        path = write_frame(
            tmp_path / "a.tif", time=Fraction(1, 80), iso=200, f_number=Fraction(28, 10)
        )
        assert read_header(path).exposure == Exposure(time=1 / 80, f_number=2.8, iso=200.0)

    @pytest.mark.parametrize("time", [Fraction(0), Fraction(10**9)])
    def test_an_exposure_that_makes_no_sense_is_missing(
        self, tmp_path: Path, write_frame: Callable[..., Path], time: Fraction
    ) -> None:
        assert read_header(write_frame(tmp_path / "a.tif", time=time)).exposure == Exposure()

    @pytest.mark.parametrize("dtype", [np.int16, np.uint32, np.int64, np.complex64])
    def test_other_number_types_are_refused(self, tmp_path: Path, dtype: type) -> None:
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4), dtype))
        for read in (read_header, read_image):
            with pytest.raises(FrameError, match=r"a\.tif.*samples are.*8 or 16 bits"):
                read(tmp_path / "a.tif")

    def test_other_colours_are_refused(self, tmp_path: Path) -> None:
        Image.fromarray(smooth(4, 6)).convert("LAB").save(tmp_path / "a.tif")
        with pytest.raises(FrameError, match=r"a\.tif.*not grey, RGB or CMYK"):
            read_image(tmp_path / "a.tif")


class TestErrors:
    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("missing.jpg", None, "No such file"),
            ("a.jpg", b"", "it is empty"),
            ("a.png", b"<html>not found</html>", "it is no picture of a format that is read"),
            ("a.jpg", b"\xff\xd8\xff", "ends within its header"),
            ("a.jpg", b"\xff\xd8\xff\xe0\x00\x04ab\x00\x00", "markers are damaged"),
            ("a.jpg", b"\xff\xd8\xff\xda\x00\x04ab", "no frame header"),
            ("a.png", b"\x89PNG\r\n\x1a\n", "ends too early"),
            ("a.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x" * 13), "header is damaged"),
            ("a.tif", b"II*\0", "damaged|not a TIFF|invalid|corrupt"),
            ("a.tif", b"II*\0\x08\0\0\0\xff\xff", "."),
        ],
    )
    def test_what_is_wrong_and_what_to_do(
        self,
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
        name: str,
        data: bytes | None,
        reason: str,
    ) -> None:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        for read in (read_header, read_image, read_thumbnail):
            with pytest.raises(FrameError, match=f"(?s){name}: cannot.*({reason})") as caught:
                read(tmp_path / name)
            assert "copy it again" in str(caught.value)
            assert caught.value.__cause__ is not None
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
    def test_a_cut_file_is_refused_without_noise(
        self,
        tmp_path: Path,
        rng: Rng,
        capfd: pytest.CaptureFixture[str],
        suffix: str,
        kept: float,
    ) -> None:
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(FrameError, match=f"a.{suffix}"):
            read_image(path)
        assert capfd.readouterr() == ("", "")

    def test_a_changed_byte_in_a_png_is_refused_without_noise(
        self, tmp_path: Path, rng: Rng, capfd: pytest.CaptureFixture[str]
    ) -> None:
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "a.png")
        data = bytearray((tmp_path / "a.png").read_bytes())
        data[len(data) // 2] ^= 1
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(FrameError, match=r"a\.png.*its pixels are damaged"):
            read_image(tmp_path / "a.png")
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_a_tiff_that_promises_more_than_it_can_hold(
        self, tmp_path: Path, rng: Rng, compression: str | None
    ) -> None:
        pixels = rng.integers(0, 256, (7, 9), dtype=np.uint8)
        tifffile.imwrite(tmp_path / "a.tif", pixels, compression=compression)
        data = (tmp_path / "a.tif").read_bytes()
        # The entries of width and height: long, one value.
        for tag, size, forged in ((0x100, 9, 20_000), (0x101, 7, 20_000)):
            entry = struct.pack("<HHII", tag, 4, 1, size)
            assert data.count(entry) == 1
            data = data.replace(entry, struct.pack("<HHII", tag, 4, 1, forged))
        (tmp_path / "a.tif").write_bytes(data)
        with pytest.raises(FrameError, match=r"a\.tif.*ends too early, or its header is damaged"):
            read_image(tmp_path / "a.tif")

    def test_a_forged_size_is_refused_before_any_memory_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(2_000_000, 1_000_000, 8, 2, b"\0"))
        for read in (read_header, read_image, read_thumbnail):
            with pytest.raises(
                FrameError, match=r"2000000 x 1000000 .* 5,722,046 MiB .* most 640 MiB"
            ):
                read(tmp_path / "a.png")

    def test_640_mebibytes_are_allowed(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(32_768, 20_480, 8, 0, b"\0"))
        assert read_header(tmp_path / "a.png").shape == (20_480, 32_768)
        (tmp_path / "b.png").write_bytes(png(32_768, 20_480, 16, 0, b"\0"))
        (tmp_path / "c.png").write_bytes(png(32_768, 20_480, 8, 2, b"\0"))
        (tmp_path / "d.png").write_bytes(png(32_768, 20_481, 8, 0, b"\0"))
        for name in ("b.png", "c.png", "d.png"):
            with pytest.raises(FrameError, match=r"32768 x 2048.* of memory, and at most 640 MiB"):
                read_header(tmp_path / name)

    def test_a_part_of_a_tiff_that_says_it_is_larger(self, tmp_path: Path) -> None:
        for kind, encode in (
            ("jpeg", imagecodecs.jpeg8_encode),
            ("jpeg2000", imagecodecs.jpeg2k_encode),
            ("png", imagecodecs.png_encode),
            ("webp", imagecodecs.webp_encode),
        ):
            path = tmp_path / f"{kind}.tif"
            tifffile.imwrite(path, smooth(24, 32), photometric="rgb", compression=kind)
            read_image(path)
            with tifffile.TiffFile(path) as tiff:
                start = tiff.pages.first.dataoffsets[0]
            data = path.read_bytes()
            path.write_bytes(data[:start] + encode(smooth(48, 64)))
            with pytest.raises(
                FrameError, match=r"says that it has 64 x 48 .* picture has 32 x 24"
            ):
                read_image(path)

    def test_no_pixels_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png(0, 5, 8, 0, b"\0"))
        with pytest.raises(FrameError, match="its header says 0 x 5 pixels"):
            read_header(tmp_path / "a.png")

    def test_a_folder_is_no_picture(self, tmp_path: Path) -> None:
        with pytest.raises(FrameError, match="cannot be read as a picture"):
            read_header(tmp_path)

    @given(st.data())
    def test_damage_gives_a_picture_or_a_frame_error(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        suffix = data.draw(st.sampled_from([".png", ".tif"]))
        buffer = io.BytesIO()
        Image.fromarray(smooth(6, 9)).save(buffer, "PNG" if suffix == ".png" else "TIFF")
        damaged = bytearray(buffer.getvalue())
        for _ in range(data.draw(st.integers(1, 4))):
            damaged[data.draw(st.integers(8, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        path = tmp_path_factory.mktemp("damage") / f"a{suffix}"
        path.write_bytes(damaged)
        try:
            pixels = read_image(path)
        except FrameError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            assert pixels.ndim in (2, 3)


class TestThumbnail:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
    def test_fits_and_keeps_the_mean(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.{suffix}"
        pixels = smooth(300, 517)
        Image.fromarray(pixels).save(path)
        small = read_thumbnail(path)
        assert small.shape == (37, 64, 3)
        assert small.dtype == np.uint8
        np.testing.assert_allclose(small.mean((0, 1)), pixels.mean((0, 1)), atol=2)

    @pytest.mark.parametrize("suffix", ["jpg", "png"])
    def test_grey_stays_grey(self, tmp_path: Path, suffix: str) -> None:
        Image.fromarray(smooth(100, 200)[..., 0].copy()).save(tmp_path / f"a.{suffix}")
        assert read_thumbnail(tmp_path / f"a.{suffix}", 10).shape == (5, 10)

    def test_16_bit_is_narrowed(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "a.png"), np.full((10, 20), 25_700, np.uint16))
        np.testing.assert_array_equal(read_thumbnail(tmp_path / "a.png", 4), [[100] * 4] * 2)

    def test_a_small_picture_stays_as_it_is(self, tmp_path: Path) -> None:
        Image.fromarray(smooth(6, 9)).save(tmp_path / "a.png")
        np.testing.assert_array_equal(read_thumbnail(tmp_path / "a.png"), smooth(6, 9))

    @given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 70))
    def test_any_shape(
        self, tmp_path_factory: pytest.TempPathFactory, height: int, width: int, size: int
    ) -> None:
        path = tmp_path_factory.mktemp("thumbnail") / "a.jpg"
        Image.fromarray(smooth(height, width)).save(path)
        shape = read_thumbnail(path, size).shape
        assert max(shape[:2]) == min(size, max(height, width))
        assert min(shape[:2]) >= 1

    def test_a_float_beyond_1_is_refused(self, tmp_path: Path) -> None:
        tifffile.imwrite(tmp_path / "a.tif", np.array([[0.5, 2]], np.float32))
        with pytest.raises(FrameError, match=r"within 0\.\.1"):
            read_thumbnail(tmp_path / "a.tif")


def test_the_first_bytes_decide_not_the_suffix(tmp_path: Path) -> None:
    Image.fromarray(smooth(4, 5)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    check(tmp_path / "a.jpg", smooth(4, 5))


def test_suffixes() -> None:
    usual = {".jpg", ".jpeg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
    assert usual | RAW_SUFFIXES | RADIANCE_SUFFIXES == IMAGE_SUFFIXES
