import sys
from pathlib import Path

import pytest

from bracketseg.brackets.scene_files import (
    SceneFiles,
    is_image,
    list_folder,
    scenes_in,
)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def told(folder: Path) -> list[tuple[str, str, list[str]]]:
    return [
        (scene.layout, scene.name, [path.relative_to(folder).as_posix() for path in scene.images])
        for scene in scenes_in(list_folder(folder))
    ]


def only(folder: Path) -> SceneFiles:
    (scene,) = scenes_in(list_folder(folder))
    return scene


class TestLayouts:
    def test_flat(self, tmp_path: Path) -> None:
        touch(tmp_path, "0000_short.png", "0000_medium.png", "0000_long.png", "0000_gt.png")
        touch(tmp_path, "0001_Short.PNG", "0001_Long.PNG", "0000_exposures.npy", "notes.txt")
        assert told(tmp_path) == [
            ("flat", "0000", ["0000_short.png", "0000_medium.png", "0000_long.png"]),
            ("flat", "0001", ["0001_Short.PNG", "0001_Long.PNG"]),
        ]
        assert scenes_in(list_folder(tmp_path))[1].slots == (0, 2)

    def test_flat_with_low_medium_high(self, tmp_path: Path) -> None:
        touch(tmp_path, "a_low.png", "a_medium.png", "a_high.png", "b_low.jpg", "b_high.jpg")
        assert [scene[:2] for scene in told(tmp_path)] == [("flat", "a"), ("flat", "b")]

    @pytest.mark.parametrize("suffix", ["", "_{}"])
    def test_split(self, tmp_path: Path, suffix: str) -> None:
        for role in ("short", "medium", "long"):
            touch(tmp_path, *(f"{role}/{n}{suffix.format(role)}.png" for n in ("10", "2")))
        scenes = told(tmp_path)
        assert [scene[:2] for scene in scenes] == [("split", "2"), ("split", "10")]
        assert scenes[0][2] == [
            f"{role}/2{suffix.format(role)}.png" for role in ("short", "medium", "long")
        ]

    def test_split_finds_its_sidecar(self, tmp_path: Path) -> None:
        touch(tmp_path, "LDR/short/a.png", "LDR/long/a.png", "HDR/a_exposures.npy")
        assert tmp_path / "HDR" / "a_exposures.npy" in only(tmp_path / "LDR").sidecars

    @pytest.mark.parametrize("companion", ["gt.png", "exposures.npy", "alignratio.npy"])
    def test_crops(self, tmp_path: Path, companion: str) -> None:
        touch(tmp_path / "000000", "0.png", "1.png", "2.png", companion)
        assert told(tmp_path / "000000") == [("crops", "000000", ["0.png", "1.png", "2.png"])]

    def test_numbers_alone_are_a_plain_folder(self, tmp_path: Path) -> None:
        touch(tmp_path, "10.png", "2.png", "1.png")
        assert told(tmp_path) == [("plain", tmp_path.name, ["1.png", "2.png", "10.png"])]

    @pytest.mark.parametrize("names", [("1.png", "2.png"), ("0.png", "1.png", "2.png", "3.png")])
    def test_numbers_beside_a_list_of_exposures(
        self, tmp_path: Path, names: tuple[str, ...]
    ) -> None:
        touch(tmp_path, *names, "exposures.npy")
        assert told(tmp_path) == [("plain", tmp_path.name, list(names))]

    @pytest.mark.parametrize(
        "names",
        [("low.jpg", "medium.jpg", "high.jpg"), ("LOW.JPG", "High.tif"), ("short.png", "long.png")],
    )
    def test_roles(self, tmp_path: Path, names: tuple[str, ...]) -> None:
        touch(tmp_path / "house", *names, "scene.json", "preview.jpg")
        assert told(tmp_path / "house") == [("roles", "house", list(names))]

    def test_plain(self, tmp_path: Path) -> None:
        touch(tmp_path, "IMG_2.JPG", "IMG_10.JPG", "IMG_1.JPG", "IMG_1.txt")
        assert told(tmp_path)[0][2] == ["IMG_1.JPG", "IMG_2.JPG", "IMG_10.JPG"]

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        assert told(tmp_path) == []


class TestWhatIsNoFrame:
    @pytest.mark.parametrize(
        "name",
        ["gt.png", "a_gt.png", "A_GT.TIF", "a_low.png", "a_high.tif", "a_low_probability.png"],
    )
    def test_ground_truth_and_masks(self, tmp_path: Path, name: str) -> None:
        touch(tmp_path, "1.png", "2.png", name)
        assert told(tmp_path)[0][2] == ["1.png", "2.png"]

    def test_a_folder_of_masks_only(self, tmp_path: Path) -> None:
        assert told(touch(tmp_path, "a_low.png", "a_high.png", "b_low.tif", "b_high.tif")) == []

    @pytest.mark.parametrize("name", [".DS_Store", "._1.png", ".hidden.png", "._0000_short.png"])
    def test_hidden_files(self, tmp_path: Path, name: str) -> None:
        touch(tmp_path, "1.png", "2.png", name)
        assert told(tmp_path)[0][2] == ["1.png", "2.png"]
        assert not is_image(Path(name))

    def test_pictures_among_masks_may_be_previews(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.png", "b.png")
        assert not only(tmp_path).maybe_previews
        assert only(touch(tmp_path, "labeling.json")).maybe_previews


class TestProblems:
    @pytest.mark.parametrize(
        ("names", "problem"),
        [
            (["low.jpg", "medium.jpg"], "no long or high frame, only low.jpg, medium.jpg"),
            (["high.jpg"], "no short or low frame, only high.jpg"),
            (["0_long.png"], "no short or low frame, only 0_long.png"),
            (["1.png", "gt.png"], "no short or low and no long or high frame, only 1.png"),
            (["low.jpg", "low.png", "high.jpg"], "two frames for one.*low.jpg and low.png; keep"),
            (["low.jpg", "short.jpg", "high.jpg"], "two frames for one"),
        ],
    )
    def test_what_is_missing_or_there_twice(
        self, tmp_path: Path, names: list[str], problem: str
    ) -> None:
        scene = only(touch(tmp_path, *names))
        assert scene.problem is not None
        with pytest.raises(AssertionError, match=problem):
            raise AssertionError(scene.problem)


class TestNames:
    def test_the_set_is_the_folder_that_tells_scenes_apart(self, tmp_path: Path) -> None:
        train = tmp_path / "Train"
        touch(train, "LDR/short/0.png", "LDR/long/0.png", "000000/0.png", "000000/gt.png")
        assert only(train / "LDR").set_name == "Train"
        assert only(train / "000000").set_name == "Train"
        assert only(touch(tmp_path / "flat", "0_short.png", "0_long.png")).set_name == "flat"

    def test_a_relative_folder_has_a_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touch(tmp_path / "house", "low.jpg", "high.jpg")
        monkeypatch.chdir(tmp_path / "house")
        assert only(Path()).name == "house"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_itself_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert [path.name for path in list_folder(tmp_path).files] == ["loop"]


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_folder(tmp_path / "missing")
