"""A stack is labelled slice by slice, and no slice is lost."""

import numpy as np
import pytest
from napari.components import ViewerModel

from bracketseg.labeling.mask_store import LabelingFolder

RAMP = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))
DARK = np.stack([np.stack([RAMP] * 3, -1) // part for part in (2, 3, 4)])
BRIGHT = np.stack([np.stack([RAMP] * 3, -1)] * 3)


@pytest.fixture
def open_stack(another, plugins):
    """Start with the stack open, at its first slice."""

    def start(name="Ana", dark=DARK):
        person = another(ViewerModel())
        person.session.annotator = name
        for layer, data in (("night low", dark), ("night high", BRIGHT)):
            person.viewer.add_image(data.copy(), rgb=True, name=layer)
        person.viewer.dims.set_point(0, 0)
        return person.start()

    return start


def paint(person, index, spot):
    person.viewer.dims.set_point(0, index)
    layer = person.layer("low")
    layer.brush_size = 1
    layer.paint((index, *spot), 1)


def strokes(person, index):
    person.viewer.dims.set_point(0, index)
    painted = person.editor.annotation.corrections("low")
    return [] if painted is None else np.argwhere(painted).tolist()


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_each_slice_comes_back(open_stack, how):
    person = open_stack()
    for index in (0, 1, 2):
        paint(person, index, (index, 1))
    if how == "closed":
        person.truth.close()
    else:
        person.truth.writer.flush()
    again = open_stack()
    (told,) = [told for told in again.told if "Recovered" in told]
    assert "night_0000, night_0001, night_0002" in told
    for index in (2, 0, 1):
        assert strokes(again, index) == [[index, 1]]
        assert again.truth.state == "draft"


def test_slices_that_were_left_while_the_disk_was_busy_are_written_when_it_closes(
    open_stack, monkeypatch
):
    person = open_stack()
    flush = person.truth.writer.flush
    monkeypatch.setattr(person.truth.writer, "flush", lambda **_: None)
    for index in (0, 1, 2):
        paint(person, index, (index, 1))
    monkeypatch.setattr(person.truth.writer, "flush", flush)
    person.truth.close()
    again = open_stack()
    assert [strokes(again, index) for index in (0, 1, 2)] == [[[0, 1]], [[1, 1]], [[2, 1]]]


def test_accepting_a_slice_leaves_the_drafts_of_the_others(open_stack, tmp_path):
    person = open_stack()
    for index in (0, 1):
        paint(person, index, (index, 1))
    person.truth.choose_folder = lambda: tmp_path / "out"
    assert person.truth.accept()
    assert {scene for scene, _ in LabelingFolder.open(tmp_path / "out").masks} == {"night_0001"}
    person.truth.close()
    again = open_stack()
    assert strokes(again, 0) == [[0, 1]]


def test_drafts_of_pictures_belong_to_their_annotator(open_stack):
    person = open_stack()
    paint(person, 0, (0, 1))
    person.truth.writer.flush()
    bo = open_stack("Bo")
    assert bo.told == []
    assert strokes(bo, 0) == []
    assert strokes(open_stack("Ana"), 0) == [[0, 1]]


def test_another_stack_of_that_name_does_not_get_the_strokes(open_stack):
    person = open_stack()
    paint(person, 1, (0, 1))
    person.truth.writer.flush()
    # Its first slice is the same.
    other = open_stack(dark=DARK[[0, 2, 1]])
    assert strokes(other, 1) == []


def test_strokes_on_slices_of_a_layer_that_a_closed_dock_left_are_kept(open_stack, another):
    person = open_stack()
    for index in (0, 1):
        person.viewer.dims.set_point(0, index)
    person.truth.close()
    for index in (0, 1):
        layer = person.viewer.layers["night low ground truth"]
        layer.brush_size = 1
        layer.paint((index, index, 1), 1)
    person.viewer.dims.set_point(0, 0)
    again = another(person.viewer).start()
    assert strokes(again, 0) == [[0, 1]]
    assert strokes(again, 1) == [[1, 1]]
    # One that was never shown is as it would be without.
    assert strokes(again, 2) == []
