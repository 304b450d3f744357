import cv2
import numpy as np
import pytest
from tests.handheld import SHAPE, photograph, scene, turned
from tests.napari.test_brackets_dock import Dock, config, window  # noqa: F401 - fixtures

from bracketseg._napari.brackets import ghost_finder
from bracketseg._napari.layers.provenance import placement_of, provenance_of
from bracketseg._napari.metrics.layers import mask_layers
from bracketseg.brackets.placement import corners, place_points
from bracketseg.errors import FrameError

HANDS = {"low": turned(0.8, 9, -6), "medium": None, "high": turned(-1.1, -7, 10, tilt=2e-5)}


def write(folder, frames):
    folder.mkdir(parents=True)
    for role, frame in frames.items():
        assert cv2.imwrite(str(folder / f"{role}.png"), frame[..., ::-1])
    return folder.parent


@pytest.fixture
def bracket(tmp_path, rng):
    """`set/held`, taken by hand, and `set/passed`, from a tripod, in which a ball passes."""
    stops = {"low": -2.0, "medium": 0.0, "high": 2.0}
    write(
        tmp_path / "set" / "held",
        {role: photograph(scene(), stops[role], rng, HANDS[role]) for role in stops},
    )
    frames = {role: photograph(scene(), stops[role], rng) for role in stops}
    cv2.circle(frames["high"], (280, 200), 30, (20, 20, 20), -1)
    return write(tmp_path / "set" / "passed", frames)


@pytest.fixture
def dock(window, qtbot):  # noqa: F811 - the fixture of the dock
    return Dock(window, qtbot)


def ghosts_of(dock):
    return [
        layer
        for layer in dock.viewer.layers
        if (ours := provenance_of(layer.metadata)) and ours["kind"] == "ghosts" and layer.visible
    ]


def open_scene(dock, folder, name):
    dock.open(folder)
    dock.wait(lambda: not dock.session.scanning and len(dock.rows) == 2)
    dock.session.select(name)
    dock.wait_for(name)


def test_layers_of_a_hand_held_bracket_are_turned_and_their_pixels_stay(dock, bracket):
    open_scene(dock, bracket, "held")
    low = dock.viewer.layers["held low"]
    pixels = low.data
    dock.align.setCurrentText("Homography")
    dock.wait(lambda: bool(dock.session.shifts))
    ends = corners(SHAPE)
    world = np.array([low.data_to_world(end[::-1])[::-1] for end in ends])
    np.testing.assert_allclose(world, place_points(ends, HANDS["low"]), atol=1)
    np.testing.assert_allclose(
        place_points(ends, placement_of(low).matrix), place_points(ends, HANDS["low"]), atol=1
    )
    assert low.data is pixels
    assert "low" in dock.shifts.text()
    assert "turned 0.8°" in dock.shifts.text()
    # What is tilted cannot be shown by a layer: how far off it is, is told.
    assert "Layers show it to" in dock.shifts.text()
    dock.align.setCurrentText("Off")
    dock.wait(lambda: not dock.session.shifts)
    np.testing.assert_array_equal(low.affine.affine_matrix, np.eye(3))
    assert not dock.shifts.isVisible()


def test_a_turn_counts_from_where_the_user_has_put_a_frame(dock, bracket):
    open_scene(dock, bracket, "held")
    low = dock.viewer.layers["held low"]
    low.scale, low.translate = (0.5, 0.5), (10, 20)
    low.affine = np.array([[1, 0, 3], [0, 1, 4], [0, 0, 1]])
    dock.align.setCurrentText("Homography")
    dock.wait(lambda: bool(dock.session.shifts))
    ends = corners(SHAPE)
    world = np.array([low.data_to_world(end[::-1])[::-1] for end in ends])
    wanted = place_points(ends, HANDS["low"]) * 0.5 + (24, 13)
    np.testing.assert_allclose(world, wanted, atol=0.5)
    dock.align.setCurrentText("Off")
    dock.wait(lambda: not dock.session.shifts)
    np.testing.assert_array_equal(low.affine.affine_matrix[:2, 2], (3, 4))
    assert low.translate.tolist() == [10, 20]


def test_ghosts_are_shown_scene_by_scene_while_they_are_wanted(dock, bracket):
    open_scene(dock, bracket, "passed")
    dock.ghosts.setChecked(True)
    dock.wait(lambda: bool(ghosts_of(dock)))
    (layer,) = ghosts_of(dock)
    assert layer.name == "passed ghosts"
    assert layer.data[200, 280]
    assert not layer.data[:150].any()
    assert not layer.editable
    assert "Ghosts in" in dock.ghosts_found.text()
    assert layer not in mask_layers(dock.viewer.layers)
    # Unaligned, the other scene disagrees in most places that show anything.
    dock.session.select("held")
    dock.wait_for("held")
    dock.align.setCurrentText("Homography")
    dock.wait(
        lambda: "No ghosts" in dock.ghosts_found.text() or "than 0.1%" in dock.ghosts_found.text()
    )
    (same,) = ghosts_of(dock)
    assert same is layer
    assert layer.name == "held ghosts"
    dock.ghosts.setChecked(False)
    assert layer not in dock.viewer.layers
    assert not dock.ghosts_found.isVisible()


def test_a_bracket_of_which_nothing_can_be_compared_is_not_said_to_show_the_same(dock, tmp_path):
    black, grey, white = (np.full((60, 80, 3), luma, np.uint8) for luma in (0, 120, 255))
    frames = {"low": black, "medium": grey, "high": white}
    for name in ("one", "two"):
        write(tmp_path / "set" / name, frames)
    open_scene(dock, tmp_path / "set", "one")
    dock.ghosts.setChecked(True)
    dock.wait(lambda: not dock.ghosts_found.text().startswith("Looking"))
    assert dock.ghosts_found.text() == (
        "Nothing could be compared: the frames show too little in common."
    )


def test_looking_for_ghosts_can_be_stopped_and_a_scene_that_is_left_gets_none(
    dock, bracket, monkeypatch
):
    real, ended = ghost_finder.find_ghosts, []

    def endless(*args, **options):
        first = next(real(*args, **options))
        try:
            while True:
                yield first
        finally:
            ended.append(True)

    monkeypatch.setattr(ghost_finder, "find_ghosts", endless)
    open_scene(dock, bracket, "passed")
    dock.ghosts.setChecked(True)
    dock.wait(lambda: "1 of 6" in dock.ghosts_found.text())
    dock.ghosts.setChecked(False)
    assert not dock.ghosts_found.isVisible()
    dock.wait(lambda: len(ended) == 1)
    dock.ghosts.setChecked(True)
    dock.wait(lambda: "1 of 6" in dock.ghosts_found.text())
    dock.session.select("held")
    dock.wait(lambda: len(ended) == 2)
    dock.wait_for("held")
    dock.ghosts.setChecked(False)
    dock.wait(lambda: len(ended) == 3)
    assert ghosts_of(dock) == []


def test_a_failure_is_told(dock, bracket, monkeypatch):
    def broken(*_args, **_options):
        raise FrameError("these frames cannot be compared")
        yield

    monkeypatch.setattr(ghost_finder, "find_ghosts", broken)
    open_scene(dock, bracket, "passed")
    dock.ghosts.setChecked(True)
    dock.wait(lambda: dock.ghosts_found.text() == "⚠ these frames cannot be compared")
