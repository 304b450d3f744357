import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bracketseg.brackets.sidecars import MAX_BYTES, listed_evs, sidecar_evs

finite = st.floats(allow_nan=False, allow_infinity=False)
A_B_C = [Path("a.JPG"), Path("b.JPG"), Path("c.JPG")]


class TestList:
    def test_by_hand(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.array([-3, -1, 1]))
        (tmp_path / "a.txt").write_text("-2\n0 # normal\n\n+2.5\n")
        assert sidecar_evs(tmp_path / "a.npy") == [-3.0, -1.0, 1.0]
        assert sidecar_evs(tmp_path / "a.txt") == [-2.0, 0.0, 2.5]

    def test_a_byte_order_mark_is_no_number(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("0\n2\n", encoding="utf-8-sig")
        assert sidecar_evs(tmp_path / "a.txt") == [0.0, 2.0]

    @given(st.lists(finite, max_size=15).filter(lambda values: min(values, default=0) <= 0))
    def test_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, values: list[float]
    ) -> None:
        folder = tmp_path_factory.mktemp("sidecar")
        np.save(folder / "a.npy", np.array(values))
        (folder / "a.txt").write_text("\r\n".join(map(repr, values)))
        assert sidecar_evs(folder / "a.npy") == values
        assert sidecar_evs(folder / "a.txt") == values

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("a.txt", b"1/0\n1/30\n"),
            ("a.txt", b"-1/60\n1/30\n"),
            ("a.txt", b"0 1 two"),
            ("a.txt", b"nan 1 2"),
            ("a.txt", b"\xff\xfe\x00"),
            ("a.npy", b""),
            ("a.npy", b"\x93NUMPY rubbish"),
            ("missing.npy", None),
            ("missing.txt", None),
        ],
    )
    def test_what_is_no_list_of_stops_says_nothing(
        self, tmp_path: Path, name: str, data: bytes | None
    ) -> None:
        if data is not None:
            (tmp_path / name).write_bytes(data)
        assert sidecar_evs(tmp_path / name) is None

    def test_no_pickle_is_opened(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.array([1.0, 2.0], dtype=object), allow_pickle=True)
        assert sidecar_evs(tmp_path / "a.npy") is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1/60 1/15 1/4", [-math.log2(60), -math.log2(15), -2]),
            ("0.01 0.04 0.16", [math.log2(0.01), math.log2(0.04), math.log2(0.16)]),
            ("1 4 16", [0, 2, 4]),
            ("30 8 2", [math.log2(30), 3, 1]),
            ("1 3 5", [1, 3, 5]),
            ("2 4", [2, 4]),
            ("0.333 1 1.667", [0.333, 1, 1.667]),
            ("0 1 4", [0, 1, 4]),
        ],
    )
    def test_times_are_told_from_stops(
        self, tmp_path: Path, text: str, expected: list[float]
    ) -> None:
        (tmp_path / "exposure.txt").write_text(text)
        assert sidecar_evs(tmp_path / "exposure.txt") == pytest.approx(expected)

    @given(st.integers(-13, 3), st.sampled_from([1 / 3, 0.5, 1, 2, 3]), st.integers(3, 9))
    def test_any_series_of_times(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        longest: int,
        step: float,
        count: int,
    ) -> None:
        evs = [longest - step * index for index in range(count)]
        path = tmp_path_factory.mktemp("times") / "exposures.npy"
        np.save(path, np.exp2(evs))
        assert sidecar_evs(path) == pytest.approx(evs)


class TestTable:
    def test_a_list_of_debevec(self, tmp_path: Path) -> None:
        path = tmp_path / "memorial.hdr_image_list.txt"
        path.write_text(
            "# Number of Images\n3\n"
            "# Filename  1/shutter_speed  f/stop  gain(db) ND_filters\n"
            "a.ppm 0.25 8 0 0\nB.ppm 1 8 0 0\nc.ppm 4 16 0 0\n"
        )
        # 4 s at f/8: log2(4 / 64); 1 s at f/8; a quarter at f/16.
        assert listed_evs(path, A_B_C) == pytest.approx([-4, -6, -10])

    def test_a_list_of_shutters_only(self, tmp_path: Path) -> None:
        (tmp_path / "image_list.txt").write_text("c.png 2\nb.png 8\na.png 32\n")
        assert listed_evs(tmp_path / "image_list.txt", A_B_C) == [-5, -3, -1]

    @pytest.mark.parametrize(
        "text",
        [
            "filename,exposure_time\nb.png,0.25\na.png,1/16\nc.png,1\n",
            "b.png;0.25 s\na.png;1/16 s\nc.png;1 s\n",
            "time\n0.0625\n0.25\n1\n",
        ],
    )
    def test_a_table_of_times(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "exposure_times.csv").write_text(text)
        assert listed_evs(tmp_path / "exposure_times.csv", A_B_C) == [-4, -2, 0]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("image_list.txt", "a.png 2\nb.png 8\n"),
            ("image_list.txt", "a.png x\nb.png 8\nc.png 1\n"),
            ("image_list.txt", "a.png 2\nb.png 2\nc.png 2\n"),
            ("exposure_times.csv", ""),
            ("exposure_times.csv", "a.png,0\nb.png,1\nc.png,2\n"),
            ("exposure_times.csv", "1\n2\n"),
            ("exposure_times.csv", 'a,"b\n'),
            ("exposure_times.csv", "nan\n1\n2\n"),
        ],
    )
    def test_what_does_not_list_all_says_nothing(
        self, tmp_path: Path, name: str, text: str
    ) -> None:
        (tmp_path / name).write_text(text)
        assert listed_evs(tmp_path / name, A_B_C) is None

    @pytest.mark.parametrize("name", ["image_list.txt", "exposure_times.csv", "exposure.txt"])
    def test_a_huge_file_is_not_read(self, tmp_path: Path, name: str) -> None:
        with (tmp_path / name).open("wb") as file:
            file.truncate(MAX_BYTES + 1)
        assert listed_evs(tmp_path / name, A_B_C) is None
        assert listed_evs(tmp_path / f"no {name}", A_B_C) is None
