from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from bracketseg.brackets.masks import (
    find_mask,
    find_masks,
    is_mask_name,
    mask_name,
    probability_name,
    read_mask,
    read_probability,
    write_mask,
    write_probability,
)
from bracketseg.errors import LabelingError

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASK = np.array([[True, False, True], [False, False, True]])


@given(hnp.arrays(bool, shapes), st.sampled_from([".png", ".tif", ".tiff", ".PNG"]))
def test_a_mask_comes_back(
    tmp_path_factory: pytest.TempPathFactory, mask: NDArray[np.bool_], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("mask") / f"größe{suffix}"
    write_mask(path, mask)
    read = read_mask(path)
    assert read.dtype == bool
    np.testing.assert_array_equal(read, mask)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_file_is_one_channel_of_0_and_255(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_mask(path, MASK.astype(np.int64) * 3)
    with Image.open(path) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), MASK * 255)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [1, 2, 255])
def test_any_value_but_zero_is_foreground(tmp_path: Path, value: int) -> None:
    Image.fromarray(MASK.astype(np.uint8) * np.uint8(value)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), MASK)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float32, bool])
def test_tiffs_of_any_number_type(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MASK.astype(dtype))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), MASK)


def test_16_bit_and_1_bit_and_colour(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "16.png"), MASK.astype(np.uint16))
    Image.fromarray(MASK).save(tmp_path / "1.png")
    rgba = np.zeros((*MASK.shape, 4), np.uint8)
    rgba[..., 2] = MASK
    rgba[..., 3] = 255  # opaque everywhere: alpha is no foreground
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    for name in ("16.png", "1.png", "rgba.png"):
        np.testing.assert_array_equal(read_mask(tmp_path / name), MASK)


def test_a_broken_mask_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a_low.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "a_low.tif").write_bytes(b"II*\0rubbish")
    for name in ("a_low.png", "a_low.tif", "missing.png", "missing.tif"):
        with pytest.raises(LabelingError, match=f"{name}: cannot be read as a mask; write it"):
            read_mask(tmp_path / name)


def test_a_jpeg_is_no_mask(tmp_path: Path) -> None:
    for act in (
        lambda: read_mask(tmp_path / "a.jpg"),
        lambda: write_mask(tmp_path / "a.jpg", MASK),
    ):
        with pytest.raises(LabelingError, match=r"a\.jpg: masks are PNG or TIFF"):
            act()


@pytest.mark.parametrize("shape", [(3,), (2, 3, 3), (0, 3)])
def test_a_mask_has_two_dimensions(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(LabelingError, match=r"a\.png: a mask is \(height, width\)"):
        write_mask(tmp_path / "a.png", np.zeros(shape, bool))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match=r"cannot be written.*Check that the folder is there"):
        write_mask(tmp_path / "missing" / "a.png", MASK)


def test_find_masks_leaves_strangers_alone(tmp_path: Path) -> None:
    names = ["a_low.png", "a_high.tif", "b_low.tiff", "x_low_high.png"]
    strangers = ["labeling.json", "a_medium.png", "a_low_probability.png", "low.png", "_low.png"]
    strangers += ["a_low.jpg", "._a_low.png", "a.json", "a_LOW.png.txt"]
    for name in names + strangers:
        (tmp_path / name).touch()
    assert find_masks(tmp_path) == {
        ("a", "low"): tmp_path / "a_low.png",
        ("a", "high"): tmp_path / "a_high.tif",
        ("b", "low"): tmp_path / "b_low.tiff",
        ("x_low", "high"): tmp_path / "x_low_high.png",
    }


@pytest.mark.parametrize("order", [(".png", ".tif"), (".tif", ".png"), (".png", ".tiff")])
def test_a_png_is_preferred_to_a_tiff(tmp_path: Path, order: tuple[str, str]) -> None:
    for suffix in order:
        (tmp_path / f"a_low{suffix}").touch()
    assert find_masks(tmp_path)["a", "low"].suffix == ".png"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelingError, match=r"nowhere: the masks cannot be listed.*_low\.png"):
        find_masks(tmp_path / "nowhere")


@given(st.text("abc_.- é", min_size=1), st.sampled_from(["low", "high"]))
def test_names_are_found_again(scene: str, role: str) -> None:
    assert is_mask_name(Path(mask_name(scene, role)))  # type: ignore[arg-type]
    assert is_mask_name(Path(probability_name(scene, role)))  # type: ignore[arg-type]


def test_names_by_hand() -> None:
    assert mask_name("0000", "high") == "0000_high.png"
    assert probability_name("0000", "high") == "0000_high_probability.png"
    assert not is_mask_name(Path("0000_medium.png"))
    assert not is_mask_name(Path("low.png"))
    assert not is_mask_name(Path("0000_low.jpg"))


def test_probability_by_hand(tmp_path: Path) -> None:
    # 0.5 * 65535 = 32767.5 goes to the even 32768.
    write_probability(tmp_path / "p.png", [[0.0, 0.5, 1.0, 1e-6]])
    np.testing.assert_array_equal(read_probability(tmp_path / "p.png"), [[0, 32768, 65535, 0]])


@given(hnp.arrays(np.float32, shapes, elements=st.floats(0, 1, width=32)))
def test_a_probability_comes_back_within_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, probability: NDArray[np.float32]
) -> None:
    path = tmp_path_factory.mktemp("probability") / "p.png"
    write_probability(path, probability)
    stored = read_probability(path)
    assert stored.dtype == np.uint16
    assert stored.shape == probability.shape
    assert np.abs(stored / 65535 - probability.astype(float)).max() <= 0.5 / 65535 + 1e-12


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf])
def test_what_is_no_probability_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(LabelingError, match=r"p\.png: probabilities have to be finite"):
        write_probability(tmp_path / "p.png", [[0.5, value]])


def test_a_mask_is_no_probability(tmp_path: Path) -> None:
    write_mask(tmp_path / "m.png", MASK)
    with pytest.raises(LabelingError, match=r"m\.png: a probability is one channel of 16 bits"):
        read_probability(tmp_path / "m.png")
    with pytest.raises(LabelingError, match=r"missing\.png: cannot be read as a probability"):
        read_probability(tmp_path / "missing.png")


@pytest.mark.parametrize("suffixes", [[], [".png"], [".tif", ".png"], [".TIFF"], [".tiff", ".tif"]])
def test_one_mask_is_the_one_that_all_of_them_hold(tmp_path: Path, suffixes: list[str]) -> None:
    for suffix in suffixes:
        write_mask(tmp_path / f"a.b_low{suffix}", MASK)
    assert find_mask(tmp_path, "a.b", "low") == find_masks(tmp_path).get(("a.b", "low"))
    assert find_mask(tmp_path, "a.b", "high") is None
