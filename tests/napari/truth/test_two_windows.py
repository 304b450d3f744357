"""Two windows of the same annotator: neither silently replaces what the other saved."""

import numpy as np
import pytest

from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import ManualRange
from bracketseg.labeling.saved_scene import open_annotation, save_annotation


@pytest.fixture
def elsewhere(folder):
    """Save a scene as another process does."""

    def save(scene, lo):
        frames = {role: folder / scene / f"{role}.png" for role in ("low", "high")}
        lumas = {role: luma(read_image(path)) for role, path in frames.items()}
        theirs = LabelingFolder.open(folder / "labels" / "Ana")
        opened = open_annotation(theirs, scene, lumas, frames=frames)
        opened.annotation.set_rule("low", ManualRange(lo=lo, hi=255))
        save_annotation(theirs, opened.annotation, frames)
        return lumas["low"] >= lo

    return save


def test_what_another_window_saved_meanwhile_is_asked_about(labeller, folder, elsewhere):
    assert labeller.truth.accept()
    labeller.session.select("attic")
    theirs = elsewhere("attic", 77)
    labeller.editor.set_range("low", 33, 255)
    labeller.answer(False)
    assert not labeller.truth.accept()
    (question,) = labeller.asked
    assert "attic was saved here by somebody else since you opened it." in question
    masks = LabelingFolder.open(folder / "labels" / "Ana")
    np.testing.assert_array_equal(masks.mask("attic", "low"), theirs)
    # Whoever wants it may replace it, and is not asked again about what is their own now.
    labeller.answer(True)
    assert labeller.truth.accept()
    labeller.session.select("attic")
    labeller.editor.set_range("low", 44, 255)
    assert labeller.truth.accept()
    assert len(labeller.asked) == 2


def test_what_is_opened_anew_may_be_changed(labeller, elsewhere):
    assert labeller.truth.accept()
    elsewhere("attic", 77)
    labeller.session.select("attic")
    labeller.editor.set_range("low", 33, 255)
    assert labeller.truth.accept()
    assert labeller.asked == []
