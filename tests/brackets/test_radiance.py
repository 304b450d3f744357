import builtins
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bracketseg.brackets.images import read_frame, read_header, read_image, read_thumbnail
from bracketseg.brackets.radiance import displayed
from bracketseg.errors import FrameError

LINEAR = np.array([[[0.0, 0.25, 0.5], [1.0, 2.0, -1.0]]], np.float32)
# By hand: 0.25 -> 1.055 * 0.25**(1/2.4) - 0.055 = 0.5371; 0.5 -> 0.7354.
SHOWN = np.array([[[0.0, 0.5371, 0.7354], [1.0, 1.0, 0.0]]])


def write_exr(path: Path, **channels: np.ndarray) -> Path:
    head = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(head, channels) as file:
        file.write(str(path))
    return path


class TestDisplayed:
    def test_by_hand(self) -> None:
        np.testing.assert_allclose(displayed(LINEAR), SHOWN, atol=1e-4)
        np.testing.assert_array_equal(displayed(LINEAR / 8, ev=3), displayed(LINEAR))

    def test_what_is_no_number_is_black(self) -> None:
        values = np.array([[np.nan, np.inf, -np.inf]], np.float32)
        np.testing.assert_array_equal(displayed(values), [[0, 1, 0]])

    @given(
        hnp.arrays(np.float32, (3, 4), elements=st.floats(width=32)),
        st.floats(-40, 40),
    )
    def test_any_values_are_shown(self, values: np.ndarray, ev: float) -> None:
        shown = displayed(values, ev)
        assert shown.dtype == np.float32
        assert shown.min() >= 0
        assert shown.max() <= 1

    @given(st.floats(-5, 5), st.floats(0, 5))
    def test_more_exposure_is_never_darker(self, ev: float, more: float) -> None:
        assert (displayed(LINEAR, ev + more) >= displayed(LINEAR, ev)).all()


class TestExr:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_is_shown(self, tmp_path: Path, dtype: type) -> None:
        path = write_exr(tmp_path / "a.exr", RGB=LINEAR.astype(dtype))
        header = read_header(path)
        assert (header.shape, header.dtype) == ((1, 2, 3), np.float32)
        np.testing.assert_allclose(read_image(path), SHOWN, atol=1e-3)
        np.testing.assert_allclose(read_frame(path, ev=-1), displayed(LINEAR, -1), atol=1e-3)

    def test_alpha_is_dropped_and_grey_stays(self, tmp_path: Path) -> None:
        plane = np.full((2, 3), 0.25, np.float32)
        colour = write_exr(tmp_path / "a.exr", R=plane, G=plane, B=plane * 0, A=plane)
        np.testing.assert_allclose(read_image(colour)[0, 0], [0.5371, 0.5371, 0], atol=1e-3)
        grey = write_exr(tmp_path / "b.exr", Y=plane)
        assert read_header(grey).shape == (2, 3)
        np.testing.assert_allclose(read_image(grey), 0.5371, atol=1e-3)

    def test_other_channels_are_refused(self, tmp_path: Path) -> None:
        path = write_exr(tmp_path / "a.exr", Z=np.ones((2, 3), np.float32))
        with pytest.raises(FrameError, match=r"a\.exr.*channels are Z, not R, G and B"):
            read_header(path)

    def test_a_cut_file_is_refused(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
        path = write_exr(tmp_path / "a.exr", RGB=noise)
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(FrameError, match=r"a\.exr"):
            read_image(path)

    def test_without_the_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write_exr(tmp_path / "a.exr", RGB=LINEAR)
        imported = builtins.__import__

        def without(name: str, *arguments: Any, **named: Any) -> Any:
            if name == "OpenEXR":
                raise ImportError(name)
            return imported(name, *arguments, **named)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(FrameError, match=r'a\.exr: .*pip install "bracketseg\[exr\]"$'):
            read_header(path)


class TestHdr:
    def test_is_shown(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "a.hdr"), np.maximum(LINEAR, 0)[..., ::-1])
        header = read_header(tmp_path / "a.hdr")
        assert (header.shape, header.dtype) == ((1, 2, 3), np.float32)
        # Three numbers share one exponent of 8 bits: 1 part in 128.
        np.testing.assert_allclose(read_image(tmp_path / "a.hdr"), SHOWN, atol=0.01)
        assert read_thumbnail(tmp_path / "a.hdr", ev=-20).max() == 0

    @pytest.mark.parametrize(
        ("head", "reason"),
        [
            (b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 2 +X 2\n", "not RGB"),
            (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n+Y 2 +X 2\n", "from top to bottom"),
            (b"#?RADIANCE", "header is damaged"),
            (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n", "pixels are damaged"),
            (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 99999\n", "at most 640 MiB"),
        ],
    )
    def test_what_is_refused(self, tmp_path: Path, head: bytes, reason: str) -> None:
        (tmp_path / "a.hdr").write_bytes(head)
        with pytest.raises(FrameError, match=rf"a\.hdr.*{reason}"):
            read_image(tmp_path / "a.hdr")
