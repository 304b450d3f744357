import os
import re
import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bracketseg.brackets import tiff
from bracketseg.brackets.layouts import BracketSet, bracket_of, find_brackets
from bracketseg.errors import BracketError, FrameError

WriteFrame = Callable[..., Path]
WriteScene = Callable[..., Path]


@pytest.fixture
def write_scene(write_frame: WriteFrame) -> WriteScene:
    """Pictures named in the order from dark to bright, at levels that rise so."""

    def write(folder: Path, *names: str, **frame: Any) -> Path:
        for index, name in enumerate(names):
            write_frame(folder / name, 40 + 15 * index, **frame)
        return folder

    return write


def scenes(found: BracketSet) -> list[str]:
    return [bracket.scene for bracket in found.brackets]


def one(path: Path) -> Any:
    found = find_brackets(path)
    assert found.problems == ()
    (bracket,) = found.brackets
    return bracket


class TestLayouts:
    def test_ntire_flat(self, tmp_path: Path, write_scene: WriteScene) -> None:
        for scene in ("0000", "0001"):
            names = [f"{scene}_{word}.png" for word in ("short", "medium", "long", "gt")]
            write_scene(tmp_path, *names)
        np.save(tmp_path / "0000_exposures.npy", np.array([-3, -1, 1]))
        np.save(tmp_path / "0000_alignratio.npy", np.array(1.5))
        found = find_brackets(tmp_path)
        assert scenes(found) == ["0000", "0001"]
        first, second = found.brackets
        assert [frame.ev for frame in first.frames] == [-3, -1, 1]
        assert [frame.ev for frame in second.frames] == [-2, 0, 2]
        assert (first.ev_source, second.ev_source) == ("sidecar", "names")
        assert first.frame("high").path == tmp_path / "0000_long.png"
        assert (first.folder, first.frames[0].shape) == (tmp_path, (8, 12, 3))

    @pytest.mark.parametrize("suffix", ["", "_{}"])
    def test_ntire_split(self, tmp_path: Path, write_frame: WriteFrame, suffix: str) -> None:
        for part in ("Train", "Valid", "Test"):
            for role in ("short", "medium", "long"):
                write_frame(tmp_path / part / "LDR" / role / f"0007{suffix.format(role)}.png")
            write_frame(tmp_path / part / "HDR" / "0007.png")
        found = find_brackets(tmp_path)
        assert scenes(found) == ["Test_0007", "Train_0007", "Valid_0007"]
        assert found.problems == ()
        assert scenes(find_brackets(tmp_path / "Train")) == ["0007"]
        bracket = one(tmp_path / "Train" / "LDR")
        assert bracket.frame("low").path.parent.name == "short"
        assert bracket.folder == tmp_path / "Train" / "LDR" / "short"

    def test_ntire_crops(self, tmp_path: Path, write_scene: WriteScene) -> None:
        for name in ("000000", "000001"):
            folder = write_scene(tmp_path / name, "0.png", "1.png", "2.png", "gt.png")
            np.save(folder / "exposures.npy", np.array([-3, -1, 1]))
        assert scenes(find_brackets(tmp_path)) == ["000000", "000001"]
        bracket = one(tmp_path / "000001")
        assert (bracket.scene, bracket.ev_source) == ("000001", "sidecar")
        assert [frame.path.name for frame in bracket.frames] == ["0.png", "1.png", "2.png"]

    def test_one_level_of_subfolders(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / "flat", "0000_short.png", "0000_long.png")
        write_scene(tmp_path / "crops" / "000000", "0.png", "2.png", "gt.png")
        write_scene(tmp_path / "photos" / "house", "low.jpg", "high.jpg")
        assert scenes(find_brackets(tmp_path)) == ["000000", "0000", "house"]

    @pytest.mark.parametrize(
        "names", [("low.jpg", "medium.tif", "HIGH.png"), ("Low.jpg", "high.jpg")]
    )
    def test_low_medium_high(
        self, tmp_path: Path, write_scene: WriteScene, names: tuple[str, ...]
    ) -> None:
        write_scene(tmp_path / "house", *names)
        for path in (tmp_path, tmp_path / "house"):
            bracket = one(path)
            assert (bracket.scene, bracket.ev_source) == ("house", "names")
            assert [frame.path.name for frame in bracket.frames] == list(names)

    def test_an_exif_bracket(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        for index, seconds in enumerate((1, 4, 15, 60)):
            write_frame(tmp_path / f"IMG_{index}.jpg", time=Fraction(1, seconds), iso=100)
        bracket = one(tmp_path)
        assert bracket.ev_source == "exif"
        assert [frame.path.name for frame in bracket.frames] == [
            f"IMG_{index}.jpg" for index in (3, 2, 1, 0)
        ]
        np.testing.assert_allclose([frame.ev for frame in bracket.frames], -np.log2([60, 15, 4, 1]))
        assert bracket.frames[0].exposure.time == 1 / 60

    def test_folders_decide_each_by_itself(
        self, tmp_path: Path, write_scene: WriteScene, write_frame: WriteFrame
    ) -> None:
        write_frame(tmp_path / "a" / "1.jpg", time=Fraction(1, 2))
        write_frame(tmp_path / "a" / "2.jpg", time=Fraction(1, 8))
        write_scene(tmp_path / "b", "low.jpg", "high.jpg")
        write_scene(tmp_path / "c", "0.png", "2.png", "gt.png")
        write_scene(tmp_path / "d", "x_EV-1.png", "x_EV1.png")
        write_scene(tmp_path / "e", "x.png", "y.png")
        found = find_brackets(tmp_path)
        assert [(b.scene, b.ev_source) for b in found.brackets] == [
            ("a", "exif"),
            ("b", "names"),
            ("c", "names"),
            ("d", "names"),
            ("e", "brightness"),
        ]

    def test_ldr_counts_as_the_folder_it_lies_in(
        self, tmp_path: Path, write_scene: WriteScene
    ) -> None:
        for role in ("short", "long"):
            write_scene(tmp_path / "ntire" / "Train" / "LDR" / role, "0007.png")
        assert scenes(find_brackets(tmp_path)) == ["0007"]

    def test_natural_order(self, tmp_path: Path, write_scene: WriteScene) -> None:
        for name in ("10", "9", "1"):
            write_scene(tmp_path / name, "low.jpg", "high.jpg")
        assert scenes(find_brackets(tmp_path)) == ["1", "9", "10"]


class TestExposures:
    def test_exif_wins_over_names(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        write_frame(tmp_path / "0000_short.jpg", time=Fraction(1, 10))
        write_frame(tmp_path / "0000_medium.jpg", time=Fraction(1, 100))
        write_frame(tmp_path / "0000_long.jpg", time=Fraction(1, 1000))
        assert one(tmp_path).frame("low").path.name == "0000_long.jpg"

    def test_exif_of_some_frames_only_says_nothing(
        self, tmp_path: Path, write_frame: WriteFrame
    ) -> None:
        write_frame(tmp_path / "low.jpg", time=Fraction(1, 10))
        write_frame(tmp_path / "high.jpg")
        assert one(tmp_path).ev_source == "names"

    @pytest.mark.parametrize("sidecar", ["exposure.txt", "exposures.npy", "input_exp.txt"])
    def test_sidecars_of_a_plain_folder(
        self, tmp_path: Path, write_scene: WriteScene, sidecar: str
    ) -> None:
        write_scene(tmp_path, "2.png", "10.png", "1.png")
        if sidecar.endswith(".npy"):
            np.save(tmp_path / sidecar, [4.0, 2.0, 0.0])
        else:
            (tmp_path / sidecar).write_text("4\n2\n0\n")
        bracket = one(tmp_path)
        assert bracket.ev_source == "sidecar"
        assert [(f.path.name, f.ev) for f in bracket.frames] == [
            ("10.png", 0.0),
            ("2.png", 2.0),
            ("1.png", 4.0),
        ]

    def test_brightness(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        for name, level in (("c", 10), ("a", 200), ("b", 90)):
            write_frame(tmp_path / f"{name}.png", level)
        bracket = one(tmp_path)
        assert bracket.ev_source == "brightness"
        assert [frame.path.stem for frame in bracket.frames] == ["c", "b", "a"]

    def test_equal_pictures_are_no_bracket(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        for name in "ab":
            write_frame(tmp_path / f"{name}.png")
        (problem,) = find_brackets(tmp_path).problems
        with pytest.raises(BracketError, match=r"equally bright.*exposure\.txt"):
            raise problem

    @given(st.permutations(range(5)))
    def test_frames_are_sorted_whatever_the_names(
        self, tmp_path_factory: pytest.TempPathFactory, order: list[int]
    ) -> None:
        folder = tmp_path_factory.mktemp("bracket")
        pixels = np.zeros((2, 2, 3), np.uint8)
        for name, stop in enumerate(order):
            cv2.imwrite(str(folder / f"{name}_EV{stop - 2}.png"), pixels)
        assert [frame.ev for frame in one(folder).frames] == [-2, -1, 0, 1, 2]


class TestPassedOver:
    def test_masks_and_ground_truth(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / "house", "low.jpg", "high.jpg")
        write_scene(tmp_path / "masks", "1.png", "2.png")
        write_scene(tmp_path / "by_otsu", "house_low.png", "house_high.png")
        write_scene(tmp_path / "by_anna", "house_low.png", "see.png", "saw.png")
        (tmp_path / "by_anna" / "labeling.json").write_text("{}")
        write_scene(tmp_path / "predicted", "house_low_probability.png", "house_high.tif")
        for name in ("HDR", "gt", "Label"):
            write_scene(tmp_path / name, "1.png", "2.png")
        found = find_brackets(tmp_path)
        assert (scenes(found), found.problems) == (["house"], ())

    def test_masks_beside_the_frames(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path, "0_short.png", "0_long.png", "0_low.png", "0_high.png")
        (tmp_path / "labeling.json").write_text("{}")
        assert [frame.path.name for frame in one(tmp_path).frames] == ["0_short.png", "0_long.png"]

    def test_loose_pictures_beside_scenes(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path, "preview.jpg")
        write_scene(tmp_path / "house", "low.jpg", "high.jpg")
        assert one(tmp_path).scene == "house"
        write_scene(tmp_path, "preview.jpg", "contact sheet.jpg")
        assert one(tmp_path).scene == "house"
        write_scene(tmp_path, "wide.jpg", size=(20, 5))
        assert one(tmp_path).scene == "house"
        left = find_brackets(tmp_path).left_over
        assert {it.path.name for it in left} == {"preview.jpg", "contact sheet.jpg", "wide.jpg"}
        assert {it.reason for it in left} == {
            "lies beside folders of brackets, and is taken for no bracket itself"
        }

    def test_a_bracket_beside_scenes(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path, "a_EV0.jpg", "a_EV2.jpg")
        write_scene(tmp_path / "edited", "low.jpg", "high.jpg")
        assert scenes(find_brackets(tmp_path)) == [tmp_path.name, "edited"]

    def test_hidden_files_and_folders(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / "house", "low.jpg", "high.jpg")
        (tmp_path / "house" / "._low.jpg").write_bytes(b"\0")
        (tmp_path / ".DS_Store").write_bytes(b"\0")
        write_scene(tmp_path / ".trash", "low.jpg", "high.jpg")
        assert scenes(find_brackets(tmp_path)) == ["house"]


class TestProblems:
    def test_others_stay(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / "a", "low.jpg", "high.jpg")
        write_scene(tmp_path / "b", "low.jpg", "medium.jpg")
        write_scene(tmp_path / "c", "low.jpg", "medium.jpg")
        write_scene(tmp_path / "c", "high.jpg", size=(12, 9))
        write_scene(tmp_path / "d", "low.jpg", "high.jpg")
        (tmp_path / "d" / "low.jpg").write_bytes(b"broken")
        write_scene(tmp_path / "e", "only.jpg")
        found = find_brackets(tmp_path)
        assert scenes(found) == ["a"]
        expected = (
            (BracketError, r"b: scene b has no long or high frame"),
            (BracketError, r"high\.jpg: is 12 x 9, but low\.jpg of the same bracket is 12 x 8"),
            (FrameError, r"low\.jpg: cannot be read"),
            (BracketError, r"e: holds only one picture, only\.jpg.*a folder of its own"),
        )
        for problem, (kind, message) in zip(found.problems, expected, strict=True):
            assert type(problem) is kind
            assert re.search(message, str(problem))

    @pytest.mark.parametrize("count", [16, 40])
    def test_too_many_pictures(self, tmp_path: Path, write_scene: WriteScene, count: int) -> None:
        write_scene(tmp_path, *(f"{index}.png" for index in range(2)))
        for index in range(2, count):
            shutil.copy(tmp_path / "0.png", tmp_path / f"{index}.png")
        found = find_brackets(tmp_path)
        assert found.brackets == ()
        (problem,) = found.problems
        assert f"holds {count} pictures" in str(problem)
        assert "read as ONE bracket of 2 to 15 frames of the same size, unless" in str(problem)
        assert "put each bracket into a folder of its own" in str(problem)

    def test_fifteen_are_a_bracket(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path, *(f"{index}.png" for index in range(15)))
        assert len(one(tmp_path).frames) == 15

    def test_different_sizes_in_a_plain_folder(
        self, tmp_path: Path, write_scene: WriteScene
    ) -> None:
        write_scene(tmp_path, "a.png", "c.png")
        write_scene(tmp_path, "b.png", size=(8, 12))
        (problem,) = find_brackets(tmp_path).problems
        assert "b.png: is 8 x 12, but a.png of the same bracket is 12 x 8" in str(problem)
        assert "ONE bracket of 2 to 15" in str(problem)

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        with pytest.raises(BracketError, match=r"holds no bracket.*0000_short\.png.*<scene>/low"):
            find_brackets(tmp_path)
        with pytest.raises(BracketError, match=r"nowhere: does not exist.*0000_short\.png"):
            find_brackets(tmp_path / "nowhere")

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_links_that_lead_round(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / "house", "low.jpg", "high.jpg")
        (tmp_path / "house" / "up").symlink_to(tmp_path)
        (tmp_path / "again").symlink_to(tmp_path)
        (tmp_path / "self").symlink_to("self")
        assert scenes(find_brackets(tmp_path)) == ["house"]

    def test_a_folder_that_may_not_be_read(
        self, tmp_path: Path, write_scene: WriteScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_scene(tmp_path / "house", "low.jpg", "high.jpg")
        (tmp_path / "locked").mkdir()
        # By a stand-in, because an administrator may read every folder.
        scandir = os.scandir

        def refuse(path: Path) -> Any:
            if Path(path).name == "locked":
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        found = find_brackets(tmp_path)
        assert scenes(found) == ["house"]
        assert "locked: cannot be listed: Permission denied; check its" in str(found.problems[0])


class TestNames:
    def test_unique_whatever_the_case(self, tmp_path: Path, write_scene: WriteScene) -> None:
        for part in ("Train", "Test"):
            write_scene(tmp_path / part, "0000_short.png", "0000_long.png")
            write_scene(tmp_path / part / "0000", "low.jpg", "high.jpg")
        names = scenes(find_brackets(tmp_path))
        assert names == ["Test_0000", "Test_0000_2", "Train_0000", "Train_0000_2"]

    @pytest.mark.skipif(sys.platform == "win32", reason="not allowed in names there")
    def test_safe_as_a_file_name(self, tmp_path: Path, write_scene: WriteScene) -> None:
        write_scene(tmp_path / 'a:b?"c', "low.jpg", "high.jpg")
        write_scene(tmp_path / "größe 1.", "low.jpg", "high.jpg")
        assert scenes(find_brackets(tmp_path)) == ["a_b__c", "größe 1"]

    def test_a_broken_scene_keeps_its_name_from_others(
        self, tmp_path: Path, write_scene: WriteScene
    ) -> None:
        write_scene(tmp_path / "A", "0_short.png", "0_long.png")
        write_scene(tmp_path / "B", "0_short.png")
        assert scenes(find_brackets(tmp_path)) == ["A_0"]


class TestLazy:
    @pytest.fixture
    def no_pixels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("pixels were read")

        monkeypatch.setattr(cv2, "imdecode", refuse)
        monkeypatch.setattr(tiff, "read_tiff_frame", refuse)

    @pytest.mark.usefixtures("no_pixels")
    def test_1500_scenes(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        picture = write_frame(tmp_path / "one.png").read_bytes()
        # Headers alone: whoever wanted pixels would find none.
        header = picture[: picture.index(b"IDAT") + 4]
        folder = tmp_path / "set"
        folder.mkdir()
        for scene in range(1500):
            for word in ("short", "medium", "long"):
                (folder / f"{scene:04}_{word}.png").write_bytes(header)
        found = find_brackets(folder)
        assert (len(found.brackets), found.problems) == (1500, ())
        assert found.brackets[1499].frames[2].shape == (8, 12, 3)

    @pytest.mark.usefixtures("no_pixels")
    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
    def test_no_layout_reads_pixels(
        self, tmp_path: Path, write_scene: WriteScene, write_frame: WriteFrame, suffix: str
    ) -> None:
        write_scene(tmp_path / "a", *(f"{word}.{suffix}" for word in ("low", "medium", "high")))
        write_scene(tmp_path / "b", f"x_EV0.{suffix}", f"x_EV1.{suffix}")
        write_frame(tmp_path / "c" / f"1.{suffix}", time=Fraction(1, 2))
        write_frame(tmp_path / "c" / f"2.{suffix}", time=Fraction(1, 4))
        assert scenes(find_brackets(tmp_path)) == ["a", "b", "c"]


class TestOneFile:
    @pytest.fixture
    def everything(self, tmp_path: Path, write_scene: WriteScene) -> Path:
        write_scene(tmp_path / "flat", "0_short.png", "0_long.png", "1_short.png", "1_long.png")
        write_scene(tmp_path / "flat", "0_gt.png", "0_low.png", "stray.png")
        write_scene(tmp_path / "LDR" / "short", "7.png")
        write_scene(tmp_path / "LDR" / "long", "x.png", "7.png")
        write_scene(tmp_path / "000000", "0.png", "1.png", "2.png", "gt.png")
        write_scene(tmp_path / "house", "low.jpg", "high.jpg", "preview.jpg")
        write_scene(tmp_path / "plain", "a.jpg", "b.jpg")
        write_scene(tmp_path / "half", "low.jpg")
        return tmp_path

    @pytest.mark.parametrize(
        ("name", "scene"),
        [
            ("flat/0_short.png", "0"),
            ("flat/1_long.png", "1"),
            ("LDR/short/7.png", "7"),
            ("LDR/long/7.png", "7"),
            ("000000/1.png", "000000"),
            ("house/high.jpg", "house"),
        ],
    )
    def test_of_a_scene(self, everything: Path, name: str, scene: str) -> None:
        bracket = bracket_of(everything / name)
        assert bracket is not None
        assert bracket.scene == scene
        assert everything / name in [frame.path for frame in bracket.frames]
        assert find_brackets(everything / name).brackets == (bracket,)

    @pytest.mark.parametrize(
        "name",
        [
            "flat/0_gt.png",
            "flat/0_low.png",
            "flat/stray.png",
            "LDR/long/x.png",
            "000000/gt.png",
            "house/preview.jpg",
            "plain/a.jpg",
            "half/low.jpg",
            "missing/low.jpg",
            "house/notes.txt",
        ],
    )
    def test_a_stray_belongs_to_none(self, everything: Path, name: str) -> None:
        assert bracket_of(everything / name) is None

    def test_a_picture_of_a_plain_folder(self, everything: Path) -> None:
        assert one(everything / "plain" / "a.jpg").scene == "plain"

    def test_a_stray_is_an_error_when_a_bracket_is_asked_for(self, everything: Path) -> None:
        with pytest.raises(BracketError, match=r"stray\.png: belongs to no bracket.*<scene>/low"):
            find_brackets(everything / "flat" / "stray.png")
        with pytest.raises(BracketError, match="half: scene half has no long or high frame"):
            find_brackets(everything / "half" / "low.jpg")

    def test_a_relative_path(self, everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(everything / "LDR" / "short")
        bracket = bracket_of(Path("7.png"))
        assert bracket is not None
        assert bracket.scene == "7"


class TestSetsAsTheyCome:
    @pytest.mark.parametrize("below", ["", "Training", "Test/PAPER"])
    def test_kalantari(self, tmp_path: Path, write_scene: WriteScene, below: str) -> None:
        scene = tmp_path / below / "001"
        write_scene(scene, "262A2943.tif", "262A2944.tif", "262A2945.tif")
        (scene / "exposure.txt").write_text("0.00\n2.00\n4.00\n")
        cv2.imwrite(str(scene / "HDRImg.hdr"), np.ones((8, 12, 3), np.float32))
        bracket = one(tmp_path)
        assert bracket.scene == "001"
        assert [frame.path.suffix for frame in bracket.frames] == [".tif"] * 3
        assert [frame.ev for frame in bracket.frames] == [0, 2, 4]
        assert bracket.ev_source == "sidecar"

    def test_kalantari_aligned(self, tmp_path: Path, write_scene: WriteScene) -> None:
        scene = write_scene(tmp_path / "001", *(f"input_{n}_aligned.tif" for n in (1, 2, 3)))
        (scene / "input_exp.txt").write_text("-3\n0\n3\n")
        cv2.imwrite(str(scene / "ref_hdr_aligned.hdr"), np.ones((8, 12, 3), np.float32))
        bracket = one(tmp_path)
        assert [frame.ev for frame in bracket.frames] == [-3, 0, 3]
        assert bracket.frame("high").path.name == "input_3_aligned.tif"

    def test_sice(self, tmp_path: Path, write_scene: WriteScene, write_frame: WriteFrame) -> None:
        for scene, count in (("1", 7), ("2", 9), ("10", 3)):
            write_scene(tmp_path / scene, *(f"{number + 1}.JPG" for number in range(count)))
            write_frame(tmp_path / "Label" / f"{scene}.JPG")
        found = find_brackets(tmp_path)
        assert scenes(found) == ["1", "2", "10"]
        assert [len(bracket.frames) for bracket in found.brackets] == [7, 9, 3]
        for bracket in found.brackets:
            assert [frame.path.stem for frame in bracket.frames] == [
                str(number + 1) for number in range(len(bracket.frames))
            ]
        assert found.problems == ()

    def test_fairchild(self, tmp_path: Path, write_frame: WriteFrame) -> None:
        """Nine frames; the counter runs on; the first one is not the darkest."""
        number = 1
        for scene in ("AhwahneeGreatLounge", "BarHarborSunrise"):
            for level in (120, 20, 33, 46, 60, 80, 150, 190, 230):
                write_frame(tmp_path / scene / f"_MDF{number:04}.tif", level)
                number += 1
        found = find_brackets(tmp_path)
        assert scenes(found) == ["AhwahneeGreatLounge", "BarHarborSunrise"]
        second = [int(frame.path.stem[4:]) for frame in found.brackets[1].frames]
        assert second == [11, 12, 13, 14, 15, 10, 16, 17, 18]
        assert found.brackets[1].ev_source == "brightness"

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("image_list.txt", "a.png 60\nb.png 4\nc.png 15\n"),
            ("memorial.hdr_image_list.txt", "# 3\na.ppm 60 8 0 0\nb.ppm 4 8 0 0\nc.ppm 15 8 0 0\n"),
            ("exposure_times.csv", "file,time\na.png,1/60\nb.png,0.25\nc.png,1/15\n"),
            ("exposure.txt", "1/60\n1/4\n1/15\n"),
            ("exposures.txt", "0.01667\n0.25\n0.0667\n"),
        ],
    )
    def test_times_beside_the_frames(
        self, tmp_path: Path, write_frame: WriteFrame, name: str, text: str
    ) -> None:
        for stem in "abc":
            write_frame(tmp_path / f"{stem}.png", 128)
        (tmp_path / name).write_text(text)
        bracket = one(tmp_path)
        assert [frame.path.stem for frame in bracket.frames] == ["a", "c", "b"]
        evs = [frame.ev - bracket.frames[2].ev for frame in bracket.frames]
        assert evs == pytest.approx([-3.9, -1.9, 0], abs=0.02)
        assert bracket.ev_source == "sidecar"

    def test_a_profile_that_cannot_be_used_is_a_note(
        self, tmp_path: Path, write_frame: WriteFrame
    ) -> None:
        for level in (60, 120):
            path = write_frame(tmp_path / f"{level}.png", level)
            with Image.open(path) as image:
                image.save(path, icc_profile=b"no profile" if level == 60 else None)
        (note,) = one(tmp_path).notes
        assert note.startswith("60.png: its colour profile is damaged")
