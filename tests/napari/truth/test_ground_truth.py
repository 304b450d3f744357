"""Labelling by hand on a viewer without a window."""

import errno
import json
import shutil
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from bracketseg._napari.layers.mask_views import compose
from bracketseg._napari.layers.provenance import METADATA_KEY
from bracketseg._napari.session import scene_loader
from bracketseg._napari.session.session import session_of
from bracketseg._napari.truth.background_writer import RETRY
from bracketseg._napari.truth.view_switch import ViewSwitch
from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.brackets.masks import read_mask, write_mask
from bracketseg.labeling.coverage import coverage
from bracketseg.labeling.label_folder import label_brackets
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import DEFAULT_RANGES, ManualRange, Otsu, otsu_threshold
from bracketseg.labeling.records import LabelingInfo


def mask_of(folder, scene, role, lo, hi):
    values = luma(read_image(folder / scene / f"{role}.png"))
    return (values >= lo) & (values <= hi)


def stored(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


# A scene of the session.


def test_starting_shows_the_default_masks_with_the_brush_armed_and_writes_nothing(labeller, folder):
    np.testing.assert_array_equal(labeller.shown("low"), mask_of(folder, "attic", "low", 120, 255))
    np.testing.assert_array_equal(labeller.shown("high"), mask_of(folder, "attic", "high", 0, 200))
    active = labeller.viewer.layers.selection.active
    assert active is labeller.layer("low")
    assert active.name == "attic low ground truth"
    assert active.mode == "paint"
    assert labeller.truth.state == "new"
    assert labeller.truth.writer.idle
    assert not (folder / "labels").exists()


def test_only_the_frame_and_the_mask_in_work_are_visible(labeller):
    def visible():
        return {layer.name for layer in labeller.viewer.layers if layer.visible}

    assert visible() == {"attic low", "attic low ground truth"}
    labeller.editor.focus.turn()
    assert visible() == {"attic high", "attic high ground truth"}
    labeller.viewer.layers.selection.active = labeller.layer("low")
    assert visible() == {"attic low", "attic low ground truth"}
    assert labeller.editor.focus.role == "low"


def test_the_mask_follows_the_range(labeller, folder):
    moves = []
    labeller.editor.mask_changed.connect(lambda role, settled: moves.append((role, settled)))
    labeller.editor.set_range("low", 40, 90, settled=False)
    np.testing.assert_array_equal(labeller.shown("low"), mask_of(folder, "attic", "low", 40, 90))
    labeller.editor.set_range("low", 40, 91)
    np.testing.assert_array_equal(labeller.shown("low"), mask_of(folder, "attic", "low", 40, 91))
    assert moves == [("low", False), ("low", True)]


def test_otsu_and_back_to_the_range_that_was_there(labeller, folder):
    labeller.editor.set_range("high", 10, 150)
    labeller.editor.set_method("high", "otsu")
    threshold = otsu_threshold(luma(read_image(folder / "attic" / "high.png")))
    assert labeller.editor.bounds("high").hi == threshold
    np.testing.assert_array_equal(
        labeller.shown("high"), mask_of(folder, "attic", "high", 0, threshold)
    )
    assert labeller.editor.focus.role == "high"
    labeller.editor.set_method("high", "manual")
    assert labeller.editor.rule("high") == ManualRange(lo=10, hi=150)


def test_who_works_with_otsu_goes_on_with_it(labeller):
    labeller.editor.set_method("low", "otsu")
    labeller.session.next()
    assert labeller.editor.subject.scene == "barn"
    assert labeller.editor.rule("low") == Otsu()
    assert labeller.editor.rule("high") == DEFAULT_RANGES["high"]


def click(viewer, position, *, drag=False):
    """Press and release the mouse, as napari tells it to the viewer's callbacks."""
    event = SimpleNamespace(type="mouse_press", position=position, modifiers=[], is_dragging=drag)
    running = [callback(viewer, event) for callback in viewer.mouse_drag_callbacks]
    for kind in ("mouse_press", *(["mouse_move"] if drag else []), "mouse_release"):
        event.type = kind
        for generator in running:
            next(generator, None)


def test_picking_moves_the_nearer_bound_to_the_luma_under_the_click(labeller):
    values = labeller.editor.annotation.luma("low")
    before = list(labeller.viewer.mouse_drag_callbacks)
    labeller.editor.picking.on = True
    assert labeller.layer("low").mode == "pan_zoom"
    row, column = 20, 30
    click(labeller.viewer, (row, column))
    assert labeller.editor.rule("low") == ManualRange(lo=values[row, column], hi=255)
    assert labeller.editor.pick((-5, 3)) is False
    labeller.editor.picking.on = False
    assert labeller.layer("low").mode == "paint"
    assert list(labeller.viewer.mouse_drag_callbacks) == before


def test_a_drag_while_picking_moves_the_picture_only(labeller):
    labeller.editor.picking.on = True
    click(labeller.viewer, (20, 30), drag=True)
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]


def test_picking_goes_on_from_the_bounds_that_otsu_found(labeller):
    labeller.editor.set_method("low", "otsu")
    value = float(labeller.editor.annotation.luma("low")[2, 2])
    labeller.editor.pick((2, 2))
    assert labeller.editor.rule("low") == ManualRange(lo=value, hi=255)


# Corrections.


def stroke(layer, *spots, label=1):
    """Paint as the mouse does: one stroke over several spots."""
    with layer.block_history():
        for spot in spots:
            layer.paint(spot, label)


def test_a_stroke_stays_when_the_range_moves(labeller):
    layer = labeller.layer("low")
    layer.brush_size = 3
    stroke(layer, (3, 3), (3, 9))
    painted = labeller.editor.annotation.corrections("low")
    assert painted[3, 3] == painted[3, 9] == 1
    labeller.editor.set_range("low", 250, 255)
    assert layer.data[3, 3] == layer.data[3, 9] == 1
    assert labeller.editor.annotation.edited_pixels("low") == np.count_nonzero(painted)


@pytest.mark.parametrize("tool", ["paint", "fill", "polygon", "data_setitem", "data"])
def test_every_tool_of_napari_corrects(labeller, tool):
    layer = labeller.layer("low")
    layer.brush_size = 3
    assert not layer.data[1, 1]
    if tool == "paint":
        layer.paint((1, 1), 1)
    elif tool == "fill":
        layer.fill((1, 1), 1)
    elif tool == "polygon":
        layer.paint_polygon([(0, 0), (0, 4), (4, 4), (4, 0)], 1)
    elif tool == "data_setitem":
        layer.data_setitem((np.array([1]), np.array([1])), 1)
    else:
        layer.data = np.ones_like(layer.data)
    assert labeller.editor.annotation.corrections("low")[1, 1] == 1
    assert labeller.editor.annotation.mask("low")[1, 1]
    assert labeller.truth.state == "changed"


def test_strokes_are_one_step_each_whichever_way_they_were_made(labeller):
    layer = labeller.layer("low")
    layer.brush_size = 1
    layer.paint((1, 1), 1)
    stroke(layer, (2, 2), (2, 4), (2, 6))
    layer.paint((3, 3), 1)
    for gone in ((3, 3), (2, 6), (1, 1)):
        assert layer.data[gone]
        labeller.editor.undo()
        assert not layer.data[gone]
    assert not labeller.editor.annotation.can_undo


def test_undo_goes_over_strokes_ranges_and_both_roles(labeller):
    low, high = labeller.layer("low"), labeller.layer("high")
    start = low.data.copy(), high.data.copy()
    stroke(low, (2, 2))
    for lo in (110, 90, 60):
        labeller.editor.set_range("low", lo, 255, settled=False)
    labeller.editor.set_range("low", 50, 255)
    labeller.editor.set_range("high", 0, 99)
    stroke(high, (2, 2), label=0)
    end = low.data.copy(), high.data.copy()
    steps = 0
    while labeller.editor.undo():
        steps += 1
    assert steps == 4
    np.testing.assert_array_equal(low.data, start[0])
    np.testing.assert_array_equal(high.data, start[1])
    while labeller.editor.redo():
        pass
    np.testing.assert_array_equal(low.data, end[0])
    np.testing.assert_array_equal(high.data, end[1])


def test_naparis_own_undo_is_ours(labeller):
    layer = labeller.layer("low")
    stroke(layer, (2, 2))
    labeller.editor.set_range("low", 10, 255)
    layer.undo()
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    assert layer.data[2, 2]
    layer.undo()
    assert not layer.data[2, 2]
    layer.redo()
    assert layer.data[2, 2]


def test_strokes_can_be_cleared_and_that_undone(labeller):
    stroke(labeller.layer("low"), (2, 2))
    stroke(labeller.layer("high"), (2, 2), label=0)
    assert labeller.editor.clear_corrections()
    assert labeller.editor.annotation.corrections("low") is None
    assert not labeller.layer("low").data[2, 2]
    assert labeller.layer("high").data[2, 2]
    assert not labeller.editor.clear_corrections()
    labeller.editor.undo()
    labeller.editor.undo()
    assert labeller.layer("low").data[2, 2]


def test_a_mask_that_somebody_removed_comes_back_when_it_is_worked_on(labeller):
    labeller.viewer.layers.remove(labeller.layer("low"))
    labeller.editor.set_range("low", 10, 255)
    assert labeller.shown("low").any()


# Accepting.


def test_accepting_saves_masks_and_how_they_were_made_and_goes_on(labeller, folder):
    labeller.editor.set_range("low", 60, 250)
    layer = labeller.layer("low")
    layer.brush_size = 1
    stroke(layer, (0, 0))
    masks = {role: labeller.shown(role) for role in ("low", "high")}
    saved = []
    labeller.session.scene_saved.connect(saved.append)
    assert labeller.truth.accept()
    labels = folder / "labels" / "Ana"
    for role, mask in masks.items():
        np.testing.assert_array_equal(stored(labels / f"attic_{role}.png"), mask * 255)
    info = json.loads((labels / "labeling.json").read_text())
    assert (info["method"], info["annotator"]) == ("manual", "Ana")
    record = LabelingFolder.open(labels).record("attic")
    assert record.masks["low"].origin == ManualRange(lo=60, hi=250)
    assert record.masks["low"].edited_pixels == 1
    assert record.masks["low"].frame == "low.png"
    assert record.coverage == coverage(masks["low"], masks["high"])
    assert (labels / "coverage.csv").read_text().splitlines()[1].startswith("attic,")
    assert saved == ["attic"]
    assert labeller.editor.subject.scene == "barn"
    assert labeller.viewer.layers.selection.active.name == "barn low ground truth"
    assert labeller.viewer.layers.selection.active.mode == "paint"


def test_a_scene_is_opened_once(labeller):
    opened = []
    labeller.editor.subject_changed.connect(lambda: opened.append(labeller.editor.subject.scene))
    labeller.truth.accept()
    assert opened == ["barn"]


def test_layers_are_not_heaped_up_from_scene_to_scene(labeller):
    before = len(labeller.viewer.layers)
    for _ in range(3):
        labeller.truth.accept()
    assert len(labeller.viewer.layers) == before


def test_accept_goes_to_the_next_scene_that_has_no_masks_and_says_when_there_is_none(labeller):
    labeller.session.select("barn")
    labeller.truth.accept()
    assert labeller.editor.subject.scene == "cave"
    labeller.truth.accept()
    assert labeller.editor.subject.scene == "attic"
    told = []
    labeller.session.notice.connect(told.append)
    labeller.truth.accept()
    assert labeller.editor.subject.scene == "attic"
    assert labeller.truth.state == "saved"
    assert told == ["All 3 scenes are labelled."]


def test_a_scene_that_is_being_saved_counts_as_labelled(labeller, monkeypatch):
    # A disk that takes its time.
    monkeypatch.setattr(labeller.truth.writer, "flush", lambda **_: None)
    shown = []
    for _ in range(3):
        shown.append(labeller.editor.subject.scene)
        labeller.truth.accept()
    assert shown == ["attic", "barn", "cave"]
    assert labeller.editor.subject.scene == "cave"
    labeller.truth.writer.finish()
    assert labeller.truth.next.all_labelled


@pytest.mark.parametrize("act", ["accept", "next.go"])
def test_nothing_is_accepted_or_skipped_while_the_next_scene_is_read(
    labeller, folder, monkeypatch, act
):
    # A picture that takes its time.
    monkeypatch.setattr(scene_loader, "run_job", lambda *_, **__: None)
    labeller.session.select("cave")
    assert attrgetter(act)(labeller.truth)() is False
    assert labeller.session.loading.scene == "cave"
    assert labeller.truth.state == "new"
    assert not (folder / "labels").exists()


def test_skipping_saves_nothing(labeller, folder):
    assert labeller.truth.next.is_one
    labeller.truth.next.go()
    assert labeller.editor.subject.scene == "barn"
    assert not (folder / "labels").exists()


def test_back_at_a_labelled_scene_range_and_strokes_are_as_they_were_saved(labeller):
    labeller.editor.set_range("low", 60, 250)
    stroke(labeller.layer("low"), (0, 0))
    labeller.editor.set_method("high", "otsu")
    masks = {role: labeller.shown(role) for role in ("low", "high")}
    strokes = labeller.editor.annotation.corrections("low")
    labeller.truth.accept()
    labeller.session.select("attic")
    assert labeller.truth.state == "saved"
    assert labeller.editor.rule("low") == ManualRange(lo=60, hi=250)
    assert labeller.editor.rule("high") == Otsu()
    np.testing.assert_array_equal(labeller.editor.annotation.corrections("low"), strokes)
    for role, mask in masks.items():
        np.testing.assert_array_equal(labeller.shown(role), mask)


def test_a_mask_that_was_changed_meanwhile_is_shown_as_it_is_now(labeller, folder):
    labeller.truth.accept()
    path = folder / "labels" / "Ana" / "attic_low.png"
    changed = ~read_mask(path)
    write_mask(path, changed)
    labeller.session.select("attic")
    np.testing.assert_array_equal(labeller.shown("low"), changed)


def test_a_labelled_scene_can_be_changed_and_accepted_again(labeller, folder):
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.editor.set_range("low", 33, 255)
    stroke(labeller.layer("low"), (0, 0))
    assert labeller.truth.accept()
    record = LabelingFolder.open(folder / "labels" / "Ana").record("attic")
    assert record.masks["low"].lo == 33
    assert labeller.asked == []


def test_what_the_command_labelled_is_shown_and_the_other_way_round(labeller, folder, tmp_path):
    out = tmp_path / "made"
    info = LabelingInfo(method="manual", ranges=dict(DEFAULT_RANGES), annotator="Ana")
    rules = {"low": ManualRange(lo=20, hi=70), "high": ManualRange(lo=5, hi=80)}
    made = LabelingFolder.create(out, info)
    list(label_brackets(labeller.session.brackets, rules, made))
    labeller.truth.save_to(out)
    assert labeller.truth.state == "saved"
    assert labeller.editor.rule("low") == rules["low"]
    labeller.truth.accept()
    assert LabelingFolder.open(out).rule("attic", "low") == rules["low"]


# Several annotators.


def test_each_annotator_has_a_folder_and_sees_their_own(labeller, folder):
    labeller.editor.set_range("low", 60, 255)
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.session.annotator = "Bo"
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]
    assert labeller.truth.state == "new"
    labeller.editor.set_range("low", 80, 255)
    labeller.truth.accept()
    assert (folder / "labels" / "Bo" / "attic_low.png").exists()
    labeller.session.select("attic")
    labeller.session.annotator = "Ana"
    assert labeller.editor.rule("low") == ManualRange(lo=60, hi=255)


def test_a_name_that_is_given_late_keeps_what_was_done(labeller, folder):
    labeller.session.annotator = ""
    labeller.editor.set_range("low", 60, 255)
    labeller.session.annotator = "Bo"
    assert labeller.editor.rule("low") == ManualRange(lo=60, hi=255)
    labeller.truth.accept()
    assert (folder / "labels" / "Bo" / "attic_low.png").exists()


@pytest.mark.parametrize("answer", [False, True])
def test_another_annotators_labelling_is_replaced_only_after_asking(labeller, folder, answer):
    labeller.truth.accept()
    ana = folder / "labels" / "Ana"
    before = {path.name: path.read_bytes() for path in ana.iterdir()}
    labeller.session.select("attic")
    labeller.session.annotator = "Bo"
    labeller.truth.save_to(ana)
    labeller.editor.set_range("low", 80, 255)
    labeller.answer(answer)
    assert labeller.truth.accept() is answer
    assert len(labeller.asked) == 1
    assert "by Ana" in labeller.asked[0]
    after = {path.name: path.read_bytes() for path in ana.iterdir() if path.is_file()}
    assert (after == before) is not answer


@pytest.mark.parametrize("answer", [False, True])
def test_masks_made_by_another_method_are_replaced_only_after_asking(labeller, tmp_path, answer):
    out = tmp_path / "otsu"
    info = LabelingInfo(method="otsu", ranges={"low": Otsu(), "high": Otsu()})
    list(
        label_brackets(
            labeller.session.brackets,
            {"low": Otsu(), "high": Otsu()},
            LabelingFolder.create(out, info),
        )
    )
    labeller.truth.save_to(out)
    labeller.answer(answer)
    assert labeller.truth.accept() is answer
    assert "Otsu" in labeller.asked[0]
    assert LabelingFolder.open(out).info.method == ("manual" if answer else "otsu")


def test_a_mask_that_another_program_changed_is_asked_about(labeller, folder):
    labeller.truth.accept()
    path = folder / "labels" / "Ana" / "attic_low.png"
    cv2.imwrite(str(path), np.full((24, 32), 255, np.uint8))
    labeller.session.select("attic")
    assert labeller.shown("low").all()
    labeller.answer(False)
    assert not labeller.truth.accept()
    assert "attic_low.png was changed by another program" in labeller.asked[0]
    assert stored(path).all()


def test_unfinished_work_does_not_replace_that_of_the_annotator_who_is_named_next(labeller, folder):
    labeller.session.annotator = "Bo"
    labeller.editor.set_range("low", 80, 255)
    labeller.truth.accept()
    before = (folder / "labels" / "Bo" / "attic_low.png").read_bytes()
    labeller.session.annotator = "Ana"
    labeller.session.select("attic")
    labeller.editor.set_range("low", 60, 255)
    labeller.session.annotator = "Bo"
    assert labeller.truth.state == "saved"
    assert labeller.editor.rule("low") == ManualRange(lo=80, hi=255)
    assert labeller.truth.accept()
    assert (folder / "labels" / "Bo" / "attic_low.png").read_bytes() == before
    labeller.session.annotator = "Ana"
    labeller.session.select("attic")
    assert labeller.editor.rule("low") == ManualRange(lo=60, hi=255)


def test_unfinished_work_does_not_replace_a_draft_of_the_annotator_who_is_named_next(labeller):
    labeller.session.annotator = "Bo"
    labeller.editor.set_range("low", 80, 255)
    labeller.session.next()
    labeller.session.annotator = "Ana"
    labeller.session.select("attic")
    labeller.editor.set_range("low", 60, 255)
    labeller.session.annotator = "Bo"
    assert labeller.editor.rule("low") == ManualRange(lo=80, hi=255)
    labeller.session.annotator = "Ana"
    assert labeller.editor.rule("low") == ManualRange(lo=60, hi=255)


# Nothing lost.


def test_a_stroke_reaches_the_disk_and_is_there_at_the_next_start(
    another, labeller, folder, plugins
):
    labeller.editor.set_range("low", 70, 255)
    stroke(labeller.layer("low"), (0, 0))
    labeller.truth.writer.flush()
    mask = labeller.shown("low")
    # From here on as after `kill -9`: nobody says good-bye.
    again = another(ViewerModel())
    again.session.annotator = "Ana"
    again.session.open_folder(folder)
    again.session.next()
    again.start()
    assert again.truth.state == "draft"
    assert any("Recovered unfinished work on attic" in told for told in again.told)
    np.testing.assert_array_equal(again.shown("low"), mask)
    assert again.editor.annotation.corrections("low")[0, 0] == 1
    assert again.truth.accept()
    assert list((folder / "labels" / "Ana" / "drafts").glob("*")) == []


def test_a_scene_that_is_left_is_written_and_comes_back_without_a_word(labeller, folder):
    labeller.editor.set_range("low", 70, 255)
    labeller.session.next()
    assert (folder / "labels" / "Ana" / "drafts" / "attic.json").exists()
    labeller.session.previous()
    assert labeller.editor.rule("low") == ManualRange(lo=70, hi=255)
    assert labeller.told == []


def test_closing_writes_what_waits(labeller, folder):
    labeller.editor.set_range("low", 70, 255)
    labeller.truth.close()
    assert (folder / "labels" / "Ana" / "drafts" / "attic.json").exists()


def test_a_folder_that_vanished_is_told_once_and_is_written_when_it_is_back(labeller, folder):
    gone = folder.with_name("gone")
    folder.rename(gone)
    labeller.editor.set_range("low", 70, 255)
    labeller.truth.writer.flush()
    labeller.editor.set_range("low", 71, 255)
    labeller.truth.writer.flush(now=True)
    assert "no longer there" in labeller.truth.problem
    assert len(labeller.told) == 1
    assert not folder.exists()
    gone.rename(folder)
    labeller.truth.writer.flush(now=True)
    assert labeller.truth.problem == ""
    assert (folder / "labels" / "Ana" / "drafts" / "attic.json").exists()


def test_masks_that_could_not_be_saved_are_saved_later(labeller, folder, monkeypatch):
    time = [0.0]
    monkeypatch.setattr(labeller.truth.writer, "_clock", lambda: time[0])
    labeller.editor.set_range("low", 70, 255)
    gone = folder.with_name("gone")
    folder.rename(gone)
    labeller.truth.accept()
    assert "no longer there" in labeller.truth.problem
    assert not folder.exists()
    labeller.session.select("attic")
    assert labeller.editor.rule("low") == ManualRange(lo=70, hi=255)
    gone.rename(folder)
    time[0] += RETRY
    labeller.truth.writer.flush()
    assert (folder / "labels" / "Ana" / "attic_low.png").exists()
    assert labeller.truth.problem == ""
    assert labeller.truth.state == "saved"


def test_what_is_done_after_accepting_does_not_get_into_masks_that_wait(labeller, folder):
    labeller.editor.set_range("low", 70, 255)
    gone = folder.with_name("gone")
    folder.rename(gone)
    labeller.truth.accept()
    labeller.session.select("attic")
    labeller.editor.set_range("low", 90, 255)
    gone.rename(folder)
    labeller.truth.writer.flush(now=True)
    assert LabelingFolder.open(folder / "labels" / "Ana").record("attic").masks["low"].lo == 70
    assert labeller.truth.state == "changed"
    labeller.session.next()
    labeller.session.select("attic")
    assert labeller.editor.rule("low") == ManualRange(lo=90, hi=255)
    assert (folder / "labels" / "Ana" / "drafts" / "attic.json").exists()


def test_a_draft_that_is_broken_is_said_and_does_not_stop_the_work(labeller, folder):
    labeller.editor.set_range("low", 70, 255)
    labeller.session.next()
    (folder / "labels" / "Ana" / "drafts" / "attic.json").write_text("{")
    labeller.session.previous()
    assert "attic.json" in labeller.told[-1]
    assert labeller.editor.rule("low") == DEFAULT_RANGES["low"]


@pytest.mark.parametrize("written", range(4))
def test_a_saving_that_is_cut_short_leaves_a_draft(
    another, labeller, folder, plugins, monkeypatch, written
):
    labeller.editor.set_range("low", 70, 255)
    stroke(labeller.layer("low"), (0, 0))
    mask = labeller.shown("low")
    files = []

    class Killed(BaseException):
        pass

    def cut_short(path, target):
        if target.parent.name == "Ana" and target.name.startswith("attic"):
            files.append(target.name)
        if len(files) > written:
            raise Killed
        return replaced(path, target)

    replaced = Path.replace
    monkeypatch.setattr(Path, "replace", cut_short)
    labeller.truth.accept()
    monkeypatch.setattr(Path, "replace", replaced)
    again = another(ViewerModel())
    again.session.annotator = "Ana"
    again.session.open_folder(folder)
    again.session.select("attic")
    again.start()
    assert any("Recovered unfinished work on attic" in told for told in again.told)
    np.testing.assert_array_equal(again.shown("low"), mask)


def rows_of(labels):
    rows = (labels / "coverage.csv").read_text().splitlines()[1:]
    return [row.partition(",")[0] for row in rows]


def refuse(monkeypatch, refused):
    """Keep one file from being put in its place."""
    replaced = Path.replace

    def replace(path, target):
        if Path(target) == refused:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replaced(path, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("killed", [False, True])
def test_a_save_that_stopped_before_its_record_is_made_up_for(
    another, labeller, folder, monkeypatch, killed
):
    labels = folder / "labels" / "Ana"
    labeller.editor.set_range("low", 70, 255)
    with monkeypatch.context() as patch:
        refuse(patch, labels / "attic.json")
        labeller.truth.accept()
    assert "attic.json" in labeller.truth.problem
    assert (labels / "attic_low.png").exists()
    if killed:
        again = another(ViewerModel())
        again.session.annotator = "Ana"
        again.session.open_folder(folder)
        again.session.select("attic")
        again.start()
        again.answer(False)
        assert again.truth.accept()
        assert again.asked == []
    else:
        labeller.truth.writer.flush(now=True)
        assert labeller.truth.problem == ""
    assert LabelingFolder.open(labels).rule("attic", "low") == ManualRange(lo=70, hi=255)
    assert not (labels / "drafts" / "attic.json").exists()


def test_masks_that_were_saved_late_are_in_the_table(labeller, folder):
    gone = folder.with_name("gone")
    labeller.editor.set_range("low", 70, 255)
    folder.rename(gone)
    labeller.truth.accept()
    labeller.editor.set_range("low", 80, 255)
    labeller.truth.accept()
    gone.rename(folder)
    labeller.truth.close()
    assert rows_of(folder / "labels" / "Ana") == ["attic", "barn"]


def test_a_broken_record_of_another_scene_does_not_keep_masks_from_being_saved(labeller, folder):
    labels = folder / "labels" / "Ana"
    labeller.truth.accept()
    text = (labels / "attic.json").read_text()
    (labels / "attic.json").write_text(text[: len(text) // 2])
    labeller.truth.accept()
    assert labeller.truth.problem == ""
    assert labeller.truth.writer.idle
    assert rows_of(labels) == ["barn"]


def test_a_table_that_cannot_be_written_is_told_once_and_the_masks_are_saved(
    labeller, folder, monkeypatch
):
    labels = folder / "labels" / "Ana"
    with monkeypatch.context() as patch:
        refuse(patch, labels / "coverage.csv")
        labeller.truth.accept()
        labeller.truth.accept()
        assert labeller.truth.problem == ""
        assert labeller.truth.writer.idle
    assert sum("coverage.csv" in told for told in labeller.told) == 1
    labeller.truth.accept()
    assert rows_of(labels) == ["attic", "barn", "cave"]


def test_a_draft_that_is_newer_than_masks_that_waited_is_still_there(labeller, folder):
    labels = folder / "labels" / "Ana"
    labeller.editor.set_range("low", 70, 255)
    gone = folder.with_name("gone")
    folder.rename(gone)
    labeller.truth.accept()
    labeller.session.select("attic")
    gone.rename(folder)
    labeller.editor.set_range("low", 90, 255)
    labeller.truth.writer.flush()
    labeller.truth.writer.flush(now=True)
    labeller.truth.writer.flush(now=True)
    assert LabelingFolder.open(labels).record("attic").masks["low"].lo == 70
    assert '"lo":90' in (labels / "drafts" / "attic.json").read_text().replace(" ", "")


def test_a_folder_that_was_chosen_is_not_made_anew_where_its_drive_was(labeller, tmp_path):
    drive = tmp_path / "drive"
    drive.mkdir()
    labeller.truth.save_to(drive / "masks")
    labeller.editor.set_range("low", 70, 255)
    labeller.truth.writer.flush()
    assert (drive / "masks" / "drafts" / "attic.json").exists()
    shutil.rmtree(drive)
    labeller.editor.set_range("low", 71, 255)
    labeller.truth.writer.flush()
    assert str(drive) in labeller.truth.problem
    assert not drive.exists()
    drive.mkdir()
    labeller.truth.writer.flush(now=True)
    assert labeller.truth.problem == ""
    assert (drive / "masks" / "drafts" / "attic.json").exists()


@pytest.mark.parametrize("answer", [False, True])
def test_strokes_that_cannot_be_read_are_replaced_only_after_asking(labeller, folder, answer):
    stroke(labeller.layer("low"), (0, 0))
    labeller.truth.accept()
    broken = folder / "labels" / "Ana" / "attic_low_corrections.png"
    broken.write_bytes(b"broken")
    labeller.session.select("attic")
    assert broken.name in labeller.told[-1]
    labeller.editor.set_range("low", 70, 255)
    labeller.session.next()
    labeller.session.select("attic")
    labeller.answer(answer)
    assert labeller.truth.accept() is answer
    assert broken.name in labeller.asked[0]
    assert (broken.exists() and broken.read_bytes() == b"broken") is not answer
    labeller.session.select("attic")
    labeller.truth.accept()
    assert len(labeller.asked) == (1 if answer else 2)


@pytest.mark.parametrize("saved", [False, True])
def test_strokes_on_layers_that_a_closed_dock_left_are_one_step_and_kept(
    another, labeller, folder, saved
):
    if saved:
        labeller.truth.accept()
        labeller.session.select("attic")
    labeller.truth.close()
    labeller.layer("low").brush_size = 1
    stroke(labeller.layer("low"), (0, 0))
    again = another(labeller.viewer).start()
    assert again.shown("low")[0, 0]
    assert again.truth.state == "changed"
    again.truth.writer.flush()
    assert (folder / "labels" / "Ana" / "drafts" / "attic.json").exists()
    assert again.editor.undo()
    assert not again.shown("low")[0, 0]
    assert not again.editor.undo()


def test_layers_that_a_closed_dock_left_are_not_somebody_elses_work(another, labeller):
    labeller.session.annotator = "Bo"
    labeller.truth.accept()
    labeller.session.annotator = "Ana"
    labeller.session.select("attic")
    labeller.editor.set_range("low", 60, 255)
    labeller.truth.close()
    labeller.session.annotator = "Bo"
    again = another(labeller.viewer).start()
    assert again.truth.state == "saved"
    assert again.editor.rule("low") == DEFAULT_RANGES["low"]
    assert again.editor.annotation.corrections("low") is None
    assert again.truth.writer.idle


# Layers that are open, from wherever.


RAMP = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))


@pytest.fixture
def aligner(person, held):
    """Somebody at a scene whose frames are aligned: low by (dx, dy) = (-3, 2), high (4, -5)."""
    person.session.open_folder(held.parent)
    person.session.next()
    person.session.align = "shift"
    return person.start()


def common_of(role):
    """What all frames of `held` show: columns 4..116 and rows 2..94 of the medium one."""
    region = np.zeros((100, 120), bool)
    region[{"low": np.s_[0:93, 7:120], "high": np.s_[7:100, 0:113]}[role]] = True
    return region


def test_masks_that_are_made_while_frames_are_aligned_fit_the_files(aligner, held):
    low, high = aligner.layer("low"), aligner.layer("high")
    assert low.translate.tolist() == [2, -3]
    assert high.translate.tolist() == [-5, 4]
    aligner.editor.set_range("low", 60, 255)
    wanted = {
        "low": mask_of(held.parent, "held", "low", 60, 255),
        "high": mask_of(held.parent, "held", "high", 0, 200),
    }
    for role, mask in wanted.items():
        mask &= common_of(role)
    # The picture shows row 12, column 27 of the file at (14, 24).
    low.data_setitem(tuple(np.array([i]) for i in low.world_to_data((14, 24)).astype(int)), 1)
    wanted["low"][12, 27] = True
    assert aligner.truth.accept()
    for role, mask in wanted.items():
        np.testing.assert_array_equal(
            stored(held.parent / f"labels/me/held_{role}.png") == 255, mask
        )
    saved = LabelingFolder.open(held.parent / "labels" / "me").record("held")
    assert saved.coverage == coverage(wanted["low"], wanted["high"])
    assert {mask.aligned for mask in saved.masks.values()} == {"shift"}


def test_masks_are_empty_where_not_all_aligned_frames_show_something(aligner, held):
    low = aligner.layer("low")
    aligner.editor.set_range("low", 0, 255)
    np.testing.assert_array_equal(aligner.shown("low"), common_of("low"))
    # Who paints there is shown at once that it is of no use.
    low.data_setitem((np.array([97, 50]), np.array([50, 2])), 1)
    np.testing.assert_array_equal(aligner.shown("low"), common_of("low"))
    assert aligner.editor.annotation.edited_pixels("low") == 0
    aligner.session.align = "off"
    assert aligner.shown("low").all()
    aligner.session.align = "shift"
    np.testing.assert_array_equal(aligner.shown("low"), common_of("low"))


def test_alignment_can_be_switched_over_strokes_and_nothing_is_lost(aligner):
    low = aligner.layer("low")
    low.data[...] = 0
    low.paint((20, 20), 1)
    before, annotation = aligner.shown("low"), aligner.editor.annotation
    for on in (False, True, False):
        aligner.session.align = "shift" if on else "off"
        assert aligner.layer("low") is low
        assert low.translate.tolist() == ([2, -3] if on else [0, 0])
        np.testing.assert_array_equal(aligner.shown("low"), before)
        assert aligner.editor.annotation is annotation
        assert aligner.truth.state == "changed"
    assert aligner.editor.undo()
    assert (aligner.shown("low") != before).any()


def test_masks_that_are_opened_while_frames_are_aligned_lie_on_them(aligner, held, scene):
    scene("hand/still")
    aligner.truth.accept()
    aligner.session.open_folder(held.parent)
    aligner.session.select("held")
    assert aligner.truth.state == "saved"
    assert aligner.layer("low").translate.tolist() == [2, -3]
    aligner.session.select("still")
    assert aligner.layer("low").translate.tolist() == [0, 0]
    aligner.session.select("held")
    assert aligner.layer("low").translate.tolist() == [2, -3]


def test_ground_truth_that_somebody_opened_is_laid_on_its_aligned_frame(person, held):
    person.session.open_folder(held.parent)
    person.session.next()
    person.session.align = "shift"
    ours = {"kind": "ground truth", "scene": "held", "role": "low", "method": "manual"}
    layer = person.viewer.add_labels(
        np.ones((100, 120), np.uint8), metadata={"bracketseg": ours}, name="opened"
    )
    person.start()
    assert person.layer("low") is layer
    assert layer.translate.tolist() == [2, -3]


def test_picking_in_an_aligned_frame_takes_the_pixel_under_the_click(aligner, held):
    values = luma(read_image(held / "low.png"))
    row, column = np.argwhere((values > 20) & (values < 60))[0]
    assert aligner.editor.pick((row + 2, column - 3))
    assert aligner.editor.bounds("low").lo == values[row, column]
    assert not aligner.editor.pick((1, 0))


def test_the_merged_view_shows_masks_as_the_aligned_frames_lie(aligner):
    views = ViewSwitch(aligner.viewer, aligner.editor)
    low, high = aligner.shown("low"), aligner.shown("high")

    def merged():
        return aligner.viewer.layers["held merged"]

    views.view = "merged"
    assert merged().translate.tolist() == [2, -3]
    # High lies 7 right and 7 up of low.
    moved = np.zeros_like(high)
    moved[:-7, 7:] = high[7:, :-7]
    np.testing.assert_array_equal(merged().data, compose(low, moved))
    aligner.editor.focus.turn()
    assert merged().translate.tolist() == [-5, 4]
    moved = np.zeros_like(low)
    moved[7:, :-7] = low[:-7, 7:]
    np.testing.assert_array_equal(merged().data, compose(moved, high))
    aligner.session.align = "off"
    views.update()
    assert merged().translate.tolist() == [0, 0]
    np.testing.assert_array_equal(
        merged().data, compose(aligner.shown("low"), aligner.shown("high"))
    )


def test_nothing_to_label_is_no_error(person):
    person.start()
    assert person.truth.state == "empty"
    assert not person.truth.accept()
    assert not person.truth.next.is_one
    assert person.editor.undo() is False


def test_any_two_images_can_be_labelled_where_they_lie(person):
    place = {"scale": (2, 0.5), "translate": (7, 9)}
    person.viewer.add_image(RAMP // 2, name="one", **place)
    person.viewer.add_image(RAMP.astype(np.float32) / 255, name="two", **place)
    person.start()
    assert {r: image.name for r, image in person.truth.choice.images.items()} == {
        "low": "one",
        "high": "two",
    }
    for role in ("low", "high"):
        np.testing.assert_array_equal(person.layer(role).scale, (2, 0.5))
        np.testing.assert_array_equal(person.layer(role).translate, (7, 9))
    np.testing.assert_array_equal(person.shown("high"), RAMP <= 200)


def test_images_that_come_later_are_taken_until_somebody_chooses(person):
    person.start()
    first = person.viewer.add_image(RAMP, name="a")
    assert person.editor.roles == ("low",)
    dark = person.viewer.add_image(RAMP // 2, name="b")
    assert person.truth.choice.images == {"low": dark, "high": first}
    person.truth.choice.choose("low", first)
    person.truth.choice.choose("high", None)
    person.viewer.add_image(RAMP // 4, name="c")
    assert person.truth.choice.images == {"low": first}
    assert person.layer("high") is None


def test_a_mask_lies_above_its_frame_though_that_came_later(person):
    person.start()
    for number, name in enumerate(("bright", "middle", "dark"), start=1):
        person.viewer.add_image(RAMP // number, name=name)
    layers = person.viewer.layers
    for role, frame in person.truth.choice.images.items():
        assert layers.index(person.layer(role)) > layers.index(frame)


def test_an_image_that_is_picked_is_shown(person):
    for name in ("a", "b", "c"):
        person.viewer.add_image(RAMP // (1 + ord(name) - ord("a")), name=name)
    person.start()
    person.editor.focus.turn()
    assert person.editor.focus.role == "high"
    picked = person.viewer.layers["b"]
    person.truth.choose("low", picked)
    assert person.editor.focus.role == "low"
    assert picked.visible
    assert not person.viewer.layers["a"].visible


def test_images_that_go_are_let_go(person):
    images = [person.viewer.add_image(RAMP // n, name=f"i{n}") for n in (1, 2)]
    person.start()
    for image in images:
        person.viewer.layers.remove(image)
    assert person.truth.state == "empty"
    assert len(person.viewer.layers) == 0


def test_pictures_that_do_not_fit_together_are_said(person):
    person.viewer.add_image(RAMP, name="small low")
    person.viewer.add_image(np.zeros((50, 60), np.uint8), name="large high")
    person.start()
    assert person.truth.state == "unusable"
    assert "small low is 30 x 40 and large high is 50 x 60" in person.truth.problem
    assert not person.truth.accept()


def test_a_picture_out_of_range_is_said_and_another_one_works(person):
    person.viewer.add_image(RAMP.astype(np.float32), name="radiance")
    person.start()
    assert "radiance" in person.truth.problem
    good = person.viewer.add_image(RAMP, name="picture")
    person.truth.choice.choose("high", None)
    person.truth.choice.choose("low", good)
    assert person.truth.state == "new"
    assert person.truth.problem == ""


def test_pictures_without_a_file_ask_once_where_to_save(person, tmp_path):
    person.viewer.add_image(RAMP, name="a")
    person.start()
    asked = []
    person.truth.choose_folder = lambda: asked.append(1)
    assert not person.truth.accept()
    out = tmp_path / "out"
    person.truth.choose_folder = lambda: asked.append(1) or out
    assert person.truth.accept()
    assert person.truth.state == "saved"
    assert person.truth.accept()
    assert len(asked) == 2
    np.testing.assert_array_equal(stored(out / "a_low.png") == 255, RAMP >= 120)


def test_pictures_of_a_file_are_saved_beside_it_and_only_then(person, tmp_path, home):
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "night.png"), RAMP)
    person.viewer.open(folder / "night.png", plugin="napari")
    person.start()
    person.editor.set_range("low", 50, 60)
    person.truth.writer.flush()
    assert [path.name for path in folder.iterdir()] == ["night.png"]
    assert list(home.rglob("night.json"))
    person.truth.accept()
    assert (folder / "labels" / "me" / "night_low.png").exists()
    assert not list(home.rglob("night.json"))


def test_unfinished_work_on_any_picture_comes_back(another, person, home):
    person.viewer.add_image(RAMP, name="a")
    person.start()
    person.editor.set_range("low", 50, 60)
    person.truth.writer.flush()
    again = another(ViewerModel())
    again.viewer.add_image(255 - RAMP, name="a")
    again.start()
    assert again.truth.state == "new"
    again.viewer.layers.clear()
    again.viewer.add_image(RAMP, name="a")
    assert again.truth.state == "draft"
    assert again.editor.rule("low") == ManualRange(lo=50, hi=60)


def test_ground_truth_that_is_open_is_taken_over_and_kept(person):
    person.viewer.add_image(RAMP, name="a")
    painted = np.zeros(RAMP.shape, np.uint8)
    painted[:5] = 1
    ours = {"kind": "ground truth", "scene": "a", "role": "low"}
    layer = person.viewer.add_labels(painted.copy(), metadata={"bracketseg": ours})
    person.start()
    assert person.truth.state == "layer"
    assert person.layer("low") is layer
    np.testing.assert_array_equal(layer.data, painted)
    person.viewer.layers.clear()


def test_a_prediction_is_never_touched(labeller):
    ours = {"kind": "prediction", "scene": "attic", "role": "low"}
    layer = labeller.viewer.add_labels(np.ones((24, 32), np.uint8), metadata={"bracketseg": ours})
    labeller.editor.set_range("low", 250, 255)
    labeller.truth.accept()
    assert layer.data.all()
    assert layer in labeller.viewer.layers


# Stacks.


@pytest.fixture
def stack(person, tmp_path):
    """Somebody with a stack of three colour slices, dark and bright."""
    ramp = np.stack([RAMP] * 3, -1)
    dark = np.stack([ramp // 2, ramp // 3, ramp // 4])
    for name, data in (("night low", dark), ("night high", np.stack([ramp] * 3))):
        person.viewer.add_image(data, rgb=True, name=name, scale=(5, 1, 1))
    person.truth.choose_folder = lambda: tmp_path / "out"
    person.viewer.dims.set_point(0, 0)
    return person.start()


def test_a_stack_is_labelled_slice_by_slice(stack):
    layer = stack.layer("low")
    assert isinstance(layer, Labels)
    assert layer.data.shape == (3, 30, 40)
    np.testing.assert_array_equal(layer.scale, (5, 1, 1))
    stack.editor.set_range("low", 10, 90)
    np.testing.assert_array_equal(layer.data[0] != 0, (RAMP // 2 >= 10) & (RAMP // 2 <= 90))
    stack.viewer.dims.set_point(0, 5)
    assert stack.editor.subject.scene == "night_0001"
    assert stack.editor.rule("low") == DEFAULT_RANGES["low"]
    stack.viewer.dims.set_point(0, 0)
    assert stack.editor.rule("low") == ManualRange(lo=10, hi=90)
    assert stack.layer("low") is layer


def test_accept_goes_through_the_slices(stack, tmp_path):
    stack.viewer.dims.set_point(0, 5)
    seen = []
    for _ in range(3):
        seen.append(stack.editor.subject.scene)
        stack.truth.accept()
    assert seen == ["night_0001", "night_0002", "night_0000"]
    masks = LabelingFolder.open(tmp_path / "out").masks
    assert {scene for scene, _ in masks} == set(seen)
    assert "All 3 slices of night are labelled." in stack.told


def test_strokes_belong_to_their_slice(stack):
    layer = stack.layer("low")
    layer.brush_size = 1
    stroke(layer, (0, 2, 2))
    stack.viewer.dims.set_point(0, 10)
    assert stack.editor.annotation.corrections("low") is None
    stack.viewer.dims.set_point(0, 0)
    assert stack.editor.annotation.corrections("low")[2, 2] == 1


# The end.


def test_after_closing_the_layers_are_naparis_again(labeller):
    layer = labeller.layer("low")
    labeller.truth.close()
    before = layer.data.copy()
    layer.paint((2, 2), 1)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    labeller.viewer.layers.clear()
    labeller.viewer.add_image(RAMP)
    assert len(labeller.viewer.layers) == 1


def test_another_folder_does_not_get_the_masks_of_this_one(labeller, folder, scene, tmp_path):
    scene("other/attic")
    shutil.copytree(folder / "attic", tmp_path / "other" / "zoo")
    labeller.editor.set_range("low", 70, 255)
    labeller.session.open_folder(tmp_path / "other")
    labeller.truth.accept()
    assert not (tmp_path / "other" / "labels").exists()


def test_opening_another_folder_leaves_no_draft_with_the_users_data(labeller, home, scene):
    other = scene("other/zoo").parent
    labeller.editor.set_range("low", 70, 255)
    labeller.session.open_folder(other)
    labeller.truth.close()
    assert not list(home.rglob("drafts"))


def test_the_session_of_a_viewer_is_shared(person):
    assert person.session is session_of(person.viewer)


def test_an_alignment_that_arrives_leaves_the_stroke_in_hand(labeller):
    mask = labeller.shown("low")
    inside = np.ones(mask.shape, bool)
    inside[:, :2] = False
    # napari tells of a stroke when the button is released.
    stroke = labeller.layer("low").data[5:8, 5:8]
    wanted = stroke == 0
    stroke[...] = wanted
    labeller.editor.limit({"low": inside}, "shift")
    np.testing.assert_array_equal(labeller.shown("low")[5:8, 5:8], wanted)
    assert not labeller.shown("low")[:, :2].any()
    assert labeller.truth.state == "changed"


def test_layers_say_whether_somebody_has_made_their_masks(labeller):
    def made():
        layers = [labeller.layer(role) for role in ("low", "high")]
        return [layer.metadata[METADATA_KEY].get("made", True) for layer in layers]

    assert made() == [False, False]
    labeller.editor.set_range("low", 100, 255)
    assert made() == [True, True]
    labeller.truth.accept()
    assert labeller.editor.subject.scene == "barn"
    assert made() == [False, False]
    labeller.session.previous()
    assert made() == [True, True]
