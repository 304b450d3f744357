"""A napari that is killed without a word, and the next one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bracketseg.brackets.bracket import MASK_ROLES
from bracketseg.brackets.images import read_image
from bracketseg.brackets.luma import luma
from bracketseg.labeling.drafts import DraftStore
from bracketseg.labeling.mask_store import LabelingFolder

STARTING = 120_000
"""Milliseconds in which a napari of its own has to be up and its work on the disk."""


@pytest.fixture
def folder(make_set):
    return make_set(2)


@pytest.fixture
def killed(folder, tmp_path, qtbot):
    """The masks that were on the screen when a napari was killed that had written its draft."""
    wanted = tmp_path / "wanted.npz"
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    program = Path(__file__).with_name("killed.py")
    output = tmp_path / "output.txt"
    with output.open("w") as file:
        child = subprocess.Popen(
            [sys.executable, str(program), str(folder), str(wanted)],
            env={**os.environ, **home},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    lumas = {role: luma(read_image(folder / "s000" / f"{role}.png")) for role in MASK_ROLES}
    drafts = DraftStore(folder / "labels" / "Ana" / "drafts")

    def on_disk():
        assert child.poll() is None, output.read_text()
        draft = drafts.load("s000") if wanted.exists() else None
        if draft is None:
            return False
        restored = draft.restore(lumas)
        with np.load(wanted) as masks:
            return all(np.array_equal(restored.mask(role), masks[role]) for role in masks)

    try:
        qtbot.waitUntil(on_disk, timeout=STARTING)
    finally:
        child.kill()
        child.wait()
    with np.load(wanted) as masks:
        return {role: masks[role] != 0 for role in masks}


def test_range_and_strokes_are_back_and_that_is_said(killed, annotator, newcomer, folder):
    annotator.open(folder)
    annotator.says("Recovered unfinished work on s000")
    assert annotator.shown == "s000"
    assert annotator.find("gt.low.range").value() == (37, 111)
    assert annotator.find("gt.high.range").value() == (9, 99)
    for role in MASK_ROLES:
        np.testing.assert_array_equal(annotator.mask(role), killed[role])
    # The strokes came back as strokes.
    annotator.click("gt.clear_corrections")
    for role in MASK_ROLES:
        assert (annotator.mask(role) != killed[role]).any()
    annotator.click("gt.undo")
    annotator.click("gt.undo")
    annotator.click("gt.accept")
    labels = folder / "labels" / "Ana"
    annotator.wait(lambda: (labels / "s000.json").exists())
    annotator.wait(lambda: not (labels / "drafts").exists())
    saved = LabelingFolder.open(labels)
    for role in MASK_ROLES:
        np.testing.assert_array_equal(saved.mask("s000", role), killed[role])
    again = newcomer("Ana")
    again.open(folder)
    again.wait(lambda: again.shown == "s001")
    assert "Recovered" not in again.text("gt.status")
