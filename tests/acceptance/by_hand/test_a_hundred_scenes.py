"""A long day's work: nothing is lost, and memory does not grow."""

import gc
import threading
from functools import partial

import psutil
import pytest
from napari.layers import Layer
from qtpy.QtWidgets import QApplication, QWidget

from bracketseg._napari.session import scene_loader
from bracketseg._napari.session.scene_frames import FrameCache
from bracketseg._napari.truth import labels_ahead
from bracketseg.labeling.annotation import SceneAnnotation
from bracketseg.labeling.decoded_files import DecodedFiles
from bracketseg.labeling.mask_store import LabelingFolder
from bracketseg.labeling.ranges import ManualRange

SCENES = 100
WARM = 20
SHAPE = (300, 400)
SPOTS = ((9, 9), (9, 200))

MAX_GROWTH = 20 * 2**20
"""Bytes. To keep the annotation of every scene after the warm-up, two lumas, two masks and
the strokes, would take 46 MB; to keep the layers, more."""


@pytest.fixture
def small_cache(monkeypatch):
    """What is kept of scenes on purpose is full before the warm-up ends."""
    monkeypatch.setattr(scene_loader, "FrameCache", partial(FrameCache, 4 * 2**20))
    monkeypatch.setattr(labels_ahead, "_decoded", DecodedFiles(2**20))


def alive(kind):
    gc.collect()
    # Not isinstance: it asks the things themselves, of which some answer with a warning.
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())


def counts():
    """Count what a scene could leave behind."""
    return {
        "layers": alive(Layer),
        "widgets": len(QApplication.allWidgets()),
        "widgets in Python": alive(QWidget),
        "threads": threading.active_count(),
    }


def memory():
    gc.collect()
    return psutil.Process().memory_info().rss


def test_memory_does_not_grow_and_nothing_is_lost(small_cache, annotator, make_set):
    annotator.window.window.resize(900, 650)  # Most of the time goes into drawing.
    folder = make_set(SCENES, shape=SHAPE)
    labels = folder / "labels" / "Ana"
    threads = threading.active_count()

    def quiet():
        """Whether what is read ahead and written behind is done, and its threads are gone."""
        return threading.active_count() <= threads

    annotator.open(folder)
    for number in range(SCENES):
        annotator.wait(lambda scene=f"s{number:03}": annotator.shown == scene)
        if number == WARM:
            annotator.wait(quiet)
            early, early_memory = counts(), memory()
        annotator.type_bound("low", "lo", 20 + number)
        annotator.paint("low", *SPOTS, label=number % 2)
        if number == SCENES - 1:
            annotator.wait(quiet)
            late, growth = counts(), memory() - early_memory
        annotator.click("gt.accept")
    assert late == early
    # Once everything is on the disk, that of the scene in sight.
    annotator.wait(lambda: alive(SceneAnnotation) == 1)
    assert growth < MAX_GROWTH
    labeling = LabelingFolder.open(labels)
    assert len(labeling.masks) == 2 * SCENES
    for number in range(SCENES):
        scene = f"s{number:03}"
        assert labeling.record(scene).masks["low"].origin == ManualRange(lo=20 + number, hi=255)
        mask = labeling.mask(scene, "low")
        assert [mask[spot] for spot in SPOTS] == [number % 2] * len(SPOTS)
