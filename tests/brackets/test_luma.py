import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bracketseg.brackets.luma import luma, to_uint8
from bracketseg.errors import FrameError

rgb8 = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
rgb16 = hnp.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
unit = st.floats(0, 1, width=32)


def bt601(rgb: NDArray[np.generic]) -> NDArray[np.float64]:
    weighted: NDArray[np.float64] = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return weighted


class TestLuma:
    def test_by_hand(self) -> None:
        # 0.299 * 255 = 76.2; 0.587 * 255 = 149.7; 0.114 * 255 = 29.1; 0.299 * 100 + 0.587 * 50
        # + 0.114 * 200 = 82.05.
        rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [100, 50, 200]]], np.uint8)
        np.testing.assert_array_equal(luma(rgb), [[76, 150, 29, 82]])

    @given(rgb8)
    def test_8_bit_against_the_formula(self, rgb: NDArray[np.uint8]) -> None:
        # Fixed-point weights of 14 bits are off by less than 0.02.
        assert np.abs(luma(rgb) - bt601(rgb)).max() <= 0.52

    @given(rgb8)
    def test_8_bit_is_opencv(self, rgb: NDArray[np.uint8]) -> None:
        np.testing.assert_array_equal(
            luma(rgb), cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., 0].reshape(rgb.shape[:2])
        )

    @given(rgb16)
    def test_16_bit_against_the_formula(self, rgb: NDArray[np.uint16]) -> None:
        assert np.abs(luma(rgb) - bt601(rgb) / 257).max() <= 0.51

    @given(hnp.arrays(np.float32, (3, 4, 3), elements=unit))
    def test_float_against_the_formula(self, rgb: NDArray[np.float32]) -> None:
        assert np.abs(luma(rgb) - bt601(rgb) * 255).max() <= 0.5001

    @given(rgb8)
    def test_depths_agree(self, rgb: NDArray[np.uint8]) -> None:
        of_8 = luma(rgb).astype(int)
        of_16 = luma(rgb.astype(np.uint16) * np.uint16(257))
        of_float = luma(rgb.astype(np.float32) / 255)
        # They round on different sides of a half only where the weights differ in the last bits.
        assert np.abs(of_16 - of_8).max() <= 1
        assert np.abs(of_float - of_8).max() <= 1

    def test_ties(self) -> None:
        # 8 bits, in fixed point: 9617 * 56 + 1868 * 102 = 44.5 * 2**14, and the half goes up;
        # 4899 + 9617 * 57 + 1868 * 103 = 45.5 * 2**14.
        np.testing.assert_array_equal(
            luma(np.array([[[0, 56, 102], [1, 57, 103]]], np.uint8)), [[45, 46]]
        )
        # 16 bits: 128 and 129 lie on either side of half a step of 257; nothing lies on it.
        np.testing.assert_array_equal(luma(np.array([[128, 129]], np.uint16)), [[0, 1]])
        # Float: 0.1 * 255 is 25.5 in single precision, and 26 is even; 0.3 * 255 is 76.5.
        np.testing.assert_array_equal(luma(np.array([[0.1, 0.3]], np.float32)), [[26, 76]])

    @given(hnp.arrays(np.uint8, (3, 5)))
    def test_grey_is_its_own_luma(self, grey: NDArray[np.uint8]) -> None:
        np.testing.assert_array_equal(luma(grey), grey)
        np.testing.assert_array_equal(luma(np.repeat(grey[..., None], 3, axis=2)), grey)

    @given(rgb8)
    def test_alpha_does_not_count(self, rgb: NDArray[np.uint8]) -> None:
        alpha = np.full((*rgb.shape[:2], 1), 7, np.uint8)
        np.testing.assert_array_equal(luma(np.concatenate([rgb, alpha], axis=2)), luma(rgb))
        grey = rgb[..., :1]
        np.testing.assert_array_equal(luma(np.concatenate([grey, alpha], axis=2)), grey[..., 0])

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, ">u2", ">f4"])
    @pytest.mark.parametrize("tail", [(), (1,), (2,), (3,), (4,)])
    def test_shape_and_dtype(self, dtype: str, tail: tuple[int, ...]) -> None:
        y = luma(np.zeros((5, 7, *tail), dtype))
        assert y.shape == (5, 7)
        assert y.dtype == np.uint8

    def test_full_range(self) -> None:
        for white in (np.uint8(255), np.uint16(65535), np.float32(1), np.float64(1)):
            assert luma(np.full((2, 2, 3), white)).tolist() == [[255, 255], [255, 255]]

    @pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf, -np.inf])
    def test_a_float_out_of_range_is_refused(self, value: float) -> None:
        image = np.full((2, 2, 3), 0.5, np.float32)
        image[1, 0, 2] = value
        with pytest.raises(FrameError, match=r"within 0\.\.1.*divide it by its white"):
            luma(image)

    @pytest.mark.parametrize("dtype", [bool, np.int16, np.int64, np.uint32, complex])
    def test_other_types_are_refused(self, dtype: type) -> None:
        with pytest.raises(FrameError, match="convert it to uint8, uint16 or float"):
            luma(np.zeros((2, 2, 3), dtype))

    @pytest.mark.parametrize("shape", [(4,), (2, 2, 5), (1, 2, 2, 3), (0, 3), (2, 0, 3)])
    def test_other_shapes_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(FrameError, match=r"give \(H, W\) for grey or \(H, W, 3\)"):
            luma(np.zeros(shape, np.uint8))

    def test_a_view_that_runs_backwards(self) -> None:
        rgb = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
        np.testing.assert_array_equal(luma(rgb[::-1, ::-1]), luma(rgb)[::-1, ::-1])


class TestToUint8:
    def test_by_hand(self) -> None:
        np.testing.assert_array_equal(
            to_uint8(np.array([[0, 128, 129, 32_767, 65_535]], np.uint16)), [[0, 0, 1, 127, 255]]
        )
        np.testing.assert_array_equal(
            to_uint8(np.array([[0, 0.1, 0.5, 1]], np.float32)), [[0, 26, 128, 255]]
        )

    def test_every_16_bit_value_goes_to_the_nearest(self) -> None:
        values = np.arange(65_536, dtype=np.uint16)[None]
        np.testing.assert_array_equal(to_uint8(values), np.rint(values / 257))

    @given(rgb8)
    def test_widened_values_come_back(self, rgb: NDArray[np.uint8]) -> None:
        np.testing.assert_array_equal(to_uint8(rgb), rgb)
        np.testing.assert_array_equal(to_uint8(rgb.astype(np.uint16) * np.uint16(257)), rgb)
        np.testing.assert_array_equal(to_uint8(rgb.astype(np.float32) / 255), rgb)

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [((4, 5), (4, 5)), ((4, 5, 3), (4, 5, 3)), ((4, 5, 4), (4, 5, 3)), ((4, 5, 2), (4, 5))],
    )
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    def test_shape_and_dtype(
        self, shape: tuple[int, ...], expected: tuple[int, ...], dtype: type
    ) -> None:
        narrow = to_uint8(np.zeros(shape, dtype))
        assert narrow.shape == expected
        assert narrow.dtype == np.uint8

    def test_a_float_out_of_range_is_refused(self) -> None:
        with pytest.raises(FrameError, match="runs from 0 to 2"):
            to_uint8(np.array([[0.0, 2.0]]))
