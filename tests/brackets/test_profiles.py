import io
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from bracketseg.brackets.images import read_header, read_image, read_thumbnail
from bracketseg.brackets.profiles import profile_problem, to_srgb

ADOBE = bytes(imagecodecs.cms_profile("adobergb"))
GREY = bytes(imagecodecs.cms_profile("gray", gamma=1.0))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLOUR = (200, 60, 120)


def patch(*colour: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.array(colour, np.uint8), (16, 24, len(colour))).copy()


def by_pillow(pixels: NDArray[np.uint8], profile: bytes, mode: str | None = None) -> NDArray:
    """The independent reference: Pillow's own littleCMS."""
    image = Image.fromarray(pixels, mode=mode) if mode else Image.fromarray(pixels)
    source, target = (ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (profile, SRGB))
    return np.asarray(ImageCms.profileToProfile(image, source, target, outputMode="RGB"))


def inks_profile() -> bytes:
    """A profile of four inks: the lightness falls with black, and yellow makes it yellow."""
    corners = []
    for index in range(16):
        cyan, magenta, yellow, black = (index >> bit & 1 for bit in (3, 2, 1, 0))
        light = 255 // (1 + cyan + magenta + black)
        corners += [light, 128 + 40 * magenta - 40 * cyan, 128 + 60 * yellow]
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes(corners) + ramp * 3
    head = bytearray(128)
    head[8:12] = b"\x02\x10\0\0"
    head[12:24] = b"prtrCMYKLab "
    head[36:40] = b"acsp"
    head[68:80] = struct.pack(">3i", 63190, 65536, 54061)
    head[0:4] = struct.pack(">I", 128 + 16 + len(table))
    return bytes(head) + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_colours_are_converted(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(patch(*COLOUR)).save(path, icc_profile=ADOBE, quality=100, **options)
    expected = by_pillow(patch(*COLOUR), ADOBE)
    assert abs(int(expected[0, 0, 0]) - COLOUR[0]) > 20
    for pixels in (read_image(path), read_thumbnail(path, 8)):
        assert np.abs(pixels.astype(int) - expected[0, 0]).max() <= 3
    assert read_header(path).warning == ""


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_at_the_depth_of_the_file(tmp_path: Path, dtype: type) -> None:
    white = 65535 if dtype is np.uint16 else 1
    pixels = (patch(*COLOUR) / 255 * white).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", iccprofile=ADOBE)
    converted = read_image(tmp_path / "a.tif")
    assert converted.dtype == dtype
    expected = by_pillow(patch(*COLOUR), ADOBE) / 255
    np.testing.assert_allclose(converted / white, expected, atol=1 / 255)


def test_grey_stays_grey(tmp_path: Path) -> None:
    Image.fromarray(patch(64)[..., 0]).save(tmp_path / "a.png", icc_profile=GREY)
    pixels = read_image(tmp_path / "a.png")
    # Linear 64/255 = 0.251; encoded as sRGB that is 0.537, 137 of 255.
    np.testing.assert_array_equal(pixels, np.full((16, 24), 137))


def test_srgb_of_any_maker_changes_nothing(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=SRGB)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_inks_by_their_profile(tmp_path: Path, suffix: str) -> None:
    profile, inks = inks_profile(), patch(200, 30, 90, 20)
    Image.fromarray(inks, mode="CMYK").save(
        tmp_path / f"a.{suffix}", icc_profile=profile, quality=100, subsampling=0
    )
    expected = by_pillow(inks, profile, "CMYK")
    header = read_header(tmp_path / f"a.{suffix}")
    assert (header.shape, header.warning) == ((16, 24, 3), "")
    assert np.abs(read_image(tmp_path / f"a.{suffix}").astype(int) - expected).max() <= 3
    plain = to_srgb(inks, b"")
    assert np.abs(plain.astype(int) - expected).max() > 20


def test_inks_without_a_profile_by_hand() -> None:
    # 255 * (1 - 51/255) * (1 - 127.5/255) = 102; black ink takes all light.
    inks = np.array([[[0.2, 0.0, 1.0, 0.5], [0, 0, 0, 1]]]) * 65535
    rgb = to_srgb(inks.astype(np.uint16), b"")
    assert rgb.dtype == np.uint16
    np.testing.assert_allclose(rgb[0] / 65535, [[0.4, 0.5, 0.0], [0, 0, 0]], atol=1e-4)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("profile", [b"no profile", ADOBE[:300], GREY, ADOBE[:16] + b"Lab " * 100])
def test_a_profile_that_cannot_be_used_is_named(
    tmp_path: Path, suffix: str, profile: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"a.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(patch(*COLOUR)).save(path, icc_profile=profile, quality=100, **options)
    assert "colour profile is damaged" in read_header(path).warning
    assert np.abs(read_image(path).astype(int) - COLOUR).max() <= 2
    assert capfd.readouterr() == ("", "")


def test_a_profile_in_parts(tmp_path: Path) -> None:
    """A JPEG numbers the parts of a long profile; they may come in any order."""
    path = tmp_path / "a.jpg"
    Image.fromarray(patch(*COLOUR)).save(path, quality=100)
    data, parts = path.read_bytes(), b""
    for number, part in ((2, ADOBE[400:]), (1, ADOBE[:400])):
        segment = b"ICC_PROFILE\0" + bytes([number, 2]) + part
        parts += b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment
    path.write_bytes(data[:2] + parts + data[2:])
    assert read_header(path).warning == ""
    expected = by_pillow(patch(*COLOUR), ADOBE)
    assert np.abs(read_image(path).astype(int) - expected).max() <= 3


def test_what_lies_outside_srgb_is_clipped() -> None:
    green = np.array([[[0, 1, 0], [0.5, 1, 0]]], np.float32)
    converted = to_srgb(green, ADOBE)
    assert converted.min() == 0
    assert converted.max() == 1


def test_a_float_beyond_white_is_left_to_its_reader() -> None:
    pixels = np.array([[[0.5, 2.0, 0.1]]], np.float32)
    np.testing.assert_array_equal(to_srgb(pixels, ADOBE), pixels)


def test_what_is_said() -> None:
    assert profile_problem(b"", 3) == profile_problem(ADOBE, 3) == ""
    assert profile_problem(b"x", 4).endswith("as plain CMYK")
    assert profile_problem(ADOBE, 1).endswith("as sRGB")
