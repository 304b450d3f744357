"""The layers of masks: napari takes a while for each, and gets one in each turn."""

import cv2
import numpy as np
import pytest
from napari.layers import Labels

from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma


@pytest.fixture
def turns(monkeypatch):
    """What waits for its turn of the event loop; it comes when the test says so."""
    waiting = []
    monkeypatch.setattr("bracketseg._napari.widgets.turns.next_turn", waiting.append)
    return waiting


@pytest.fixture
def beginner(person, folder, picture, turns):
    """Somebody who has just opened the first scene, whose masks are not there yet."""
    for role, gain in (("low", 0.7), ("high", 1.5)):
        picture(f"set/barn/{role}.png", gain)
    person.session.annotator = "Ana"
    person.session.open_folder(folder)
    person.session.next()
    while turns:
        turns.pop(0)()
    return person.start()


def masks_in(viewer):
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def in_range(folder, scene, role, lo, hi):
    values = luma(read_image(folder / scene / f"{role}.png"))
    return (values >= lo) & (values <= hi)


def test_one_comes_in_each_turn_and_that_in_work_first(beginner, turns):
    seen = [masks_in(beginner.viewer)]
    while turns:
        turns.pop(0)()
        seen.append(masks_in(beginner.viewer))
    counts = [len(masks) for masks in seen]
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2}
    assert next(masks for masks in seen if masks) == [beginner.layer("low")]
    assert [layer.visible for layer in seen[-1]] == [True, False]
    assert beginner.viewer.layers.selection.active is beginner.layer("low")
    assert beginner.layer("low").mode == "paint"


@pytest.mark.parametrize("after", range(5))
def test_what_is_done_before_they_are_there_is_done_to_this_scene(beginner, folder, turns, after):
    for _ in range(after):
        if turns:
            turns.pop(0)()
    beginner.editor.set_range("high", 0, 77)
    assert beginner.truth.accept()
    while turns:
        turns.pop(0)()
    stored = cv2.imread(str(folder / "labels/Ana/attic_high.png"), cv2.IMREAD_UNCHANGED) == 255
    np.testing.assert_array_equal(stored, in_range(folder, "attic", "high", 0, 77))
    assert beginner.editor.subject.scene == "barn"
    for role, (lo, hi) in {"low": (120, 255), "high": (0, 200)}.items():
        np.testing.assert_array_equal(beginner.shown(role), in_range(folder, "barn", role, lo, hi))
    assert len(masks_in(beginner.viewer)) == 2
    assert [layer.visible for layer in masks_in(beginner.viewer)].count(True) == 1


def test_the_view_fits_a_scene_of_another_size(beginner, folder, turns):
    for path in (folder / "barn").iterdir():
        assert cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (320, 240)))
    beginner.session.open_folder(folder)
    for scene in ("barn", "attic"):
        beginner.session.select(scene)
        while turns:
            turns.pop(0)()
    # napari 0.9 moved the camera.
    assert getattr(beginner.viewer, "scene", beginner.viewer).camera.center[1:] == (11.5, 15.5)


def test_who_turns_to_the_other_role_meanwhile_paints_on_that(beginner, turns):
    beginner.editor.focus.turn()
    while turns:
        turns.pop(0)()
    assert beginner.viewer.layers.selection.active is beginner.layer("high")
    assert beginner.layer("high").visible
    assert not beginner.layer("low").visible


def test_the_picked_role_stays_while_its_mask_is_awaited(beginner, turns):
    def wait():
        while turns:
            turns.pop(0)()

    wait()
    beginner.editor.focus.turn()
    beginner.viewer.layers.remove(beginner.layer("low"))
    wait()
    _low, medium, high = beginner.session.current.frames
    beginner.session.choose_roles(medium, high)
    wait()
    assert (beginner.session.role, beginner.editor.focus.role) == ("low", "low")
    assert beginner.viewer.layers.selection.active is beginner.layer("low")
    assert beginner.layer("low").visible


def test_nothing_comes_for_a_scene_that_was_left(beginner, turns):
    beginner.viewer.layers.clear()
    while turns:
        turns.pop(0)()
    assert beginner.truth.state == "empty"
    assert masks_in(beginner.viewer) == []


def test_another_folder_is_labelled_on_the_same_ones(labeller, picture, tmp_path):
    masks = masks_in(labeller.viewer)
    masks[0].opacity = 0.7
    session = labeller.session
    # As the Brackets dock shows the first scene that is found.
    session.scenes_found.connect(lambda _: session.current or session.next())
    for role in ("low", "medium", "high"):
        picture(f"other/dome/{role}.png")
        path = tmp_path / f"other/dome/{role}.png"
        assert cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (64, 48)))
    session.open_folder(tmp_path / "other")
    assert masks_in(labeller.viewer) == masks
    assert [layer.name for layer in masks] == ["dome low ground truth", "dome high ground truth"]
    for role in ("low", "high"):
        lo, hi = (120, 255) if role == "low" else (0, 200)
        np.testing.assert_array_equal(
            labeller.shown(role), in_range(tmp_path / "other", "dome", role, lo, hi)
        )
    assert masks[0].opacity == 0.7
    assert labeller.viewer.layers.extent.world.tolist() == [[0, 0], [47, 63]]
    masks[0].paint((40, 60), 0)
    assert labeller.truth.state == "changed"


def test_a_hidden_one_gets_the_thumbnail_of_its_scene(labeller, folder):
    high = labeller.layer("high")
    assert not high.visible
    before = high.thumbnail.copy()
    labeller.session.open_folder(folder)
    labeller.session.next()
    assert (high.thumbnail == before).all()
    for path in (folder / "barn").glob("high.png"):
        cv2.imwrite(str(path), np.full((24, 32, 3), 250, np.uint8))
    labeller.session.open_folder(folder)
    labeller.session.select("barn")
    high = labeller.layer("high")
    assert not high.visible
    assert not high.thumbnail[..., :3].any()
    assert before[..., :3].any()
