"""Labelling by hand on a viewer without a window, where background work is done at once."""

import pytest

from bracketseg._napari.layers.provenance import find_layer
from bracketseg._napari.session import annotator_name, labels_folder
from bracketseg._napari.truth import scene_work
from bracketseg._napari.truth.ground_truth import GroundTruth
from bracketseg._napari.widgets import jobs


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """The user's settings and data, which are not the real ones."""
    path = tmp_path / "home"
    monkeypatch.setattr(annotator_name, "user_config_path", lambda *_, **__: path / "config")
    monkeypatch.setattr(scene_work, "user_data_path", lambda *_, **__: path / "data")
    monkeypatch.setattr(labels_folder, "own_labels", lambda: path / "bracketseg-labels")
    return path


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Background work is done before the call that starts it returns."""
    monkeypatch.setattr(jobs, "_way_to_main_thread", lambda: None)


@pytest.fixture
def folder(tmp_path, scene):
    for name in ("attic", "barn", "cave"):
        scene(f"set/{name}")
    return tmp_path / "set"


class Person:
    """Somebody who labels: a controller and what it told them."""

    def __init__(self, viewer):
        self.viewer = viewer
        self.truth = GroundTruth(viewer)
        self.editor = self.truth.editor
        self.session = self.truth.session
        self.told = []
        self.asked = []
        self.truth.notice.connect(self.told.append)

    def start(self):
        self.truth.start()
        return self

    def answer(self, answer):
        def ask(question):
            self.asked.append(question)
            return answer

        self.truth.ask = ask

    def layer(self, role):
        return find_layer(self.viewer.layers, "ground truth", self.editor.subject.title, role)

    def shown(self, role):
        return self.layer(role).data != 0


@pytest.fixture
def person(viewer):
    return Person(viewer)


@pytest.fixture
def labeller(person, folder):
    """Somebody with a folder open, at its first scene."""
    person.session.annotator = "Ana"
    person.session.open_folder(folder)
    person.session.next()
    return person.start()


@pytest.fixture
def another():
    """Start somebody else, or the same person anew: takes a viewer."""
    return Person
