import struct
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import IFDRational

from bracketseg.brackets.exif import Exif, apply_orientation, parse_exif
from bracketseg.brackets.exposure import Exposure

rationals = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000))


def block(order: str, main: bytes, entries: int) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIH", 42, 8, entries) + main + bytes(4)


def with_pillow(fields: Mapping[int, int | tuple[int, int]], orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for tag, value in fields.items():
        exif.get_ifd(0x8769)[tag] = IFDRational(*value) if isinstance(value, tuple) else value
    return exif.tobytes()[6:]


@pytest.mark.parametrize("order", ["<", ">"])
def test_by_hand_in_both_byte_orders(order: str) -> None:
    # One entry: tag 0x0112, type 3 (short), count 1, value 6 in the first two bytes.
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, 6, 0)
    assert parse_exif(block(order, entry, 1)) == Exif(6, Exposure())


@given(rationals, rationals, st.integers(1, 65_534), st.integers(1, 8))
def test_reads_what_pillow_writes(
    time: tuple[int, int], f_number: tuple[int, int], iso: int, orientation: int
) -> None:
    exif = parse_exif(with_pillow({0x829A: time, 0x829D: f_number, 0x8827: iso}, orientation))
    assert exif.orientation == orientation
    expected_f = f_number[0] / f_number[1]
    assert exif.exposure == Exposure(
        time=float(Fraction(*time)),
        f_number=expected_f if expected_f <= 1024 else None,
        iso=float(iso),
    )


@pytest.mark.parametrize("value", [(0, 1), (1, 0), (0, 0), (4_000_000_000, 1)])
def test_times_that_make_no_sense_are_missing(value: tuple[int, int]) -> None:
    assert parse_exif(with_pillow({0x829A: value})).exposure == Exposure()


def test_a_negative_time_is_missing() -> None:
    camera = struct.pack("<HHHIII", 1, 0x829A, 10, 1, 44, 0) + struct.pack("<ii", -1, 100)
    main = struct.pack("<HHII", 0x8769, 4, 1, 26)
    assert parse_exif(block("<", main, 1) + camera).exposure == Exposure()
    camera = camera[:-8] + struct.pack("<ii", 1, 100)
    assert parse_exif(block("<", main, 1) + camera).exposure == Exposure(time=0.01)


def test_an_iso_that_did_not_fit_is_read_from_the_wider_field() -> None:
    fields = {0x8827: 65_535, 0x8832: 102_400}
    assert parse_exif(with_pillow(fields)).exposure.iso == 102_400


@given(st.binary(max_size=200), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_any_bytes_are_survived(data: bytes, start: bytes) -> None:
    exif = parse_exif(start + data)
    assert exif.orientation in range(1, 9)


@given(st.data())
def test_cut_and_damaged_blocks_are_survived(data: st.DataObject) -> None:
    good = bytearray(with_pillow({0x829A: (1, 60), 0x8827: 200}))
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    exposure = parse_exif(bytes(good[: data.draw(st.integers(0, len(good)))])).exposure
    assert exposure.time is None or exposure.time > 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [None, 3])
def test_upright_as_pillow_turns_it(orientation: int, channels: int | None) -> None:
    shape = (2, 3) if channels is None else (2, 3, channels)
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    turned = apply_orientation(pixels, orientation)
    np.testing.assert_array_equal(turned, np.asarray(ImageOps.exif_transpose(image)))
    assert turned.flags.c_contiguous


def test_a_quarter_turn_by_hand() -> None:
    # Orientation 6: the first row of the upright picture is the first column, from below.
    np.testing.assert_array_equal(
        apply_orientation(np.array([[1, 2], [3, 4]]), 6), [[3, 1], [4, 2]]
    )
