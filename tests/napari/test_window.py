import numpy as np
import pytest

from bracketseg.brackets.masks import write_mask


@pytest.fixture
def window(plugins, make_napari_viewer):
    return make_napari_viewer(show=True)


def test_a_bracket_and_its_mask_are_on_the_screen(window, scene, tmp_path):
    window.open(scene("church"), plugin="bracketseg")
    frame = window.screenshot(flash=False)
    assert frame[..., :3].max() > 100
    mask = np.zeros((24, 32), bool)
    mask[6:18, 8:24] = True
    write_mask(tmp_path / "church_low.png", mask)
    window.open(tmp_path / "church_low.png", plugin="bracketseg")
    assert (window.screenshot(flash=False) != frame).any()


def test_dropping_all_frames_of_a_bracket_opens_it_once(window, scene, notices):
    folder = scene("church")
    paths = [folder / f"{role}.png" for role in ("low", "medium", "high")]
    window.open(paths, plugin="bracketseg")
    assert len(window.layers) == 3
    assert any("open already" in notice for notice in notices)


def test_a_frame_that_was_removed_can_be_opened_again(window, scene):
    folder = scene("church")
    window.open(folder, plugin="bracketseg")
    del window.layers["church low"]
    window.open(folder / "low.png", plugin="bracketseg")
    assert {layer.name for layer in window.layers} == {
        "church low",
        "church medium",
        "church high",
    }
